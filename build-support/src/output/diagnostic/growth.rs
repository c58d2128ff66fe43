//! What is said of the baseline: a size that grew over it, one that was not compared with it, a
//! record that was changed by hand. Each points at its place in `baseline.json`.

use super::rows;
use crate::attribution::diff::{Change, Changes};
use crate::attribution::groups::Grouping;
use crate::baseline::place;
use crate::diagnostic::{Diagnostic, Level};
use crate::gate::succession::Weakened;
use crate::gate::{Growth, Unjudged, Verdict};
use crate::report::{BaselineRecord, Because, Difference, Judged, Report, units};
use crate::system::calling;
use std::path::Path;

/// The stable name of the diagnostic for a size over its baseline and tolerance.
pub const GREW: &str = "grew";
/// The same for one that is within the tolerance and has drifted too far.
pub const DRIFTED: &str = "drifted";
/// The same for a baseline that was not compared with, because something else made it.
pub const UNJUDGED: &str = "growth-not-judged";
/// The same for a baseline that was changed by hand.
pub const WEAKENED: &str = "loosened-baseline";

/// How many changes are named of each grouping.
const LARGEST: usize = 8;

/// What is named, with what it is called.
const NAMED: [(Grouping, &str); 3] = [
    (Grouping::Crate, "by crate"),
    (Grouping::Family, "by function and generic family"),
    (Grouping::Item, "by item"),
];

/// The text of a `baseline.json`, and the entry in it.
#[derive(Debug, Clone, Copy)]
pub struct BaselineText<'t> {
    /// The file, as it is named.
    pub file: &'t Path,
    /// What is in it, in the commit that is compared with.
    pub text: &'t str,
    /// The fingerprint of the entry's toolchain.
    pub entry: &'t str,
}

impl BaselineText<'_> {
    /// An error without words, at `keys` of what is recorded of `report`'s package and target.
    fn at(&self, report: &Report, keys: &[&str]) -> Diagnostic {
        let place = ["ratchet", &report.package, &report.target, self.entry];
        let find = |place: &[&str]| place::find(self.text, &[place, keys].concat());
        // A file of an older layout has one entry, without a fingerprint.
        let span = find(&place).or_else(|| find(&place[..3])).unwrap_or(0..0);
        Diagnostic::at(self.file, self.text, span)
    }
}

/// One error where sizes grew too much, for whatever made one of them larger did so with the
/// others, at the baseline of the first, and a warning where sizes were not judged. Nothing where
/// `report` was compared with no baseline; `baseline` is that one's text.
pub fn growth(verdict: &Verdict, report: &Report, baseline: BaselineText<'_>) -> Vec<Diagnostic> {
    let Some(record) = &report.baseline else {
        return Vec::new();
    };
    let unjudged = verdict.unjudged.iter();
    let unjudged = unjudged.map(|unjudged| not_judged(unjudged, report, record, baseline));
    let grew = grew(&verdict.grown, report, record, baseline);
    grew.into_iter().chain(unjudged).collect()
}

