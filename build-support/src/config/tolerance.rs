//! How much a size may grow over its baseline, and how a manifest says it: a share of it, a number
//! of bytes, or both, of which the larger counts.

use super::amounts::size;
use super::mistakes::code;
use super::value::Value;
use crate::report::Size;
use toml::de::DeValue;

/// How much a size may grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tolerance {
    /// Of the file as it is, over the baseline.
    pub raw: Allowance,
    /// Of its compressed sizes, over the baseline.
    pub compressed: Allowance,
    /// Of any size, since the last deliberate raise.
    pub drift: Allowance,
}

/// A share or a number of bytes, whichever is more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowance {
    /// In millionths.
    pub share: u64,
    /// In bytes.
    pub bytes: u64,
}

/// A whole, as a share.
const WHOLE: u64 = 1_000_000;

/// How many digits a per cent may have behind its point: so that it is a whole number of
/// millionths.
const DIGITS: usize = 4;

impl Default for Tolerance {
    /// What keeps small modules from failing over a few bytes stands beside each share: half a per
    /// cent of 4 KiB is less than one function with its type. A compressed size moves by some
    /// tenths of a per cent when code only changes places, hence the double.
    fn default() -> Self {
        let allowance = |share, bytes| Allowance { share, bytes };
        Self {
            raw: allowance(5_000, 64),
            compressed: allowance(10_000, 64),
            drift: allowance(20_000, 256),
        }
    }
}

impl Tolerance {
    /// How much one of the sizes may grow over its `baseline`, in bytes.
    pub fn over(&self, size: Size, baseline: u64) -> u64 {
        match size {
            Size::Raw => self.raw.of(baseline),
            Size::Gzip | Size::Brotli => self.compressed.of(baseline),
        }
    }
}

impl Allowance {
    /// In bytes, of `whole` bytes.
    pub fn of(self, whole: u64) -> u64 {
        let share = u128::from(whole) * u128::from(self.share) / u128::from(WHOLE);
        u64::try_from(share).unwrap_or(u64::MAX).max(self.bytes)
    }
}

/// Reads the `ratchet` table.
pub(super) fn read(value: &Value<'_>, tolerance: &mut Tolerance) {
    for (key, value) in value.known(&["tolerance", "compressed-tolerance", "drift"]) {
        let allowance = match key {
            "tolerance" => &mut tolerance.raw,
            "compressed-tolerance" => &mut tolerance.compressed,
            _ => &mut tolerance.drift,
        };
        *allowance = read_allowance(&value).unwrap_or(*allowance);
    }
}

fn read_allowance(value: &Value<'_>) -> Option<Allowance> {
    let mut allowance = Allowance::default();
    let Some(both) = value.elements() else {
        return read_part(value, &mut allowance).map(|()| allowance);
    };
    for element in &both {
        read_part(element, &mut allowance)?;
    }
    let shares = both.iter().filter(|element| is_share(element)).count();
    if both.len() == 2 && shares == 1 {
        return Some(allowance);
    }
    let message = format!("`{}` is not one share and one size", value.path);
    value.mistake(code::CONFLICT, message).help(format!(
        "write {} = [\"0.5%\", \"64 B\"]; the larger counts",
        value.key()
    ));
    None
}

fn is_share(value: &Value<'_>) -> bool {
    let text = value.value.as_str();
    text.is_some_and(|text| text.trim_end().ends_with('%'))
}

/// Reads one of the two into `allowance`.
fn read_part(value: &Value<'_>, allowance: &mut Allowance) -> Option<()> {
    match value.value {
        // Nothing at all is a tolerance too, where it is no limit.
        DeValue::Integer(zero) if zero.as_str() == "0" => allowance.bytes = 0,
        DeValue::String(text) if is_share(value) => {
            let share = share(text);
            if share.is_none() {
                let message = format!("`{}`: `{text}` is not a share", value.path);
                value.mistake(code::BAD_SIZE, message).help(
                    "write \"0.5%\": from 0% to 100%, with at most four digits behind the point",
                );
            }
            allowance.share = share?;
        }
        DeValue::String(_) | DeValue::Integer(_) => allowance.bytes = size(value)?,
        _ => {
            let help = format!("write {0} = \"0.5%\", or {0} = 512 for bytes", value.key());
            value.wrong_type("a share or a size").help(help);
            return None;
        }
    }
    Some(())
}

/// `0.5%` in millionths.
fn share(text: &str) -> Option<u64> {
    let number = text.trim().strip_suffix('%')?.trim_end();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > DIGITS {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let fraction: u64 = format!("{fraction:0<DIGITS$}").parse().ok()?;
    let share = whole.checked_mul(WHOLE / 100)?.checked_add(fraction)?;
    (share <= WHOLE).then_some(share)
}

#[cfg(test)]
mod tests {
    use super::{Allowance, share};

    #[test]
    fn shares_are_exact() {
        let cases = [
            ("0%", Some(0)),
            ("0.5%", Some(5_000)),
            ("0.0001%", Some(1)),
            ("2 %", Some(20_000)),
            ("100%", Some(1_000_000)),
            ("100.0001%", None),
            ("0.00001%", None),
            ("-1%", None),
            (".5%", None),
            ("1e3%", None),
            ("%", None),
            ("18446744073709551616%", None),
        ];
        for (text, expected) in cases {
            assert_eq!(share(text), expected, "{text}");
        }
    }

    #[test]
    fn the_larger_of_share_and_bytes_counts() {
        let allowance = Allowance {
            share: 5_000,
            bytes: 64,
        };
        let cases = [
            (0, 64),
            (12_800, 64),
            (13_000, 65),
            (u64::MAX, u64::MAX / 200),
        ];
        for (whole, expected) in cases {
            assert_eq!(allowance.of(whole), expected, "{whole}");
        }
    }
}
