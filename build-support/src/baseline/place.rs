//! Where a value stands in a JSON text, so that a message can point at it.

use serde::Deserialize;
use serde::de::IgnoredAny;
use std::ops::Range;

/// The byte range of the value at `path`, a key for each object on the way; none where there is
/// none. `text` is JSON that was read before: what is not gives none or any range inside of it.
pub fn find(text: &str, path: &[&str]) -> Option<Range<usize>> {
    let mut scan = Scan { text, at: 0 };
    for key in path {
        scan.enter(key)?;
    }
    scan.blanks();
    let start = scan.at;
    scan.value::<IgnoredAny>()?;
    Some(start..scan.at)
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scan<'t> {
    /// From the start of an object to the value of `key` in it.
    fn enter(&mut self, key: &str) -> Option<()> {
        self.expect('{')?;
        while self.value::<String>()? != key {
            self.expect(':')?;
            self.value::<IgnoredAny>()?;
            self.expect(',')?;
        }
        self.expect(':')
    }

    /// Over a value, which is read.
    fn value<T: Deserialize<'t>>(&mut self) -> Option<T> {
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter();
        let value = values.next()?.ok()?;
        self.at += values.byte_offset();
        Some(value)
    }

    fn expect(&mut self, mark: char) -> Option<()> {
        self.blanks();
        self.rest().starts_with(mark).then(|| self.at += 1)
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_ascii_start().len();
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }
}

#[cfg(test)]
mod tests {
    use super::find;

    /// Protects where messages point: at the value of that very path, whatever else has its name.
    #[test]
    fn a_value_is_found_by_its_path() {
        let text = r#"{ "a": {"raw": 1, "b\"}": [{"raw": 2}, "]"]}, "raw": 3, "é": {"raw" : 44 , "x": {} } }"#;
        let at = |path: &[&str]| find(text, path).map(|range| &text[range]);
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
            if let Some(range) = find(&whole[..end], &["a", "b"]) {
                assert!(range.end <= end);
            }
        }
        for text in ["", "{", "]", "{\"a\"", "\"\\", "{\"a\":}", "nul"] {
            let _ = find(text, &["a"]);
            let _ = find(text, &[]);
        }
    }
}
