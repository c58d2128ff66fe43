//! The limits of the manifest: what each is held against, and what is said where one does not hold.

use super::Breach;
use crate::attribution::groups::{self, Grouping};
use crate::attribution::{Kind, Row};
use crate::config::{Config, Measure};
use crate::diagnostic::{Diagnostic, Level};
use crate::report::{Report, Size, Unit, units};
use std::collections::BTreeMap;
use std::path::Path;

/// The stable name of the diagnostic for a limit that does not hold.
pub const OVER_BUDGET: &str = "over-budget";

/// How many of the largest a diagnostic names.
const LARGEST: usize = 10;

/// How many characters of a name a diagnostic shows.
const NAME_WIDTH: usize = 64;

/// What `report` says of `measure`. A crate or section that is not there takes nothing. A figure that was not
/// measured is no pass: it counts as more than any limit.
pub(super) fn actual(report: &Report, measure: &Measure) -> u64 {
    let all = &report.attribution;
    let taken = |rows: &dyn Fn(&Row) -> bool| {
        let of = all.rows.iter().filter(|row| rows(row));
        of.fold(0u64, |sum, row| sum.saturating_add(row.bytes))
    };
    match measure {
        Measure::Size(size) => report.sizes.get(*size),
        Measure::Functions => report.figures.functions,
        Measure::Crates => all.crates().len() as u64,
        Measure::Memory => report.figures.memory,
        Measure::Start => report.figures.start.unwrap_or(u64::MAX),
        Measure::Crate(name) => taken(&|row| row.krate() == *name),
        Measure::Section(name) => taken(&|row| row.section() == *name),
    }
}

/// One error per breach. What takes the most room of the whole file stands with the first breach of a size alone: it
/// is the same for all of them.
pub(super) fn diagnostics(
    breaches: &[Breach],
    report: &Report,
    config: &Config,
    file: &Path,
) -> Vec<Diagnostic> {
    let is_size = |breach: &Breach| matches!(breach.limit.measure, Measure::Size(_));
    let first = breaches.iter().position(is_size);
    let draw = |(i, breach): (usize, &Breach)| Diagnostic {
        notes: match is_size(breach) && first != Some(i) {
            true => Vec::new(),
            false => explained(report, &breach.limit.measure),
        },
        ..diagnostic(breach, report, config, file)
    };
    breaches.iter().enumerate().map(draw).collect()
}

fn diagnostic(breach: &Breach, report: &Report, config: &Config, file: &Path) -> Diagnostic {
    let Breach { limit, actual } = breach;
    let (measure, most) = (&limit.measure, limit.most);
    let over = units::bytes(actual - most);
    let now = units::bytes(*actual);
    let subject = format!("{} for {}", report.package, report.target);
    let is = sentence(&subject, measure, *actual);
    Diagnostic {
        level: Level::Error,
        code: OVER_BUDGET,
        message: format!("{is}, {over} over its limit of {}", units::bytes(most)),
        file: config.manifest.clone(),
        source: config.source.clone(),
        span: limit.span.clone(),
        label: format!(
            "actual is {}, {over} over ({} of the limit)",
            match measure.unit() {
                Unit::Bytes => format!("{now} bytes"),
                Unit::Count => now,
                Unit::Instructions => format!("{now} instructions"),
            },
            units::used(*actual, most)
        ),
        notes: Vec::new(),
        help: vec![
            shows(measure, file),
            format!(
                "to raise the limit deliberately, set {} = {} here and say why in the commit",
                key(measure),
                toml(*actual)
            ),
        ],
    }
}

/// What is measured and how much it is, as a sentence's beginning.
fn sentence(subject: &str, measure: &Measure, actual: u64) -> String {
    let now = units::bytes(actual);
    match measure {
        Measure::Size(size) => {
            let how = match size {
                Size::Raw => "as shipped",
                Size::Gzip => "after gzip -9",
                Size::Brotli => "after brotli -q 11",
            };
            format!("{subject} is {now} bytes {how}")
        }
        Measure::Functions => format!("{subject} has {now} functions"),
        Measure::Crates => format!("{subject} has {now} crates in it"),
        Measure::Memory => format!("{subject} begins with {now} bytes of memory"),
        Measure::Start => format!("{subject} takes {now} instructions to start"),
        Measure::Crate(name) => format!("crate {name} takes {now} bytes of {subject}"),
        Measure::Section(name) => format!("section {name} takes {now} bytes of {subject}"),
    }
}

