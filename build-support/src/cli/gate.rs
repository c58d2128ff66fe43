//! `build-support gate`: holds what is shipped against its limits and against what the baseline holds. What `cargo gate`
//! and `cargo make gate` are.

use crate::baseline::file::File;
use crate::baseline::merge_base::{self, Both, Chosen, Fault};
use crate::cli::ended::Ended;
use crate::cli::messages::{MessageFormat, Messages};
use crate::cli::terminal::{colour_on_stdout, here};
use crate::config::{Config, Measure};
use crate::diagnostic::{Diagnostic, Level};
use crate::gate::entry::{Held, Refused};
use crate::gate::succession::Loosened;
use crate::gate::{self, Against, Verdict};
use crate::ops::build;
use crate::ops::ship::Shipped;
use crate::output::progress::Progress;
use crate::output::text;
use crate::project::package::{Features, Package};
use crate::report::{self, Report, Size, units};
use crate::wasm::bindgen;
use anyhow::Context as _;
use clap::Args;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Build for every target, and fail if a limit is broken or a size grew over what baseline.json holds
#[derive(Args)]
#[command(after_help = "\
What is held goes down with `--update` and up with `--raise` alone. In a git repository the baseline that counts is that
of the merge base with the default branch; what the change itself lowers or raises, with a reason, counts too.
Growth is not judged where another toolchain made what is held: that is said, and `--update --toolchain` takes it over.
Exit codes: 0 within budget, 1 over budget, 2 error.
Examples:
  cargo gate                                     every target
  cargo gate --update                            and lower what is held to what is smaller now, or begin to hold
  cargo gate --raise --reason \"streaming needs a parser\"
  cargo gate --base origin/release --json        the reports, with what they were compared with
  build-support gate --report report.json        a report that is there, without building")]
pub struct Opts {
    /// The target triple, may be repeated; every target of the package where none is given
    #[arg(long)]
    target: Vec<String>,
    /// The package; the only one with a budget where this is not given
    #[arg(long, short)]
    package: Option<String>,
    /// The branch or commit that the change is for; the default branch where this is not given
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// Lower what is held to what is smaller now; nothing goes up
    #[arg(long, conflicts_with = "raise")]
    update: bool,
    /// With --update: take what is held over to this toolchain, as far as the drift lets it
    #[arg(long, requires = "update")]
    toolchain: bool,
    /// Raise what is held to what is there now; needs --reason
    #[arg(long)]
    raise: bool,
    /// Why it is raised; it is kept in baseline.json
    #[arg(long, value_name = "TEXT", requires = "raise")]
    reason: Option<String>,
    /// Judge this report.json instead of building; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with = "target")]
    report: Vec<PathBuf>,
    /// Print the reports as JSON
    #[arg(long, conflicts_with = "message_format")]
    json: bool,
    /// How diagnostics are given, as cargo spells it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    message_format: MessageFormat,
}

/// A file that is judged.
struct Subject {
    config: Config,
    report: Report,
    /// Where the report is, for messages.
    file: PathBuf,
    /// What was built; none where a report was given.
    shipped: Option<Shipped>,
    verdict: Verdict,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    if opts.raise
        && opts
            .reason
            .as_deref()
            .is_none_or(|reason| reason.trim().is_empty())
    {
        anyhow::bail!(
            "a raise needs a reason\n  help: give --reason \"why this is worth its bytes\"; it is kept in baseline.json"
        );
    }
    let package = Package::find(opts.package.as_deref())?;
    let messages = Messages::new(opts.message_format, Some(&package));
    messages.finish(hold(opts, &package, &messages))
}

