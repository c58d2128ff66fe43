//! What the baseline allows: growth within its tolerance, and drift within its own. And what is said where it is more:
//! what grew, by crate, family and item, to the byte.

use super::Against;
use crate::attribution::diff::{self, Changes, Diff};
use crate::attribution::groups::Grouping;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Level};
use crate::error::Result;
use crate::gate::entry::Held;
use crate::gate::place;
use crate::report::{BaselineRecord, Because, Difference, HeldRecord, Judged, Report, Size, units};
use std::ops::Range;

/// The stable name of the diagnostic for a size over what is held and its tolerance.
pub const GREW: &str = "grew";
/// The same for one that is within the tolerance and has drifted too far.
pub const DRIFTED: &str = "drifted";
/// The same for a baseline that was not compared with, because something else made it.
pub const UNJUDGED: &str = "growth-not-judged";
/// The same for a baseline that was changed by hand.
pub const LOOSENED: &str = "loosened-baseline";

/// How many changes a diagnostic names of each grouping.
const LARGEST: usize = 8;

/// How many characters of a name a diagnostic shows.
const NAME_WIDTH: usize = 64;

/// What is named, with what it is called.
const NAMED: [(Grouping, &str); 3] = [
    (Grouping::Crate, "by crate"),
    (Grouping::Family, "by function and generic family"),
    (Grouping::Item, "by item"),
];

/// A size that grew by more than passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Which.
    pub size: Size,
    /// What it is, in bytes.
    pub actual: u64,
    /// What it is counted from: what is held, or for drift the anchor.
    pub from: u64,
    /// The most that passes.
    pub most: u64,
    /// [`Because::Ratchet`] or [`Because::Drift`].
    pub because: Because,
}

/// Each size that was made as the held one was: over what is held and its tolerance, or else over the anchor and the
/// drift that passes.
pub(super) fn decide(report: &Report, config: &Config, held: &Held) -> Vec<Growth> {
    let judged = |size: &Size| judged(report, held, *size) == Judged::Yes;
    let grown = |size: Size| {
        let row = row(report, config, held, size);
        let over = |from: u64, allowed: u64, because| {
            let most = from.saturating_add(allowed);
            (row.actual > most).then_some(Growth {
                size,
                actual: row.actual,
                from,
                most,
                because,
            })
        };
        over(row.held, row.tolerance, Because::Ratchet)
            .or_else(|| over(row.anchor, row.drift_limit, Because::Drift))
    };
    Size::ALL
        .into_iter()
        .filter(judged)
        .filter_map(grown)
        .collect()
}

fn judged(report: &Report, held: &Held, size: Size) -> Judged {
    if !held.differences(report).is_empty() {
        Judged::Toolchain
    } else if !held.same_codec(report, size) {
        Judged::Codec
    } else {
        Judged::Yes
    }
}

fn row(report: &Report, config: &Config, held: &Held, size: Size) -> HeldRecord {
    let (actual, was, anchor) = (
        report.sizes.get(size),
        held.sizes.get(size),
        held.anchor.get(size),
    );
    let way = i128::from(actual) - i128::from(anchor);
    HeldRecord {
        measure: size.name().to_owned(),
        actual,
        held: was,
        tolerance: config.ratchet.over(size, was),
        anchor,
        drift: i64::try_from(way).unwrap_or(if way < 0 { i64::MIN } else { i64::MAX }),
        drift_limit: config.ratchet.drift.of(anchor),
        judged: judged(report, held, size),
    }
}

pub(super) fn record(
    report: &Report,
    config: &Config,
    against: &Against,
) -> Result<BaselineRecord> {
    let held = &against.held;
    let diff = changes(report, held)?;
    let mut toolchain = held.differences(report);
    toolchain.extend(held.codec_differences(report));
    Ok(BaselineRecord {
        from: against.from.clone(),
        commit: against.commit.clone(),
        toolchain,
        held: Size::ALL
            .map(|size| row(report, config, held, size))
            .to_vec(),
        raises: against.raises.clone(),
        changes: diff
            .by
            .iter()
            .any(|by| !by.changes.is_empty())
            .then_some(diff),
    })
}

fn changes(report: &Report, held: &Held) -> Result<Diff> {
    diff::run(&held.attribution(), &report.attribution, &Grouping::ALL)
}

pub(super) fn diagnostics(
    grown: &[Growth],
    report: &Report,
    against: &Against,
) -> Result<Vec<Diagnostic>> {
    let Some(first) = grown.first() else {
        return Ok(Vec::new());
    };
    let diff = changes(report, &against.held)?;
    let draw = |growth: &Growth| Diagnostic {
        notes: match growth.size == first.size {
            true => what_grew(&diff),
            false => Vec::new(),
        },
        ..diagnostic(growth, report, against)
    };
    Ok(grown.iter().map(draw).collect())
}

