//! Where a value stands in a JSON text, so that a message can point at it.

use std::ops::Range;

/// The byte range of the value at `path`, a key for each object on the way; none where there is none. `text` is JSON
/// that was read before: what is not gives none or any range inside of it.
pub fn of(text: &str, path: &[&str]) -> Option<Range<usize>> {
    let mut scan = Scan { text, at: 0 };
    for key in path {
        scan.enter(key)?;
    }
    scan.blanks();
    let start = scan.at;
    scan.value()?;
    Some(start..scan.at)
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
}

impl Scan<'_> {
    /// From the start of an object to the value of `key` in it.
    fn enter(&mut self, key: &str) -> Option<()> {
        let quoted = serde_json::to_string(key).ok()?;
        self.expect(b'{')?;
        loop {
            self.blanks();
            let start = self.at;
            self.string()?;
            let found = self.text.get(start..self.at)? == quoted;
            self.expect(b':')?;
            if found {
                return Some(());
            }
            self.value()?;
            self.expect(b',')?;
        }
    }

    /// Over a value of any kind; brackets are counted, not nested calls.
    fn value(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            self.blanks();
            match self.peek()? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    let rest = &self.text.as_bytes()[self.at..];
                    let ends = |b: &u8| b",]}".contains(b) || b.is_ascii_whitespace();
                    self.at += rest.iter().position(ends).unwrap_or(rest.len());
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        loop {
            match self.peek()? {
                b'\\' => self.at += 2,
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                _ => self.at += 1,
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.blanks();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    /// Protects where messages point: at the value of that very path, whatever else has its name.
    #[test]
    fn a_value_is_found_by_its_path() {
        let text = r#"{ "a": {"raw": 1, "b\"}": [{"raw": 2}, "]"]}, "raw": 3, "é": {"raw" : 44 , "x": {} } }"#;
        let at = |path: &[&str]| of(text, path).map(|range| &text[range]);
        assert_eq!(at(&["a", "raw"]), Some("1"));
        assert_eq!(at(&["raw"]), Some("3"));
        assert_eq!(at(&["é", "raw"]), Some("44"));
        assert_eq!(at(&["é", "x"]), Some("{}"));
        assert_eq!(at(&["a", "b\"}"]), Some(r#"[{"raw": 2}, "]"]"#));
        assert_eq!(at(&["a", "none"]), None);
        assert_eq!(at(&["raw", "none"]), None);
    }

    /// Whatever it is given, it ends and stays inside.
    #[test]
    fn what_is_no_json_gives_nothing_bad() {
        let whole = r#"{"a": {"b": [1, "x\\"]}}"#;
        for end in 0..whole.len() {
            if let Some(range) = of(&whole[..end], &["a", "b"]) {
                assert!(range.end <= end);
            }
        }
        for text in ["", "{", "]", "{\"a\"", "\"\\", "{\"a\":}", "nul"] {
            let _ = of(text, &["a"]);
            let _ = of(text, &[]);
        }
    }
}
