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
    /// How often a provider may call tools before it must answer. Default 4.
    pub max_tool_rounds: u64,
    /// Bytes of one file that a tool reads or writes, and of all of memory. Default 262,144.
    pub max_file_bytes: u64,
    /// Sessions in memory at a time; the one unused for longest is put away. Default 64.
    pub max_sessions: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_message_bytes: 65_536,
            max_history: 64,
            max_history_bytes: 1_048_576,
            max_tool_rounds: 4,
            max_file_bytes: 262_144,
            max_sessions: 64,
        }
    }
}

const MIB: u64 = 1024 * 1024;

/// Name, smallest and largest value of each limit, in the order of [`Limits::all`].
static ROWS: [(&str, u64, u64); 6] = [
    ("max_message_bytes", 1, 16 * MIB),
    ("max_history", 2, 10_000),
    ("max_history_bytes", 1024, 64 * MIB),
    ("max_tool_rounds", 0, 64),
    ("max_file_bytes", 1, 64 * MIB),
    ("max_sessions", 1, 10_000),
];

impl Limits {
    /// Reads the limits that are given; the others keep their default.
    pub fn read(fields: &Fields<'_, '_>) -> Self {
        let mut limits = Limits::default();
        for ((name, min, max), limit) in ROWS.iter().zip(limits.all()) {
            fields.number(name, limit, *min, *max);
        }
        fields.only(&ROWS.map(|(name, _, _)| name));
        limits
    }

    /// Writes all limits as an object.
    pub fn write(&self, out: &mut Writer) {
        out.open('{');
        let mut copy = *self;
        for ((name, _, _), limit) in ROWS.iter().zip(copy.all()) {
            out.unsigned_member(name, *limit);
        }
        out.close('}');
    }

    fn all(&mut self) -> [&mut u64; 6] {
        [
            &mut self.max_message_bytes,
            &mut self.max_history,
            &mut self.max_history_bytes,
            &mut self.max_tool_rounds,
            &mut self.max_file_bytes,
            &mut self.max_sessions,
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
        limits.write(&mut out);
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
