//! A message on its way in, checked.

use alloc::string::String;

use crate::error::{AgentError, ErrorCode, Result};
use crate::fields;
use crate::json::{self, decimal};
use crate::limits::Limits;
use crate::text;

/// What the user said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The text: not empty, within the limit.
    pub text: String,
    /// Bytes of the message as it came.
    pub bytes: usize,
}

impl Request {
    /// Reads a message: plain text, or, when its first character is `{`, a JSON object
    /// `{"role":"user","content":"…"}`.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::MessageTooLarge`], [`ErrorCode::EmptyMessage`], [`ErrorCode::InvalidJson`] or
    /// [`ErrorCode::InvalidMessage`].
    pub fn parse(message: &str, limits: &Limits) -> Result<Self> {
        if message.starts_with('{') && message.len() as u64 <= limits.max_message_bytes {
            let mut request = Request::plain(&content(message)?, limits)?;
            request.bytes = message.len();
            return Ok(request);
        }
        Request::plain(message, limits)
    }

    /// Takes a message for text as it is, whatever it begins with.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::MessageTooLarge`] or [`ErrorCode::EmptyMessage`].
    pub fn plain(message: &str, limits: &Limits) -> Result<Self> {
        let bytes = message.len();
        if bytes as u64 > limits.max_message_bytes {
            return Err(AgentError::new(
                ErrorCode::MessageTooLarge,
                "the message has {} bytes, limits.max_message_bytes is {}",
                &[&decimal(bytes as u64), &decimal(limits.max_message_bytes)],
            ));
        }
        if text::trim(message).is_empty() {
            return Err(AgentError::new(
                ErrorCode::EmptyMessage,
                "the message is empty",
                &[],
            ));
        }
        Ok(Request {
            text: String::from(message),
            bytes,
        })
    }
}

fn content(message: &str) -> Result<String> {
    let value = json::parse_at(message, "a message that begins with { is read as JSON")?;
    fields::read(&value, "message", ErrorCode::InvalidMessage, |fields| {
        fields.only("role, content");
        let role = fields.str_or("role", "user");
        if role != "user" {
            fields.fail("role", "expected user, got {}", &[role]);
        }
        fields.string("content")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(message: &str) -> Result<String, (ErrorCode, String)> {
        let limits = Limits {
            max_message_bytes: 64,
            ..Limits::default()
        };
        Request::parse(message, &limits)
            .map(|request| request.text)
            .map_err(|error| (error.code, error.message))
    }

    #[test]
    fn text_and_json() {
        assert_eq!(parse("hello").unwrap(), "hello");
        assert_eq!(parse(" {not json").unwrap(), " {not json");
        let json = r#"{"role":"user","content":"hé"}"#;
        assert_eq!(parse(json).unwrap(), "hé");
        let limits = Limits::default();
        assert_eq!(Request::parse(json, &limits).unwrap().bytes, json.len());
        assert_eq!(Request::plain(json, &limits).unwrap().text, json);
    }

    #[test]
    fn refused() {
        let code = |message: &str| parse(message).unwrap_err().0;
        assert_eq!(code(""), ErrorCode::EmptyMessage);
        assert_eq!(code(" \n\t"), ErrorCode::EmptyMessage);
        assert_eq!(code(r#"{"content":" "}"#), ErrorCode::EmptyMessage);
        assert_eq!(code("{oops"), ErrorCode::InvalidJson);
        assert_eq!(code("{}"), ErrorCode::InvalidMessage);
        assert_eq!(
            code(r#"{"role":"system","content":"x"}"#),
            ErrorCode::InvalidMessage
        );
        assert_eq!(code(r#"{"content":["x"]}"#), ErrorCode::InvalidMessage);
        assert_eq!(
            code(r#"{"content":"x","extra":1}"#),
            ErrorCode::InvalidMessage
        );
        let (code, message) = parse(&"x".repeat(65)).unwrap_err();
        assert_eq!(code, ErrorCode::MessageTooLarge);
        assert_eq!(
            message,
            "the message has 65 bytes, limits.max_message_bytes is 64"
        );
    }
}
