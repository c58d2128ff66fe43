//! What the pages for people show, Markdown and HTML alike: a build or a file, beside what it is compared with. Taken
//! from reports as they are; nothing is judged here.

use crate::attribution::Attribution;
use crate::attribution::diff::{self, Diff};
use crate::attribution::groups::Grouping;
use crate::error::Result;
use crate::report::subject::Subject;
use crate::report::{BaselineRecord, Exceeded, LimitRecord, Report, Size, Stage, Unit};
use crate::wasm::artifact::Kind;
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
    pub unit: Unit,
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
        let report = subject.report.as_ref();
        let exceeded = report.map_or(&[][..], |report| &report.verdict.exceeded);
        let held = report.and_then(|report| report.baseline.as_ref());
        let before: Vec<(String, u64)> = match (&old, held) {
            (Some((_, old)), _) => figures(measured(old)),
            (None, Some(baseline)) => {
                let held = baseline.held.iter();
                held.map(|held| (held.measure.clone(), held.held)).collect()
            }
            (None, None) => Vec::new(),
        };
        let of_measure = |record: LimitRecord| Measure {
            limit: Some(record.limit).filter(|limit| *limit != NO_LIMIT),
            before: before
                .iter()
                .find(|(name, _)| *name == record.measure)
                .map(|(_, size)| *size),
            over: exceeded.iter().any(|over| over.measure == record.measure),
            name: record.measure,
            unit: record.unit,
            actual: record.actual,
        };
        let measures = measured(&subject).into_iter().map(of_measure).collect();
        Self {
            title: report.map_or_else(|| name(file), |report| report.package.clone()),
            target: report
                .map(|report| report.target.clone())
                .filter(|target| target != "unknown"),
            standing: report.map_or(Standing::Unlimited, |report| standing(report)),
            measures,
            against: match old {
                Some((file, old)) => Some(Against {
                    name: name(file),
                    attribution: old.attribution,
                }),
                None => held.and_then(|baseline| {
                    let changes = baseline.changes.as_ref()?;
                    Some(Against {
                        name: baseline_of(baseline),
                        attribution: diff::undo(&subject.attribution, changes)?,
                    })
                }),
            },
            attribution: subject.attribution,
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
        self.report.as_deref().map_or_else(String::new, made)
    }

    /// The baseline that the gate compared it with.
    pub fn baseline(&self) -> Option<&BaselineRecord> {
        self.report.as_ref()?.baseline.as_ref()
    }

    /// What it is compared with, in words: the old file, or the baseline.
    pub fn versus(&self) -> Option<String> {
        let old = self.against.as_ref().map(|old| old.name.clone());
        old.or_else(|| self.baseline().map(baseline_of))
    }

    /// What became of the old file by each of `groupings`, or what the gate has found to have changed since the baseline's.
    ///
    /// # Errors
    /// As [`diff::run`].
    pub fn changes(&self, groupings: &[Grouping]) -> Result<Option<Diff>> {
        if let Some(old) = &self.against {
            return diff::run(&old.attribution, &self.attribution, groupings).map(Some);
        }
        let recorded = self
            .baseline()
            .and_then(|baseline| baseline.changes.clone());
        Ok(recorded.map(|mut diff| {
            diff.by.retain(|by| groupings.contains(&by.grouping));
            diff
        }))
    }
}

fn baseline_of(baseline: &BaselineRecord) -> String {
    format!("the baseline of {}", baseline.from)
}

fn figures(records: Vec<LimitRecord>) -> Vec<(String, u64)> {
    let figure = |record: LimitRecord| (record.measure, record.actual);
    records.into_iter().map(figure).collect()
}

/// Every size, whether there is a limit on it or not, and whatever else there is a limit on.
fn measured(subject: &Subject) -> Vec<LimitRecord> {
    let raw = |actual| LimitRecord {
        measure: Size::Raw.name().to_owned(),
        unit: Unit::Bytes,
        limit: NO_LIMIT,
        actual,
    };
    let Some(report) = &subject.report else {
        return vec![raw(subject.attribution.bytes)];
    };
    let limited = |name: &str| report.budget.iter().find(|limit| limit.measure == name);
    let sizes = Size::ALL.map(|size| LimitRecord {
        measure: size.name().to_owned(),
        limit: limited(size.name()).map_or(NO_LIMIT, |limit| limit.limit),
        ..raw(report.sizes.get(size))
    });
    let is_size = |limit: &&LimitRecord| Size::ALL.iter().any(|size| size.name() == limit.measure);
    let others = report.budget.iter().filter(|limit| !is_size(limit));
    sizes.into_iter().chain(others.cloned()).collect()
}

/// Stands for no limit where records are gathered.
const NO_LIMIT: u64 = u64::MAX;

fn standing(report: &Report) -> Standing {
    match report.verdict.within {
        false => Standing::Over,
        true if report.budget.is_empty() && report.baseline.is_none() => Standing::Unlimited,
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
