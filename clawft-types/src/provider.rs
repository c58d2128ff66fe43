//! A provider as the configuration has it.
//!
//! ```json
//! { "name": "claude", "kind": "anthropic", "models": ["*"], "credential": "anthropic",
//!   "base_url": "https://api.anthropic.com", "stream": true, "max_tokens": 8192,
//!   "headers": { "x-team": "7" }, "body": { "top_p": 1 } }
//! ```
//!
//! There is no key in it: `credential` names one, which the host adds to a request.

use alloc::string::String;
use alloc::vec::Vec;

use crate::fields::Fields;
use crate::json::Value;
use crate::text;

/// What kind of thing answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    /// The deterministic one that needs no network.
    Offline,
    /// What speaks the chat completions of OpenAI.
    OpenAi,
    /// What speaks the messages of Anthropic.
    Anthropic,
}

/// A provider: a name, a kind, the models it serves, and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    /// How answers call it. Default: its kind.
    pub name: String,
    /// What it is.
    pub kind: ProviderKind,
    /// Models it serves; `*` is any, and the default.
    pub models: Vec<String>,
    /// Where it is, without a slash at the end. Default: the vendor's.
    pub base_url: String,
    /// The name of the key the host adds; empty where it takes none.
    pub credential: String,
    /// Headers that it gets besides, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Members that the body gets besides, as JSON text.
    pub body: Vec<(String, String)>,
    /// Whether it is asked to answer bit by bit. Default: it is.
    pub stream: bool,
    /// Tokens of an answer, where the kind must say; default 8,192.
    pub max_tokens: u64,
    /// Tokens that the model takes: what is more than three quarters of it is left out of a
    /// request, the oldest turns first. Default 0: all is sent, until the provider complains.
    pub context_tokens: u64,
}

/// Members of a request's body that are the agent's alone.
const OWN: &str = "model, messages, system, tools, tool_choice, stream, stream_options";

/// Headers that are the agent's or the host's alone.
const KEPT: &str = "authorization, x-api-key, api-key, cookie, host, content-length, content-type, \
                    transfer-encoding, connection";

impl ProviderConfig {
    /// The offline provider, for any model.
    pub fn offline() -> Self {
        ProviderConfig {
            name: String::from("offline"),
            kind: ProviderKind::Offline,
            models: [String::from("*")].into(),
            base_url: String::new(),
            credential: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
            stream: true,
            max_tokens: 8192,
            context_tokens: 0,
        }
    }

    /// Reads one of `config.providers`.
    pub fn read(fields: &Fields<'_, '_>) -> Self {
        let mut to = ProviderConfig::offline();
        let kind = fields.str("kind");
        let default_url;
        (to.kind, default_url) = match kind {
            "openai" => (ProviderKind::OpenAi, "https://api.openai.com/v1"),
            "anthropic" => (ProviderKind::Anthropic, "https://api.anthropic.com"),
            "offline" => (ProviderKind::Offline, ""),
            other => {
                let expected = "expected offline, openai or anthropic, got {}";
                fields.fail("kind", expected, &[other]);
                (ProviderKind::Offline, "")
            }
        };
        fields.only(if to.kind == ProviderKind::Offline {
            "name, kind, models"
        } else {
            "name, kind, models, base_url, credential, headers, body, stream, max_tokens, context_tokens"
        });
        to.name = fields.string_or("name", kind);
        let models = fields.strings("models");
        if !models.is_empty() {
            to.models = models;
        }
        to.credential = fields.string_or("credential", "");
        to.base_url = base_url(fields, default_url, !to.credential.is_empty());
        to.headers = headers(fields);
        for (name, value) in fields.members("body") {
            if text::is_listed(OWN, ", ", name) {
                let place = text::fill("body.{}", &[name]);
                fields.fail(&place, "is the agent's to say", &[]);
            }
            to.body.push((name.clone(), value.to_json()));
        }
        fields.boolean("stream", &mut to.stream);
        fields.number("max_tokens", &mut to.max_tokens, 1, 1_000_000);
        fields.number("context_tokens", &mut to.context_tokens, 1024, 100_000_000);
        to
    }
}

fn base_url(fields: &Fields<'_, '_>, default: &str, with_key: bool) -> String {
    let mut url = match fields.str_or("base_url", "") {
        "" => default,
        given => given,
    };
    while let Some(shorter) = url.strip_suffix('/') {
        url = shorter;
    }
    if !url.is_empty() {
        match host(url) {
            None => fields.fail(
                "base_url",
                "expected https://HOST or http://HOST, got {}",
                &[url],
            ),
            Some((false, host)) if with_key && !is_loopback(host) => {
                let message = "a key goes to https alone, or to this machine, not to {}";
                fields.fail("base_url", message, &[url]);
            }
            Some(_) => {}
        }
    }
    String::from(url)
}

/// Whether `url` is of https, and its host with the port; `None` if it is no URL that can be asked.
pub fn authority(url: &str) -> Option<(bool, &str)> {
    let (secure, rest) = match url.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, url.strip_prefix("http://")?),
    };
    let end = rest
        .bytes()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let authority = rest.get(..end.unwrap_or(rest.len()))?;
    // No user and password, and nothing that a parser of another make might read differently.
    let fine = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'@' | b'\\' | b'"');
    if !url.bytes().all(fine) {
        return None;
    }
    (!authority.is_empty()).then_some((secure, authority))
}

