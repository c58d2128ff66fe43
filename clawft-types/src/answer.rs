//! What `process_message` gives back: one JSON object, always.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::AgentError;
use crate::json::Writer;
use crate::message::Message;
use crate::tool_result::ToolResult;

/// Counts of one turn and of the session after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Messages this turn added: the user's, calls, results, the answer.
    pub messages: u64,
    /// Messages in the history now.
    pub history: u64,
    /// Messages dropped from the history since the session began.
    pub dropped: u64,
    /// Times the provider called tools.
    pub tool_rounds: u64,
    /// Bytes of the message as it came.
    pub input_bytes: u64,
    /// Bytes of the answer's text.
    pub output_bytes: u64,
    /// Tokens of all requests and replies, as the provider counts them.
    pub tokens: Tokens,
}

/// What a provider counts; 0 where it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Of what it was sent.
    pub input: u64,
    /// Of what it answered.
    pub output: u64,
    /// Those of the input that it knew already.
    pub cached: u64,
}

impl Tokens {
    /// Of both.
    pub fn sum(self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// Adds others.
    pub fn add(&mut self, more: Tokens) {
        self.input = self.input.saturating_add(more.input);
        self.output = self.output.saturating_add(more.output);
        self.cached = self.cached.saturating_add(more.cached);
    }

    /// Writes `"tokens":{"input":…,"output":…,"cached":…}` where there are any.
    pub fn write(self, out: &mut Writer) {
        if self.sum() > 0 {
            out.open(r#""tokens":{"#);
            out.unsigned_member("input", self.input);
            out.unsigned_member("output", self.output);
            out.unsigned_member("cached", self.cached);
            out.close("}");
        }
    }
}

/// The answer to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The session.
    pub session: String,
    /// What the message was taken for.
    pub intent: &'static str,
    /// The provider that answered.
    pub provider: String,
    /// The model that answered.
    pub model: String,
    /// Why the answer ends: `stop`, or `tool_limit` where the provider wanted more rounds of tools
    /// than `limits.max_tool_rounds`.
    pub finish: &'static str,
    /// What became of the oldest turns, if they were too much for the model: `summary` where one
    /// stands for them from now on, `dropped` where there is none and they were left out.
    pub compaction: Option<&'static str>,
    /// The assistant's last message.
    pub message: Message,
    /// What the tools came to, in the order they ran.
    pub tool_results: Vec<ToolResult>,
    /// Counts.
    pub usage: Usage,
    /// Why the session was not saved, if it was not. The answer holds all the same, and the session
    /// stays in memory.
    pub not_persisted: Option<Box<AgentError>>,
}

impl Answer {
    /// The answer as JSON text, `"ok":true`.
    pub fn to_json(&self) -> String {
        let mut out = Writer::new();
        out.open(r#"{"ok":true"#);
        out.string_member("session", &self.session);
        out.string_member("intent", self.intent);
        out.string_member("provider", &self.provider);
        out.string_member("model", &self.model);
        out.string_member("finish", self.finish);
        if let Some(compaction) = self.compaction {
            out.string_member("compaction", compaction);
        }
        out.key("message");
        self.message.write(&mut out);
        out.open(r#""tool_results":["#);
        for result in &self.tool_results {
            result.write(&mut out);
        }
        out.close("]");
        out.open(r#""usage":{"#);
        out.unsigned_member("messages", self.usage.messages);
        out.unsigned_member("history", self.usage.history);
        out.unsigned_member("dropped", self.usage.dropped);
        out.unsigned_member("tool_rounds", self.usage.tool_rounds);
        out.unsigned_member("input_bytes", self.usage.input_bytes);
        out.unsigned_member("output_bytes", self.usage.output_bytes);
        self.usage.tokens.write(&mut out);
        out.close("}");
        out.bool_member("persisted", self.not_persisted.is_none());
        if let Some(error) = &self.not_persisted {
            out.key("not_persisted");
            error.write(&mut out);
        }
        out.close("}");
        out.finish()
    }
}

/// The answer for an error as JSON text, `"ok":false`.
pub fn error_json(error: &AgentError) -> String {
    let mut out = Writer::new();
    out.open(r#"{"ok":false"#);
    out.key("error");
    error.write(&mut out);
    out.close("}");
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn errors_are_answers() {
        assert_eq!(
            error_json(&AgentError::new(ErrorCode::Busy, "a \"b\"", &[])),
            r#"{"ok":false,"error":{"code":"busy","message":"a \"b\""}}"#
        );
    }
}
