//! The command line: one file per subcommand, each with its documented `Opts` and a `run`.
//!
//! Exit codes: 0 within budget, 1 over budget, 2 error.

mod analyze;
mod build;
mod cargo_budget;
mod check;
mod check_file;
mod diff;
mod doctor;
mod dry_run;
pub mod ended;
mod explain;
mod gate;
mod init;
mod link;
mod messages;
mod optimize;
mod options;
mod precompile;
mod preinit;
mod report;
mod run;
mod symbolicate;
pub mod terminal;
mod verdict;
mod why;

pub use cargo_budget::main as cargo_budget;

use clap::{Parser, Subcommand};
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
  build-support doctor                          what is missing on this machine, and what fixes it
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
    Precompile(precompile::Opts),
    Doctor(doctor::Opts),
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
        Command::Precompile(opts) => precompile::run(&opts),
        Command::Doctor(opts) => doctor::run(&opts),
    };
    ended::exit(ended)
}
