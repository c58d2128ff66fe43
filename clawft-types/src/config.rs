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

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{ErrorCode, Result};
use crate::fields::Fields;
use crate::json::{self, Value, decimal};
use crate::limits::Limits;
use crate::text;

/// What kind of thing answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    /// The deterministic one that needs no network.
    Offline,
}

/// A provider: a name, a kind, and the models it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    /// How answers call it.
    pub name: String,
    /// What it is.
    pub kind: ProviderKind,
    /// Models it serves; `*` is any.
    pub models: Vec<String>,
}

/// The configuration of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The model unless a route says otherwise. Default `offline-1`.
    pub model: String,
    /// Sampling temperature in thousandths, 0 to 2000. Default 0. Whole numbers, because float code
    /// costs kilobytes in the wasm file.
    pub temperature_milli: u16,
    /// Text put before every conversation. Default empty: none.
    pub system: String,
    /// Sizes and counts.
    pub limits: Limits,
    /// Providers in the order they are tried. Default: the offline one, for any model.
    pub providers: Vec<ProviderConfig>,
    /// Intent → model, where it differs from `model`.
    pub routes: Vec<(String, String)>,
    /// Tools the provider may call; `None` is all.
    pub tools: Option<Vec<String>>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            model: String::from("offline-1"),
            temperature_milli: 0,
            system: String::new(),
            limits: Limits::default(),
            providers: [ProviderConfig {
                name: String::from("offline"),
                kind: ProviderKind::Offline,
                models: [String::from("*")].into(),
            }]
            .into(),
            routes: Vec::new(),
            tools: None,
        }
    }
}

impl Config {
    /// Reads a configuration from JSON text.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::InvalidJson`] if it is no JSON, [`ErrorCode::InvalidConfig`] with the place if
    /// it says something wrong, [`ErrorCode::Unsupported`] for a provider this build does not have.
    /// Tool names and intents are left to the agent, which knows them.
    pub fn parse(text: &str) -> Result<Self> {
        Config::from_value(&json::parse(text).map_err(|error| error.at("config"))?)
    }

    /// Reads a configuration from a JSON value.
    ///
    /// # Errors
    ///
    /// As [`Config::parse`].
    pub fn from_value(value: &Value) -> Result<Self> {
        let fields = Fields::of(value, "config", ErrorCode::InvalidConfig)?;
        fields.only(&[
            "model",
            "temperature",
            "system",
            "limits",
            "providers",
            "routes",
            "tools",
        ])?;
        let mut config = Config::default();
        config.model = String::from(fields.string_or("model", &config.model)?);
        if config.model.is_empty() {
            return Err(fields.error("model", &["expected a name, got an empty string"]));
        }
        config.system = String::from(fields.string_or("system", "")?);
        if let Some(value) = fields.get("temperature") {
            config.temperature_milli = match value {
                Value::Number(text) => thousandths(text),
                _ => None,
            }
            .ok_or_else(|| {
                fields.error(
                    "temperature",
                    &["expected a number from 0 to 2 with at most 3 decimals"],
                )
            })?;
        }
        if let Some(value) = fields.get("limits") {
            config.limits = Limits::from_value(value, "config.limits")?;
        }
        if fields.get("providers").is_some() {
            config.providers.clear();
            for (at, item) in fields.array("providers")?.iter().enumerate() {
                let place = text::concat(&["config.providers[", &decimal(at as u64), "]"]);
                config.providers.push(provider(item, &place)?);
            }
        }
        match fields.get("routes") {
            None => {}
            Some(Value::Object(members)) => {
                for (intent, model) in members {
                    let Value::String(model) = model else {
                        let what = ["expected the name of a model, got ", model.kind()];
                        return Err(fields.error("routes", &what).at(intent));
                    };
                    config.routes.push((intent.clone(), model.clone()));
                }
            }
            Some(other) => {
                return Err(fields.error("routes", &["expected an object, got ", other.kind()]));
            }
        }
        if fields.get("tools").is_some() {
            config.tools = Some(fields.strings("tools")?);
        }
        Ok(config)
    }
}

fn provider(value: &Value, place: &str) -> Result<ProviderConfig> {
    let fields = Fields::of(value, place, ErrorCode::InvalidConfig)?;
    fields.only(&["name", "kind", "models"])?;
    let kind = match fields.string("kind")? {
        "offline" => ProviderKind::Offline,
        kind @ ("openai" | "anthropic") => {
            let mut error = fields.error(
                "kind",
                &[kind, " needs HTTP, which this build does not have"],
            );
            error.code = ErrorCode::Unsupported;
            return Err(error);
        }
        kind => return Err(fields.error("kind", &["expected offline, got ", kind])),
    };
    let mut models = fields.strings("models")?;
    if models.is_empty() {
        models.push(String::from("*"));
    }
    Ok(ProviderConfig {
        name: String::from(fields.string_or("name", "offline")?),
        kind,
        models,
    })
}

/// `text`, a JSON number, in thousandths; `None` if it is not from 0 to 2 or has more decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text::split(text, ".").unwrap_or((text, ""));
    let mut sum = match whole {
        "0" => 0,
        "1" => 1000,
        "2" => 2000,
        _ => return None,
    };
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
        assert_eq!(Config::parse("{}").unwrap(), Config::default());
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
        assert_eq!(config.temperature_milli, 1250);
        assert_eq!(config.system, "s");
        assert_eq!(config.limits.max_history, 4);
        assert_eq!(config.providers.len(), 2);
        assert_eq!(config.providers[1].models, ["*"]);
        assert_eq!(config.routes, [("question".into(), "q".into())]);
        assert_eq!(config.tools.unwrap(), ["read_file"]);
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
                "config.providers[0].kind: expected offline, got pigeon",
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
        assert_eq!(
            error(r#"{"providers":[{"kind":"openai"}]}"#).code,
            ErrorCode::Unsupported
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
