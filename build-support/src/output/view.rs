//! What the pages for people show, Markdown and HTML alike: a build or a file, beside what it is
//! compared with. Taken from reports as they are; nothing is judged here.

use crate::attribution::Attribution;
use crate::attribution::diff::{self, Diff};
use crate::attribution::groups::Grouping;
use crate::attribution::inlined::Inlined;
use crate::error::Result;
use crate::report::subject::Subject;
use crate::report::{
    BaselineRecord, Exceeded, LimitRecord, Report, Size, SizeRecord, Stage, Toolchain, Unit,
};
use crate::wasm::artifact::FileKind;
use serde::Serialize;
use std::collections::HashMap;
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
    /// Its size by crate and more.
    pub attribution: Attribution,
    /// What it is compared with.
    pub against: Option<Against>,
    /// Where the code of the file it was linked as was written, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inlined: Option<Inlined>,
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
    /// The size of that, likewise.
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
        let report = subject.report.as_deref();
        let exceeded = report.map_or(&[][..], |report| &report.verdict.exceeded);
        let baseline = report.and_then(|report| report.baseline.as_ref());
        let before: HashMap<String, u64> = if let Some((_, old)) = &old {
            let measures = measured(old).into_iter();
            measures.map(|old| (old.name, old.actual)).collect()
        } else {
            baseline.map_or_else(HashMap::new, before)
        };
        let mut measures = measured(&subject);
        for measure in &mut measures {
            measure.before = before.get(&measure.name).copied();
            measure.over = exceeded.iter().any(|over| over.measure == measure.name);
        }
        Self {
            title: report.map_or_else(|| name(file), |report| report.package.clone()),
            target: report
                .map(|report| report.target.clone())
                .filter(|target| target != "unknown"),
            standing: report.map_or(Standing::Unlimited, standing),
            measures,
            against: if let Some((file, old)) = old {
                let (name, attribution) = (name(file), old.attribution);
                Some(Against { name, attribution })
            } else {
                let changes = baseline.and_then(|baseline| baseline.changes.as_ref());
                let attribution = changes.and_then(|diff| diff::undo(&subject.attribution, diff));
                let name = baseline.map(baseline_name);
                name.zip(attribution)
                    .map(|(name, attribution)| Against { name, attribution })
            },
            attribution: subject.attribution,
            report: subject.report,
            inlined: None,
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
        old.or_else(|| self.baseline().map(baseline_name))
    }

    /// What became of the old file by each of `groupings`, or what the gate has found to have
    /// changed since the baseline's.
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

/// What a change is compared with: what it began with, where it has changed the baseline itself.
fn baseline_name(baseline: &BaselineRecord) -> String {
    let base = baseline.base.as_ref();
    let from = base.map_or(&baseline.from, |base| &base.from);
    format!("the baseline of {from}")
}

/// The sizes of that, by name.
fn before(baseline: &BaselineRecord) -> HashMap<String, u64> {
    let was = |size: &SizeRecord| {
        let base = baseline.base.as_ref().map(|base| base.sizes);
        let mut all = Size::ALL
            .into_iter()
            .filter(|one| one.name() == size.measure);
        let before = base.and_then(|sizes| Some(sizes.get(all.next()?)));
        (size.measure.clone(), before.unwrap_or(size.baseline))
    };
    baseline.sizes.iter().map(was).collect()
}

/// Every size, whether there is a limit on it or not, and whatever else there is a limit on; beside
/// nothing.
fn measured(subject: &Subject) -> Vec<Measure> {
    let measure = |name: &str, unit, actual, limit| Measure {
        name: name.to_owned(),
        unit,
        actual,
        limit,
        before: None,
        over: false,
    };
    let Some(report) = &subject.report else {
        let bytes = subject.attribution.bytes;
        return vec![measure(Size::Raw.name(), Unit::Bytes, bytes, None)];
    };
    let sizes = Size::ALL.map(|size| {
        let mut limits = report.budget.iter();
        let limit = limits.find(|limit| limit.measure == size.name());
        let limit = limit.map(|record| record.limit);
        measure(size.name(), Unit::Bytes, report.sizes.get(size), limit)
    });
    let is_size = |limit: &&LimitRecord| Size::ALL.iter().any(|size| size.name() == limit.measure);
    let others = report.budget.iter().filter(|limit| !is_size(limit));
    let others = others.map(|l| measure(&l.measure, l.unit, l.actual, Some(l.limit)));
    sizes.into_iter().chain(others).collect()
}

fn standing(report: &Report) -> Standing {
    if !report.verdict.within {
        Standing::Over
    } else if report.budget.is_empty() && report.baseline.is_none() {
        Standing::Unlimited
    } else {
        Standing::Within
    }
}

/// `a component, made by rustc …, std …, wasm-opt …`.
fn made(report: &Report) -> String {
    let kind = kind(report.kind);
    match made_by(&report.toolchain) {
        by if by.is_empty() => format!("a {kind}"),
        by => format!("a {kind}, made by {by}"),
    }
}

/// What a kind of file is called.
pub fn kind(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Core => "core module",
        FileKind::Component => "component",
    }
}

/// `rustc …, std …, wasm-opt …`, so far as it is known.
pub fn made_by(toolchain: &Toolchain) -> String {
    let std = match toolchain.std.as_str() {
        "" => String::new(),
        std => format!("std {std}"),
    };
    let by = [toolchain.rustc.as_str(), &std, &toolchain.wasm_opt].into_iter();
    by.filter(|by| !by.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

fn name(file: &Path) -> String {
    file.file_name()
        .unwrap_or(file.as_os_str())
        .to_string_lossy()
        .into_owned()
}
