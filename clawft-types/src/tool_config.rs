//! What tools there are, as the configuration has it.
//!
//! ```json
//! { "tools": { "write_file": "ask", "memory_write": "deny" },
//!   "web": { "allow": ["docs.rs", "*.example.org", "http://intranet:8080"] },
//!   "host_tools": [ { "name": "search", "description": "Search the shop.",
//!                     "parameters": { "type": "object", "properties": {} } } ] }
//! ```
//!
//! `tools` may be the list of those that are allowed instead.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::fields::Fields;
use crate::json::Value;
use crate::provider;
use crate::text;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// It is run.
    Allow,
    /// It is run if the user says so; where nobody can be asked it is not.
    Ask,
    /// It is not run, and the tool is not offered.
    Deny,
}

/// A tool that the host has and runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostTool {
    /// Its name: 1 to 64 of `A-Z a-z 0-9 _ -`.
    pub name: String,
    /// What it does, for providers.
    pub description: String,
    /// The JSON schema of its arguments, as JSON text.
    pub parameters: String,
}

/// The tools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolConfig {
    /// Those that are allowed; `None` is all.
    pub allowed: Option<Vec<String>>,
    /// What becomes of calls of some of them.
    pub rules: Vec<(String, Permission)>,
    /// Where `web_fetch` may go: hosts, with `*.` for those below one, with `http://` before where
    /// there is no TLS, and with a port where it is another. None: it is not offered.
    pub web: Vec<String>,
    /// The host's.
    pub host: Vec<HostTool>,
}

impl ToolConfig {
    /// Reads `tools`, `web` and `host_tools` of the configuration.
    pub fn read(fields: &Fields<'_, '_>) -> Box<Self> {
        let mut to = Box::new(ToolConfig::default());
        if let Some(Value::Object(members)) = fields.get("tools") {
            for (name, value) in members {
                to.rules
                    .push((name.clone(), permission(fields, name, value)));
            }
        } else {
            to.allowed = fields.get("tools").map(|_| fields.strings("tools"));
        }
        if let Some(value) = fields.get("web") {
            to.web = fields.within("web", value, |web| {
                web.only("allow");
                let allow = web.strings("allow");
                for entry in &allow {
                    if !is_entry(entry) {
                        let expected = "expected the name of a host, got {}";
                        web.fail("allow", expected, &[entry]);
                    }
                }
                allow
            });
        }
        to.host = fields.each("host_tools", HostTool::read);
        to
    }

    /// What becomes of calls of the tool.
    pub fn permission(&self, name: &str) -> Permission {
        let listed = |names: &Vec<String>| names.iter().any(|listed| listed == name);
        if !self.allowed.as_ref().is_none_or(listed) {
            return Permission::Deny;
        }
        let rule = self.rules.iter().find(|rule| rule.0 == name);
        rule.map_or(Permission::Allow, |rule| rule.1)
    }

    /// Whether `web_fetch` may go to `url`.
    pub fn may_fetch(&self, url: &str) -> bool {
        let Some((secure, authority)) = provider::authority(url) else {
            return false;
        };
        let authority = authority.to_ascii_lowercase();
        let port = if secure { ":443" } else { ":80" };
        let authority = authority.strip_suffix(port).unwrap_or(&authority);
        self.web.iter().any(|entry| {
            let plain = entry.strip_prefix("http://");
            if plain.is_some() == secure {
                return false;
            }
            let wanted = plain.unwrap_or(entry);
            match wanted.strip_prefix('*') {
                // The dot stays: it is below the host, and not the host itself.
                Some(below) => authority.len() > below.len() && ends_with(authority, below),
                None => authority.eq_ignore_ascii_case(wanted),
            }
        })
    }
}

