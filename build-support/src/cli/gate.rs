//! `build-support gate`: holds what is shipped against its limits and the baseline. What `cargo
//! gate` and `cargo make gate` are.

use crate::baseline::file::File;
use crate::baseline::merge_base::Both;
use crate::cli::ended::Ended;
use crate::cli::messages::{MessageFormat, Messages};
use crate::cli::options::Selection;
use crate::cli::terminal::{self, colour_on_stdout, shown};
use crate::diagnostic::Diagnostic;
use crate::ops::hold::{self, Change, Outcome, Raised, Request};
use crate::output::diagnostic::{self, BaselineText};
use crate::output::progress::Progress;
use crate::output::text;
use crate::project::package::Package;
use crate::report::units;
use crate::system::streams;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

/// Build for every target, and fail if a limit is broken or a size grew over its baseline
#[derive(Args)]
#[command(after_help = "\
The baseline goes down with `--update` and up with `--raise` alone; a raise takes the limits of the manifest along that
would not hold, each with the margin that it had over the baseline. In a git repository the one that counts is that
of the merge base with the default branch; what the change itself lowers or raises, with a reason, counts too.
There is an entry for each toolchain. One that has none is not judged, which is said: `--update --toolchain` adds one,
and `--base-report` judges by what the merge base weighs with it.
Exit codes: 0 within budget, 1 over budget, 2 error.
Examples:
  build-support gate                              every target
  build-support gate --update                            and lower the baseline to what is smaller now, or begin one
  build-support gate --raise --reason \"streaming needs a parser\"
  build-support gate --base origin/release --json        the reports, with what they were compared with
  build-support gate --report report.json        a report that is there, without building")]
pub struct Opts {
    /// The target triple, may be repeated; every target of the package where none is given
    #[arg(long)]
    target: Vec<String>,
    #[command(flatten)]
    selection: Selection,
    /// The branch or commit that the change is for; the default branch where this is not given
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// Lower the baseline to what is smaller now; nothing goes up
    #[arg(long, conflicts_with = "raise")]
    update: bool,
    /// With --update: take the baseline over to this toolchain, as far as the drift lets it
    #[arg(long, requires = "update")]
    toolchain: bool,
    /// Raise the baseline to what is there now; needs --reason
    #[arg(long)]
    raise: bool,
    /// Why it is raised; it is kept in baseline.json
    #[arg(long, value_name = "TEXT", requires = "raise")]
    reason: Option<String>,
    /// Judge this report.json instead of building; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with = "target")]
    report: Vec<PathBuf>,
    /// The report.json of the merge base, built with this toolchain: judges growth where no
    /// baseline has an entry of it; may be repeated
    #[arg(long, value_name = "FILE")]
    base_report: Vec<PathBuf>,
    /// Print the reports as JSON
    #[arg(long, conflicts_with = "message_format")]
    json: bool,
    /// How diagnostics are given, as cargo spells it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    message_format: MessageFormat,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let has_words = |reason: &String| !reason.trim().is_empty();
    if opts.raise && !opts.reason.as_ref().is_some_and(has_words) {
        anyhow::bail!(
            "a raise needs a reason\n  help: give --reason \"why this is worth its bytes\"; it is kept in baseline.json"
        );
    }
    terminal::read_once(opts.report.iter().map(PathBuf::as_path))?;
    let package = opts.selection.package()?;
    let messages = Messages::new(opts.message_format, Some(&package));
    messages.finish(hold(opts, &package, &messages))
}

fn hold(opts: &Opts, package: &Package, messages: &Messages<'_>) -> anyhow::Result<Ended> {
    let request = Request {
        targets: opts.target.clone(),
        wanted: opts.selection.wanted(),
        reports: opts.report.clone(),
        base: opts.base.clone(),
        base_reports: opts.base_report.clone(),
        change: match &opts.reason {
            Some(reason) => Some(Change::Raise(reason.clone())),
            None if opts.toolchain => Some(Change::Rebase),
            None => opts.update.then_some(Change::Lower),
        },
    };
    let mut progress = match opts.message_format {
        MessageFormat::Json => Progress::for_messages(),
        MessageFormat::Human | MessageFormat::Short => Progress::start(opts.json),
    };
    let outcome = hold::run(package, &request, &mut progress)?;
    drop(progress);
    show(opts, &outcome)?;
    messages.show(&objections(package, &outcome))?;
    Ok(if outcome.is_faulty() {
        Ended::Badly
    } else if outcome.is_within() {
        Ended::Well
    } else {
        Ended::OverBudget
    })
}

/// What there is to object to.
fn objections(package: &Package, outcome: &Outcome) -> Vec<Diagnostic> {
    let file = File::path(package);
    let baseline = |text, entry| BaselineText {
        file: &file,
        text,
        entry,
    };
    let Both { work, base, .. } = &outcome.baselines;
    let mut all = Vec::new();
    for subject in &outcome.subjects {
        let (verdict, report) = (&subject.verdict, &subject.report);
        if let Some(fault) = &subject.fault {
            let from = base.as_ref().map_or("", |base| &base.from);
            let work = baseline(work.text.as_deref().unwrap_or_default(), &fault.key);
            all.push(diagnostic::weakened(&fault.why, from, report, work));
        }
        let file = shown(&subject.file);
        all.extend(diagnostic::limits(verdict, report, &subject.config, file));
        all.extend(diagnostic::growth(
            verdict,
            report,
            baseline(&subject.baseline, &subject.entry),
        ));
    }
    all
}

/// A limit that went up with the baseline, in a line.
fn raised_limit(raised: &Raised) -> String {
    let (line, column) = raised.place;
    let file = shown(&raised.manifest).display();
    let [from, to] = [raised.from, raised.to].map(|figure| units::amount(figure, raised.unit));
    let measure = &raised.measure;
    format!("limit: {measure} {from} \u{2192} {to} ({file}:{line}:{column})\n")
}

fn show(opts: &Opts, outcome: &Outcome) -> anyhow::Result<()> {
    let mut stderr = streams::stderr();
    if !outcome.baselines.note.is_empty() {
        writeln!(stderr, "note: {}", outcome.baselines.note)?;
    }
    let subjects = outcome.subjects.iter();
    let changes = subjects.clone().filter_map(|subject| {
        let changed = subject.changed.as_ref()?;
        let (before, after) = (changed.before.as_ref(), changed.after.as_ref());
        Some(format!(
            "{}\n",
            text::baseline_change(&subject.report, before, after)
        ))
    });
    let limits = outcome.raised.iter().map(raised_limit);
    let changes: String = changes.chain(limits).collect();
    let mut stdout = streams::stdout();
    if opts.json || opts.message_format == MessageFormat::Json {
        write!(stderr, "{changes}")?;
    }
    if opts.json {
        let reports: Vec<_> = subjects.map(|subject| &subject.report).collect();
        writeln!(stdout, "{}", serde_json::to_string_pretty(&reports)?)?;
    } else if opts.message_format != MessageFormat::Json {
        // Cargo's messages have stdout to themselves.
        let colour = colour_on_stdout();
        let judged = subjects.map(|subject| text::baseline(&subject.report, colour));
        let parts = judged.chain((!changes.is_empty()).then_some(changes));
        write!(stdout, "{}", parts.collect::<Vec<_>>().join("\n"))?;
    }
    stdout.flush()?;
    Ok(())
}