fn grew(
    grown: &[Growth],
    report: &Report,
    record: &BaselineRecord,
    baseline: BaselineText<'_>,
) -> Option<Diagnostic> {
    let first = grown.first()?;
    let is_drift = |growth: &Growth| growth.because == Because::Drift;
    let (code, what) = if grown.iter().all(is_drift) {
        (DRIFTED, "drifted")
    } else {
        (GREW, "grew")
    };
    let key = if is_drift(first) { "anchor" } else { "sizes" };
    let by = |growth: &Growth| {
        let Growth {
            size, actual, from, ..
        } = *growth;
        let share = units::change_share(from, actual);
        format!(
            "{} by {} ({share})",
            size.name(),
            units::counted(actual - from)
        )
    };
    let too_much = |growth: &Growth| {
        let more = units::bytes(growth.actual - growth.most);
        format!("{} by {more}", growth.size.name())
    };
    let listed = |all: Vec<String>| all.join(", ");
    let mut notes: Vec<_> = grown.iter().map(bound).collect();
    notes.extend(what_grew(report, record));
    Some(Diagnostic {
        code,
        message: format!(
            "{} for {} {what}: {}",
            report.package,
            report.target,
            listed(grown.iter().map(by).collect())
        ),
        label: format!(
            "{} bytes here ({})",
            units::bytes(first.from),
            whose(&record.from, record.commit.as_deref())
        ),
        notes,
        help: vec![
            format!(
                "make it smaller: {} bytes, or",
                listed(grown.iter().map(too_much).collect())
            ),
            format!(
                "raise the baseline deliberately: `{} --raise --reason \"why this is worth it\"`",
                calling::call("gate")
            ),
            "the tolerance is set in [package.metadata.budget.ratchet] of the package's manifest"
                .to_owned(),
        ],
        ..baseline.at(report, &[key, first.size.name()])
    })
}

/// What a size is, and what it might be.
fn bound(growth: &Growth) -> String {
    let Growth {
        actual, from, most, ..
    } = *growth;
    let (since, tolerance) = match growth.because {
        Because::Drift => ("since the last deliberate raise, from", "drift"),
        Because::Ratchet | Because::Limit => ("over the baseline of", "tolerance"),
    };
    let name = growth.size.name();
    let [actual, more, from, allowed] =
        [actual, actual - from, from, most - from].map(units::bytes);
    format!("{name} is {actual} bytes, {more} {since} {from}, where the {tolerance} is {allowed}")
}

/// A baseline in words, with its commit.
fn whose(from: &str, commit: Option<&str>) -> String {
    let commit = commit.map(|commit| commit.get(..12).unwrap_or(commit));
    commit.map_or(from.to_owned(), |commit| format!("{from}, {commit}"))
}

fn not_judged(
    unjudged: &Unjudged,
    report: &Report,
    record: &BaselineRecord,
    baseline: BaselineText<'_>,
) -> Diagnostic {
    let differences: Vec<_> = unjudged.differences.iter().map(difference).collect();
    let differences = differences.join(", ");
    let subject = format!("{} for {}", report.package, report.target);
    let help = if unjudged.drifted {
        "all drift since the last raise is over its tolerance: only `gate --raise --reason \"…\"` takes it over"
    } else {
        "take the baseline over to it: `gate --update --toolchain`"
    };
    let (key, message, label, notes) = if unjudged.because == Judged::Codec {
        (
            "codecs",
            format!(
                "codec changed: {differences}; that compressed size of {subject} is not judged"
            ),
            "compressed the baseline",
            Vec::new(),
        )
    } else {
        let sizes = record.sizes.iter().map(|size| {
            format!(
                "{} {} \u{2192} {} bytes ({})",
                size.measure,
                units::bytes(size.baseline),
                units::bytes(size.actual),
                units::change(size.baseline, size.actual)
            )
        });
        (
            "toolchain",
            format!(
                "toolchain changed: {differences}; the difference is not blamed on the change, and growth of {subject} is not judged"
            ),
            "made the baseline",
            sizes.collect(),
        )
    };
    Diagnostic {
        level: Level::Warning,
        code: UNJUDGED,
        message,
        label: label.to_owned(),
        notes,
        help: vec![help.to_owned()],
        ..baseline.at(report, &[key])
    }
}

fn difference(difference: &Difference) -> String {
    let Difference {
        what,
        before,
        after,
    } = difference;
    // rustc and wasm-opt say their names themselves.
    let what = if before.starts_with(what) {
        String::new()
    } else {
        format!("{what} ")
    };
    let [before, after] =
        [before, after].map(|text| if text.is_empty() { "(unknown)" } else { text });
    format!("{what}{before} \u{2192} {after}")
}

