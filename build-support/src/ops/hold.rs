//! Holds what a package ships against its limits and its baseline, and changes the baseline where
//! that is asked for. `gate` judges and `gate::entry` says what may change; what is said of it is
//! left to `output`.

use crate::baseline::file::File;
use crate::baseline::merge_base::{self, Both, Chosen};
use crate::config::{Config, Measure};
use crate::error::{Error, Result};
use crate::gate::entry::{Entry, Refused};
use crate::gate::succession::Weakened;
use crate::gate::{self, Comparison, Verdict};
use crate::ops::build;
use crate::ops::ship::Shipped;
use crate::project::listener::Listener;
use crate::project::package::{Package, Wanted};
use crate::report::{self, Report};
use crate::system::files;
use crate::wasm::bindgen;
use std::path::{Path, PathBuf};

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The targets to build for; every target of the package where there are none.
    pub targets: Vec<String>,
    /// What else is built with.
    pub wanted: Wanted,
    /// Reports that are judged instead of building.
    pub reports: Vec<PathBuf>,
    /// The branch or commit that the change is for; the default branch where there is none.
    pub base: Option<String>,
    /// What becomes of the baseline; nothing where there is none.
    pub change: Option<Change>,
}

/// What becomes of the baseline. Where there is no entry yet, it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is lowered to what is smaller.
    Lower,
    /// It is taken over to another toolchain.
    Rebase,
    /// It is raised, for this reason.
    Raise(String),
}

/// What came of it.
pub struct Outcome {
    /// The baselines of the working tree and of the merge base, as they are now.
    pub baselines: Both,
    /// What was judged.
    pub subjects: Vec<Subject>,
}

/// A file that is judged.
pub struct Subject {
    /// The package's settings for its target.
    pub config: Config,
    /// Its report, with what it was compared with.
    pub report: Report,
    /// Where the report is.
    pub file: PathBuf,
    /// The gate's decision.
    pub verdict: Verdict,
    /// What was done to the baseline; none where nothing was asked for.
    pub changed: Option<Changed>,
    /// What is wrong with the working tree's baseline.
    pub fault: Option<Weakened>,
    /// The text of the baseline that counts; empty where there is none.
    pub baseline: String,
    /// What was built; none where a report was given.
    shipped: Option<Shipped>,
}

/// What was done to the baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The entry before; none where there was none.
    pub before: Option<Entry>,
    /// The entry now, or why it stays.
    pub after: std::result::Result<Entry, Refused>,
}

impl Outcome {
    /// Whether a baseline is not as it must be, or something was asked for that is not to be had.
    pub fn is_faulty(&self) -> bool {
        let drifted = |changed: &Changed| matches!(changed.after, Err(Refused::Drift(_)));
        let mut subjects = self.subjects.iter();
        subjects
            .any(|subject| subject.fault.is_some() || subject.changed.as_ref().is_some_and(drifted))
    }

    /// Whether everything holds.
    pub fn is_within(&self) -> bool {
        self.subjects.iter().all(|subject| subject.verdict.within())
    }
}

/// Builds or reads, changes the baseline as it is asked, and judges.
///
/// # Errors
/// What building reports, and [`Error::Input`] or [`Error::Toolchain`] for a baseline or report
/// that cannot be used.
pub fn run(package: &Package, request: &Request, listener: &mut dyn Listener) -> Result<Outcome> {
    // Before anything is built: a baseline that cannot be read is said at once.
    let mut baselines = merge_base::read(&package.root, request.base.as_deref())?;
    let mut subjects = if request.reports.is_empty() {
        built(package, request, listener)?
    } else {
        let files = request.reports.iter();
        files
            .map(|file| reported(package, file))
            .collect::<Result<_>>()?
    };
    if let Some(change) = &request.change {
        baselines = write(package, request, change, &mut subjects)?;
    }
    for subject in &mut subjects {
        let chosen = baselines.choose(&subject.report, &subject.config.ratchet);
        judge(subject, chosen)?;
    }
    Ok(Outcome {
        baselines,
        subjects,
    })
}

fn built(
    package: &Package,
    request: &Request,
    listener: &mut dyn Listener,
) -> Result<Vec<Subject>> {
    let targets = match request.targets.as_slice() {
        // With no target at all this says what to do.
        [] if package.targets.is_empty() => vec![package.config(None)?.target],
        [] => package.targets.clone(),
        given => given.to_vec(),
    };
    let mut subjects = Vec::new();
    for target in targets {
        let config = package.config(Some(&target))?;
        let folder = package.outputs(&target);
        let shipped = build::run(package, &target, &request.wanted, &folder, listener)?;
        if bindgen::is_input(&shipped.bytes) {
            return Err(Error::toolchain(
                format!(
                    "{} for {target} is what wasm-bindgen reads, and not what is shipped",
                    package.name
                ),
                "hold what comes out of it: `cargo budget check pkg/app_bg.wasm --json > report.json` and \
                       `cargo budget gate --report report.json`",
            ));
        }
        let (report, file) = (shipped.report.clone(), shipped.files.report.clone());
        subjects.push(Subject::new(config, report, file, Some(shipped)));
    }
    Ok(subjects)
}

