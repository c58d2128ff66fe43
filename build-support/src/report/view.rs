//! What the pages for people show, Markdown and HTML alike: a build or a file, beside what it is compared with. Taken
//! from reports as they are; nothing is judged here.

use crate::attribution::Attribution;
use crate::attribution::diff::{self, Diff};
use crate::attribution::groups::Grouping;
use crate::attribution::subject::Subject;
use crate::error::Result;
use crate::report::{Exceeded, Kind, Report, Stage};
use serde::Serialize;
use std::path::Path;

/// A build or a file, as a page shows it.
#[derive(Debug, Clone, Serialize)]
pub struct View {
    /// The package, or the file's name where nothing more is known.
    pub title: String,
    /// The target triple, where a report says it.
    pub target: Option<String>,
    /// What was decided.
    pub standing: Standing,
    /// What was measured.
    pub measures: Vec<Measure>,
    /// Everything else that a build's report says, but its attribution.
    #[serde(skip)]
    pub report: Option<Box<Report>>,
    /// Who takes the room.
    pub attribution: Attribution,
    /// What it is compared with.
    pub against: Option<Against>,
}

/// What the gate said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It was not asked, or there are no limits.
    Unlimited,
    /// Every limit holds.
    Within,
    /// One does not.
    Over,
}

/// What something is compared with.
#[derive(Debug, Clone, Serialize)]
pub struct Against {
    /// What it is called: the file it was read from.
    pub name: String,
    /// Who took the room there.
    pub attribution: Attribution,
}

/// One measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Measure {
    /// What it is, as the budget calls it.
    pub name: String,
    /// What it is counted in.
    pub unit: String,
    /// What was measured.
    pub actual: u64,
    /// What is allowed, where there is a limit.
    pub limit: Option<u64>,
    /// What it was in what this is compared with, where that is known.
    pub before: Option<u64>,
    /// Whether the gate objects to it.
    pub over: bool,
}

impl View {
    /// What `file` is, beside `old` where there is one.
    pub fn new(file: &Path, subject: Subject, old: Option<(&Path, Subject)>) -> Self {
        let measured = measured(&subject);
        let before = old.as_ref().map(|(_, old)| self::measured(old));
        let report = subject.report.as_ref();
        let exceeded = report.map_or(&[][..], |report| &report.verdict.exceeded);
        let measures = measured
            .into_iter()
            .map(|(name, unit, actual, limit)| {
                let old = before.iter().flatten().find(|old| old.0 == name);
                Measure {
                    before: old.map(|old| old.2),
                    over: exceeded.iter().any(|over| over.measure == name),
                    name,
                    unit,
                    actual,
                    limit,
                }
            })
            .collect();
        Self {
            title: report.map_or_else(|| name(file), |report| report.package.clone()),
            target: report
                .map(|report| report.target.clone())
                .filter(|target| target != "unknown"),
            standing: report.map_or(Standing::Unlimited, |report| standing(report)),
            measures,
            attribution: subject.attribution,
            against: old.map(|(file, old)| Against {
                name: name(file),
                attribution: old.attribution,
            }),
            report: subject.report,
        }
    }

    /// The limits that do not hold.
    pub fn exceeded(&self) -> &[Exceeded] {
        self.report
            .as_ref()
            .map_or(&[], |report| &report.verdict.exceeded)
    }

    /// The stages it went through, the linked file first; none for a lone file.
    pub fn stages(&self) -> &[Stage] {
        self.report.as_ref().map_or(&[], |report| &report.stages)
    }

    /// What it is and what made it, in a line; empty where nothing is known.
    pub fn made(&self) -> String {
        self.report
            .as_deref()
            .map_or_else(String::new, |report| made(report))
    }

    /// What became of the file it is compared with, by each of `groupings`.
    ///
    /// # Errors
    /// As [`diff::run`].
    pub fn changes(&self, groupings: &[Grouping]) -> Result<Option<Diff>> {
        let old = self.against.as_ref();
        old.map(|old| diff::run(&old.attribution, &self.attribution, groupings))
            .transpose()
    }
}

/// Measure, unit, what was measured, limit.
type Measured = (String, String, u64, Option<u64>);

fn measured(subject: &Subject) -> Vec<Measured> {
    let bytes = |name: &str, size: u64, limit| (name.to_owned(), "bytes".to_owned(), size, limit);
    let Some(report) = &subject.report else {
        return vec![bytes("raw", subject.attribution.bytes, None)];
    };
    let (sizes, limits) = (report.sizes, report.budget);
    vec![
        bytes("raw", sizes.raw, limits.raw),
        bytes("gzip", sizes.gzip, limits.gzip),
        bytes("brotli", sizes.brotli, limits.brotli),
    ]
}

fn standing(report: &Report) -> Standing {
    let limits = [report.budget.raw, report.budget.gzip, report.budget.brotli];
    match report.verdict.within {
        false => Standing::Over,
        true if limits.iter().all(Option::is_none) => Standing::Unlimited,
        true => Standing::Within,
    }
}

/// `a component made by rustc …, std …, wasm-opt …`.
fn made(report: &Report) -> String {
    let kind = match report.kind {
        Kind::Core => "a core module",
        Kind::Component => "a component",
    };
    let toolchain = &report.toolchain;
    let std = match toolchain.std.as_str() {
        "" => String::new(),
        std => format!("std {std}"),
    };
    let by: Vec<_> = [&toolchain.rustc, &std, &toolchain.wasm_opt]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect();
    if by.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}, made by {}", by.join(", "))
    }
}

fn name(file: &Path) -> String {
    file.file_name()
        .unwrap_or(file.as_os_str())
        .to_string_lossy()
        .into_owned()
}
