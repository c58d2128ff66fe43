//! The command line: one file per subcommand, each with its documented `Opts` and a `run`.
//!
//! Exit codes: 0 within budget, 1 over budget, 2 error.

mod alloc_compare;
mod analyze;
mod baseline;
mod bench;
mod build;
mod cargo_budget;
mod check;
mod check_file;
mod diff;
mod doctor;
mod explain;
mod gate;
mod init;
mod link;
mod memory;
mod messages;
mod optimize;
mod precompile;
mod preinit;
mod report;
mod run;
mod scaling;
mod size_bench;
mod startup;
mod symbolicate;
mod why;

pub use cargo_budget::main as cargo_budget;

use crate::config::Config;
use crate::ops::ship::Shipped;
use crate::output::progress::Progress;
use crate::output::{diagnostic, text};
use crate::passes::pipeline::Analysis;
use crate::project::package::Package;
use crate::report::units;
use crate::wasm::bindgen;
use crate::{Error, variants};
use clap::{Parser, Subcommand};
use messages::{MessageFormat, Messages};
use std::io::Write as _;
use std::process::ExitCode;

/// Small, verified WebAssembly out of Rust, with budgets that cannot be broken by accident.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "\
Exit codes: 0 within budget, 1 over budget, 2 error.
Examples:
  cargo wasm                                    build, shrink, gate and report the primary target
  build-support optimize app.wasm -o small.wasm shrink any core module or component
  build-support doctor                          what is missing on this machine, and what mends it
As the linker of a target, in .cargo/config.toml, it holds the budget inside every `cargo build`:
  [target.wasm32-wasip2]
  linker = \"build-support\""
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Build(build::Opts),
    Check(check::Opts),
    Optimize(optimize::Opts),
    Analyze(analyze::Opts),
    Diff(diff::Opts),
    Report(report::Opts),
    Symbolicate(symbolicate::Opts),
    Preinit(preinit::Opts),
    Run(run::Opts),
    Gate(gate::Opts),
    Baseline(baseline::Opts),
    Bench(bench::Opts),
    SizeBench(size_bench::Opts),
    AllocCompare(alloc_compare::Opts),
    Startup(startup::Opts),
    Memory(memory::Opts),
    Precompile(precompile::Opts),
    Scaling(scaling::Opts),
    Doctor(doctor::Opts),
}

/// How a subcommand ended when it did not fail.
pub enum Ended {
    /// Everything is as it should be.
    Well,
    /// The budget is exceeded.
    OverBudget,
    /// Something is missing; it has been said.
    Badly,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    if let Some(call) = link::call() {
        return link::run(call);
    }
    let cli = Cli::parse();
    let ended = match cli.command {
        Command::Build(opts) => build::run(&opts),
        Command::Check(opts) => check::run(&opts),
        Command::Optimize(opts) => optimize::run(&opts),
        Command::Analyze(opts) => analyze::run(&opts),
        Command::Diff(opts) => diff::run(&opts),
        Command::Report(opts) => report::run(&opts),
        Command::Symbolicate(opts) => symbolicate::run(&opts),
        Command::Preinit(opts) => preinit::run(&opts),
        Command::Run(opts) => run::run(&opts),
        Command::Gate(opts) => gate::run(&opts),
        Command::Baseline(opts) => baseline::run(&opts),
        Command::Bench(opts) => bench::run(&opts),
        Command::Scaling(opts) => scaling::run(&opts),
        Command::SizeBench(opts) => size_bench::run(&opts),
        Command::AllocCompare(opts) => alloc_compare::run(&opts),
        Command::Startup(opts) => startup::run(&opts),
        Command::Memory(opts) => memory::run(&opts),
        Command::Precompile(opts) => precompile::run(&opts),
        Command::Doctor(opts) => doctor::run(&opts),
    };
    exit(ended)
}

/// The exit code; an error is told first.
fn exit(ended: anyhow::Result<Ended>) -> ExitCode {
    match ended {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::OverBudget) => ExitCode::from(1),
        Ok(Ended::Badly) => ExitCode::from(2),
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

/// Says on stderr what the gate has to object to, each at its line in the manifest.
fn judge(config: &Config, shipped: &Shipped) -> anyhow::Result<Ended> {
    judge_in(&Messages::new(MessageFormat::Human, None), config, shipped)
}

/// The same in the form that was asked for.
fn judge_in(messages: &Messages<'_>, config: &Config, shipped: &Shipped) -> anyhow::Result<Ended> {
    if shipped.verdict.within() {
        return Ok(Ended::Well);
    }
    let file = &shipped.files.report;
    let here = here();
    let file = file.strip_prefix(&here).unwrap_or(file);
    let diagnostics = shipped.verdict.diagnostics(&shipped.report, config, file);
    messages.show(&diagnostics)?;
    Ok(Ended::OverBudget)
}

/// Says what is still to be done with a file that wasm-bindgen has to read.
fn remark_on_wasm_bindgen(file: &[u8]) {
    if bindgen::is_input(file) {
        eprintln!("note: {}", bindgen::NEXT);
    }
}

fn complain(error: &anyhow::Error) {
    let mut stderr = anstream::stderr();
    // Nothing is left to do where stderr itself is gone.
    if let Some(Error::Config(mistakes)) = error.downcast_ref() {
        let _ = writeln!(
            stderr,
            "{}",
            diagnostic::draw_all(mistakes, &here(), colour_on_stderr())
        );
    }
    let bold = anstyle::Style::new().bold();
    let red = bold.fg_color(Some(anstyle::AnsiColor::Red.into()));
    let error = format!("{error:#}");
    let error: Vec<_> = error
        .lines()
        .map(|line| units::shorten(line, units::LONGEST_LINE))
        .collect();
    let _ = writeln!(
        stderr,
        "{red}error{red:#}{bold}:{bold:#} {}",
        error.join("\n")
    );
}

/// Lists what would be snipped and swept: the dry run of `build` and `optimize`.
fn show_snips(analysis: &Analysis, json: bool) -> anyhow::Result<Ended> {
    let snips = analysis.snipped();
    let swept = analysis.swept();
    let mut stdout = anstream::stdout();
    if json {
        let listing = serde_json::json!({ "snipped": snips, "swept": swept });
        writeln!(stdout, "{}", serde_json::to_string_pretty(&listing)?)?;
    } else {
        let spared: Vec<_> = analysis
            .plans
            .iter()
            .flat_map(|plan| plan.spared.clone())
            .collect();
        let unmatched: Vec<_> = analysis
            .plans
            .iter()
            .flat_map(|plan| plan.unmatched.clone())
            .collect();
        write!(
            stdout,
            "{}",
            text::snip_listing(&snips, &spared, &unmatched)
        )?;
        if !swept.is_empty() {
            write!(stdout, "\n{}", text::sweep_listing(&swept))?;
        }
    }
    Ok(Ended::Well)
}

/// Builds the package for each of its targets as it is shipped, and gives the shipped files.
fn shipped(progress: &mut Progress) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let shipped = variants::shipped(&Package::find(None)?, progress)?;
    let file = |(_, shipped): (String, Shipped)| shipped.files.shipped;
    Ok(shipped.into_iter().map(file).collect())
}

/// The current folder, for paths in messages; empty where it cannot be told.
fn here() -> std::path::PathBuf {
    std::env::current_dir().unwrap_or_default()
}

fn colour_on_stderr() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

fn colour_on_stdout() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}
