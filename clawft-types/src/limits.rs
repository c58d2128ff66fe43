//! What the agent may take: every size and count that input could drive up.

use crate::error::{ErrorCode, Result};
use crate::fields::Fields;
use crate::json::{Value, Writer};

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

impl Limits {
    /// Reads the limits that `value`, which stands at `place`, gives; the others keep their default.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::InvalidConfig`] for an unknown key or a number out of its range.
    pub fn from_value(value: &Value, place: &str) -> Result<Self> {
        let fields = Fields::of(value, place, ErrorCode::InvalidConfig)?;
        let mut limits = Limits::default();
        let mut known = [""; 6];
        for ((name, limit, min, max), slot) in limits.table().into_iter().zip(&mut known) {
            *limit = fields.unsigned_or(name, *limit, min, max)?;
            *slot = name;
        }
        fields.only(&known)?;
        Ok(limits)
    }

    /// Writes all limits as an object.
    pub fn write(&self, out: &mut Writer) {
        out.open('{');
        let mut copy = *self;
        for (name, limit, _, _) in copy.table() {
            out.unsigned_member(name, *limit);
        }
        out.close('}');
    }

    /// Name, place, smallest and largest value of each limit.
    fn table(&mut self) -> [(&'static str, &mut u64, u64, u64); 6] {
        const MIB: u64 = 1024 * 1024;
        [
            (
                "max_message_bytes",
                &mut self.max_message_bytes,
                1,
                16 * MIB,
            ),
            ("max_history", &mut self.max_history, 2, 10_000),
            (
                "max_history_bytes",
                &mut self.max_history_bytes,
                1024,
                64 * MIB,
            ),
            ("max_tool_rounds", &mut self.max_tool_rounds, 0, 64),
            ("max_file_bytes", &mut self.max_file_bytes, 1, 64 * MIB),
            ("max_sessions", &mut self.max_sessions, 1, 10_000),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn given_ones_change_and_others_stay() {
        let limits = Limits::from_value(&parse(r#"{"max_history":8}"#).unwrap(), "limits").unwrap();
        assert_eq!(
            limits,
            Limits {
                max_history: 8,
                ..Limits::default()
            }
        );
        let mut out = Writer::new();
        limits.write(&mut out);
        assert_eq!(
            Limits::from_value(&parse(&out.finish()).unwrap(), "limits").unwrap(),
            limits
        );
    }

    #[test]
    fn refused() {
        let message = |text: &str| {
            Limits::from_value(&parse(text).unwrap(), "config.limits")
                .unwrap_err()
                .message
        };
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
