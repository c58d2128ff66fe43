//! Which lines of a source are tests, as rustfmt leaves them.

use std::ops::RangeInclusive;

/// Whether the file of this name is all tests.
pub(super) fn is_tests(name: &str) -> bool {
    name.ends_with("/tests.rs") || name.contains("/tests/")
}

/// The lines, from 1, of the items of `text` that only tests have: `#[cfg(test)]` at the margin, up
/// to the line that ends the item.
pub(super) fn tests(text: &str) -> Vec<RangeInclusive<u64>> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        if *line != "#[cfg(test)]" {
            continue;
        }
        let rest = lines.get(at..).unwrap_or_default();
        let is_end = |line: &&str| {
            *line == "}" || !line.starts_with(' ') && line.ends_with(';') || line.ends_with("{}")
        };
        let length = rest
            .iter()
            .position(is_end)
            .map_or(rest.len(), |end| end + 1);
        found.push(at as u64..=(at + length) as u64);
        at += length;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{is_tests, tests};

    #[test]
    fn items_of_tests_end_where_they_end() {
        let text = "\
fn a() {}
#[cfg(test)]
mod tests;
fn b() {
}
#[cfg(test)]
mod more {
    fn c() {
        let x = 1;
    }
}
fn d() {}
";
        assert_eq!(tests(text), [2..=3, 6..=11]);
        assert_eq!(tests("fn a() {}\n"), []);
        assert!(is_tests("x/src/machine/tests.rs") && is_tests("x/src/tests/a.rs"));
        assert!(!is_tests("x/src/contests.rs"));
    }
}
