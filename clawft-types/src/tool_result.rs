//! What a tool call came to.

use alloc::string::String;

use crate::error::Result;
use crate::json::Writer;
use crate::text;

/// The outcome of one [`crate::ToolCall`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// The id of the call.
    pub call_id: String,
    /// The tool.
    pub name: String,
    /// Its output, or why there is none.
    pub outcome: Result<String>,
}

impl ToolResult {
    /// The text the provider gets to see: the output, or `error CODE: MESSAGE`.
    pub fn text(&self) -> String {
        match &self.outcome {
            Ok(output) => output.clone(),
            Err(error) => text::fill("error {}: {}", &[error.code.as_str(), &error.message]),
        }
    }

    /// Writes `{"call_id","name","ok":true,"output"}` or `{"call_id","name","ok":false,"error"}`.
    pub fn write(&self, out: &mut Writer) {
        out.open("{");
        out.string_member("call_id", &self.call_id);
        out.string_member("name", &self.name);
        out.bool_member("ok", self.outcome.is_ok());
        match &self.outcome {
            Ok(output) => out.string_member("output", output),
            Err(error) => {
                out.key("error");
                error.write(out);
            }
        }
        out.close("}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{AgentError, ErrorCode};

    #[test]
    fn both_outcomes() {
        let write = |outcome| {
            let result = ToolResult {
                call_id: "c1".into(),
                name: "t".into(),
                outcome,
            };
            let mut out = Writer::new();
            result.write(&mut out);
            (out.finish(), result.text())
        };
        assert_eq!(
            write(Ok("o".into())),
            (
                r#"{"call_id":"c1","name":"t","ok":true,"output":"o"}"#.into(),
                "o".into()
            )
        );
        assert_eq!(
            write(Err(AgentError::new(ErrorCode::Io, "bad", &[]))),
            (
                r#"{"call_id":"c1","name":"t","ok":false,"error":{"code":"io","message":"bad"}}"#
                    .into(),
                "error io: bad".into()
            )
        );
    }
}
