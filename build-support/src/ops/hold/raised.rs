//! The limits of the manifest that a deliberate raise of the baseline takes along: each that does
//! not hold goes up to what is there and the margin that it had over the baseline before. Whatever
//! else is written there stays, and so does the way the number was written.

use crate::config::{Config, Limit};
use crate::diagnostic::place;
use crate::error::{Error, Result};
use crate::gate;
use crate::gate::entry::Entry;
use crate::report::{Report, Unit, units};
use crate::size;
use crate::system::files;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A limit that went up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// The manifest.
    pub manifest: PathBuf,
    /// Where the value stands in it: line and column, from 1.
    pub place: (usize, usize),
    /// What the limit is on, as a report names it.
    pub measure: String,
    /// What it counts.
    pub unit: Unit,
    /// The limit before.
    pub from: u64,
    /// The limit since.
    pub to: u64,
}

/// What limits are to be, by their places in the manifest.
#[derive(Debug, Default)]
pub struct NewLimits(BTreeMap<usize, (Limit, u64)>);

impl NewLimits {
    /// Adds what `report` breaks; `before` is the baseline that is raised. A figure that no
    /// baseline keeps, such as memory, has no margin.
    pub fn add(&mut self, config: &Config, report: &Report, before: Option<&Entry>) {
        for breach in gate::decide(report, config, None).exceeded {
            let was = before.and_then(|entry| gate::before(entry, &breach.limit.measure));
            let to = with_margin(breach.actual, breach.limit.most, was);
            let start = breach.limit.span.start;
            let wanted = self.0.entry(start).or_insert((breach.limit, to));
            wanted.1 = wanted.1.max(to);
        }
    }

    /// Writes them into `manifest`, which was read as `source`.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Input`] where it was changed since.
    pub fn write(self, manifest: &Path, source: &str) -> Result<Vec<Raised>> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let now = std::fs::read_to_string(manifest).map_err(Error::io("reading", manifest))?;
        if now != source {
            let message = "it was changed while this was running, and its limits are to be raised";
            return Err(Error::input(manifest, message, "run it again"));
        }
        let mut text = now;
        let mut raised = Vec::new();
        for (start, (limit, most)) in self.0.into_iter().rev() {
            let written = written_as(&text[limit.span.clone()], most);
            let to = value(&written).unwrap_or(most);
            text.replace_range(limit.span.clone(), &written);
            raised.push(Raised {
                manifest: manifest.to_owned(),
                place: place(source, start),
                measure: limit.measure.name(),
                unit: limit.measure.unit(),
                from: limit.most,
                to,
            });
        }
        files::write_atomic(manifest, text.as_bytes())?;
        raised.reverse();
        Ok(raised)
    }
}

/// `actual`, and as much above it as `limit` was above what `was` there.
fn with_margin(actual: u64, limit: u64, was: Option<u64>) -> u64 {
    let Some(was) = was.filter(|was| (1..limit).contains(was)) else {
        return actual;
    };
    let most = (u128::from(actual) * u128::from(limit)).div_ceil(u128::from(was));
    u64::try_from(most).unwrap_or(units::MAX).min(units::MAX)
}

/// `most` as `old` is written: in bytes, grouped or not, or in a unit, rounded up.
fn written_as(old: &str, most: u64) -> String {
    let grouped = |number: u64| units::bytes(number).replace(',', "_");
    let quote = old
        .find(['"', '\''])
        .filter(|at| *at == 0)
        .map(|_| &old[..1]);
    let Some(quote) = quote else {
        return if old.contains('_') || old.len() < 4 {
            grouped(most)
        } else {
            most.to_string()
        };
    };
    let inner = old.trim_matches(['"', '\'']);
    let Some((unit, number)) = unit(inner) else {
        return grouped(most);
    };
    let (_, factor) = size::UNITS[unit];
    let fraction = inner[number.clone()]
        .split_once('.')
        .map_or(0, |(_, digits)| digits.len());
    // A whole megabyte is no margin, it is another limit.
    let digits = if factor < 1_000_000 {
        fraction
    } else {
        fraction.max(2)
    };
    let scale = 10u128.pow(digits as u32);
    let scaled = (u128::from(most) * scale).div_ceil(u128::from(factor));
    let mut text = (scaled / scale).to_string();
    if digits > 0 {
        text.push_str(&format!(".{:0digits$}", scaled % scale));
    }
    format!(
        "{quote}{}{text}{}{quote}",
        &inner[..number.start],
        &inner[number.end..]
    )
}

/// Which unit a size is written in, and where its number is.
fn unit(text: &str) -> Option<(usize, Range<usize>)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let rest = &text[start..];
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')?;
    let name = rest[end..].trim();
    let unit = size::UNITS.iter().position(|(unit, _)| *unit == name)?;
    Some((unit, start..start + end))
}

/// What a limit says that is written so.
fn value(written: &str) -> Option<u64> {
    match written.trim_matches(['"', '\'']) {
        number if number == written => number.replace('_', "").parse().ok(),
        text => size::parse(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::{value, with_margin, written_as};

    /// Protects the margin: what was 3% above is 3% above again, and never below what is there.
    #[test]
    fn the_margin_stays() {
        let cases = [
            ((20_000, 10_300, Some(10_000)), 20_600),
            ((20_000, 10_000, Some(10_000)), 20_000),
            ((20_000, 10_000, Some(12_000)), 20_000),
            ((20_000, 10_000, Some(0)), 20_000),
            ((20_000, 10_000, None), 20_000),
            ((7, 5, Some(3)), 12),
        ];
        for ((actual, limit, was), expected) in cases {
            assert_eq!(
                with_margin(actual, limit, was),
                expected,
                "{actual} {limit} {was:?}"
            );
        }
        assert!(with_margin(u64::MAX, u64::MAX, Some(1)) <= super::units::MAX);
    }

    /// Protects how somebody wrote it, and that it is never less than what is wanted.
    #[test]
    fn a_number_stays_as_it_was_written() {
        let cases = [
            ("54_043", 60_001, "60_001"),
            ("54043", 60_001, "60001"),
            ("195", 1_200, "1_200"),
            ("0xD2F0", 60_001, "60001"),
            ("\"300 KiB\"", 310_000, "\"303 KiB\""),
            ("'300KiB'", 310_000, "'303KiB'"),
            ("\"57.9 KiB\"", 60_001, "\"58.6 KiB\""),
            ("\" 60 kB \"", 60_001, "\" 61 kB \""),
            ("\"1_000 B\"", 60_001, "\"60001 B\""),
            ("\"1 MiB\"", 1_100_000, "\"1.05 MiB\""),
            ("\"1.5 MB\"", 1_600_001, "\"1.61 MB\""),
        ];
        for (old, most, expected) in cases {
            let written = written_as(old, most);
            assert_eq!(written, expected, "{old}");
            assert!(value(&written).unwrap() >= most, "{old}: {written}");
        }
    }
}
