//! The limits of the manifest: the figure that each is on.

use crate::attribution::{Attribution, Row};
use crate::config::Measure;
use crate::gate::entry::Entry;
use crate::report::Report;

/// What `report` says of `measure`. A crate or section that is not there takes nothing. A figure
/// that was not measured is no pass: it counts as more than any limit.
pub(super) fn actual(report: &Report, measure: &Measure) -> u64 {
    match measure {
        Measure::Size(size) => report.sizes.get(*size),
        Measure::Functions => report.figures.functions,
        Measure::Crates => report.attribution.crates().len() as u64,
        Measure::Memory => report.figures.memory,
        Measure::Start => report.figures.start.unwrap_or(u64::MAX),
        Measure::Crate(_) | Measure::Section(_) => taken(&report.attribution, measure),
    }
}

/// What the file of a baseline was of `measure`; none where a baseline keeps no such figure.
pub fn before(entry: &Entry, measure: &Measure) -> Option<u64> {
    match measure {
        Measure::Size(size) => Some(entry.sizes.get(*size)),
        Measure::Crates => Some(entry.attribution().crates().len() as u64),
        Measure::Crate(_) | Measure::Section(_) => Some(taken(&entry.attribution(), measure)),
        Measure::Functions | Measure::Memory | Measure::Start => None,
    }
}

fn taken(attribution: &Attribution, measure: &Measure) -> u64 {
    let is_part = |row: &&Row| match measure {
        Measure::Crate(name) => row.krate() == *name,
        Measure::Section(name) => row.section() == *name,
        _ => false,
    };
    let parts = attribution.rows.iter().filter(is_part);
    parts.fold(0, |sum, row| sum.saturating_add(row.bytes))
}
