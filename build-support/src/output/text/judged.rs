//! What a file is judged by: its sizes and other figures beside their limits, and what came of it.

use super::style::{BAD, FAINT, GOOD, Paint, WARNING, bar};
use super::table::Table;
use crate::report::{Because, Exceeded, LimitRecord, Report, Size, Unit, units};

/// Every size, whether there is a limit on it or not.
pub(super) fn sizes(report: &Report, paint: Paint) -> String {
    let limit = |size: Size| report.budget.iter().find(|l| l.measure == size.name());
    let lines = Size::ALL.map(|size| Line {
        name: size.name().to_owned(),
        unit: Unit::Bytes,
        actual: report.sizes.get(size),
        limit: limit(size).map(|limit| limit.limit),
    });
    draw("size | >bytes", &lines, paint)
}

/// Whatever else there is a limit on; nothing where there is none.
pub(super) fn others(report: &Report, paint: Paint) -> String {
    let is_size = |limit: &LimitRecord| Size::ALL.iter().any(|size| size.name() == limit.measure);
    let lines = report.budget.iter().filter(|limit| !is_size(limit));
    let lines: Vec<Line> = lines
        .map(|record| Line {
            name: record.measure.clone(),
            unit: record.unit,
            actual: record.actual,
            limit: Some(record.limit),
        })
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    draw("measure | >now", &lines, paint)
}

struct Line {
    name: String,
    unit: Unit,
    actual: u64,
    limit: Option<u64>,
}

fn draw(heads: &str, lines: &[Line], paint: Paint) -> String {
    let rows = lines.iter().map(|line| {
        let (limit, used, bar) = match line.limit {
            None => ("none".to_owned(), String::new(), String::new()),
            Some(limit) => (
                units::bytes(limit),
                units::used(line.actual, limit),
                bar(line.actual, limit, paint),
            ),
        };
        let human = match line.unit {
            Unit::Bytes => units::human(line.actual),
            Unit::Count | Unit::Instructions => String::new(),
        };
        let actual = units::bytes(line.actual);
        [line.name.clone(), actual, human, limit, used, bar]
    });
    // The bar is in the last column, where its escapes move nothing.
    let heads = format!("{heads} | > | >limit | >used | ");
    Table::headed(FAINT, &heads).rows(rows).draw("", paint)
}

/// The last line.
pub(super) fn verdict(report: &Report, paint: Paint) -> String {
    let verdict = &report.verdict;
    if verdict.within {
        let none = report.budget.is_empty() && report.baseline.is_none();
        let (style, said) = if none {
            (WARNING, "no limits are set")
        } else {
            (GOOD, "within budget")
        };
        return format!("{}\n", paint.with(style, said));
    }
    let over = |e: &Exceeded| {
        let more = units::amount(e.actual.saturating_sub(e.limit), e.unit);
        match e.because {
            Because::Limit => format!("{} by {more}", e.measure),
            Because::Ratchet => format!("{} by {more} (ratchet)", e.measure),
            Because::Drift => format!("{} by {more} (drift)", e.measure),
        }
    };
    let exceeded: Vec<String> = verdict.exceeded.iter().map(over).collect();
    format!(
        "{}: {}\n",
        paint.with(BAD, "over budget"),
        exceeded.join(", ")
    )
}
