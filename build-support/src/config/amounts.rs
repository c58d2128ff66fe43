//! Sizes and counts as a manifest writes them.

use super::mistakes::code;
use super::value::Value;
use crate::report::units;
use std::ops::Range;
use toml::de::{DeInteger, DeValue};

/// A size: a whole number of bytes, or a string with a unit.
pub(super) fn size(value: &Value<'_>) -> Option<u64> {
    let help = format!(
        "write {0} = 307_200 for bytes, or {0} = \"300 KiB\"",
        value.key()
    );
    let (span, message, help) = match value.value {
        DeValue::Integer(integer) => match positive(integer) {
            Ok(size) => return Some(size),
            Err(wrong) => (value.span.clone(), format!("size is {wrong}"), help),
        },
        DeValue::String(text) => match units::parse(text) {
            Ok(size) => return Some(size),
            Err(wrong) => (inside(value, text, wrong.span), wrong.message, wrong.help),
        },
        _ => {
            value.wrong_type("a size").help(help);
            return None;
        }
    };
    let message = format!("`{}`: {message}", value.path);
    value.mistakes.add(code::BAD_SIZE, span, message).help(help);
    None
}

/// A number of things; `help` says what the least is.
pub(super) fn count(value: &Value<'_>, help: &str) -> Option<u64> {
    let DeValue::Integer(integer) = value.value else {
        let wrong = value.wrong_type("a positive integer");
        wrong.help(format!("write {} = 40", value.key()));
        return None;
    };
    let count = positive(integer);
    if let Err(wrong) = count {
        let message = format!("`{}`: count is {wrong}", value.path);
        value.mistake(code::BAD_COUNT, message).help(help);
    }
    count.ok()
}

/// `integer` as a number from 1 to [`units::MAX`], or why it is none.
fn positive(integer: &DeInteger<'_>) -> Result<u64, &'static str> {
    let number = i128::from_str_radix(integer.as_str(), integer.radix());
    match number.map(u64::try_from) {
        Ok(Ok(0)) => Err("zero"),
        Ok(Ok(number)) if number <= units::MAX => Ok(number),
        _ if integer.as_str().starts_with('-') => Err("negative"),
        // Digits alone: only the length can be too much.
        _ => Err("too large"),
    }
}

/// The place in the manifest of `part` of the string `text`: exact where the string is written
/// without escapes, else the whole value.
fn inside(value: &Value<'_>, text: &str, part: Range<usize>) -> Range<usize> {
    let span = value.span.clone();
    let written = value.mistakes.text(&span);
    match written.find(text).filter(|_| !part.is_empty()) {
        Some(at) if written.len() == text.len() + 2 * at => {
            span.start + at + part.start..span.start + at + part.end
        }
        _ => span,
    }
}
