//! Holds what a package ships against its limits and its baseline, and changes the baseline where
//! that is asked for. `gate` judges and `gate::entry` says what may change; what is said of it is
//! left to `output`.

mod raised;

pub use raised::Raised;

use crate::baseline::file::{File, SCHEMA};
use crate::baseline::merge_base::{self, Both, Chosen, Fault};
use crate::config::{Config, Measure};
use crate::error::{Error, Result};
use crate::gate::entries::{Entries, fingerprint};
use crate::gate::entry::{Entry, Refused};
use crate::gate::{self, Base, Comparison, Verdict};
use crate::ops::build;
use crate::ops::ship::Shipped;
use crate::project::listener::Listener;
use crate::project::package::{Package, Wanted};
use crate::report::{self, Report};
use crate::system::calling;
use crate::system::files;
use crate::wasm::bindgen;
use raised::NewLimits;
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
    /// Reports of the merge base, built here: what a toolchain without an entry is judged by.
    pub base_reports: Vec<PathBuf>,
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
    /// The limits of the manifest that a raise took along.
    pub raised: Vec<Raised>,
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
    pub fault: Option<Fault>,
    /// The text of the baseline that counts; empty where there is none.
    pub baseline: String,
    /// The fingerprint of the entry in it that counts; empty where there is none.
    pub entry: String,
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
    let mut raised = Vec::new();
    if let Some(change) = &request.change {
        (baselines, raised) = write(package, request, change, &mut subjects)?;
    }
    let base_reports = request.base_reports.iter().map(|file| read_report(file));
    let base_reports: Vec<_> = base_reports.collect::<Result<_>>()?;
    for subject in &mut subjects {
        let chosen = baselines.choose(&subject.report, &subject.config.ratchet);
        let built = built_base(&baselines, subject, &chosen, &base_reports);
        judge(subject, chosen, built)?;
    }
    Ok(Outcome {
        raised,
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
                format!(
                    "hold what comes out of it: `{} pkg/app_bg.wasm --json > report.json` and `{} --report report.json`",
                    calling::budget("check"),
                    calling::call("gate")
                ),
            ));
        }
        let (report, file) = (shipped.report.clone(), shipped.files.report.clone());
        subjects.push(Subject::new(config, report, file, Some(shipped)));
    }
    Ok(subjects)
}

fn read_report(file: &Path) -> Result<Report> {
    let text = files::read(file)?;
    report::json::read(file, &String::from_utf8_lossy(&text))
}

fn reported(package: &Package, file: &Path) -> Result<Subject> {
    let mut report = read_report(file)?;
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
            entry: String::new(),
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
) -> Result<(Both, Vec<Raised>)> {
    let base = request.base.as_deref();
    let _lock = File::lock(&package.root)?;
    // Read again: another process may have written it while this one was building.
    let mut baselines = merge_base::read(&package.root, base)?;
    let found = baselines.work.file.clone();
    let commit = merge_base::commit(&package.root);
    let mut wanted = NewLimits::default();
    for subject in &mut *subjects {
        let report = &subject.report;
        let chosen = baselines.choose(report, &subject.config.ratchet);
        let mut entries = baselines.mended(report, &subject.config.ratchet);
        let had_own = entries.of(&report.toolchain).is_some();
        let before = entries.of(&report.toolchain).or(chosen.entry).cloned();
        let done = changed(&mut entries, change, subject, &commit);
        let own = || entries.of(&report.toolchain).or(before.as_ref());
        let after = done.map(|()| own().cloned().expect("it was begun at least"));
        // What comes from none of the others begins, and is no change of theirs.
        let begins = |after: &Entry| after.raises.is_empty() && after.rebases.is_empty();
        let is_new = !had_own && after.as_ref().is_ok_and(begins);
        let before = before.filter(|_| !is_new);
        let targets = baselines.work.file.ratchet.entry(report.package.clone());
        targets.or_default().insert(report.target.clone(), entries);
        if let Change::Raise(_) = change {
            wanted.add(&subject.config, report, before.as_ref());
        }
        subject.changed = Some(Changed { before, after });
    }
    // First the limits: a run that is killed in between finds their margins as they were.
    let raised = raise_limits(package, wanted, subjects)?;
    let file = &baselines.work.file;
    if *file != found || baselines.work.text.is_none() || file.schema < SCHEMA {
        file.write(&File::path(package))?;
    }
    Ok((merge_base::read(&package.root, base)?, raised))
}

/// Writes the limits that are wanted, and reads them again.
fn raise_limits(
    package: &Package,
    wanted: NewLimits,
    subjects: &mut [Subject],
) -> Result<Vec<Raised>> {
    let Some(first) = subjects.first() else {
        return Ok(Vec::new());
    };
    let raised = wanted.write(&first.config.manifest, &first.config.source)?;
    if raised.is_empty() {
        return Ok(raised);
    }
    for subject in subjects {
        subject.config = package.config(Some(&subject.report.target))?;
        subject.report.budget = gate::budget(&subject.report, &subject.config);
        if let Some(shipped) = &mut subject.shipped {
            shipped.report.budget.clone_from(&subject.report.budget);
        }
    }
    Ok(raised)
}

fn changed(
    entries: &mut Entries,
    change: &Change,
    subject: &Subject,
    commit: &str,
) -> std::result::Result<(), Refused> {
    let report = &subject.report;
    match change {
        Change::Lower => entries.lower(report),
        Change::Rebase => entries.take_over(report, &subject.config.ratchet, commit),
        Change::Raise(reason) => entries.raise(report, reason, commit),
    }
}

/// What `subject` is compared with where no baseline has an entry of its toolchain and the merge
/// base was built with it: what that weighs, and as much more as the change has raised another
/// entry.
fn built_base(
    baselines: &Both,
    subject: &Subject,
    chosen: &Chosen<'_>,
    base_reports: &[Report],
) -> Option<Comparison> {
    let report = &subject.report;
    let is_own = |entry: &Entry| entry.toolchain == report.toolchain;
    if chosen.entry.is_some_and(is_own) {
        return None;
    }
    let base = base_reports.iter().find(|base| {
        let of = |report: &Report| (report.package.clone(), report.target.clone());
        of(base) == of(report) && base.toolchain == report.toolchain
    })?;
    let begun = Entry::begin(base);
    let raises = baselines.raises(report, &subject.config.ratchet);
    let raised = raises.iter();
    let entry = raised.fold(begun.clone(), |entry, (key, raise)| entry.carry(raise, key));
    let from = "the merge base, built here".to_owned();
    let commit = baselines.base.as_ref().and_then(|base| base.commit.clone());
    Some(Comparison {
        raises: entry.raises.clone(),
        base: (!raises.is_empty()).then(|| Base {
            entry: begun,
            from: from.clone(),
            commit: commit.clone(),
        }),
        entry,
        from,
        commit,
    })
}

fn judge(subject: &mut Subject, chosen: Chosen<'_>, built: Option<Comparison>) -> Result<()> {
    subject.baseline = chosen.found.text.clone().unwrap_or_default();
    let entry = chosen.entry.map(|entry| fingerprint(&entry.toolchain));
    subject.entry = entry.unwrap_or_default();
    let against = built.or_else(|| {
        chosen.entry.map(|entry| Comparison {
            entry: entry.clone(),
            from: chosen.found.from.clone(),
            commit: chosen.found.commit.clone(),
            base: chosen.base.map(|(entry, found)| Base {
                entry: entry.clone(),
                from: found.from.clone(),
                commit: found.commit.clone(),
            }),
            raises: chosen.raises.to_vec(),
        })
    });
    subject.fault = chosen.fault;
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