fn hold(opts: &Opts, package: &Package, messages: &Messages<'_>) -> anyhow::Result<Ended> {
    // Before anything is built: a baseline that cannot be read is said at once.
    let mut both = merge_base::read(&package.root, opts.base.as_deref())?;
    let mut subjects = match opts.report.as_slice() {
        [] => built(package, opts)?,
        files => reported(package, files)?,
    };
    let mut said = Vec::new();
    let mut faulty = false;
    if opts.update || opts.raise {
        (both, faulty) = write(package, opts, &subjects, &mut said)?;
    }
    let mut diagnostics = Vec::new();
    for subject in &mut subjects {
        let chosen = both.choose(&subject.report, &subject.config.ratchet);
        faulty |= chosen.fault.is_some();
        diagnostics.extend(judge(package, &both, &chosen, subject)?);
    }
    show(opts, &both, &subjects, &said)?;
    messages.show(&diagnostics)?;
    Ok(
        match subjects.iter().all(|subject| subject.verdict.within()) {
            _ if faulty => Ended::Badly,
            true => Ended::Well,
            false => Ended::OverBudget,
        },
    )
}

fn built(package: &Package, opts: &Opts) -> anyhow::Result<Vec<Subject>> {
    let targets = match opts.target.as_slice() {
        // With no target at all this says what to do.
        [] if package.targets.is_empty() => vec![package.config(None)?.target],
        [] => package.targets.clone(),
        given => given.to_vec(),
    };
    let mut progress = match opts.message_format {
        MessageFormat::Json => Progress::for_messages(),
        MessageFormat::Human | MessageFormat::Short => Progress::start(opts.json),
    };
    let mut subjects = Vec::new();
    for target in targets {
        let config = package.config(Some(&target))?;
        let folder = package.outputs(&target);
        let shipped = build::run(
            &package,
            &target,
            &Features::default(),
            &folder,
            &mut progress,
        )?;
        if bindgen::is_input(&shipped.bytes) {
            anyhow::bail!(
                "{} for {target} is what wasm-bindgen reads, and not what is shipped\n  help: hold what comes out of it: \
                 `cargo budget check pkg/app_bg.wasm --json > report.json` and `cargo budget gate --report report.json`",
                package.name
            );
        }
        subjects.push(Subject {
            config,
            report: shipped.report.clone(),
            file: shipped.files.report.clone(),
            verdict: Verdict::default(),
            shipped: Some(shipped),
        });
    }
    Ok(subjects)
}

fn reported(package: &Package, files: &[PathBuf]) -> anyhow::Result<Vec<Subject>> {
    let mut subjects = Vec::new();
    for file in files {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let mut report = report::json::read(file, &text)?;
        if report.package != package.name {
            anyhow::bail!(
                "{} is of {}, and the package here is {}\n  help: name the package with --package",
                file.display(),
                report.package,
                package.name
            );
        }
        let config = package.config(Some(&report.target))?;
        if report.figures.start.is_none() && config.limits.get(&Measure::Start).is_some() {
            anyhow::bail!(
                "{} says nothing of the start, on which there is a limit now\n  help: build it again, which measures it",
                file.display()
            );
        }
        report.budget = gate::budget(&report, &config);
        report.baseline = None;
        subjects.push(Subject {
            config,
            report,
            file: file.clone(),
            shipped: None,
            verdict: Verdict::default(),
        });
    }
    Ok(subjects)
}

