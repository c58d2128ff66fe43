//! The usual suspects: what often takes more of a file than its author knows, how it is recognised
//! by the names in the file, and what to do about it. Each says what it gave in a program of
//! `tests/it/hints.rs`, which is built with it and without.

use crate::attribution::{Attribution, Row, RowKind};
use crate::report::units;

/// What is suspected.
struct Suspect {
    /// Whether a row is of it.
    has: fn(&Row) -> bool,
    /// From how many bytes on it is worth a line.
    least: u64,
    /// What it is, as the beginning of a sentence.
    what: &'static str,
    /// What to do.
    help: &'static str,
    /// What that gave in a program of the tests, in bytes of the shipped file; none where it is the
    /// bytes themselves.
    saved: Option<u64>,
}

/// A text in the path of an item.
macro_rules! named {
    ($($part:literal),+) => {
        |row| row.kind == RowKind::Function && [$($part),+].iter().any(|part| row.name.contains(part))
    };
}

/// What each gave in its program of the tests: the beginning of its text, and the bytes.
pub fn table() -> Vec<(&'static str, u64)> {
    let all = SUSPECTS.iter();
    all.filter_map(|suspect| Some((suspect.what, suspect.saved?)))
        .collect()
}

const SUSPECTS: [Suspect; 9] = [
    Suspect {
        has: named!(
            "flt2dec",
            "<f64 as core::fmt::",
            "<f32 as core::fmt::",
            "float_to_decimal",
            "float_to_exponential"
        ),
        least: 1_000,
        what: "numbers with a fraction are formatted",
        help: "print whole numbers, such as thousandths, or fewer places by hand",
        saved: Some(13_122),
    },
    Suspect {
        has: named!("hashmap_random_keys", "core::hash::sip", "hash::random"),
        least: 64,
        what: "a HashMap has random keys and SipHash",
        help: "take a BTreeMap, a sorted Vec, or a HashMap with a hasher of its own",
        saved: Some(2_380),
    },
    Suspect {
        has: named!(
            "core::panicking::panic_fmt",
            "std::panicking::",
            "get_backtrace_style"
        ),
        least: 300,
        what: "panics have messages, which bring formatting along",
        help: "have them trap without: `enabled = true` in [package.metadata.budget.snip], or `optimize --snip`",
        saved: Some(27_355),
    },
    Suspect {
        has: named!("regex_automata::", "regex_syntax::"),
        least: 20_000,
        what: "regex is in it",
        help: "take regex-lite, which searches slower and knows less of Unicode, or look by hand",
        saved: Some(669_828),
    },
    Suspect {
        has: named!("idna::", "icu_normalizer::", "icu_properties::"),
        least: 3_000,
        what: "url brings the tables of international names",
        help: "depend on `idna_adapter = \"=1.0.0\"` as well, which leaves them out and refuses such names",
        saved: Some(106_961),
    },
    Suspect {
        has: named!("chrono::"),
        least: 3_000,
        what: "chrono formats times",
        help: "write the seconds since 1970, or the one format that is needed by hand",
        saved: Some(17_374),
    },
    Suspect {
        has: named!("serde_json::de::", "serde::de::", "serde_core::de::"),
        least: 2_000,
        what: "derived code of serde reads JSON",
        help: "take miniserde or nanoserde where there are few types, or read fields by hand",
        saved: Some(19_373),
    },
    Suspect {
        has: named!("rustc_demangle::"),
        least: 3_000,
        what: "errors carry backtraces, which demangle names that are not there",
        help: "take anyhow with `default-features = false`, or errors of your own",
        saved: Some(42_339),
    },
    Suspect {
        has: |row| {
            row.kind == RowKind::Custom
                && (row.name.contains("name") || row.name.contains(".debug_"))
        },
        least: 200,
        what: "names and debug information are in it",
        help: "strip them; a build of this tool has them beside the file, in NAME.symbols.json",
        saved: None,
    },
];

/// A line for each that is there, those that take the most first.
pub fn of(all: &Attribution) -> Vec<String> {
    let found = SUSPECTS.iter().filter_map(|suspect| {
        let rows = all.rows.iter().filter(|row| (suspect.has)(row));
        let bytes = rows.fold(0u64, |sum, row| sum.saturating_add(row.bytes));
        (bytes >= suspect.least).then_some((bytes, suspect))
    });
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
    let lines = found.into_iter().map(|(bytes, suspect)| {
        let saved = suspect.saved.map_or(String::new(), |saved| {
            format!("; it gave {} bytes in a small program", units::bytes(saved))
        });
        format!(
            "{} ({} bytes by themselves): {}{saved}",
            suspect.what,
            units::bytes(bytes),
            suspect.help
        )
    });
    lines.collect()
}
