//! What the baseline allows: growth within its tolerance, and drift within its own.

use crate::attribution::diff;
use crate::attribution::groups::Grouping;
use crate::config::Config;
use crate::error::Result;
use crate::gate::entry::Entry;
use crate::report::{
    BaseRecord, BaselineRecord, Because, Difference, Judged, Raise, Report, Size, SizeRecord,
};

/// What a file is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The baseline.
    pub entry: Entry,
    /// Whose that is, in words.
    pub from: String,
    /// The commit it is of; none for the working tree's.
    pub commit: Option<String>,
    /// What the change began with, where that is another entry.
    pub base: Option<Base>,
    /// Raises that came with the change.
    pub raises: Vec<Raise>,
}

/// What a change began with: the merge base's entry, whatever the change has made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The entry.
    pub entry: Entry,
    /// Whose that is, in words.
    pub from: String,
    /// The commit it is of.
    pub commit: Option<String>,
}

/// A size that grew by more than its tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Which.
    pub size: Size,
    /// What it is, in bytes.
    pub actual: u64,
    /// What it is counted from: the baseline, or for drift the anchor.
    pub from: u64,
    /// The most that is allowed.
    pub most: u64,
    /// [`Because::Ratchet`] or [`Because::Drift`].
    pub because: Because,
}

/// Why sizes were not compared with the baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unjudged {
    /// [`Judged::Toolchain`], and no size was; or [`Judged::Codec`], and those that `differences`
    /// names were not.
    pub because: Judged,
    /// What is not as it was.
    pub differences: Vec<Difference>,
    /// Whether the drift is over its tolerance, so that nothing but a raise takes the new toolchain
    /// over.
    pub drifted: bool,
}

/// Each size that was made as the baseline was: over it and its tolerance, or else over the anchor
/// and the tolerance of drift.
pub(super) fn grown(report: &Report, config: &Config, entry: &Entry) -> Vec<Growth> {
    let rows = Size::ALL.map(|size| (size, row(report, config, entry, size)));
    let judged = rows.iter().filter(|(_, row)| row.judged == Judged::Yes);
    let grown = judged.filter_map(|(size, row)| {
        let bounds = [
            (row.baseline, row.tolerance, Because::Ratchet),
            (row.anchor, row.drift_limit, Because::Drift),
        ];
        let growth = |(from, allowed, because): (u64, u64, Because)| Growth {
            size: *size,
            actual: row.actual,
            from,
            most: from.saturating_add(allowed),
            because,
        };
        bounds
            .map(growth)
            .into_iter()
            .find(|growth| growth.actual > growth.most)
    });
    grown.collect()
}

pub(super) fn unjudged(report: &Report, config: &Config, entry: &Entry) -> Option<Unjudged> {
    let toolchain = entry.differences(report);
    let codecs = entry.codec_differences(report);
    let (because, differences) = if toolchain.is_empty() {
        (Judged::Codec, codecs)
    } else {
        (Judged::Toolchain, toolchain)
    };
    (!differences.is_empty()).then(|| Unjudged {
        because,
        differences,
        drifted: because == Judged::Toolchain && entry.drifted(report, &config.ratchet).is_some(),
    })
}

fn judged(report: &Report, entry: &Entry, size: Size) -> Judged {
    if !entry.differences(report).is_empty() {
        Judged::Toolchain
    } else if !entry.same_codec(report, size) {
        Judged::Codec
    } else {
        Judged::Yes
    }
}

fn row(report: &Report, config: &Config, entry: &Entry, size: Size) -> SizeRecord {
    let (actual, was, anchor) = (
        report.sizes.get(size),
        entry.sizes.get(size),
        entry.anchor.get(size),
    );
    let way = i128::from(actual) - i128::from(anchor);
    SizeRecord {
        measure: size.name().to_owned(),
        actual,
        baseline: was,
        tolerance: config.ratchet.over(size, was),
        anchor,
        drift: i64::try_from(way).unwrap_or(if way < 0 { i64::MIN } else { i64::MAX }),
        drift_limit: config.ratchet.drift.of(anchor),
        judged: judged(report, entry, size),
    }
}

/// What `report` is compared with, as a report keeps it, and what changed since.
///
/// # Errors
/// [`crate::Error::InvalidOutput`] where one of the two does not sum to its size.
pub fn compared(report: &Report, config: &Config, against: &Comparison) -> Result<BaselineRecord> {
    let entry = &against.entry;
    let since = against.base.as_ref().map_or(entry, |base| &base.entry);
    let diff = diff::run(&since.attribution(), &report.attribution, &Grouping::ALL)?;
    let mut toolchain = entry.differences(report);
    toolchain.extend(entry.codec_differences(report));
    let changed = diff.by.iter().any(|by| !by.changes.is_empty());
    Ok(BaselineRecord {
        from: against.from.clone(),
        commit: against.commit.clone(),
        base: against.base.as_ref().map(|base| BaseRecord {
            from: base.from.clone(),
            commit: base.commit.clone(),
            sizes: base.entry.sizes,
        }),
        toolchain,
        sizes: Size::ALL
            .map(|size| row(report, config, entry, size))
            .to_vec(),
        raises: against.raises.clone(),
        changes: changed.then_some(diff),
    })
}
