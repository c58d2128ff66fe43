//! Text to [`Value`]: a recursive descent of limited depth that never panics.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::value::Value;
use super::write::decimal;
use crate::error::{AgentError, ErrorCode, Result};

/// Arrays and objects may be nested this deep; deeper is an error, so that hostile input cannot
/// exhaust the stack (256 KiB in the shipped file).
pub const MAX_DEPTH: usize = 64;

/// Of a text: more values than bytes there cannot be.
const MAX_BYTES: usize = usize::MAX;

const UNTERMINATED: &str = "expected the end of a string";

/// Reads one JSON value that takes up the whole of `text`.
///
/// # Errors
///
/// [`ErrorCode::InvalidJson`], with what was expected and the byte offset at which it was not
/// found.
pub fn parse(text: &str) -> Result<Value> {
    parse_deep(text, MAX_DEPTH)
}

/// As [`parse`], with `place` before the message of an error.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_at(text: &str, place: &str) -> Result<Value> {
    parse(text).map_err(|error| error.at(place))
}

/// As [`parse`], with arrays and objects nested up to `depth`.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_deep(text: &str, depth: usize) -> Result<Value> {
    read(text, depth, MAX_BYTES, false)
}

/// As [`parse`], for what a provider sends: half of a surrogate pair becomes U+FFFD, and there are
/// at most `values` values, so that what is made of a text is not many times as large.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_reply(text: &str, values: usize) -> Result<Value> {
    read(text, MAX_DEPTH, values, true)
}

fn read(text: &str, depth: usize, values: usize, mend: bool) -> Result<Value> {
    let mut reader = Reader {
        text,
        at: 0,
        values,
        mend,
        first: None,
    };
    let value = reader.value(depth);
    reader.skip_space();
    if reader.peek().is_some() {
        reader.fail("expected the end");
    }
    match reader.first {
        None => Ok(value),
        Some(error) => Err(error),
    }
}

/// Reads on to the first error. That ends the text, so every loop here comes to its end by itself
/// and nothing has to be handed up.
struct Reader<'a> {
    text: &'a str,
    /// Byte offset of what is read next.
    at: usize,
    /// How many values more there may be.
    values: usize,
    /// Whether half a surrogate pair is mended.
    mend: bool,
    first: Option<Box<AgentError>>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fail(&mut self, what: &str) {
        if self.first.is_none() {
            let at = decimal(self.at as u64);
            let error = AgentError::new(ErrorCode::InvalidJson, "{} at byte {}", &[what, &at]);
            self.first = Some(error);
            self.text = "";
        }
    }

    /// Takes `byte` if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes `byte` if it is next after white space.
    fn take_spaced(&mut self, byte: u8) -> bool {
        self.skip_space();
        self.take(byte)
    }

    fn value(&mut self, depth: usize) -> Value {
        self.skip_space();
        match self.values.checked_sub(1) {
            Some(left) => self.values = left,
            None => self.fail("too many values"),
        }
        match self.peek() {
            Some(b'"') => return Value::String(self.string()),
            Some(b'{' | b'[') if depth == 0 => self.fail("nested too deeply"),
            Some(b'{') => return self.object(depth - 1),
            Some(b'[') => return self.array(depth - 1),
            Some(b'-' | b'0'..=b'9') => return self.number(),
            Some(b't') if self.word("true") => return Value::Bool(true),
            Some(b'f') if self.word("false") => return Value::Bool(false),
            Some(b'n') if self.word("null") => {}
            _ => self.fail("expected a value"),
        }
        Value::Null
    }

    fn word(&mut self, word: &str) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let found = rest.starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    fn array(&mut self, depth: usize) -> Value {
        self.at += 1;
        let mut items = Vec::new();
        if !self.take_spaced(b']') {
            loop {
                items.push(self.value(depth));
                if !self.goes_on(b']', "expected `,` or `]`") {
                    break;
                }
            }
        }
        Value::Array(items)
    }

    fn object(&mut self, depth: usize) -> Value {
        self.at += 1;
        let mut members = Vec::new();
        if !self.take_spaced(b'}') {
            loop {
                self.skip_space();
                if self.peek() != Some(b'"') {
                    self.fail("expected a name in double quotes");
                    break;
                }
                let name = self.string();
                if !self.take_spaced(b':') {
                    self.fail("expected `:`");
                }
                members.push((name, self.value(depth)));
                if !self.goes_on(b'}', "expected `,` or `}`") {
                    break;
                }
            }
        }
        Value::Object(members)
    }

    /// Whether a comma comes next. If not, `end` must.
    fn goes_on(&mut self, end: u8, expected: &str) -> bool {
        let comma = self.take_spaced(b',');
        if !comma && !self.take(end) {
            self.fail(expected);
        }
        comma
    }

    fn digits(&mut self) {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            self.fail("expected a digit");
        }
    }

    fn number(&mut self) -> Value {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits();
        }
        if self.take(b'.') {
            self.digits();
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits();
        }
        Value::Number(String::from(self.slice(start)))
    }

    /// The text from `start` to here. Both are next to ASCII bytes, so they are boundaries.
    fn slice(&self, start: usize) -> &str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn string(&mut self) -> String {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while let Some(byte) = self.peek()
                && byte != b'"'
                && byte != b'\\'
                && byte >= 0x20
            {
                self.at += 1;
            }
            out.push_str(self.slice(start));
            if self.take(b'\\') {
                out.push(self.escape());
                continue;
            }
            if !self.take(b'"') {
                self.fail(match self.peek() {
                    Some(_) => "expected no control character in a string",
                    None => UNTERMINATED,
                });
            }
            return out;
        }
    }

    fn escape(&mut self) -> char {
        let Some(byte) = self.peek() else {
            self.fail(UNTERMINATED);
            return ' ';
        };
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode(),
            _ => {
                self.fail("unknown escape");
                ' '
            }
        }
    }

    /// What follows `\u`: four hexadecimal digits, or a surrogate pair.
    fn unicode(&mut self) -> char {
        let mut code = self.hex();
        if code & 0xFC00 == 0xD800 {
            let at = self.at;
            if self.take(b'\\') && self.take(b'u') {
                let low = self.hex();
                if low & 0xFC00 == 0xDC00 {
                    code = 0x1_0000 + ((code & 0x3FF) << 10) + (low & 0x3FF);
                }
            }
            // What follows half a pair is read by itself.
            if code < 0x1_0000 && self.mend && self.first.is_none() {
                self.at = at;
            }
        }
        // A surrogate that is left over is no character.
        char::from_u32(code).unwrap_or_else(|| {
            if !self.mend {
                self.fail("expected a whole surrogate pair");
            }
            char::REPLACEMENT_CHARACTER
        })
    }

    fn hex(&mut self) -> u32 {
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                self.fail("expected a hexadecimal digit");
                break;
            };
            self.at += 1;
            code = code << 4 | digit;
        }
        code
    }
}

#[cfg(test)]
mod tests;
