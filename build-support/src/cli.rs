//! The command line: one file per subcommand, each with its documented `Opts` and a `run`.
//!
//! Exit codes: 0 within budget, 1 over budget, 2 error.

mod analyze;
mod build;
mod bundle;
mod bundle_audit;
mod bundle_serve;
mod cargo_budget;
mod check;
mod check_file;
mod command;
mod diff;
mod doctor;
mod dry_run;
pub mod ended;
mod explain;
mod gate;
mod init;
mod inlined;
mod link;
mod messages;
mod optimize;
pub mod options;
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
    #[command(flatten)]
    Shared(command::Command),
    Check(check::Opts),
    Run(run::Opts),
    Preinit(preinit::Opts),
    Precompile(precompile::Opts),
    Bundle(bundle::Opts),
    BundleAudit(bundle_audit::Opts),
    Serve(bundle_serve::Opts),
}

/// Runs the command line.
pub fn main() -> ExitCode {
    if let Some(call) = link::call() {
        return link::run(call);
    }
    ended::exit(match Cli::parse().command {
        Command::Shared(shared) => command::run(&shared),
        Command::Check(opts) => check::run(&opts),
        Command::Run(opts) => run::run(&opts),
        Command::Preinit(opts) => preinit::run(&opts),
        Command::Precompile(opts) => precompile::run(&opts),
        Command::Bundle(opts) => bundle::run(&opts),
        Command::BundleAudit(opts) => bundle_audit::run(&opts),
        Command::Serve(opts) => bundle_serve::run(&opts),
    })
}
