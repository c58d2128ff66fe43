//! The messages to an agent, in a JSON file: the same text for the tests, which compare the answers
//! of every engine, and for the measurements, which want a workload that is the agent's own.
//!
//! ```json
//! {"config": {}, "messages": [{"session": "work", "message": "hello"}]}
//! ```

use build_support::agent::host::Host;
use build_support::error::{Error, Result};
use build_support::project::package::Package;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A configuration and messages, in the order they are sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// What `init` is given.
    pub config: serde_json::Value,
    /// What it is sent, one at least.
    pub messages: Vec<Message>,
}

/// Something sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The session it belongs to.
    pub session: String,
    /// The text.
    pub message: String,
}

impl Transcript {
    /// The one of the agent in `package`, in its tests.
    ///
    /// # Errors
    /// As [`Transcript::read`].
    pub fn of(package: &Package) -> Result<Self> {
        Self::read(&package.manifest.with_file_name("tests/transcript.json"))
    }

    /// Reads the JSON in `file`.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::Input`] with line and column where it is no
    /// transcript, or an empty one: nothing would be measured with that.
    pub fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).map_err(Error::io("reading", file))?;
        let help = r#"write {"config": {}, "messages": [{"session": "s", "message": "hello"}]}"#;
        let transcript: Self = serde_json::from_str(&text)
            .map_err(|error| Error::input(file, error.to_string(), help))?;
        if transcript.messages.is_empty() {
            return Err(Error::input(file, "there are no messages in it", help));
        }
        Ok(transcript)
    }

    /// The configuration as the text that `init` takes.
    pub fn config(&self) -> String {
        self.config.to_string()
    }

    /// The configuration as `weft` reads it from a file.
    ///
    /// # Errors
    /// [`Error::Input`] where it is none that TOML has.
    pub fn toml(&self) -> Result<String> {
        toml::to_string(&self.config).map_err(|why| Error::Input {
            file: "transcript.json".into(),
            offset: None,
            message: format!("its configuration cannot be a file of weft: {why}"),
            help: "write an object without null".to_owned(),
        })
    }

    /// The messages as `weft agent --json` reads them, a line each.
    pub fn lines(&self) -> String {
        let messages = self.messages.iter();
        let lines = messages.map(|message| format!("{}\n", serde_json::json!(message)));
        lines.collect()
    }

    /// Sends every message to an agent that has its configuration, and gives the answers as JSON.
    /// An answer may well be an error of the agent's; that is for the caller to judge.
    ///
    /// # Errors
    /// [`Error::Input`] where the agent traps.
    pub fn play(&self, host: &mut Host) -> Result<Vec<String>> {
        let messages = self.messages.iter();
        messages
            .map(|sent| host.process_message(&sent.session, &sent.message))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Transcript;

    fn read(text: &str) -> Result<Transcript, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("workload.json");
        std::fs::write(&file, text).unwrap();
        Transcript::read(&file).map_err(|error| error.to_string())
    }

    #[test]
    fn a_transcript_is_read() {
        let transcript =
            read(r#"{"config": {"a": 1}, "messages": [{"session": "s", "message": "hi"}]}"#)
                .unwrap();
        assert_eq!(transcript.config(), r#"{"a":1}"#);
        assert_eq!(transcript.messages[0].message, "hi");
        assert_eq!(transcript.toml().unwrap(), "a = 1\n");
        let lines = "{\"message\":\"hi\",\"session\":\"s\"}\n";
        assert_eq!(transcript.lines(), lines);
        let none = Transcript {
            config: serde_json::json!({"a": null}),
            ..transcript
        };
        assert!(none.toml().unwrap_err().to_string().contains("null"));
    }

    /// Protects against a workload that is not played: a misspelt key, an empty list.
    #[test]
    fn what_would_not_be_played_is_refused() {
        for (text, expected) in [
            ("", "line 1 column 0"),
            (r#"{"config": {}, "messages": []}"#, "no messages"),
            (r#"{"config": {}}"#, "missing field `messages`"),
            (
                r#"{"config": {}, "messages": [{"session": "s", "text": "hi"}]}"#,
                "unknown field `text`",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(
                error.contains(expected) && error.contains("workload.json"),
                "{error}"
            );
        }
    }
}
