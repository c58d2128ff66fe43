//! What the agent may take: every size and count that input could drive up.

use crate::fields::Fields;
use crate::json::Writer;

/// Limits, each with a default; `config.limits` changes them one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message. Default 65,536.
    pub max_message_bytes: u64,
    /// Messages kept per session, tool calls and results included; the oldest go. Default 64.
    pub max_history: u64,
    /// Bytes of text kept per session; the oldest messages go. Default 1,048,576.
    pub max_history_bytes: u64,
    /// How often a provider may call tools before it must answer. Default 50.
    pub max_tool_rounds: u64,
    /// Bytes of one file that a tool reads or writes, and of all of memory. Default 262,144.
    pub max_file_bytes: u64,
    /// Sessions in memory at a time; the one unused for longest is put away. Default 64.
    pub max_sessions: u64,
    /// Tokens that a turn's requests and replies may come to before it ends; 0, the default, is no
    /// limit.
    pub max_tokens_per_turn: u64,
    /// The same for all turns of a session.
    pub max_tokens_per_session: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_message_bytes: 65_536,
            max_history: 64,
            max_history_bytes: 1_048_576,
            max_tool_rounds: 50,
            max_file_bytes: 262_144,
            max_sessions: 64,
            max_tokens_per_turn: 0,
            max_tokens_per_session: 0,
        }
    }
}

const MIB: u64 = 1024 * 1024;

impl Limits {
    /// Reads the limits that are given; the others keep their default.
    pub fn read(fields: &Fields<'_, '_>) -> Self {
        let mut to = Limits::default();
        fields.number("max_message_bytes", &mut to.max_message_bytes, 1, 16 * MIB);
        fields.number("max_history", &mut to.max_history, 2, 10_000);
        fields.number(
            "max_history_bytes",
            &mut to.max_history_bytes,
            1024,
            64 * MIB,
        );
        fields.number("max_tool_rounds", &mut to.max_tool_rounds, 0, 1000);
        fields.number("max_file_bytes", &mut to.max_file_bytes, 1, 64 * MIB);
        fields.number("max_sessions", &mut to.max_sessions, 1, 10_000);
        let tokens = [
            ("max_tokens_per_turn", &mut to.max_tokens_per_turn),
            ("max_tokens_per_session", &mut to.max_tokens_per_session),
        ];
        for (name, limit) in tokens {
            fields.number(name, limit, 0, u64::MAX >> 1);
        }
        fields.only("max_message_bytes, max_history, max_history_bytes, max_tool_rounds, max_file_bytes, max_sessions, max_tokens_per_turn, max_tokens_per_session");
        to
    }

    /// Writes all limits as members.
    pub fn write(&self, out: &mut Writer) {
        out.unsigned_member("max_message_bytes", self.max_message_bytes);
        out.unsigned_member("max_history", self.max_history);
        out.unsigned_member("max_history_bytes", self.max_history_bytes);
        out.unsigned_member("max_tool_rounds", self.max_tool_rounds);
        out.unsigned_member("max_file_bytes", self.max_file_bytes);
        out.unsigned_member("max_sessions", self.max_sessions);
        out.unsigned_member("max_tokens_per_turn", self.max_tokens_per_turn);
        out.unsigned_member("max_tokens_per_session", self.max_tokens_per_session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorCode, Result};
    use crate::fields;
    use crate::json::parse;

    fn read(text: &str) -> Result<Limits> {
        let value = parse(text).unwrap();
        fields::read(
            &value,
            "config.limits",
            ErrorCode::InvalidConfig,
            Limits::read,
        )
    }

    #[test]
    fn given_ones_change_and_others_stay() {
        let limits = read(r#"{"max_history":8}"#).unwrap();
        assert_eq!(
            limits,
            Limits {
                max_history: 8,
                ..Limits::default()
            }
        );
        let mut out = Writer::new();
        out.open("{");
        limits.write(&mut out);
        out.close("}");
        assert_eq!(read(&out.finish()).unwrap(), limits);
    }

    #[test]
    fn refused() {
        let message = |text: &str| read(text).unwrap_err().message;
        assert_eq!(
            message(r#"{"max_history":"8"}"#),
            "config.limits.max_history: expected an integer from 2 to 10000, got a string"
        );
        assert_eq!(
            message(r#"{"max_sessions":0}"#),
            "config.limits.max_sessions: expected an integer from 1 to 10000, got 0"
        );
        assert!(
            message(r#"{"max_histroy":8}"#).starts_with("config.limits.max_histroy: unknown key")
        );
        assert_eq!(
            message("[]"),
            "config.limits: expected an object, got an array"
        );
    }
}