/// Where more is to be seen.
fn shows(measure: &Measure, file: &Path) -> String {
    let file = file.display();
    match measure {
        Measure::Size(_) | Measure::Functions => {
            format!("`build-support analyze {file}` shows what takes the room")
        }
        Measure::Crates | Measure::Crate(_) => {
            format!("`build-support analyze {file} --by crate` shows what each crate takes")
        }
        Measure::Section(_) => {
            format!("`build-support analyze {file} --by section` shows what each section takes")
        }
        Measure::Memory => {
            "`build-support memory FILE` on the shipped file shows what the memory is for"
                .to_owned()
        }
        Measure::Start => {
            "work at the start is that of constructors, the start function and `_initialize`"
                .to_owned()
        }
    }
}

/// The key as it stands in its table.
fn key(measure: &Measure) -> String {
    let bare = |name: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        name.chars().all(plain)
    };
    match measure {
        Measure::Crate(name) | Measure::Section(name) if bare(name) => name.clone(),
        Measure::Crate(name) | Measure::Section(name) => format!("{name:?}"),
        _ => measure.key().to_owned(),
    }
}

/// `12345` as TOML takes it: `12_345`.
fn toml(bytes: u64) -> String {
    units::bytes(bytes).replace(',', "_")
}

/// What there is to know of a figure: what it is made of, the largest first.
fn explained(report: &Report, measure: &Measure) -> Vec<String> {
    let all = &report.attribution;
    if all.rows.is_empty() {
        return Vec::new();
    }
    let rows = |of: &dyn Fn(&Row) -> bool| {
        let rows = all.rows.iter().filter(|row| of(row));
        rows.map(|row| (row.bytes, row.item())).collect::<Vec<_>>()
    };
    let (what, rows) = match measure {
        Measure::Size(_) => ("the shipped file", rows(&|_| true)),
        Measure::Crate(name) => ("the crate", rows(&|row| row.krate() == *name)),
        Measure::Section(name) => ("the section", rows(&|row| row.section() == *name)),
        Measure::Functions => {
            return counted_by_crate(all.rows.iter().filter(|row| row.kind == Kind::Function));
        }
        Measure::Crates => {
            let crates = groups::run(all, Grouping::Crate).into_iter();
            let crates: Vec<_> = crates
                .filter(|group| !group.name.starts_with('['))
                .map(|group| (group.bytes, group.name))
                .collect();
            // Those that take the least are the nearest to going.
            let smallest = crates.iter().rev().take(LARGEST).cloned().collect();
            return list("the smallest of them are".to_owned(), smallest, all.bytes);
        }
        Measure::Memory | Measure::Start => return Vec::new(),
    };
    let sum = match measure {
        Measure::Size(_) => all.bytes,
        _ => actual(report, measure),
    };
    let headline = format!("the largest of {what} ({} bytes) are", units::bytes(sum));
    list(headline, rows.into_iter().take(LARGEST).collect(), sum)
}

fn counted_by_crate<'a>(functions: impl Iterator<Item = &'a Row>) -> Vec<String> {
    let mut by_crate = BTreeMap::<String, u64>::new();
    for row in functions {
        let count = by_crate.entry(row.krate()).or_default();
        *count = count.saturating_add(row.count);
    }
    let all = by_crate
        .values()
        .fold(0, |sum: u64, n| sum.saturating_add(*n));
    let mut counts: Vec<(u64, String)> = by_crate.into_iter().map(|(n, c)| (c, n)).collect();
    counts.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    counts.truncate(LARGEST);
    list("most of them are of".to_owned(), counts, all)
}

fn list(headline: String, rows: Vec<(u64, String)>, whole: u64) -> Vec<String> {
    let figures: Vec<String> = rows.iter().map(|(n, _)| units::bytes(*n)).collect();
    let width = figures.iter().map(String::len).max().unwrap_or_default();
    let line = |((n, name), figure): (&(u64, String), &String)| {
        let share = units::share(*n, whole);
        let name = units::shorten(name, NAME_WIDTH);
        format!("{figure:>width$}  {share:>6}  {name}")
    };
    let lines = rows.iter().zip(&figures).map(line);
    std::iter::once(headline).chain(lines).collect()
}
