//! The limits of the manifest: the figure that each is on.

use crate::attribution::Row;
use crate::config::Measure;
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
        Measure::Crate(name) => taken(report, |row| row.krate() == *name),
        Measure::Section(name) => taken(report, |row| row.section() == *name),
    }
}

fn taken(report: &Report, is_part: impl Fn(&Row) -> bool) -> u64 {
    let parts = report.attribution.rows.iter().filter(|row| is_part(row));
    parts.fold(0, |sum, row| sum.saturating_add(row.bytes))
}
