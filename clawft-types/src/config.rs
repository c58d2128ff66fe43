//! The configuration `init` takes.
//!
//! ```json
//! { "model": "offline-1", "temperature": 0.2, "system": "be brief",
//!   "limits": { "max_history": 64 },
//!   "providers": [ { "name": "offline", "kind": "offline", "models": ["*"] } ],
//!   "routes": { "question": "offline-large" },
//!   "tools": ["read_file", "memory_read"] }
//! ```
//!
//! Every key may be left out: `{}` is the default. An unknown key is an error.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{ErrorCode, Result};
use crate::fields::{self, Fields};
use crate::json::{self, Value};
use crate::limits::Limits;
use crate::provider::ProviderConfig;
use crate::text;
use crate::tool_config::ToolConfig;

/// The configuration of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The model unless a route says otherwise. Default `offline-1`.
    pub model: String,
    /// Sampling temperature in thousandths, 0 to 2000, if given; otherwise it is the provider's to
    /// choose. Whole numbers, because float code costs kilobytes in the wasm file.
    pub temperature_milli: Option<u16>,
    /// Text put before every conversation. Default empty: none.
    pub system: String,
    /// Sizes and counts.
    pub limits: Limits,
    /// Providers in the order they are tried. Default: the offline one, for any model.
    pub providers: Vec<ProviderConfig>,
    /// Intent → model, where it differs from `model`.
    pub routes: Vec<(String, String)>,
    /// Tools the provider may call.
    pub tools: Box<ToolConfig>,
}

impl Default for Config {
    fn default() -> Self {
        fields::read_nothing(read)
    }
}

impl Config {
    /// Reads a configuration from JSON text.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::InvalidJson`] if it is no JSON, [`ErrorCode::InvalidConfig`] with the place if
    /// it says something wrong. Tool names and intents are left to the agent, which knows them.
    pub fn parse(text: &str) -> Result<Box<Self>> {
        let value = json::parse_at(text, "config")?;
        fields::read(&value, "config", ErrorCode::InvalidConfig, |fields| {
            Box::new(read(fields))
        })
    }
}

fn read(fields: &Fields<'_, '_>) -> Config {
    fields.only("model, temperature, system, limits, providers, routes, tools, web, host_tools");
    Config {
        model: model(fields),
        system: fields.string_or("system", ""),
        temperature_milli: temperature(fields),
        limits: match fields.get("limits") {
            Some(value) => fields.within("limits", value, Limits::read),
            None => Limits::default(),
        },
        providers: match fields.get("providers") {
            Some(_) => fields.each("providers", ProviderConfig::read),
            None => [ProviderConfig::offline()].into(),
        },
        routes: routes(fields),
        tools: ToolConfig::read(fields),
    }
}

fn model(fields: &Fields<'_, '_>) -> String {
    let model = fields.string_or("model", "offline-1");
    if model.is_empty() {
        fields.fail("model", "expected a name, got an empty string", &[]);
    }
    model
}

fn temperature(fields: &Fields<'_, '_>) -> Option<u16> {
    let given = match fields.get("temperature")? {
        Value::Number(text) => thousandths(text),
        _ => None,
    };
    if given.is_none() {
        let what = "expected a number from 0 to 2 with at most 3 decimals";
        fields.fail("temperature", what, &[]);
    }
    given
}

fn routes(fields: &Fields<'_, '_>) -> Vec<(String, String)> {
    let mut routes = Vec::new();
    for (intent, model) in fields.members("routes") {
        if let Value::String(model) = model {
            routes.push((intent.clone(), model.clone()));
        } else {
            let what = "expected the name of a model, got {}";
            let error = fields.error("routes", what, &[model.kind()]);
            fields.report(error.at(intent));
        }
    }
    routes
}

/// `text`, a JSON number, in thousandths; `None` if it is not from 0 to 2 or has more decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text::split(text, ".").unwrap_or((text, ""));
    let [digit @ b'0'..=b'2'] = whole.as_bytes() else {
        return None;
    };
    let mut sum = u16::from(digit - b'0') * 1000;
    let mut unit = 100;
    for byte in decimals.bytes() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 || (unit == 0 && digit > 0) {
            return None;
        }
        sum += u16::from(digit) * unit;
        unit /= 10;
    }
    (sum <= 2000).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_object_is_the_default() {
        assert_eq!(*Config::parse("{}").unwrap(), Config::default());
    }

    #[test]
    fn everything_is_read() {
        let config = Config::parse(
            r#"{"model":"m","temperature":1.25,"system":"s","limits":{"max_history":4},
               "providers":[{"name":"p","kind":"offline","models":["m"]},{"kind":"offline"}],
               "routes":{"question":"q"},"tools":["read_file"]}"#,
        )
        .unwrap();
        assert_eq!(config.model, "m");
        assert_eq!(config.temperature_milli, Some(1250));
        assert_eq!(config.system, "s");
        assert_eq!(config.limits.max_history, 4);
        assert_eq!(config.providers.len(), 2);
        assert_eq!(config.providers[1].models, ["*"]);
        assert_eq!(config.routes, [("question".into(), "q".into())]);
        assert_eq!(config.tools.allowed.unwrap(), ["read_file"]);
    }

    #[test]
    fn errors() {
        let error = |text: &str| Config::parse(text).unwrap_err();
        assert_eq!(error("nope").code, ErrorCode::InvalidJson);
        assert_eq!(error("nope").message, "config: expected a value at byte 0");
        let cases = [
            ("[]", "config: expected an object, got an array"),
            (
                r#"{"model":3}"#,
                "config.model: expected a string, got a number",
            ),
            (
                r#"{"model":""}"#,
                "config.model: expected a name, got an empty string",
            ),
            (
                r#"{"limits":{"max_history":"x"}}"#,
                "config.limits.max_history: expected an integer from 2 to 10000, got a string",
            ),
            (
                r#"{"temperature":"hot"}"#,
                "config.temperature: expected a number from 0 to 2 with at most 3 decimals",
            ),
            (
                r#"{"providers":[{"kind":"offline"},{"name":"x"}]}"#,
                "config.providers[1].kind: expected a string, got nothing",
            ),
            (
                r#"{"providers":[{"kind":"pigeon"}]}"#,
                "config.providers[0].kind: expected offline, openai or anthropic, got pigeon",
            ),
            (
                r#"{"tools":"all"}"#,
                "config.tools: expected an array, got a string",
            ),
            (
                r#"{"routes":[]}"#,
                "config.routes: expected an object, got an array",
            ),
            (
                r#"{"routes":{"chat":1}}"#,
                "chat: config.routes: expected the name of a model, got a number",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(error(text).code, ErrorCode::InvalidConfig, "{text}");
            assert_eq!(error(text).message, message);
        }
        assert!(
            error(r#"{"modle":"m"}"#)
                .message
                .starts_with("config.modle: unknown key, known are model,")
        );
    }

    #[test]
    fn temperatures() {
        for (text, want) in [
            ("0", Some(0)),
            ("0.0", Some(0)),
            ("0.7", Some(700)),
            ("0.125", Some(125)),
            ("2", Some(2000)),
            ("2.0000", Some(2000)),
            ("2.001", None),
            ("0.1255", None),
            ("3", None),
            ("-1", None),
            ("1e0", None),
            ("0.1e1", None),
        ] {
            assert_eq!(thousandths(text), want, "{text}");
        }
    }
}