fn diagnostic(growth: &Growth, report: &Report, against: &Against) -> Diagnostic {
    let Growth {
        size,
        actual,
        from,
        most,
        ..
    } = *growth;
    let name = size.name();
    let (now, was) = (units::bytes(actual), units::bytes(from));
    let grew = units::bytes(actual - from);
    let passes = units::bytes(most - from);
    let (code, what, key, since) = match growth.because {
        Because::Drift => (
            DRIFTED,
            "drifted",
            "anchor",
            "since the last deliberate raise",
        ),
        Because::Ratchet | Because::Limit => (GREW, "grew", "sizes", "over what is held"),
    };
    let whose = match &against.commit {
        Some(commit) => format!("{}, {}", against.from, short(commit)),
        None => against.from.clone(),
    };
    let path = ["ratchet", &report.package, &report.target, key, name];
    Diagnostic {
        level: Level::Error,
        code,
        message: format!(
            "{} for {} {what}: {name} is {now} bytes, {grew} {since} ({}), where {passes} pass",
            report.package,
            report.target,
            units::change_share(from, actual),
        ),
        file: against.file.clone(),
        source: against.source.clone(),
        span: span(&against.source, &path),
        label: format!("{was} bytes here ({whose})"),
        notes: Vec::new(),
        help: vec![
            format!("make it smaller by {}, or", units::counted(actual - most)),
            "raise what is held deliberately: `gate --raise --reason \"why this is worth it\"`"
                .to_owned(),
            "how much passes is said in [package.metadata.budget.ratchet] of the package's manifest"
                .to_owned(),
        ],
    }
}

/// A warning for each reason why sizes were not judged.
pub(super) fn unjudged(report: &Report, config: &Config, against: &Against) -> Vec<Diagnostic> {
    let held = &against.held;
    let said = |what: &[Difference]| {
        let one = |d: &Difference| {
            // rustc and wasm-opt say their names themselves.
            let what = match d.before.starts_with(&d.what) {
                true => String::new(),
                false => format!("{} ", d.what),
            };
            format!("{what}{} \u{2192} {}", named(&d.before), named(&d.after))
        };
        what.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let warning = |message: String, key: &str, label: &str, notes, help| Diagnostic {
        level: Level::Warning,
        code: UNJUDGED,
        message,
        file: against.file.clone(),
        source: against.source.clone(),
        span: span(
            &against.source,
            &["ratchet", &report.package, &report.target, key],
        ),
        label: label.to_owned(),
        notes,
        help,
    };
    let toolchain = held.differences(report);
    let codecs = held.codec_differences(report);
    let take_over = "take what is held over to it: `gate --update --toolchain`".to_owned();
    if !toolchain.is_empty() {
        let message = format!(
            "toolchain changed: {}; the difference is not blamed on the change, and growth of {} for {} is not judged",
            said(&toolchain),
            report.package,
            report.target
        );
        let way = |size: Size| {
            let (before, after) = (held.sizes.get(size), report.sizes.get(size));
            format!(
                "{} {} \u{2192} {} bytes ({})",
                size.name(),
                units::bytes(before),
                units::bytes(after),
                units::change(before, after)
            )
        };
        let mut help = vec![take_over];
        let anchor = |size| row(report, config, held, size);
        let too_far = |size: &Size| {
            let row = anchor(*size);
            held.same_codec(report, *size)
                && row.drift > 0
                && row.drift.unsigned_abs() > row.drift_limit
        };
        if Size::ALL.iter().any(too_far) {
            help = vec!["all drift since the last raise is more than passes: only `gate --raise --reason \"…\"` takes it over".to_owned()];
        }
        let notes = Size::ALL.map(way).to_vec();
        return vec![warning(
            message,
            "toolchain",
            "made what is held",
            notes,
            help,
        )];
    }
    if codecs.is_empty() {
        return Vec::new();
    }
    let message = format!(
        "codec changed: {}; that compressed size of {} for {} is not judged",
        said(&codecs),
        report.package,
        report.target
    );
    vec![warning(
        message,
        "codecs",
        "compressed what is held",
        Vec::new(),
        vec![take_over],
    )]
}

fn named(text: &str) -> &str {
    if text.is_empty() { "(unknown)" } else { text }
}

fn span(source: &str, path: &[&str]) -> Range<usize> {
    place::of(source, path).unwrap_or(0..0)
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// The largest changes of each grouping, and what the rest comes to, so that every list sums to the difference.
fn what_grew(diff: &Diff) -> Vec<String> {
    let mut lines = vec![format!(
        "since the held file ({} \u{2192} {} bytes, {})",
        units::bytes(diff.before),
        units::bytes(diff.after),
        units::change(diff.before, diff.after)
    )];
    for (grouping, heading) in NAMED {
        let Some(by) = diff.by.iter().find(|by| by.grouping == grouping) else {
            continue;
        };
        if by.changes.is_empty() {
            continue;
        }
        lines.push(format!("{heading}:"));
        lines.extend(list(by));
    }
    lines
}

fn list(by: &Changes) -> Vec<String> {
    let shown = &by.changes[..by.changes.len().min(LARGEST)];
    let mut rows: Vec<(String, String)> = shown
        .iter()
        .map(|change| {
            let way = signed(change.delta());
            let name = units::shorten(&change.name, NAME_WIDTH);
            (way, format!("{name} ({})", change.what.name()))
        })
        .collect();
    let rest: i128 = by.changes[shown.len()..]
        .iter()
        .map(diff::Change::delta)
        .sum();
    if by.changes.len() > shown.len() {
        rows.push((
            signed(rest),
            format!("in {} more", by.changes.len() - shown.len()),
        ));
    }
    let width = rows
        .iter()
        .map(|(way, _)| way.len())
        .max()
        .unwrap_or_default();
    rows.iter()
        .map(|(way, name)| format!("{way:>width$}  {name}"))
        .collect()
}

fn signed(delta: i128) -> String {
    let bytes = u64::try_from(delta.unsigned_abs()).unwrap_or(u64::MAX);
    match delta {
        0 => "0".to_owned(),
        d if d < 0 => units::change(bytes, 0),
        _ => units::change(0, bytes),
    }
}