/// What changed since what the change began with: the largest of each grouping, and what the rest
/// comes to, so that every list sums to the difference.
pub fn what_grew(report: &Report, record: &BaselineRecord) -> Vec<String> {
    let sizes = |name| record.sizes.iter().find(|size| size.measure == name);
    let since = match &record.base {
        Some(base) => whose(&base.from, base.commit.as_deref()),
        None => "the baseline".to_owned(),
    };
    let after = report.attribution.bytes;
    let before = match (&record.changes, &record.base) {
        (Some(diff), _) => diff.before,
        (None, Some(base)) => base.sizes.raw,
        (None, None) => sizes("raw").map_or(after, |raw| raw.baseline),
    };
    let mut lines = vec![format!(
        "since {since} ({} \u{2192} {} bytes, {})",
        units::bytes(before),
        units::bytes(after),
        units::change(before, after)
    )];
    let groupings = record.changes.iter().flat_map(|diff| &diff.by);
    for (grouping, heading) in NAMED {
        let mut groupings = groupings.clone();
        let changes = groupings.find(|by| by.grouping == grouping && !by.changes.is_empty());
        if let Some(changes) = changes {
            lines.push(format!("{heading}:"));
            lines.extend(list(changes));
        }
    }
    lines
}

fn list(by: &Changes) -> Vec<String> {
    let (shown, rest) = by.changes.split_at(by.changes.len().min(LARGEST));
    let rows = shown.iter().map(|change| {
        let (name, what) = (rows::shorten(&change.name), change.what.name());
        (signed(change.delta()), format!("{name} ({what})"))
    });
    let mut rows: Vec<_> = rows.collect();
    if !rest.is_empty() {
        let sum = rest.iter().map(Change::delta).sum();
        rows.push((signed(sum), format!("in {} more", rest.len())));
    }
    rows::aligned(&rows).collect()
}

fn signed(delta: i128) -> String {
    let bytes = u64::try_from(delta.unsigned_abs()).unwrap_or(u64::MAX);
    if delta < 0 {
        units::change(bytes, 0)
    } else {
        units::change(0, bytes)
    }
}

/// The working tree's record was changed in a way there is none for; `from` is whose counts
/// instead, `baseline` the working tree's text.
pub fn weakened(
    fault: &Weakened,
    from: &str,
    report: &Report,
    baseline: BaselineText<'_>,
) -> Diagnostic {
    let (what, keys) = objection(fault);
    Diagnostic {
        code: WEAKENED,
        message: format!(
            "baseline.json was loosened without a recorded raise: {} for {}: {what}",
            report.package, report.target
        ),
        label: format!("does not count; that of {from} does"),
        help: vec![
            "`gate --update` restores it; `gate --raise --reason \"\u{2026}\"` is the way up"
                .to_owned(),
        ],
        ..baseline.at(report, &keys)
    }
}

/// What is wrong, and the keys where it stands.
fn objection(fault: &Weakened) -> (String, Vec<&'static str>) {
    let too_much = |what: String, bytes: u64, most: u64| {
        let [bytes, most] = [bytes, most].map(units::bytes);
        format!("{what} {bytes} bytes, and without a recorded raise {most} is the most")
    };
    let (what, key) = match *fault {
        Weakened::Gone => return ("it is gone".to_owned(), vec![]),
        Weakened::Raises => ("raises that were recorded are not as they were", "raises"),
        Weakened::Rebases => (
            "changes of the toolchain that were recorded are not as they were",
            "retooled",
        ),
        Weakened::NoReason => ("a raise has no reason", "raises"),
        Weakened::Toolchain => (
            "it is of another toolchain, and nothing records the change",
            "toolchain",
        ),
        Weakened::Size { size, bytes, most } => {
            let what = too_much(format!("{} is", size.name()), bytes, most);
            return (what, vec!["sizes", size.name()]);
        }
        Weakened::Anchor { size, bytes, most } => {
            let what = format!("drift of {} is counted from", size.name());
            return (too_much(what, bytes, most), vec!["anchor", size.name()]);
        }
    };
    (what.to_owned(), vec![key])
}
