//! A JSON value in memory.

use alloc::string::String;
use alloc::vec::Vec;

use super::write::Writer;

/// A JSON value. Numbers are kept as written; the members of an object keep their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as the text it had.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object. A name that occurs twice stays twice; [`Value::get`] gives the last one.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// The member called `name`, the last one if there are several; `None` if this is no object.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Object(members) => last(members, name),
            _ => None,
        }
    }

    /// The text of the member called `name`; nothing where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The number of the member called `name`, as [`Value::as_u64`] has it; 0 where there is none.
    pub fn count(&self, name: &str) -> u64 {
        self.get(name).and_then(Value::as_u64).unwrap_or_default()
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is an integer from 0 to `u64::MAX` written without fraction or exponent.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Value::Number(text) => unsigned(text),
            _ => None,
        }
    }

    /// What this is, for error messages: "a string", "an object" …
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }

    /// Compact JSON text of this value.
    pub fn to_json(&self) -> String {
        let mut out = Writer::new();
        self.write(&mut out);
        out.finish()
    }

    /// Writes this value.
    pub fn write(&self, out: &mut Writer) {
        match self {
            Value::Null => out.raw("null"),
            Value::Bool(value) => out.bool(*value),
            Value::Number(text) => out.raw(text),
            Value::String(text) => out.string(text),
            Value::Array(items) => {
                out.open("[");
                for item in items {
                    item.write(out);
                }
                out.close("]");
            }
            Value::Object(members) => {
                out.open("{");
                for (name, value) in members {
                    out.key(name);
                    value.write(out);
                }
                out.close("}");
            }
        }
    }
}

/// The number of these digits, from 0 to `u64::MAX`.
pub fn unsigned(digits: &str) -> Option<u64> {
    digits.bytes().try_fold(0_u64, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Not `checked_mul`, for which a 128-bit multiplication is called.
        if sum > u64::MAX / 10 {
            return None;
        }
        (sum * 10).checked_add(u64::from(digit))
    })
}

/// The last of the members called `name`.
pub fn last<'a>(members: &'a [(String, Value)], name: &str) -> Option<&'a Value> {
    let mut named = members.iter().rev().filter(|member| member.0 == name);
    named.next().map(|member| &member.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn last_of_two_equal_names_wins() {
        let value = parse(r#"{"a":1,"a":2}"#).unwrap();
        assert_eq!(value.get("a").unwrap().as_u64(), Some(2));
        assert_eq!(value.get("b"), None);
        assert_eq!(Value::Null.get("a"), None);
    }

    #[test]
    fn integers_only_when_whole_and_in_range() {
        let number = |text: &str| parse(text).unwrap().as_u64();
        assert_eq!(number("18446744073709551615"), Some(u64::MAX));
        assert_eq!(number("18446744073709551616"), None);
        assert_eq!(number("-1"), None);
        assert_eq!(number("1.0"), None);
        assert_eq!(number("1e3"), None);
        assert_eq!(number("\"1\""), None);
    }
}
