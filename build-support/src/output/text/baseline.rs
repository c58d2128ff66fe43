//! What the gate compared: each size beside what is held of it, what passes, and the limits. And what became of what is
//! held.

use super::judged;
use super::style::{BAD, FAINT, HEADING, Paint, WARNING};
use super::table::Table;
use crate::gate::entry::{Entry, Refused};
use crate::report::{BaselineRecord, Judged, LimitRecord, Report, Size, units};
use anstyle::Style;

/// What is shown of one judgement, as text that ends in a newline.
pub fn draw(report: &Report, colour: bool) -> String {
    let paint = Paint { colour };
    let whose = match &report.baseline {
        None => "nothing held yet".to_owned(),
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
        text.push_str(&raises(baseline, paint));
    }
    text.push('\n');
    text.push_str(&judged::verdict(report, paint));
    if report.baseline.is_none() {
        text.push_str("no baseline yet, so limits alone judge: `gate --update` begins one\n");
    }
    text
}

/// What became of what is held of `report`'s file, as a line: from `before`, none where nothing was, to `after`, or why it
/// stays.
pub fn changed(report: &Report, before: Option<&Entry>, after: Result<&Entry, &Refused>) -> String {
    let what = match (before, after) {
        (None, Ok(_)) => "held from now on".to_owned(),
        (Some(before), Ok(after)) => moved(before, after),
        (_, Err(Refused::Toolchain)) => {
            "nothing is lowered, because another toolchain made what is held: `gate --update --toolchain` takes it over"
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
        format!("held: {}", moved.join(", "))
    } else if before == after {
        "what is held stays".to_owned()
    } else {
        "the record is anew, the sizes stay".to_owned()
    }
}

fn sizes(report: &Report, paint: Paint) -> String {
    let heads = match report.baseline {
        Some(_) => "size | >held | >now | >change | >passes | >drift | >passes | >limit",
        None => "size | > | >now | > | > | > | > | >limit",
    };
    let mut table = Table::headed(FAINT, heads);
    for size in Size::ALL {
        let limit = |l: &&LimitRecord| l.measure == size.name();
        let limit = report.budget.iter().find(limit);
        let limit = limit.map_or("none".to_owned(), |l| units::bytes(l.limit));
        let actual = report.sizes.get(size);
        let held = report.baseline.iter().flat_map(|baseline| &baseline.held);
        let held = held.into_iter().find(|held| held.measure == size.name());
        let over = report
            .verdict
            .exceeded
            .iter()
            .any(|e| e.measure == size.name());
        let now = units::bytes(actual);
        let name = size.name().to_owned();
        let cells = match held {
            None => {
                let none = String::new;
                [name, none(), now, none(), none(), none(), none(), limit]
            }
            Some(held) => {
                let [passes, drift] = match held.judged {
                    Judged::Yes => [held.tolerance, held.drift_limit].map(|n| units::change(0, n)),
                    Judged::Toolchain => ["toolchain", ""].map(str::to_owned),
                    Judged::Codec => ["codec", ""].map(str::to_owned),
                };
                let way = units::change(held.held, actual);
                let drifted = units::change(held.anchor, actual);
                [
                    name,
                    units::bytes(held.held),
                    now,
                    way,
                    passes,
                    drifted,
                    drift,
                    limit,
                ]
            }
        };
        table.push(if over { BAD } else { Style::new() }, cells);
    }
    table.draw("", paint)
}

/// The raises that the change brings, for whoever looks at it to see.
fn raises(baseline: &BaselineRecord, paint: Paint) -> String {
    let line = |raise: &crate::report::Raise| {
        let line = format!(
            "raised by this change, raw {} \u{2192} {}: {}",
            units::bytes(raise.from.raw),
            units::bytes(raise.to.raw),
            raise.reason
        );
        format!("{}\n", paint.with(WARNING, &line))
    };
    let lines: String = baseline.raises.iter().map(line).collect();
    if lines.is_empty() {
        lines
    } else {
        format!("\n{lines}")
    }
}