fn reported(package: &Package, file: &Path) -> Result<Subject> {
    let text = files::read(file)?;
    let mut report = report::json::read(file, &String::from_utf8_lossy(&text))?;
    if report.package != package.name {
        return Err(Error::toolchain(
            format!(
                "{} is of {}, and the package here is {}",
                file.display(),
                report.package,
                package.name
            ),
            "name the package with --package",
        ));
    }
    let config = package.config(Some(&report.target))?;
    if report.figures.start.is_none() && config.limits.get(&Measure::Start).is_some() {
        return Err(Error::toolchain(
            format!(
                "{} says nothing of the start, on which there is a limit now",
                file.display()
            ),
            "build it again, which measures it",
        ));
    }
    report.budget = gate::budget(&report, &config);
    report.baseline = None;
    Ok(Subject::new(config, report, file.to_owned(), None))
}

impl Subject {
    fn new(config: Config, report: Report, file: PathBuf, shipped: Option<Shipped>) -> Self {
        Self {
            config,
            report,
            file,
            verdict: Verdict::default(),
            changed: None,
            fault: None,
            baseline: String::new(),
            shipped,
        }
    }
}

/// Changes the record as it was asked, under its lock, and gives what is there then.
fn write(
    package: &Package,
    request: &Request,
    change: &Change,
    subjects: &mut [Subject],
) -> Result<Both> {
    let base = request.base.as_deref();
    let _lock = File::lock(&package.root)?;
    // Read again: another process may have written it while this one was building.
    let mut baselines = merge_base::read(&package.root, base)?;
    let found = baselines.work.file.clone();
    let commit = merge_base::commit(&package.root);
    for subject in subjects {
        let report = &subject.report;
        let chosen = baselines.choose(report, &subject.config.ratchet);
        let own = baselines.work.file.entry(&report.package, &report.target);
        // What was changed by hand is replaced by what can have become of the base's.
        let own = own.filter(|_| chosen.fault.is_none());
        let before = own.or(chosen.entry).cloned();
        let after = match &before {
            Some(entry) => changed(entry, change, subject, &commit),
            None => Ok(Entry::begin(report)),
        };
        if let Some(entry) = after.as_ref().ok().or(before.as_ref()) {
            let ratchet = &mut baselines.work.file.ratchet;
            let targets = ratchet.entry(report.package.clone()).or_default();
            targets.insert(report.target.clone(), entry.clone());
        }
        subject.changed = Some(Changed { before, after });
    }
    if baselines.work.file != found || baselines.work.text.is_none() {
        baselines.work.file.write(&File::path(package))?;
    }
    merge_base::read(&package.root, base)
}

fn changed(
    entry: &Entry,
    change: &Change,
    subject: &Subject,
    commit: &str,
) -> std::result::Result<Entry, Refused> {
    let report = &subject.report;
    match change {
        Change::Lower => entry.lower(report),
        Change::Rebase => entry.rebase(report, &subject.config.ratchet, commit),
        Change::Raise(reason) => entry.raise(report, reason, commit),
    }
}

fn judge(subject: &mut Subject, chosen: Chosen<'_>) -> Result<()> {
    subject.fault = chosen.fault;
    subject.baseline = chosen.found.text.clone().unwrap_or_default();
    let against = chosen.entry.map(|entry| Comparison {
        entry: entry.clone(),
        from: chosen.found.from.clone(),
        commit: chosen.found.commit.clone(),
        raises: chosen.raises.to_vec(),
    });
    let config = &subject.config;
    if let (Some(shipped), Some(against)) = (&mut subject.shipped, &against) {
        shipped.hold(config, against)?;
        subject.report = shipped.report.clone();
        subject.verdict = shipped.verdict.clone();
        return Ok(());
    }
    let baseline = against.as_ref().map(|against| &against.entry);
    subject.verdict = gate::decide(&subject.report, config, baseline);
    if let Some(against) = &against {
        subject.report.baseline = Some(gate::compared(&subject.report, config, against)?);
    }
    subject.report.verdict = subject.verdict.record();
    Ok(())
}
