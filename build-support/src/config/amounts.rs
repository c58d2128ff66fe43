//! Sizes and counts as a manifest writes them.

use super::mistakes::{Mistakes, code};
use super::value::Value;
use crate::report::units;
use std::ops::Range;
use toml::de::{DeInteger, DeValue};

/// A size: a whole number of bytes, or a string with a unit.
pub(super) fn size(value: &Value<'_>, mistakes: &mut Mistakes<'_>) -> Option<u64> {
    let help = format!(
        "write {0} = 307_200 for bytes, or {0} = \"300 KiB\"",
        value.key()
    );
    let (span, message, help) = match value.value.get_ref() {
        DeValue::Integer(integer) => match positive(integer) {
            Ok(size) => return Some(size),
            Err(wrong) => (value.span(), format!("size is {wrong}"), help),
        },
        DeValue::String(text) => match units::parse(text) {
            Ok(size) => return Some(size),
            Err(wrong) => (
                inside(value, text, wrong.span, mistakes),
                wrong.message,
                wrong.help,
            ),
        },
        _ => {
            value.wrong_type("a size", mistakes).help(help);
            return None;
        }
    };
    let message = format!("`{}`: {message}", value.path);
    mistakes.add(code::BAD_SIZE, span, message).help(help);
    None
}

/// A number of things; `help` says what the least is.
pub(super) fn count(value: &Value<'_>, help: &str, mistakes: &mut Mistakes<'_>) -> Option<u64> {
    let DeValue::Integer(integer) = value.value.get_ref() else {
        let wrong = value.wrong_type("a positive integer", mistakes);
        wrong.help(format!("write {} = 40", value.key()));
        return None;
    };
    match positive(integer) {
        Ok(count) => Some(count),
        Err(wrong) => {
            let message = format!("`{}`: count is {wrong}", value.path);
            mistakes
                .add(code::BAD_COUNT, value.span(), message)
                .help(help);
            None
        }
    }
}

/// `integer` as a number from 1 to [`units::MAX`], or why it is none.
pub(super) fn positive(integer: &DeInteger<'_>) -> Result<u64, &'static str> {
    match i128::from_str_radix(integer.as_str(), integer.radix()) {
        Ok(0) => Err("zero"),
        Ok(negative) if negative < 0 => Err("negative"),
        Ok(n) => u64::try_from(n)
            .ok()
            .filter(|&n| n <= units::MAX)
            .ok_or("too large"),
        // Digits alone: only the length can be too much.
        Err(_) if integer.as_str().starts_with('-') => Err("negative"),
        Err(_) => Err("too large"),
    }
}

/// The place in the manifest of `part` of the string `text`: exact where the string is written without
/// escapes, else the whole value.
pub(super) fn inside(
    value: &Value<'_>,
    text: &str,
    part: Range<usize>,
    mistakes: &Mistakes<'_>,
) -> Range<usize> {
    let span = value.span();
    let written = mistakes.text(&span);
    match written.find(text).filter(|_| !part.is_empty()) {
        Some(at) if written.len() == text.len() + 2 * at => {
            span.start + at + part.start..span.start + at + part.end
        }
        _ => span,
    }
}
