//! Byte sizes as people read and write them. Everything inside the tool is a whole number of bytes;
//! this is the one place that turns them into text and back. The rounded forms made here are
//! compared by nobody.

use crate::attribution::diff::Change;
use crate::report::{Unit, names};
use std::cmp::Ordering;

pub use crate::size::{MAX, bytes, parse};

/// A number of bytes in a sentence: `1 byte`, `12,345 bytes`.
pub fn counted(n: u64) -> String {
    format!("{} {}", bytes(n), if n == 1 { "byte" } else { "bytes" })
}

/// A figure in a sentence, with what it counts: `12 bytes`, `1 instruction`; a count says nothing
/// more.
pub fn amount(n: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => counted(n),
        Unit::Count => bytes(n),
        Unit::Instructions if n == 1 => "1 instruction".to_owned(),
        Unit::Instructions => format!("{} instructions", bytes(n)),
    }
}

/// The way from `before` to `after` with its sign: `+1,024`, `-12`, `0`.
pub fn change(before: u64, after: u64) -> String {
    format!("{}{}", sign(before, after), bytes(before.abs_diff(after)))
}

/// As [`change`], of all of them together.
pub fn change_of_all<'a>(changes: impl IntoIterator<Item = &'a Change>) -> String {
    // A report may have been changed by hand: nothing overflows.
    let (mut before, mut after) = (0_u64, 0_u64);
    for each in changes {
        before = before.saturating_add(each.before);
        after = after.saturating_add(each.after);
    }
    change(before, after)
}

/// A size to the nearest tenth of its largest binary unit, for reading only: `12345` as `12.1 KiB`.
pub fn human(n: u64) -> String {
    let mut factor = 1u128;
    for unit in ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] {
        let tenths = rounded(u128::from(n) * 10, factor);
        if tenths < 10_240 || unit == "EiB" {
            return if factor == 1 {
                format!("{n} {unit}")
            } else {
                format!("{}.{} {unit}", tenths / 10, tenths % 10)
            };
        }
        factor <<= 10;
    }
    unreachable!("the last unit always returns")
}

/// `part` of `whole` in per cent, to the nearest tenth: `1` of `3` is `33.3%`. Nothing is 0% of
/// nothing.
pub fn share(part: u64, whole: u64) -> String {
    tenths(rounded(u128::from(part) * 1_000, u128::from(whole).max(1)))
}

/// How much of `limit` is used, in per cent. Rounds away from the limit on either side, so that
/// `100.0%` stands for exactly the limit and for nothing else.
pub fn used(actual: u64, limit: u64) -> String {
    let (actual, limit) = (u128::from(actual) * 1_000, u128::from(limit).max(1));
    tenths(if actual > limit * 1_000 {
        actual.div_ceil(limit)
    } else {
        actual / limit
    })
}

/// The relative way from `before` to `after`: `-4.0%`, `+0.3%`, `0.0%`.
pub fn change_share(before: u64, after: u64) -> String {
    let share = share(before.abs_diff(after), before);
    format!("{}{share}", sign(before, after))
}

fn sign(before: u64, after: u64) -> &'static str {
    match after.cmp(&before) {
        Ordering::Less => "-",
        Ordering::Equal => "",
        Ordering::Greater => "+",
    }
}

/// Wall time for reading: `0.4 ms`, `812 ms`, `12.3 s`.
pub fn time(millis: f64) -> String {
    match millis {
        m if m < 99.95 => format!("{m:.1} ms"),
        m if m < 9_999.5 => format!("{m:.0} ms"),
        m => format!("{:.1} s", m / 1_000.0),
    }
}

/// `text` in at most `width` characters, the end left out if need be: for prose.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// `text` in lines of at most `width` characters, but for words that are longer, broken between
/// words; all but the first are indented.
pub fn broken(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    let mut room = width;
    loop {
        let is_whole = rest.chars().count() <= room;
        // What stands in front of the indent is no place to break at.
        let first = if lines.is_empty() { indent } else { 0 };
        let blanks = rest
            .char_indices()
            .enumerate()
            .filter(|(at, (_, c))| *c == ' ' && *at > first);
        let fitting = blanks.clone().take_while(|(at, _)| *at <= room).last();
        let blank = fitting.or_else(|| blanks.clone().next());
        let lead = if lines.is_empty() { 0 } else { indent };
        match blank.filter(|_| !is_whole) {
            Some((_, (at, _))) => {
                lines.push(" ".repeat(lead) + rest[..at].trim_end());
                rest = rest[at..].trim_start();
            }
            None => {
                lines.push(" ".repeat(lead) + rest);
                return lines;
            }
        }
        room = width.saturating_sub(indent).max(1);
    }
}

/// How many characters a line of an error has at most: a parser repeats what it did not expect,
/// however long.
pub const LONGEST_LINE: usize = 1_000;

/// `text` in at most `width` characters (at least 3), the middle left out if need be: for names.
pub fn shorten(text: &str, width: usize) -> String {
    // Names come from files: a terminal would obey what is hidden in them.
    let text = names::visible(text);
    let length = text.chars().count();
    if length <= width {
        return text;
    }
    let kept = width.max(3) - 1;
    let (head, tail) = (kept.div_ceil(2), kept / 2);
    text.chars()
        .take(head)
        .chain(['…'])
        .chain(text.chars().skip(length - tail))
        .collect()
}

fn rounded(numerator: u128, denominator: u128) -> u128 {
    (numerator + denominator / 2) / denominator
}

fn tenths(n: u128) -> String {
    format!("{}.{}%", n / 10, n % 10)
}