/// Whether `url` is of https, and its host; `None` if it is no URL that can be asked.
pub fn host(url: &str) -> Option<(bool, &str)> {
    let (secure, authority) = authority(url)?;
    let host = if authority.starts_with('[') {
        let end = authority.bytes().position(|byte| byte == b']')?;
        authority.get(..=end)?
    } else {
        let end = authority.bytes().position(|byte| byte == b':');
        authority.get(..end.unwrap_or(authority.len()))?
    };
    (!host.is_empty()).then_some((secure, host))
}

/// Whether the host is this machine itself.
pub fn is_loopback(host: &str) -> bool {
    let four = |byte: u8| byte == b'.' || byte.is_ascii_digit();
    host.eq_ignore_ascii_case("localhost")
        || host == "[::1]"
        || (host.starts_with("127.") && host.bytes().all(four))
}

fn headers(fields: &Fields<'_, '_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (name, value) in fields.members("headers") {
        let place = text::fill("headers.{}", &[name]);
        let token = |byte: u8| byte == b'-' || byte == b'_' || byte.is_ascii_alphanumeric();
        let name = name.to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(token) {
            fields.fail(&place, "expected the name of a header", &[]);
        }
        if text::is_listed(KEPT, ", ", &name) {
            let message = "is not for the configuration; name a key in credential";
            fields.fail(&place, message, &[]);
        }
        match value {
            Value::String(value) if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
                headers.push((name, value.clone()));
            }
            _ => fields.fail(&place, "expected a text of ASCII characters", &[]),
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::error::ErrorCode;

    fn read(provider: &str) -> Result<ProviderConfig, String> {
        let config = text::fill(r#"{"providers":[{}]}"#, &[provider]);
        match Config::parse(&config) {
            Ok(mut config) => Ok(config.providers.remove(0)),
            Err(error) => {
                assert_eq!(error.code, ErrorCode::InvalidConfig);
                Err(error.message)
            }
        }
    }

    #[test]
    fn defaults_are_the_vendors() {
        let openai = read(r#"{"kind":"openai"}"#).unwrap();
        assert_eq!(openai.base_url, "https://api.openai.com/v1");
        assert_eq!((openai.name.as_str(), openai.stream), ("openai", true));
        assert_eq!(openai.models, ["*"]);
        let anthropic = read(r#"{"kind":"anthropic","name":"c"}"#).unwrap();
        assert_eq!(anthropic.base_url, "https://api.anthropic.com");
        assert_eq!((anthropic.name.as_str(), anthropic.max_tokens), ("c", 8192));
    }

    #[test]
    fn everything_is_read() {
        let all = read(
            r#"{"kind":"openai","base_url":"http://127.0.0.1:1234/v1/","credential":"k",
                "headers":{"X-Team":"7"},"body":{"top_p":0.5},"stream":false,"max_tokens":9,
                "context_tokens":4096}"#,
        )
        .unwrap();
        assert_eq!(all.base_url, "http://127.0.0.1:1234/v1");
        assert_eq!(all.headers, [("x-team".into(), "7".into())]);
        assert_eq!(all.body, [("top_p".into(), "0.5".into())]);
        assert_eq!(
            (all.stream, all.max_tokens, all.context_tokens),
            (false, 9, 4096)
        );
    }

    #[test]
    fn refused() {
        for (text, message) in [
            (
                r#"{"kind":"offline","base_url":"x"}"#,
                "config.providers[0].base_url: unknown key, known are name, kind, models",
            ),
            (
                r#"{"kind":"openai","base_url":"ftp://x"}"#,
                "config.providers[0].base_url: expected https://HOST or http://HOST, got ftp://x",
            ),
            (
                r#"{"kind":"openai","base_url":"http://x","credential":"k"}"#,
                "config.providers[0].base_url: a key goes to https alone, or to this machine, not to http://x",
            ),
            (
                r#"{"kind":"openai","headers":{"Authorization":"Bearer x"}}"#,
                "config.providers[0].headers.Authorization: is not for the configuration; name a key in credential",
            ),
            (
                r#"{"kind":"openai","headers":{"a":"b\nc: d"}}"#,
                "config.providers[0].headers.a: expected a text of ASCII characters",
            ),
            (
                r#"{"kind":"openai","body":{"messages":[]}}"#,
                "config.providers[0].body.messages: is the agent's to say",
            ),
            (
                r#"{"kind":"openai","body":[]}"#,
                "config.providers[0].body: expected an object, got an array",
            ),
            (
                r#"{"kind":"openai","stream":"no"}"#,
                "config.providers[0].stream: expected true or false, got a string",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), message);
        }
    }

    #[test]
    fn hosts() {
        for (url, want) in [
            ("https://a.b/c", Some((true, "a.b"))),
            ("http://a:1", Some((false, "a"))),
            ("http://[::1]:80/x", Some((false, "[::1]"))),
            ("https://", None),
            ("https://user@host", None),
            ("https://127.0.0.1\\@evil", None),
            ("https://a b", None),
            ("a.b", None),
        ] {
            assert_eq!(host(url), want, "{url}");
        }
        for (host, want) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.evil.org", false),
            ("[::1]", true),
            ("10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(host), want, "{host}");
        }
    }
}
