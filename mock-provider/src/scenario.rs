//! What is said to the agent, what the provider says to that, and what must come of it, in JSON.
//!
//! ```json
//! { "about": "one tool",
//!   "files": { "notes.txt": "milk" },
//!   "say": ["what do I need?"],
//!   "answer": "You need milk.",
//!   "exchanges": [
//!     { "reply": { "say": { "calls": [
//!         { "name": "read_file", "arguments": { "path": "notes.txt" } } ] } } },
//!     { "expect": { "contains": ["milk"] },
//!       "reply": { "say": { "text": "You need milk." } }, "chunks": [[1, 5]] } ] }
//! ```

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A conversation and what must come of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// What it shows.
    pub about: String,
    /// Files of the agent's root, by name.
    pub files: BTreeMap<String, String>,
    /// The messages, in one session.
    pub say: Vec<String>,
    /// The text of the last answer, if it is no error.
    pub answer: Option<String>,
    /// The code of the error that the last message ends with.
    pub error: Option<String>,
    /// The `finish` of the last answer.
    pub finish: Option<String>,
    /// Whether a second provider of the same kind stands behind the first, at `/next`.
    pub next: bool,
    /// Whether it is held once for each place where the last reply can be cut in two pieces.
    pub every_cut: bool,
    /// Other members of the agent's configuration.
    pub config: Value,
    /// Of which vendors and forms this is; all where it is empty.
    pub only: Vec<Form>,
    /// What the provider is asked and says, in this order.
    pub exchanges: Vec<Exchange>,
}

/// A vendor and a form of replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// OpenAI's, one JSON text.
    OpenaiWhole,
    /// OpenAI's, server-sent events.
    OpenaiStream,
    /// Anthropic's, one JSON text.
    AnthropicWhole,
    /// Anthropic's, server-sent events.
    AnthropicStream,
}

impl Form {
    /// All forms.
    pub const ALL: [Form; 4] = [
        Form::OpenaiWhole,
        Form::OpenaiStream,
        Form::AnthropicWhole,
        Form::AnthropicStream,
    ];

    /// The provider's kind in the agent's configuration.
    pub fn kind(self) -> &'static str {
        match self {
            Form::OpenaiWhole | Form::OpenaiStream => "openai",
            Form::AnthropicWhole | Form::AnthropicStream => "anthropic",
        }
    }

    /// Whether it is of events.
    pub fn is_stream(self) -> bool {
        matches!(self, Form::OpenaiStream | Form::AnthropicStream)
    }
}

/// A request and the reply to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exchange {
    /// What the request must be, beside legal.
    pub expect: Expect,
    /// The reply.
    pub reply: Reply,
    /// Pieces of the reply's body: how many bytes, after how many milliseconds. The last pair holds
    /// to the end of the body; none at all is everything at once.
    pub chunks: Vec<(usize, u64)>,
    /// How many requests are answered so; 0 is all that come. Default 1.
    pub times: usize,
}

impl Default for Exchange {
    fn default() -> Self {
        Exchange {
            expect: Expect::default(),
            reply: Reply::default(),
            chunks: Vec::new(),
            times: 1,
        }
    }
}

/// What a request must be.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// Its path contains this.
    pub path: String,
    /// Its body contains each of these.
    pub contains: Vec<String>,
    /// Its body contains none of these.
    pub absent: Vec<String>,
    /// It has these headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Whether it offers tools, where that matters.
    pub tools: Option<bool>,
}

/// What is sent back. Of `say`, `error`, `json`, `text` and `events` one is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reply {
    /// The status. Default 200, or that of the error.
    pub status: Option<u16>,
    /// Headers; `{url}` in a value is the mock's own address. They go before those of the body.
    pub headers: BTreeMap<String, String>,
    /// What the model says, in the form that the request asks for.
    pub say: Option<Say>,
    /// An error as the vendor words it.
    pub error: Option<Fault>,
    /// A body of JSON as it is.
    pub json: Option<Value>,
    /// A body as it is, `text/event-stream` unless a header says otherwise.
    pub text: Option<String>,
    /// The data of server-sent events: texts as they are, everything else as JSON.
    pub events: Option<Vec<Value>>,
    /// `whole` is sent whatever was asked for: a server that cannot stream.
    pub whole: bool,
    /// How often the body is repeated. Default 1.
    pub repeat: Option<usize>,
    /// How it ends.
    pub end: End,
    /// After how many bytes of the body it is cut or hangs.
    pub after: usize,
}

/// How a reply ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// As HTTP has it.
    #[default]
    Whole,
    /// The connection is closed after `after` bytes of the body.
    Cut,
    /// Nothing comes after `after` bytes of the body.
    Hang,
    /// The body is repeated until the other side closes.
    Endless,
    /// No byte comes, not even of the head.
    Silent,
    /// The connection is closed before any byte.
    Closed,
}

