//! The scripts of a page, to look for words in: what is said in a comment does nothing.

use crate::ops::bundle::contents::Contents;
use std::collections::BTreeMap;

/// Scripts without their comments, by path.
pub struct Scripts(BTreeMap<String, String>);

impl Scripts {
    /// Those among `files`.
    pub fn of(files: &Contents) -> Self {
        let scripts = files.iter().filter(|(path, _)| path.ends_with(".js"));
        let bare =
            scripts.map(|(path, bytes)| (path.clone(), bare(&String::from_utf8_lossy(bytes))));
        Self(bare.collect())
    }

    /// The first place of `word`, as `path:line`.
    pub fn place(&self, word: &str) -> Option<String> {
        self.0.iter().find_map(|(path, text)| {
            let before = &text[..find(text, word)?];
            Some(format!("{path}:{}", before.matches('\n').count() + 1))
        })
    }

    /// A line that says where every one of `words` is; or where the first that is nowhere is
    /// missed.
    pub fn all(&self, words: &[&str]) -> Result<String, String> {
        let mut places = Vec::new();
        for word in words {
            match self.place(word) {
                Some(place) => places.push(format!("{word} in {place}")),
                None => return Err(format!("{word} in no script")),
            }
        }
        Ok(places.join(", "))
    }
}

/// Where `word` stands by itself.
fn find(text: &str, word: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut places = text.match_indices(word).map(|(at, _)| at);
    places.find(|&at| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.chars().next_back().is_some_and(is_part)
            && !after.chars().next().is_some_and(is_part)
    })
}

/// `text` without its comments, its lines kept. A quote in a regular expression may hide the end of
/// its line.
fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut quote = None;
    while let Some(c) = rest.chars().next() {
        let length = match quote {
            None if rest.starts_with("//") => {
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
                continue;
            }
            None if rest.starts_with("/*") => {
                let end = rest.find("*/").map_or(rest.len(), |end| end + 2);
                out.extend(rest[..end].chars().filter(|c| *c == '\n'));
                rest = &rest[end..];
                continue;
            }
            None if matches!(c, '"' | '\'' | '`') => {
                quote = Some(c);
                c.len_utf8()
            }
            Some(_) if c == '\\' => {
                let next = rest[1..].chars().next();
                1 + next.map_or(0, char::len_utf8)
            }
            Some(open) if c == open || (c == '\n' && open != '`') => {
                quote = None;
                c.len_utf8()
            }
            _ => c.len_utf8(),
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Scripts, bare};

    #[test]
    fn comments_go_and_lines_stay() {
        for (text, expected) in [
            ("a // b\nc", "a \nc"),
            ("a /* b\n\n */ c", "a \n\n c"),
            ("'https://x' // y", "'https://x' "),
            ("\"a\\\"//b\"//c", "\"a\\\"//b\""),
            ("`a\n//b` //c", "`a\n//b` "),
            ("'it\n//c", "'it\n"),
            ("/* open", ""),
            ("'ö\\", "'ö\\"),
            ("// größer\nx", "\nx"),
        ] {
            assert_eq!(bare(text), expected, "{text}");
        }
    }

    #[test]
    fn words_stand_by_themselves() {
        let file = |text: &str| text.as_bytes().to_vec();
        let files = [
            (
                "a.js".to_owned(),
                file("// host_fetch\nhost_fetches()\n_host_fetch\n"),
            ),
            (
                "b.js".to_owned(),
                file("\n\nregister({ name: \"host_fetch\" })"),
            ),
            ("c.css".to_owned(), file("sync")),
        ];
        let scripts = Scripts::of(&files.into());
        assert_eq!(scripts.place("host_fetch").as_deref(), Some("b.js:3"));
        assert_eq!(scripts.place("sync"), None);
        assert_eq!(
            scripts.all(&["register", "sync"]),
            Err("sync in no script".to_owned())
        );
        assert_eq!(
            scripts.all(&["register"]),
            Ok("register in b.js:3".to_owned())
        );
    }
}
