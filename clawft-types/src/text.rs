//! Text operations, small: what `core::str` and `alloc` have generic, fast and large.
//!
//! `[…].concat()` and `str::find(&str)` bring generic machinery into the wasm file that the agent
//! needs nothing else of.

use alloc::string::String;
use alloc::vec::Vec;

use crate::json::write::decimal;

/// `template` with a value in the place of each `{}`; what is in a value is left as it is.
///
/// One literal and its values are less code at every place than the literals between them one by
/// one.
pub fn fill(template: &str, values: &[&str]) -> String {
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = Some(template);
    while let Some(part) = next_part(&mut rest, "{}") {
        out.push_str(part);
        if rest.is_some() {
            out.push_str(values.next().copied().unwrap_or_default());
        }
    }
    out
}

/// Adds `item` to a list, with `between` before it unless it is the first.
pub fn push_item(list: &mut String, between: &str, item: &str) {
    if !list.is_empty() {
        list.push_str(between);
    }
    list.push_str(item);
}

/// Whether `item` is in a list with `between` between its items.
pub fn is_listed(list: &str, between: &str, item: &str) -> bool {
    let mut rest = Some(list);
    while let Some(known) = next_part(&mut rest, between) {
        if known == item {
            return true;
        }
    }
    false
}

/// `name` with a number at its end: `m7`.
pub fn numbered(name: &str, number: u64) -> String {
    fill("{}{}", &[name, &decimal(number)])
}

/// At most the first `count` characters of `text`.
pub fn first_characters(text: &str, mut count: usize) -> &str {
    for (at, byte) in text.bytes().enumerate() {
        // The bytes of a character after its first one begin with the bits 10.
        if byte & 0xC0 != 0x80 {
            if count == 0 {
                return text.get(..at).unwrap_or_default();
            }
            count -= 1;
        }
    }
    text
}

/// The byte offsets at which `part` begins in `text`: the first one, and whether it is the only
/// one. `None` if there is none or `part` is empty. Overlapping ones count.
///
/// Knuth, Morris and Pratt's algorithm: linear, whatever the two texts are.
pub fn find(text: &str, part: &str) -> Option<(usize, bool)> {
    search(text, part, false)
}

/// As [`find`]; with `any` the first is enough.
fn search(text: &str, part: &str, any: bool) -> Option<(usize, bool)> {
    let part = part.as_bytes();
    // For each beginning of `part`, the length of the longest other beginning that ends it.
    let mut borders = Vec::new();
    borders.push(0);
    for byte in part.get(1..)? {
        let border = step(part, &borders, borders.last().copied().unwrap_or(0), *byte);
        borders.push(border);
    }
    let mut first = None;
    let mut matched = 0;
    for (at, byte) in text.bytes().enumerate() {
        matched = step(part, &borders, matched, byte);
        if matched == part.len() {
            match first {
                None if !any => first = Some(at + 1 - matched),
                _ => return Some((first.unwrap_or(at + 1 - matched), false)),
            }
        }
    }
    first.map(|first| (first, true))
}

/// How much of `part` is matched after `byte`, if `matched` was before it.
fn step(part: &[u8], borders: &[usize], mut matched: usize, byte: u8) -> usize {
    loop {
        if part.get(matched) == Some(&byte) {
            return matched + 1;
        }
        if matched == 0 {
            return 0;
        }
        matched = borders.get(matched - 1).copied().unwrap_or(0);
    }
}

/// `text` before and after the first `part`; reads no further than that.
pub fn split<'a>(text: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    let (at, _) = search(text, part, true)?;
    Some((text.get(..at)?, text.get(at + part.len()..)?))
}

/// Takes the part before the next `between` off `rest`; `None` when all parts have been taken.
pub fn next_part<'a>(rest: &mut Option<&'a str>, between: &str) -> Option<&'a str> {
    let text = rest.take()?;
    let Some((part, after)) = split(text, between) else {
        return Some(text);
    };
    *rest = Some(after);
    Some(part)
}

/// The text of these bytes, U+FFFD in the place of what is no UTF-8.
pub fn lossy(mut bytes: &[u8]) -> String {
    let mut out = String::new();
    loop {
        let (valid, wrong) = match core::str::from_utf8(bytes) {
            Ok(text) => (text.len(), None),
            Err(error) => (error.valid_up_to(), Some(error.error_len())),
        };
        let (text, rest) = bytes.split_at_checked(valid).unwrap_or_default();
        out.push_str(core::str::from_utf8(text).unwrap_or_default());
        let Some(length) = wrong else {
            return out;
        };
        out.push('\u{FFFD}');
        bytes = length
            .and_then(|length| rest.get(length..))
            .unwrap_or_default();
        if bytes.is_empty() {
            return out;
        }
    }
}

/// `text` up to the last boundary of characters at or before `end`.
pub fn up_to(text: &str, mut end: usize) -> &str {
    loop {
        match text.get(..end) {
            Some(before) => return before,
            None => end = end.min(text.len() + 1) - 1,
        }
    }
}

/// `text` without ASCII white space around it.
pub fn trim(text: &str) -> &str {
    let solid = |byte: u8| !byte.is_ascii_whitespace();
    let (start, end) = (text.bytes().position(solid), text.bytes().rposition(solid));
    // White space is ASCII, so both offsets are boundaries.
    match (start, end) {
        (Some(start), Some(end)) => text.get(start..=end).unwrap_or_default(),
        _ => "",
    }
}

