//! What the gate compared: each size beside its baseline, its tolerance and its limit. And what
//! became of the baseline.

use super::judged;
use super::style::{BAD, FAINT, HEADING, Paint, WARNING};
use super::table::Table;
use crate::gate::entry::{Entry, Refused};
use crate::output::diagnostic;
use crate::report::{BaselineRecord, Judged, Raise, Report, Size, units};
use anstyle::Style;

/// What is shown of one judgement, as text that ends in a newline.
pub fn draw(report: &Report, colour: bool) -> String {
    let paint = Paint { colour };
    let whose = match &report.baseline {
        None => "no baseline yet".to_owned(),
        Some(BaselineRecord { from, commit, .. }) => match commit {
            Some(commit) => format!("against {from}, {}", commit.get(..12).unwrap_or(commit)),
            None => format!("against {from}"),
        },
    };
    let subject = paint.with(HEADING, &report.package);
    let mut text = format!("{subject} for {}, {whose}\n\n", report.target);
    text.push_str(&sizes(report, paint));
    let others = judged::others(report, paint);
    if !others.is_empty() {
        text.push_str(&format!("\n{others}"));
    }
    if let Some(baseline) = &report.baseline {
        text.push_str(&raises(report, baseline, paint));
    }
    text.push('\n');
    text.push_str(&judged::verdict(report, paint));
    if report.baseline.is_none() {
        text.push_str("no baseline yet, so limits alone judge: `gate --update` begins one\n");
    }
    text
}

/// What became of the baseline of `report`'s file, as a line: from `before`, none where there was
/// none, to `after`, or why it stays.
pub fn changed(report: &Report, before: Option<&Entry>, after: Result<&Entry, &Refused>) -> String {
    let what = match (before, after) {
        (None, Ok(_)) => "the baseline begins".to_owned(),
        (Some(before), Ok(after)) => moved(before, after),
        (_, Err(Refused::Toolchain)) => {
            "nothing is lowered, because another toolchain made the baseline: `gate --update --toolchain` takes it over"
                .to_owned()
        }
        (_, Err(Refused::Drift(size))) => format!(
            "not taken over: {} would be further from the last deliberate raise than the drift lets it; `gate --raise --reason \"\u{2026}\"` does it",
            size.name()
        ),
        (_, Err(Refused::NoReason)) => "not raised: there is no reason".to_owned(),
    };
    format!("{} for {}: {what}", report.package, report.target)
}

fn moved(before: &Entry, after: &Entry) -> String {
    let moved = Size::ALL.into_iter().filter_map(|size| {
        let (before, after) = (before.sizes.get(size), after.sizes.get(size));
        let way = || [before, after].map(units::bytes).join(" \u{2192} ");
        (before != after).then(|| format!("{} {}", size.name(), way()))
    });
    let moved: Vec<_> = moved.collect();
    if !moved.is_empty() {
        format!("baseline: {}", moved.join(", "))
    } else if before == after {
        "the baseline stays".to_owned()
    } else {
        "the record is anew, the sizes stay".to_owned()
    }
}

fn sizes(report: &Report, paint: Paint) -> String {
    let heads = match report.baseline {
        Some(_) => "size | >baseline | >now | >change | >tolerance | >drift | >tolerance | >limit",
        None => "size | > | >now | > | > | > | > | >limit",
    };
    let mut table = Table::headed(FAINT, heads);
    for size in Size::ALL {
        let mut budget = report.budget.iter();
        let limit = budget.find(|limit| limit.measure == size.name());
        let limit = limit.map_or("none".to_owned(), |limit| units::bytes(limit.limit));
        let actual = report.sizes.get(size);
        let sizes = report.baseline.iter().flat_map(|baseline| &baseline.sizes);
        let record = sizes
            .into_iter()
            .find(|record| record.measure == size.name());
        let mut exceeded = report.verdict.exceeded.iter();
        let over = exceeded.any(|exceeded| exceeded.measure == size.name());
        let [baseline, change, tolerance, drifted, drift] =
            record.map_or_else(Default::default, |record| {
                let [tolerance, drift] = match record.judged {
                    Judged::Yes => {
                        [record.tolerance, record.drift_limit].map(|n| units::change(0, n))
                    }
                    Judged::Toolchain => ["toolchain", ""].map(str::to_owned),
                    Judged::Codec => ["codec", ""].map(str::to_owned),
                };
                [
                    units::bytes(record.baseline),
                    units::change(record.baseline, actual),
                    tolerance,
                    units::change(record.anchor, actual),
                    drift,
                ]
            });
        let (name, now) = (size.name().to_owned(), units::bytes(actual));
        let cells = [
            name, baseline, now, change, tolerance, drifted, drift, limit,
        ];
        table.push(if over { BAD } else { Style::new() }, cells);
    }
    table.draw("", paint)
}

/// The raises that the change brings, for whoever looks at it to see, and what grew with them.
fn raises(report: &Report, baseline: &BaselineRecord, paint: Paint) -> String {
    if baseline.raises.is_empty() {
        return String::new();
    }
    let line = |raise: &Raise| {
        let with = match &raise.carried {
            Some(key) => format!(" by as much as that of {key}"),
            None => String::new(),
        };
        let line = format!(
            "raised by this change{with}, raw {} \u{2192} {}: {}",
            units::bytes(raise.from.raw),
            units::bytes(raise.to.raw),
            raise.reason
        );
        format!("{}\n", paint.with(WARNING, &line))
    };
    let lines: String = baseline.raises.iter().map(line).collect();
    let grew = diagnostic::what_grew(report, baseline).into_iter();
    let grew: String = grew.map(|line| format!("{line}\n")).collect();
    format!("\n{lines}{grew}")
}
