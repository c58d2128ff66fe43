//! Sizes as people write them, read to the byte. Apart from `report::units`, which has all of it,
//! because build scripts read sizes too: [`crate::guard`] needs none of what a report needs.

use std::ops::Range;

/// The largest size that is accepted: TOML's integers end here.
pub const MAX: u64 = i64::MAX as u64;

/// What a size may be written in, the factor in bytes beside it.
pub const UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// How many digits may stand behind the decimal point.
const FRACTION_DIGITS: usize = 9;

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SizeError {
    /// Byte range of the fault in the text.
    pub span: Range<usize>,
    /// What is wrong, short.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// A size such as `300 KiB`, `57.9 KiB`, `120 kB`, `1_000 B` in bytes. `kB` and `MB` are powers of
/// 1,000, `KiB` and `MiB` of 1,024. The decimal fraction is taken exactly and what is left over of
/// a byte is dropped: `57.9 KiB` is 59,289 bytes (59,289.6), the stricter of the two.
///
/// # Errors
///
/// Says which part of `text` is wrong and what to write instead: no number, no unit, an unknown or
/// ambiguous one (`K`, `KB`), a negative or zero size, one above [`MAX`].
pub fn parse(text: &str) -> Result<u64, SizeError> {
    let fail = |span: Range<usize>, message: &str, help: &str| {
        Err(SizeError {
            span,
            message: message.into(),
            help: help.into(),
        })
    };
    const EXAMPLE: &str =
        "write a size such as \"300 KiB\", or a whole number of bytes without quotes";
    let start = text.len() - text.trim_start().len();
    let end = text.trim_end().len();
    if start >= end {
        return fail(0..text.len(), "empty size", EXAMPLE);
    }
    if text[start..].starts_with('-') {
        return fail(start..end, "negative size", EXAMPLE);
    }
    let number_end = text[start..end]
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')
        .map_or(end, |i| start + i);
    let number = &text[start..number_end];
    let unit_start = end - text[number_end..end].trim_start().len();
    let unit = &text[unit_start..end];

    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if !digits(whole) || (number.contains('.') && !digits(fraction)) {
        let span = if number.is_empty() {
            start..end
        } else {
            start..number_end
        };
        return fail(span, "not a number", EXAMPLE);
    }
    let Some(&(_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        let (message, help) = wrong_unit(number, unit);
        let span = if unit.is_empty() {
            start..end
        } else {
            unit_start..end
        };
        return fail(span, &message, &help);
    };
    let fraction = fraction.replace('_', "");
    if factor == 1 && !fraction.is_empty() {
        return fail(
            start..number_end,
            "part of a byte",
            "a size in B is a whole number",
        );
    }
    if fraction.len() > FRACTION_DIGITS {
        let help = format!("at most {FRACTION_DIGITS} digits behind the decimal point");
        return fail(start..number_end, "too many decimals", &help);
    }
    let too_large = format!("at most {} bytes", bytes(MAX));
    let scale = 10u128.pow(fraction.len() as u32);
    let size = format!("{}{fraction}", whole.replace('_', ""))
        .parse::<u128>()
        .ok()
        .and_then(|digits| digits.checked_mul(u128::from(factor)))
        .and_then(|scaled| u64::try_from(scaled / scale).ok())
        .filter(|&size| size <= MAX);
    match size {
        None => fail(start..end, "size is too large", &too_large),
        Some(0) => fail(
            start..end,
            "size is zero",
            "nothing fits in zero bytes; leave the key out for no limit",
        ),
        Some(size) => Ok(size),
    }
}

/// Digits that `_` may separate, as in TOML: at least one, and none of them at an end or doubled.
fn digits(text: &str) -> bool {
    text.split('_')
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

fn wrong_unit(number: &str, unit: &str) -> (String, String) {
    let (kilo, kibi) = match unit.to_ascii_lowercase().as_str() {
        "" => {
            let help = format!("write \"{number} B\" or \"{number} KiB\"");
            return ("size has no unit".into(), help);
        }
        "k" | "kb" => ("kB", "KiB"),
        "m" | "mb" => ("MB", "MiB"),
        "g" | "gb" => ("GB", "GiB"),
        lower => {
            let near = UNITS
                .iter()
                .find(|(name, _)| name.to_ascii_lowercase() == lower.trim_end_matches('s'));
            let help = match near {
                Some((name, _)) => format!("did you mean \"{number} {name}\"?"),
                None => {
                    format!("the units are {}", UNITS.map(|(name, _)| name).join(", "))
                }
            };
            return (format!("unknown unit `{unit}`"), help);
        }
    };
    let factor = |name| {
        UNITS
            .iter()
            .find(|(n, _)| *n == name)
            .map_or(1, |(_, f)| *f)
    };
    let help = format!(
        "write \"{number} {kibi}\" for units of {} bytes, or \"{number} {kilo}\" for {}",
        bytes(factor(kibi)),
        bytes(factor(kilo)),
    );
    (format!("ambiguous unit `{unit}`"), help)
}

/// `12345` as `12,345`.
pub fn bytes(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.char_indices() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