/// Changes the record as it was asked, under its lock. Gives what is there then, and whether something was asked for
/// that is not to be had.
fn write(
    package: &Package,
    opts: &Opts,
    subjects: &[Subject],
    said: &mut Vec<String>,
) -> anyhow::Result<(Both, bool)> {
    let _lock = File::lock(&package.root)?;
    // Read again: another process may have written it while this one was building.
    let mut both = merge_base::read(&package.root, opts.base.as_deref())?;
    let before = both.work.file.clone();
    let mut denied = false;
    for subject in subjects {
        let report = &subject.report;
        let chosen = both.choose(report, &subject.config.ratchet);
        let own = both.work.file.held(&report.package, &report.target);
        // What was changed by hand is replaced by what can have become of the base's.
        let held = match chosen.fault {
            Some(_) => chosen.held,
            None => own.or(chosen.held),
        };
        let commit = merge_base::commit(&package.root);
        let what = format!("{} for {}", report.package, report.target);
        let new = match held {
            None => {
                said.push(format!("{what}: held from now on"));
                Held::begin(report)
            }
            Some(held) => match changed(opts, held, subject, &commit) {
                Ok(new) => {
                    said.push(format!("{what}: {}", way(held, &new)));
                    new
                }
                Err(refused) => {
                    denied |= matches!(refused, Refused::Drift(_));
                    said.push(format!("{what}: {}", refusal(refused)));
                    held.clone()
                }
            },
        };
        let targets = both
            .work
            .file
            .ratchet
            .entry(report.package.clone())
            .or_default();
        targets.insert(report.target.clone(), new);
    }
    if both.work.file != before || both.work.text.is_none() {
        both.work.file.write(&File::path(package))?;
    }
    Ok((
        merge_base::read(&package.root, opts.base.as_deref())?,
        denied,
    ))
}

fn changed(opts: &Opts, held: &Held, subject: &Subject, commit: &str) -> Result<Held, Refused> {
    let report = &subject.report;
    match opts.reason.as_deref() {
        Some(reason) => held.raise(report, reason, commit),
        None if opts.toolchain => held.retool(report, &subject.config.ratchet, commit),
        None => held.lower(report),
    }
}

fn way(before: &Held, after: &Held) -> String {
    let moved = |size: &Size| before.sizes.get(*size) != after.sizes.get(*size);
    let moved: Vec<String> = Size::ALL
        .into_iter()
        .filter(moved)
        .map(|size| {
            let (before, after) = (before.sizes.get(size), after.sizes.get(size));
            format!(
                "{} {} \u{2192} {}",
                size.name(),
                units::bytes(before),
                units::bytes(after)
            )
        })
        .collect();
    match (moved.is_empty(), before == after) {
        (true, true) => "what is held stays".to_owned(),
        (true, false) => "the record is anew, the sizes stay".to_owned(),
        (false, _) => format!("held: {}", moved.join(", ")),
    }
}

fn refusal(refused: Refused) -> String {
    match refused {
        Refused::Toolchain => {
            "nothing is lowered, because another toolchain made what is held: `gate --update --toolchain` takes it over"
                .to_owned()
        }
        Refused::Drift(size) => format!(
            "not taken over: {} would be further from the last deliberate raise than the drift lets it; `gate --raise --reason \"\u{2026}\"` does it",
            size.name()
        ),
        Refused::NoReason => "not raised: there is no reason".to_owned(),
    }
}

/// Judges one file, and says what there is to object to.
fn judge(
    package: &Package,
    both: &Both,
    chosen: &Chosen<'_>,
    subject: &mut Subject,
) -> anyhow::Result<Vec<Diagnostic>> {
    let against = chosen.held.map(|held| Against {
        held: held.clone(),
        from: chosen.found.from.clone(),
        commit: chosen.found.commit.clone(),
        raises: chosen.raises.to_vec(),
        file: File::path(package),
        source: chosen.found.text.clone().unwrap_or_default(),
    });
    let config = &subject.config;
    match (&mut subject.shipped, &against) {
        (Some(shipped), Some(against)) => {
            shipped.hold(config, against)?;
            subject.report = shipped.report.clone();
            subject.verdict = shipped.verdict.clone();
        }
        (_, against) => {
            let held = against.as_ref().map(|against| &against.held);
            subject.verdict = gate::decide(&subject.report, config, held);
            if let Some(against) = against {
                subject.report.baseline = Some(gate::compared(&subject.report, config, against)?);
            }
            subject.report.verdict = subject.verdict.record();
        }
    }
    let here = here();
    let file = subject.file.strip_prefix(&here).unwrap_or(&subject.file);
    let mut all = Vec::new();
    if let Some(fault) = &chosen.fault {
        all.push(loosened(fault, both, &subject.report, &File::path(package)));
    }
    all.extend(subject.verdict.diagnostics(&subject.report, config, file));
    if let Some(against) = &against {
        all.extend(subject.verdict.growth(&subject.report, against)?);
        all.extend(gate::unjudged(&subject.report, config, against));
    }
    Ok(all)
}