/// What a model says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Say {
    /// Its text; empty is none.
    pub text: String,
    /// What it thinks before; empty is nothing.
    pub thinking: String,
    /// The signature of what it thinks.
    pub signature: String,
    /// The tools it calls.
    pub calls: Vec<Call>,
    /// Tokens in and out.
    pub usage: (u64, u64),
    /// The vendor's reason why it ends. Default: that which fits.
    pub finish: Option<String>,
}

/// A call of a tool.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Call {
    /// Its id. Default: one of the mock's own, never used twice. `null` is none at all.
    #[serde(deserialize_with = "given")]
    pub id: Option<Value>,
    /// The tool.
    pub name: String,
    /// Its arguments: an object, or a text that is sent as it is.
    pub arguments: Value,
}

/// A member that is there, `null` included.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// What a vendor refuses a request with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Too many requests, 429.
    Rate,
    /// No such key, 401.
    Key,
    /// A fault of the server, 500.
    Server,
    /// Too many requests of everybody, 529.
    Overloaded,
    /// The context is too long, 400.
    Context,
    /// The request is wrong in another way, 400.
    Request,
}

impl Scenario {
    /// Reads a scenario from JSON.
    ///
    /// # Errors
    /// What is wrong with it, with line and column.
    pub fn parse(text: &str) -> Result<Scenario, String> {
        let scenario: Scenario = serde_json::from_str(text).map_err(|why| why.to_string())?;
        for (number, exchange) in scenario.exchanges.iter().enumerate() {
            exchange
                .reply
                .check()
                .map_err(|why| format!("exchanges[{number}].reply: {why}"))?;
        }
        Ok(scenario)
    }

    /// Reads the scenario in `file`.
    ///
    /// # Errors
    /// The file, and what is wrong with it.
    pub fn read(file: &Path) -> Result<Scenario, String> {
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|why| format!("{}: {why}", file.display()))?;
        Scenario::parse(&text).map_err(|why| format!("{}: {why}", file.display()))
    }

    /// Every scenario of this crate, by name.
    ///
    /// # Errors
    /// As [`Scenario::read`].
    pub fn all() -> Result<BTreeMap<String, Scenario>, String> {
        let folder = folder();
        let entries = std::fs::read_dir(&folder);
        let entries = entries.map_err(|why| format!("{}: {why}", folder.display()))?;
        let mut all = BTreeMap::new();
        for entry in entries {
            let path = entry.map_err(|why| why.to_string())?.path();
            if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
                all.insert(name.to_owned(), Scenario::read(&path)?);
            }
        }
        Ok(all)
    }

    /// The scenario of this crate that is called `name`.
    ///
    /// # Errors
    /// As [`Scenario::read`].
    pub fn named(name: &str) -> Result<Scenario, String> {
        Scenario::read(&folder().join(name).with_extension("json"))
    }

    /// The forms it is of.
    pub fn forms(&self) -> impl Iterator<Item = Form> + '_ {
        let is_of = |form: &Form| self.only.is_empty() || self.only.contains(form);
        Form::ALL.into_iter().filter(is_of)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

impl Reply {
    fn check(&self) -> Result<(), &'static str> {
        let bodies = [
            self.say.is_some(),
            self.error.is_some(),
            self.json.is_some(),
            self.text.is_some(),
            self.events.is_some(),
        ];
        let bodies = bodies.into_iter().filter(|given| *given).count();
        match self.end {
            End::Silent | End::Closed if bodies > 0 => Err("no body comes before this end"),
            End::Silent | End::Closed => Ok(()),
            _ if bodies != 1 => Err("give one of say, error, json, text, events"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_one() {
        let all = Scenario::all().unwrap();
        assert!(all.len() >= 24, "{}", all.len());
        for (name, scenario) in all {
            assert!(!scenario.about.is_empty(), "{name}: about");
            assert!(!scenario.say.is_empty(), "{name}: say");
            let ends = [scenario.answer.is_some(), scenario.error.is_some()];
            assert_ne!(ends[0], ends[1], "{name}: one of answer, error");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let message = |text: &str| Scenario::parse(text).unwrap_err();
        assert!(message(r#"{"sya":[]}"#).contains("unknown field `sya`"));
        assert!(
            message(r#"{"exchanges":[{"reply":{}}]}"#).contains("exchanges[0].reply: give one")
        );
        let both = r#"{"exchanges":[{"reply":{"end":"silent","text":"x"}}]}"#;
        assert!(message(both).contains("no body comes"));
    }
}
