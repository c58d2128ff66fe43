//! JSON text, written piece by piece; commas are put in by the writer.

use alloc::string::String;

/// Builds compact JSON text.
///
/// Whether an item needs a comma before it, the text so far says: it does unless that ends in `{`,
/// `[` or `:`. The caller closes what it opens; a [`Writer::key`] is followed by one value.
#[derive(Debug, Default)]
pub struct Writer {
    out: String,
}

impl Writer {
    /// An empty text.
    pub const fn new() -> Self {
        Writer { out: String::new() }
    }

    /// The text so far.
    pub fn finish(self) -> String {
        self.out
    }

    /// Begins an array or an object, with everything up to its first item that is always the same:
    /// `{`, `"tools":[`.
    pub fn open(&mut self, json: &str) {
        self.raw(json);
    }

    /// Ends what was opened (`]`, `}}`), and may open what comes next: `},"required":[`.
    pub fn close(&mut self, json: &str) {
        self.out.push_str(json);
    }

    /// The name of the member whose value comes next.
    pub fn key(&mut self, name: &str) {
        self.string(name);
        self.out.push(':');
    }

    /// An item that is JSON already: a number, `"ok":true`, or text another writer finished.
    pub fn raw(&mut self, json: &str) {
        self.separate();
        self.out.push_str(json);
    }

    /// `true` or `false`.
    pub fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// A whole number.
    pub fn unsigned(&mut self, value: u64) {
        self.raw(&decimal(value));
    }

    /// A string, escaped as RFC 8259 asks and no further.
    pub fn string(&mut self, text: &str) {
        self.separate();
        self.out.push('"');
        // Everything that needs an escape is ASCII, so the pieces between are whole characters.
        let mut start = 0;
        for (at, byte) in text.bytes().enumerate() {
            let short = match byte {
                b'"' | b'\\' => byte,
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                0..0x20 => b'u',
                _ => continue,
            };
            self.out.push_str(text.get(start..at).unwrap_or_default());
            self.out.push('\\');
            self.out.push(char::from(short));
            if short == b'u' {
                self.out.push_str(if byte < 0x10 { "000" } else { "001" });
                let digit = byte & 0xF;
                self.out.push(char::from(
                    digit + if digit < 10 { b'0' } else { b'a' - 10 },
                ));
            }
            start = at + 1;
        }
        self.out.push_str(text.get(start..).unwrap_or_default());
        self.out.push('"');
    }

    /// `"name":"text"`.
    pub fn string_member(&mut self, name: &str, text: &str) {
        self.key(name);
        self.string(text);
    }

    /// `"name":value`.
    pub fn unsigned_member(&mut self, name: &str, value: u64) {
        self.key(name);
        self.unsigned(value);
    }

    /// `"name":true` or `"name":false`.
    pub fn bool_member(&mut self, name: &str, value: bool) {
        self.key(name);
        self.bool(value);
    }

    fn separate(&mut self) {
        if !matches!(self.out.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(',');
        }
    }
}

/// `value` in decimal digits, without the formatting machinery of `core::fmt`.
pub fn decimal(value: u64) -> String {
    let mut out = String::new();
    push_digits(value, &mut out);
    out
}

fn push_digits(value: u64, out: &mut String) {
    if value >= 10 {
        push_digits(value / 10, out);
    }
    // The remainder is below ten: the cast loses nothing.
    out.push(char::from(b'0' + (value % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn commas_are_put_in() {
        let mut out = Writer::new();
        out.open("{");
        out.string_member("a", "x");
        out.key("b");
        out.open("[");
        out.unsigned(1);
        out.bool(true);
        out.open("{");
        out.close("}");
        out.close("]");
        out.unsigned_member("c", 0);
        out.close("}");
        assert_eq!(out.finish(), r#"{"a":"x","b":[1,true,{}],"c":0}"#);
    }

    #[test]
    fn strings_come_back_from_serde() {
        for text in [
            "",
            "plain",
            "é😀",
            "\"\\\n\r\t",
            "\u{0}\u{1}\u{8}\u{c}\u{f}\u{10}\u{1f}\u{7f}",
            "a\nb",
        ] {
            let mut out = Writer::new();
            out.string(text);
            assert_eq!(
                serde_json::from_str::<alloc::string::String>(&out.finish()).unwrap(),
                text
            );
        }
    }

    #[test]
    fn decimals() {
        for value in [
            0,
            1,
            9,
            10,
            11,
            99,
            100,
            1_000_000_007,
            u64::MAX - 1,
            u64::MAX,
        ] {
            assert_eq!(decimal(value), value.to_string());
        }
    }
}
