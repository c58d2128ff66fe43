//! A message of a conversation.

use alloc::string::String;
use alloc::vec::Vec;

use crate::fields::Fields;
use crate::json::Writer;
use crate::tool_call::ToolCall;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The configuration.
    System,
    /// The person or program that uses the agent.
    User,
    /// The provider.
    Assistant,
    /// A tool, with the result of a call.
    Tool,
}

impl Role {
    /// The role as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }

    /// The role of this name.
    pub fn from_name(name: &str) -> Option<Role> {
        Some(match name {
            "system" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "tool" => Role::Tool,
            _ => return None,
        })
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `m1`, `m2` … in the order of the session; never used twice in it.
    pub id: String,
    /// Who speaks.
    pub role: Role,
    /// The text. For [`Role::Tool`]: the output, or the error.
    pub content: String,
    /// Milliseconds since the Unix epoch; 0 where the platform has no clock.
    pub timestamp_ms: u64,
    /// What the assistant wants done; empty for every other role.
    pub tool_calls: Vec<ToolCall>,
    /// For [`Role::Tool`]: the id of the call this answers. Empty otherwise.
    pub call_id: String,
}

impl Message {
    /// A message without tool calls.
    pub fn new(id: String, role: Role, content: &str, timestamp_ms: u64) -> Self {
        Message {
            id,
            role,
            content: String::from(content),
            timestamp_ms,
            tool_calls: Vec::new(),
            call_id: String::new(),
        }
    }

    /// Reads what [`Message::write`] wrote.
    pub fn read(fields: &Fields<'_, '_>) -> Self {
        let role = fields.str("role");
        let mut message = Message {
            tool_calls: fields.each("tool_calls", ToolCall::read),
            id: fields.string("id"),
            role: Role::from_name(role).unwrap_or_else(|| {
                fields.fail("role", "unknown role {}", &[role]);
                Role::System
            }),
            content: fields.string("content"),
            timestamp_ms: 0,
            call_id: fields.string_or("call_id", ""),
        };
        fields.number("timestamp_ms", &mut message.timestamp_ms, 0, u64::MAX);
        message
    }

    /// Writes the message; calls and call id only where there are any.
    pub fn write(&self, out: &mut Writer) {
        out.open("{");
        out.string_member("id", &self.id);
        out.string_member("role", self.role.as_str());
        out.string_member("content", &self.content);
        out.unsigned_member("timestamp_ms", self.timestamp_ms);
        if !self.tool_calls.is_empty() {
            out.open(r#""tool_calls":["#);
            for call in &self.tool_calls {
                call.write(out);
            }
            out.close("]");
        }
        if !self.call_id.is_empty() {
            out.string_member("call_id", &self.call_id);
        }
        out.close("}");
    }

    /// Bytes of text in the message, as `limits.max_history_bytes` counts them.
    pub fn bytes(&self) -> usize {
        let calls = self
            .tool_calls
            .iter()
            .map(|call| call.name.len() + call.arguments.len());
        self.content.len() + calls.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorCode, Result};
    use crate::fields;
    use crate::json::parse;

    fn read(text: &str) -> Result<Message> {
        let value = parse(text).unwrap();
        fields::read(&value, "x", ErrorCode::InvalidMessage, Message::read)
    }

    #[test]
    fn comes_back_as_it_went() {
        let text = r#"{"id":"m1","role":"assistant","content":"é\n","timestamp_ms":5,"tool_calls":[{"id":"c1","name":"read_file","arguments":{"path":"a"}}]}"#;
        let message = read(text).unwrap();
        assert_eq!(message.role, Role::Assistant);
        assert_eq!(message.bytes(), 3 + 9 + 12);
        let mut out = Writer::new();
        message.write(&mut out);
        assert_eq!(out.finish(), text);
    }

    #[test]
    fn errors_name_the_place() {
        let message = |text: &str| read(text).unwrap_err().message;
        assert_eq!(
            message(r#"{"role":"king","id":"m1","content":""}"#),
            "x.role: unknown role king"
        );
        assert_eq!(
            message(r#"{"role":"user","id":"m1"}"#),
            "x.content: expected a string, got nothing"
        );
        assert_eq!(
            message(r#"{"role":"user","id":"m1","content":"","tool_calls":[{"id":"c"}]}"#),
            "x.tool_calls[0].name: expected a string, got nothing"
        );
    }
}