/// The first word of `text` and what comes after it, both without ASCII white space around them.
pub fn word(text: &str) -> (&str, &str) {
    let text = trim(text);
    let end = text.bytes().position(|byte| byte.is_ascii_whitespace());
    let (word, rest) = text
        .split_at_checked(end.unwrap_or(text.len()))
        .unwrap_or((text, ""));
    (word, trim(rest))
}

/// Sorts texts by their bytes: heapsort, which is short and never slow.
pub fn sort(texts: &mut [String]) {
    let count = texts.len();
    // First every root, from the last one on, so that the largest text comes to stand first; then
    // that goes to the end, again and again.
    for step in (1..count + count / 2).rev() {
        if step >= count {
            sift(texts, step - count, count);
        } else {
            texts.swap(0, step);
            sift(texts, 0, step);
        }
    }
}

/// Lets the text at `root` sink until no child below `end` is larger.
fn sift(texts: &mut [String], mut root: usize, end: usize) {
    loop {
        let mut largest = root;
        for child in [2 * root + 1, 2 * root + 2] {
            if child < end && texts.get(largest) < texts.get(child) {
                largest = child;
            }
        }
        if largest == root {
            return;
        }
        texts.swap(root, largest);
        root = largest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_where_std_finds() {
        let texts = [
            "",
            "a",
            "aa",
            "aaa",
            "abab",
            "ababac",
            "aabaabaaa",
            "xéyéx",
            "é",
            "bbbab",
        ];
        for text in texts {
            for part in texts {
                let want = if part.is_empty() {
                    None
                } else {
                    text.find(part)
                        .map(|first| (first, text.rfind(part) == Some(first)))
                };
                assert_eq!(find(text, part), want, "{part} in {text}");
                let split_by_std = if part.is_empty() {
                    None
                } else {
                    text.split_once(part)
                };
                assert_eq!(split(text, part), split_by_std);
            }
        }
    }

    #[test]
    fn sorted_as_std_sorts() {
        let mut seed = 1_u32;
        for count in 0..40 {
            let mut texts: Vec<String> = (0..count)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    crate::json::decimal(u64::from(seed >> 27))
                })
                .collect();
            let mut want = texts.clone();
            want.sort();
            sort(&mut texts);
            assert_eq!(texts, want);
        }
    }

    #[test]
    fn lossy_as_std_is() {
        let texts: [&[u8]; 9] = [
            b"",
            b"plain",
            "\u{e9}\u{20ac}\u{10348}".as_bytes(),
            b"a\xFFb",
            b"\xF0\x90\x80",
            b"\xF0\x90\x80x\xE2\x82",
            b"\xED\xA0\x80",
            b"\xC0\xAF\x80\x80",
            b"x\xE2\x82\xACy\xF8\x88",
        ];
        for text in texts {
            assert_eq!(lossy(text), String::from_utf8_lossy(text), "{text:x?}");
        }
        // All texts of three bytes out of these, and what is before and behind.
        let bytes = [0x41, 0x80, 0xBF, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xFF];
        for at in 0..10_000_usize {
            let text = [at / 1000, at / 100 % 10, at / 10 % 10, at % 10].map(|at| bytes[at]);
            assert_eq!(lossy(&text), String::from_utf8_lossy(&text), "{text:x?}");
        }
    }

    #[test]
    fn boundaries() {
        for (end, want) in [(0, ""), (1, "a"), (2, "a"), (3, "a\u{e9}"), (9, "a\u{e9}")] {
            assert_eq!(up_to("a\u{e9}", end), want);
        }
    }

    #[test]
    fn words() {
        assert_eq!(word("  read \t a b "), ("read", "a b"));
        assert_eq!(word("x"), ("x", ""));
        assert_eq!(word(" "), ("", ""));
    }

    #[test]
    fn parts() {
        let all = |text| {
            let mut rest = Some(text);
            core::iter::from_fn(move || next_part(&mut rest, "/")).collect::<Vec<_>>()
        };
        assert_eq!(all("a/b//c/"), ["a", "b", "", "c", ""]);
        assert_eq!(all(""), [""]);
    }

    #[test]
    fn trimmed_as_std_trims() {
        for text in ["", " ", " \t\n", "a", " a", "a \r\n", " \u{c}é b\u{a0} "] {
            assert_eq!(trim(text), text.trim_ascii());
        }
    }

    #[test]
    fn listed() {
        let mut list = String::new();
        for item in ["a", "b", "cd"] {
            push_item(&mut list, ", ", item);
        }
        assert_eq!(list, "a, b, cd");
        for item in ["a", "b", "cd", "", "c", "a, b", ","] {
            assert_eq!(
                is_listed(&list, ", ", item),
                list.split(", ").any(|known| known == item)
            );
        }
    }

    #[test]
    fn shortened() {
        assert_eq!(first_characters("aé😀b", 3), "aé😀");
        assert_eq!(first_characters("aé", 2), "aé");
        assert_eq!(first_characters("aé", 3), "aé");
        assert_eq!(first_characters("aé", 0), "");
    }

    #[test]
    fn filled() {
        assert_eq!(fill("{}: {}{}!", &["{}", "b", "c"]), "{}: bc!");
        assert_eq!(fill("plain {", &[]), "plain {");
        assert_eq!(fill("", &[]), "");
    }
}