fn ends_with(text: &str, end: &str) -> bool {
    let tail = text
        .len()
        .checked_sub(end.len())
        .and_then(|at| text.get(at..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// Whether this can be an entry of `web.allow`.
fn is_entry(entry: &str) -> bool {
    let rest = entry.strip_prefix("http://").unwrap_or(entry);
    let host = rest.strip_prefix("*.").unwrap_or(rest);
    let url = text::fill("https://{}", &[host]);
    !host.contains(['/', '*', '?', '#']) && provider::host(&url).is_some()
}

fn permission(fields: &Fields<'_, '_>, name: &str, value: &Value) -> Permission {
    match value.as_str() {
        Some("allow") => Permission::Allow,
        Some("ask") => Permission::Ask,
        Some("deny") => Permission::Deny,
        _ => {
            let place = text::fill("tools.{}", &[name]);
            fields.fail(&place, "expected allow, ask or deny", &[]);
            Permission::Deny
        }
    }
}

impl HostTool {
    fn read(fields: &Fields<'_, '_>) -> Self {
        fields.only("name, description, parameters");
        let name = fields.string("name");
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(fine) {
            let expected = "expected 1 to 64 of A-Z a-z 0-9 _ -, got {}";
            fields.fail("name", expected, &[&name]);
        }
        let parameters = match fields.get("parameters") {
            Some(schema @ Value::Object(_)) => schema.to_json(),
            _ => {
                fields.fail("parameters", "expected a JSON schema, an object", &[]);
                String::new()
            }
        };
        HostTool {
            name,
            description: fields.string("description"),
            parameters,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<Box<ToolConfig>, String> {
        match Config::parse(text) {
            Ok(config) => Ok(config.tools),
            Err(error) => Err(error.message),
        }
    }

    #[test]
    fn permissions() {
        let tools = read(r#"{"tools":{"a":"ask","b":"deny"}}"#).unwrap();
        let of = |name| tools.permission(name);
        assert_eq!(
            (of("a"), of("b"), of("c")),
            (Permission::Ask, Permission::Deny, Permission::Allow)
        );
        let tools = read(r#"{"tools":["a"]}"#).unwrap();
        assert_eq!(tools.permission("a"), Permission::Allow);
        assert_eq!(tools.permission("b"), Permission::Deny);
        assert_eq!(
            read(r#"{"tools":{"a":true}}"#).unwrap_err(),
            "config.tools.a: expected allow, ask or deny"
        );
    }

    #[test]
    fn where_the_web_may_be_asked() {
        let tools = read(
            r#"{"web":{"allow":["docs.rs","*.Example.org","http://intranet","http://10.0.0.7:8080"]}}"#,
        )
        .unwrap();
        for (url, want) in [
            ("https://docs.rs", true),
            ("https://DOCS.rs:443/serde?x#y", true),
            ("https://docs.rs:8443/", false),
            ("http://docs.rs/", false),
            ("https://docs.rs.evil.org/", false),
            ("https://evildocs.rs/", false),
            ("https://user@docs.rs/", false),
            ("https://docs.rs\\@evil.org/", false),
            ("https://a.example.org/", true),
            ("https://a.b.EXAMPLE.org/", true),
            ("https://example.org/", false),
            ("https://.example.org/", false),
            ("https://evilexample.org/", false),
            ("http://intranet/", true),
            ("http://intranet:80/", true),
            ("https://intranet/", false),
            ("http://10.0.0.7:8080/x", true),
            ("http://10.0.0.7/x", false),
            ("ftp://docs.rs/", false),
            ("docs.rs", false),
        ] {
            assert_eq!(tools.may_fetch(url), want, "{url}");
        }
        assert!(!read("{}").unwrap().may_fetch("https://docs.rs/"));
        for entry in ["", "*", "*.", "a/b", "https://a", "a b", "a*"] {
            let text = text::fill(r#"{"web":{"allow":["{}"]}}"#, &[entry]);
            let message = read(&text).unwrap_err();
            assert!(
                message.starts_with("config.web.allow: expected the name of a host"),
                "{entry}: {message}"
            );
        }
    }

    #[test]
    fn tools_of_the_host() {
        let tools = read(
            r#"{"host_tools":[{"name":"s","description":"d","parameters":{"type":"object"}}]}"#,
        )
        .unwrap();
        assert_eq!(tools.host[0].parameters, r#"{"type":"object"}"#);
        for (tool, message) in [
            (
                r#"{"name":"a b","description":"d","parameters":{}}"#,
                "config.host_tools[0].name: expected 1 to 64 of A-Z a-z 0-9 _ -, got a b",
            ),
            (
                r#"{"name":"a","description":"d"}"#,
                "config.host_tools[0].parameters: expected a JSON schema, an object",
            ),
        ] {
            let text = text::fill(r#"{"host_tools":[{}]}"#, &[tool]);
            assert_eq!(read(&text).unwrap_err(), message);
        }
    }
}
