//! The command line: one file per subcommand, as in `build-support`, whose exit codes it has.

mod alloc_compare;
mod baseline;
mod bench;
mod build_time;
mod compact;
mod corpus;
mod coverage;
mod memory;
mod native_size;
mod pgo;
mod scaling;
mod size_bench;
mod startup;

use anyhow::Context as _;
use build_support::cli::ended;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What measures this repository's agent and nothing else.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "\
Exit codes: 0 as it should be, 1 a target is missed where that was asked for, 2 error.
Examples:
  cargo startup                                 how long until an agent is there
  cargo size-bench                              real programs beside other ways of making them small
  cargo baseline                                measure everything, and write it to baseline.json"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Baseline(baseline::Opts),
    Bench(bench::Opts),
    BuildTime(build_time::Opts),
    Corpus(corpus::Opts),
    Coverage(coverage::Opts),
    SizeBench(size_bench::Opts),
    AllocCompare(alloc_compare::Opts),
    Startup(startup::Opts),
    Memory(memory::Opts),
    NativeSize(native_size::Opts),
    Pgo(pgo::Opts),
    Scaling(scaling::Opts),
    Compact(compact::Opts),
}

/// The tool, which cargo puts beside this program.
///
/// # Errors
/// Where it is not there.
fn tool_beside() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("finding this program's file")?;
    let tool = own.with_file_name(format!("build-support{}", std::env::consts::EXE_SUFFIX));
    anyhow::ensure!(
        tool.is_file(),
        "{} is not there\n  help: cargo build -p build-support",
        tool.display()
    );
    Ok(tool)
}

/// Runs the command line. What starts this program for an answer of the agent says `run`, as to the
/// tool itself; cargo starts it in place of the compiler where lines are counted.
pub fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(rustc) = words.first()
        && Path::new(rustc)
            .file_stem()
            .is_some_and(|stem| stem == "rustc")
    {
        return compiled(&words);
    }
    if words.first().is_some_and(|name| name == "run") {
        return build_support::cli::main();
    }
    ended::exit(match Cli::parse().command {
        Command::Baseline(opts) => baseline::run(&opts),
        Command::Bench(opts) => bench::run(&opts),
        Command::BuildTime(opts) => build_time::run(&opts),
        Command::Corpus(opts) => corpus::run(&opts),
        Command::Coverage(opts) => coverage::run(&opts),
        Command::Scaling(opts) => scaling::run(&opts),
        Command::Compact(opts) => compact::run(&opts),
        Command::SizeBench(opts) => size_bench::run(&opts),
        Command::AllocCompare(opts) => alloc_compare::run(&opts),
        Command::Startup(opts) => startup::run(&opts),
        Command::Memory(opts) => memory::run(&opts),
        Command::NativeSize(opts) => native_size::run(&opts),
        Command::Pgo(opts) => pgo::run(&opts),
    })
}

/// What the compiler ended with.
fn compiled(words: &[OsString]) -> ExitCode {
    match crate::coverage::compile(words) {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            ExitCode::from(code.unwrap_or(2))
        }
        Err(error) => ended::exit(Err(error.into())),
    }
}