#[cfg(test)]
mod tests {
    use super::{
        MAX, broken, bytes, change, change_share, counted, cut, human, parse, share, shorten, time,
        used,
    };

    #[test]
    fn separates_thousands() {
        let shown = [0, 7, 999, 1_000, 12_345, 999_999, 1_000_000, u64::MAX].map(bytes);
        assert_eq!(
            shown,
            [
                "0",
                "7",
                "999",
                "1,000",
                "12,345",
                "999,999",
                "1,000,000",
                "18,446,744,073,709,551,615"
            ]
        );
    }

    #[test]
    fn rounds_for_people() {
        let cases = [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (12_345, "12.1 KiB"),
            (57_900, "56.5 KiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (300 * 1_024, "300.0 KiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (n, expected) in cases {
            assert_eq!(human(n), expected, "{n}");
        }
    }

    #[test]
    fn changes_carry_their_sign() {
        assert_eq!(
            [counted(0), counted(1), counted(1_000)],
            ["0 bytes", "1 byte", "1,000 bytes"]
        );
        assert_eq!(
            [change(10, 10), change(5_000, 10), change(0, 1_000)],
            ["0", "-4,990", "+1,000"]
        );
        assert_eq!(change_share(200, 100), "-50.0%");
        assert_eq!(change_share(3, 4), "+33.3%");
        assert_eq!(change_share(0, 0), "0.0%");
        assert_eq!(share(1, 3), "33.3%");
    }

    #[test]
    fn a_hundred_per_cent_is_exactly_the_limit() {
        assert_eq!(used(307_200, 307_200), "100.0%");
        assert_eq!(used(307_199, 307_200), "99.9%");
        assert_eq!(used(307_201, 307_200), "100.1%");
        assert_eq!(used(u64::MAX, 1), "1844674407370955161500.0%");
    }

    #[test]
    fn times_stay_short() {
        assert_eq!(
            [0.04, 99.94, 99.96, 9_999.4, 12_345.6].map(time),
            ["0.0 ms", "99.9 ms", "100 ms", "9999 ms", "12.3 s"]
        );
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(
            shorten("a\u{1b}[31mb", 20),
            "a{1b}[31mb",
            "a terminal obeys nothing"
        );
        assert_eq!(
            [cut("abc", 3), cut("ab cdef", 4), cut("é", 0)],
            ["abc", "ab…", "…"]
        );
        assert_eq!(
            [
                shorten("abc", 3),
                shorten("abcdefg", 5),
                shorten("ééééé", 4)
            ],
            ["abc", "ab…fg", "éé…é"]
        );
    }

    #[test]
    fn sizes_are_exact() {
        let cases = [
            ("300 KiB", 307_200),
            ("300KiB", 307_200),
            (" 300  KiB ", 307_200),
            ("57.9 KiB", 59_289),
            ("0.5 KiB", 512),
            ("120 kB", 120_000),
            ("1 MiB", 1_048_576),
            ("1 MB", 1_000_000),
            ("1.000001 MB", 1_000_001),
            ("100 B", 100),
            ("1_000 B", 1_000),
            ("9_223_372_036_854_775_807 B", MAX),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn mistakes_are_pointed_at() {
        let cases = [
            ("", "empty size", ""),
            ("  ", "empty size", "  "),
            ("KiB", "not a number", "KiB"),
            ("1.2.3 KiB", "not a number", "1.2.3"),
            ("1. KiB", "not a number", "1."),
            (".5 KiB", "not a number", ".5"),
            ("_1 KiB", "not a number", "_1"),
            ("1__0 KiB", "not a number", "1__0"),
            ("+1 KiB", "not a number", "+1 KiB"),
            ("-1 KiB", "negative size", "-1 KiB"),
            ("300", "size has no unit", "300"),
            ("300 KB", "ambiguous unit `KB`", "KB"),
            ("300 k", "ambiguous unit `k`", "k"),
            ("300 kib", "unknown unit `kib`", "kib"),
            ("300 KiBs", "unknown unit `KiBs`", "KiBs"),
            ("300 µB", "unknown unit `µB`", "µB"),
            ("1.5 B", "part of a byte", "1.5"),
            ("0 KiB", "size is zero", "0 KiB"),
            ("0.0001 KiB", "size is zero", "0.0001 KiB"),
            ("1.0000000001 KiB", "too many decimals", "1.0000000001"),
            (
                "9_223_372_036_854_775_808 B",
                "size is too large",
                "9_223_372_036_854_775_808 B",
            ),
            (
                "99999999999999999999999999999999999999999999 GiB",
                "size is too large",
                "99999999999999999999999999999999999999999999 GiB",
            ),
        ];
        for (text, message, place) in cases {
            let error = parse(text).expect_err(text);
            assert_eq!(
                (error.message.as_str(), &text[error.span.clone()]),
                (message, place),
                "{text:?}"
            );
            assert!(!error.help.is_empty());
        }
    }

    #[test]
    fn a_size_with_a_unit_is_read_back_as_it_was_printed() {
        for n in [1, 999, 1_024, 307_200, MAX] {
            assert_eq!(parse(&format!("{n} B")), Ok(n));
        }
    }

    /// Protects notes from being lost at the edge, and tables from their own columns.
    #[test]
    fn lines_are_broken_between_words() {
        let table = "a  b  a note of words";
        for (width, lines) in [
            (21, vec![table]),
            (14, vec!["a  b  a note", "      of words"]),
            (8, vec!["a  b  a", "      note", "      of", "      words"]),
        ] {
            assert_eq!(broken(table, width, 6), lines, "{width}");
        }
        assert_eq!(broken("longer", 3, 2), ["longer"]);
    }
}
