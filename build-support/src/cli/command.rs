//! The subcommands that `build-support` and `cargo budget` share.

use crate::cli::ended::Ended;
use crate::cli::{
    analyze, build, diff, doctor, gate, optimize, report, schema, symbolicate, watch,
};
use clap::Subcommand;

/// One of them.
#[derive(Subcommand)]
pub enum Command {
    Build(build::Opts),
    Watch(watch::Opts),
    Gate(gate::Opts),
    Analyze(analyze::Opts),
    Diff(diff::Opts),
    Report(report::Opts),
    Symbolicate(symbolicate::Opts),
    Optimize(optimize::Opts),
    Doctor(doctor::Opts),
    Schema(schema::Opts),
}

/// Runs the subcommand.
pub fn run(command: &Command) -> anyhow::Result<Ended> {
    match command {
        Command::Build(opts) => build::run(opts),
        Command::Watch(opts) => watch::run(opts),
        Command::Gate(opts) => gate::run(opts),
        Command::Analyze(opts) => analyze::run(opts),
        Command::Diff(opts) => diff::run(opts),
        Command::Report(opts) => report::run(opts),
        Command::Symbolicate(opts) => symbolicate::run(opts),
        Command::Optimize(opts) => optimize::run(opts),
        Command::Doctor(opts) => doctor::run(opts),
        Command::Schema(opts) => schema::run(opts),
    }
}
