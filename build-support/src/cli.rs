//! The command line: one file per subcommand, each with its documented `Opts` and a `run`.
//!
//! Exit codes: 0 within budget, 1 over budget, 2 error.

mod analyze;
mod build;
#[cfg(feature = "engines")]
mod bundle;
#[cfg(feature = "engines")]
mod bundle_audit;
#[cfg(feature = "engines")]
mod bundle_serve;
mod cargo_budget;
mod check;
mod check_file;
mod command;
mod completions;
mod diff;
mod doctor;
mod dry_run;
pub mod ended;
#[cfg(not(feature = "engines"))]
mod engineless;
mod explain;
mod gate;
mod help;
mod init;
mod inlined;
mod limit_options;
mod link;
mod messages;
mod optimize;
pub mod options;
#[cfg(feature = "engines")]
mod precompile;
#[cfg(feature = "engines")]
mod preinit;
mod report;
#[cfg(feature = "engines")]
mod run;
mod schema;
mod symbolicate;
pub mod terminal;
mod verdict;
mod watch;
mod why;

use crate::system::calling;
use clap::{CommandFactory as _, Parser, Subcommand};
use std::process::ExitCode;

/// Small, verified WebAssembly out of Rust, with budgets that cannot be broken by accident.
#[derive(Parser)]
#[command(
    bin_name = "build-support",
    version,
    about,
    after_help = "\
Exit codes: 0 within budget, 1 over budget, 2 error.
Examples:
  build-support build                             build, shrink, gate and report the primary target
  build-support optimize app.wasm -o small.wasm   shrink any core module or component
  build-support doctor                            what is missing on this machine, and what fixes it
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
    Completions(completions::Completions),
    Man(completions::Man),
    #[cfg(feature = "engines")]
    Run(run::Opts),
    #[cfg(feature = "engines")]
    Preinit(preinit::Opts),
    #[cfg(feature = "engines")]
    Precompile(precompile::Opts),
    #[cfg(feature = "engines")]
    Bundle(bundle::Opts),
    #[cfg(feature = "engines")]
    BundleAudit(bundle_audit::Opts),
    #[cfg(feature = "engines")]
    Serve(bundle_serve::Opts),
    #[cfg(not(feature = "engines"))]
    #[command(flatten)]
    Engineless(engineless::Command),
}

/// Runs the command line.
pub fn main() -> ExitCode {
    if let Some(call) = link::call() {
        return link::run(call);
    }
    if calling::is_budget() {
        return cargo_budget::main();
    }
    let cli: Cli = help::parse(std::env::args_os().collect());
    ended::exit(match cli.command {
        Command::Shared(shared) => command::run(&shared),
        Command::Check(opts) => check::run(&opts),
        Command::Completions(opts) => completions::complete(&opts, Cli::command()),
        Command::Man(opts) => completions::man(&opts, Cli::command()),
        #[cfg(feature = "engines")]
        Command::Run(opts) => run::run(&opts),
        #[cfg(feature = "engines")]
        Command::Preinit(opts) => preinit::run(&opts),
        #[cfg(feature = "engines")]
        Command::Precompile(opts) => precompile::run(&opts),
        #[cfg(feature = "engines")]
        Command::Bundle(opts) => bundle::run(&opts),
        #[cfg(feature = "engines")]
        Command::BundleAudit(opts) => bundle_audit::run(&opts),
        #[cfg(feature = "engines")]
        Command::Serve(opts) => bundle_serve::run(&opts),
        #[cfg(not(feature = "engines"))]
        Command::Engineless(command) => engineless::run(&command),
    })
}