/// The working tree's record was changed in a way there is none for.
fn loosened(fault: &Fault, both: &Both, report: &Report, file: &Path) -> Diagnostic {
    let of = format!("{} for {}", report.package, report.target);
    let (what, key) = match fault {
        Fault::Gone => ("what is held is gone".to_owned(), None),
        Fault::Loosened(why) => match why {
            Loosened::Raises => (
                "raises that were recorded are not as they were".to_owned(),
                Some(["raises", ""]),
            ),
            Loosened::Retooled => (
                "changes of the toolchain that were recorded are not as they were".to_owned(),
                Some(["retooled", ""]),
            ),
            Loosened::NoReason => ("a raise has no reason".to_owned(), Some(["raises", ""])),
            Loosened::Toolchain => (
                "it is of another toolchain, and nothing records the change".to_owned(),
                Some(["toolchain", ""]),
            ),
            Loosened::Held { size, held, most } => (
                format!(
                    "{} is held at {} bytes, and without a recorded raise {} is the most",
                    size.name(),
                    units::bytes(*held),
                    units::bytes(*most)
                ),
                Some(["sizes", size.name()]),
            ),
            Loosened::Anchor { size, anchor, most } => (
                format!(
                    "drift of {} is counted from {} bytes, and without a recorded raise {} is the most",
                    size.name(),
                    units::bytes(*anchor),
                    units::bytes(*most)
                ),
                Some(["anchor", size.name()]),
            ),
        },
    };
    let source = both.work.text.clone().unwrap_or_default();
    let span = key.and_then(|key| {
        let mut path = vec!["ratchet", &report.package, &report.target];
        path.extend(key.into_iter().filter(|key| !key.is_empty()));
        crate::gate::place::of(&source, &path)
    });
    let from = both.base.as_ref().map_or("", |base| base.from.as_str());
    Diagnostic {
        level: Level::Error,
        code: gate::LOOSENED,
        message: format!("baseline.json was loosened without a recorded raise: {of}: {what}"),
        file: file.to_owned(),
        source,
        span: span.unwrap_or(0..0),
        label: format!("does not count; that of {from} does"),
        notes: Vec::new(),
        help: vec![
            "`gate --update` restores it; `gate --raise --reason \"\u{2026}\"` is the way up"
                .to_owned(),
        ],
    }
}

fn show(opts: &Opts, both: &Both, subjects: &[Subject], said: &[String]) -> anyhow::Result<()> {
    let mut stderr = anstream::stderr();
    if !both.note.is_empty() {
        writeln!(stderr, "note: {}", both.note)?;
    }
    let mut out = String::new();
    if opts.message_format == MessageFormat::Json {
        // Cargo's messages have stdout to themselves.
        for line in said {
            writeln!(stderr, "{line}")?;
        }
    } else if opts.json {
        let reports: Vec<&Report> = subjects.iter().map(|subject| &subject.report).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&reports)?)?;
        for line in said {
            writeln!(stderr, "{line}")?;
        }
    } else {
        for subject in subjects {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&text::held(&subject.report, colour_on_stdout()));
            if subject.report.baseline.is_none() {
                out.push_str(
                    "no baseline yet, so limits alone judge: `gate --update` begins one\n",
                );
            }
        }
        for (i, line) in said.iter().enumerate() {
            writeln!(out, "{}{line}", if i == 0 { "\n" } else { "" })?;
        }
    }
    let mut stdout = anstream::stdout();
    write!(stdout, "{out}")?;
    stdout.flush()?;
    Ok(())
}
