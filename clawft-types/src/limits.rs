//! What the agent may take: every size and count that input could drive up.

use crate::fields::Fields;
use crate::json::Writer;
use crate::text;

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

/// The names of the limits, in their order.
const NAMES: &str = "max_message_bytes, max_history, max_history_bytes, max_tool_rounds, \
                     max_file_bytes, max_sessions, max_tokens_per_turn, max_tokens_per_session";

const MIB: u32 = 1024 * 1024;

/// What each may be, in the same order; up to 0 is without end.
const RANGES: [(u32, u32); 8] = [
    (1, 16 * MIB),
    (2, 10_000),
    (1024, 64 * MIB),
    (0, 1000),
    (1, 64 * MIB),
    (1, 10_000),
    (0, 0),
    (0, 0),
];

impl Limits {
    /// Reads the limits that are given; the others keep their default.
    pub fn read(fields: &Fields<'_, '_>) -> Self {
        let mut to = Limits::default();
        let mut names = Some(NAMES);
        for (limit, (min, max)) in to.all().into_iter().zip(RANGES) {
            let name = text::next_part(&mut names, ", ").unwrap_or_default();
            let max = match max {
                0 => u64::MAX >> 1,
                max => max.into(),
            };
            fields.number(name, limit, min.into(), max);
        }
        fields.only(NAMES);
        to
    }

    /// Writes all limits as members.
    pub fn write(mut self, out: &mut Writer) {
        let mut names = Some(NAMES);
        for limit in self.all() {
            let name = text::next_part(&mut names, ", ").unwrap_or_default();
            out.unsigned_member(name, *limit);
        }
    }

    /// All of them, in the order of their names.
    fn all(&mut self) -> [&mut u64; 8] {
        [
            &mut self.max_message_bytes,
            &mut self.max_history,
            &mut self.max_history_bytes,
            &mut self.max_tool_rounds,
            &mut self.max_file_bytes,
            &mut self.max_sessions,
            &mut self.max_tokens_per_turn,
            &mut self.max_tokens_per_session,
        ]
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
