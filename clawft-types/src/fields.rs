//! Reads the members of a JSON object one by one, with errors that name the place.
//!
//! [`Fields`] stands between [`crate::json`] and the types: `config.limits.max_history: expected an
//! integer from 2 to 10000, got a string`.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{AgentError, ErrorCode, Result};
use crate::json::{Value, decimal};
use crate::text;

/// An object being read: the value, where it stands, and the code its errors carry.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    value: &'a Value,
    place: &'a str,
    code: ErrorCode,
}

impl<'a> Fields<'a> {
    /// Takes `value`, which stands at `place`, for an object.
    ///
    /// # Errors
    ///
    /// An error with `code` if it is none.
    pub fn of(value: &'a Value, place: &'a str, code: ErrorCode) -> Result<Self> {
        match value {
            Value::Object(_) => Ok(Fields { value, place, code }),
            other => Err(AgentError::new(
                code,
                &[place, ": expected an object, got ", other.kind()],
            )),
        }
    }

    /// Refuses members that are not in `known`: a misspelt key must not be ignored.
    ///
    /// # Errors
    ///
    /// Names the first unknown member and the known ones.
    pub fn only(&self, known: &[&str]) -> Result<()> {
        if let Value::Object(members) = self.value {
            for (name, _) in members {
                if !known.contains(&name.as_str()) {
                    return Err(
                        self.error(name, &["unknown key, known are ", &text::join(known, ", ")])
                    );
                }
            }
        }
        Ok(())
    }

    /// The member `name`; `None` if it is missing or `null`.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        match self.value.get(name) {
            Some(Value::Null) | None => None,
            some => some,
        }
    }

    /// Where the member `name` stands: `config.limits.max_history`.
    pub fn place(&self, name: &str) -> String {
        text::concat(&[self.place, ".", name])
    }

    /// An error at the member `name`.
    pub fn error(&self, name: &str, what: &[&str]) -> Box<AgentError> {
        AgentError::new(
            self.code,
            &[self.place, ".", name, ": ", &text::concat(what)],
        )
    }

    fn wrong(&self, name: &str, expected: &str) -> Box<AgentError> {
        let got = self.get(name).map_or("nothing", Value::kind);
        self.error(name, &["expected ", expected, ", got ", got])
    }

    /// The text of the member `name`.
    ///
    /// # Errors
    ///
    /// If it is missing or no string.
    pub fn string(&self, name: &str) -> Result<&'a str> {
        self.get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| self.wrong(name, "a string"))
    }

    /// The text of the member `name`, or `default` if it is missing.
    ///
    /// # Errors
    ///
    /// If it is there and no string.
    pub fn string_or(&self, name: &str, default: &'a str) -> Result<&'a str> {
        if self.get(name).is_none() {
            Ok(default)
        } else {
            self.string(name)
        }
    }

    /// The number of the member `name`, from `min` to `max`, or `default` if it is missing.
    ///
    /// # Errors
    ///
    /// If it is there and no integer of that range.
    pub fn unsigned_or(&self, name: &str, default: u64, min: u64, max: u64) -> Result<u64> {
        let Some(value) = self.get(name) else {
            return Ok(default);
        };
        match value.as_u64() {
            Some(number) if number >= min && number <= max => Ok(number),
            _ => {
                let mut what =
                    text::concat(&["an integer from ", &decimal(min), " to ", &decimal(max)]);
                if let Value::Number(text) = value {
                    what = text::concat(&[&what, ", got ", text]);
                    return Err(self.error(name, &["expected ", &what]));
                }
                Err(self.wrong(name, &what))
            }
        }
    }

    /// The items of the array `name`; none if it is missing.
    ///
    /// # Errors
    ///
    /// If it is there and no array.
    pub fn array(&self, name: &str) -> Result<&'a [Value]> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.wrong(name, "an array")),
        }
    }

    /// The texts of the array `name`; none if it is missing.
    ///
    /// # Errors
    ///
    /// If it is there and no array of strings.
    pub fn strings(&self, name: &str) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for item in self.array(name)? {
            match item {
                Value::String(text) => texts.push(text.clone()),
                other => return Err(self.error(name, &["expected strings, got ", other.kind()])),
            }
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn errors_name_the_place() {
        let value = parse(r#"{"a":"x","b":[1],"n":70,"o":{}}"#).unwrap();
        let fields = Fields::of(&value, "config", ErrorCode::InvalidConfig).unwrap();
        let text = |error: Box<AgentError>| error.message;
        assert_eq!(
            text(fields.unsigned_or("a", 1, 1, 64).unwrap_err()),
            "config.a: expected an integer from 1 to 64, got a string"
        );
        assert_eq!(
            text(fields.unsigned_or("n", 1, 1, 64).unwrap_err()),
            "config.n: expected an integer from 1 to 64, got 70"
        );
        assert_eq!(
            text(fields.strings("b").unwrap_err()),
            "config.b: expected strings, got a number"
        );
        assert_eq!(
            text(fields.array("o").unwrap_err()),
            "config.o: expected an array, got an object"
        );
        assert_eq!(
            text(fields.string("z").unwrap_err()),
            "config.z: expected a string, got nothing"
        );
        assert_eq!(
            text(fields.only(&["a", "b"]).unwrap_err()),
            "config.n: unknown key, known are a, b"
        );
        assert_eq!(
            text(Fields::of(&Value::Null, "x", ErrorCode::InvalidJson).unwrap_err()),
            "x: expected an object, got null"
        );
    }
}
