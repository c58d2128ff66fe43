//! `cargo budget`: what any project with a wasm file needs of the tool, as a subcommand of cargo.
//! The subcommands are those of `build-support`, but for `init` and `check`, which are for projects
//! that are not this one.

use crate::cli::{check_file, command, completions, ended, help, init};
use clap::{CommandFactory as _, Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

/// Size budgets for WebAssembly that cannot be broken by accident.
#[derive(Parser)]
#[command(
    name = "cargo budget",
    bin_name = "cargo budget",
    version,
    about,
    after_help = "\
Exit codes: 0 within budget, 1 over budget, 2 error.
Examples:
  cargo budget init                write a budget into Cargo.toml: the present size and 3%
  cargo budget build               build, shrink, measure, and fail if it is over its budget
  cargo budget check pkg/app_bg.wasm
                                   judge a file that something else has built
  cargo budget gate --update       hold what was reached, in baseline.json; without --update: has it grown?
  cargo budget analyze             its size by crate, family and item
  cargo budget report -o size.html   the same on a page to look around in"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Opts),
    Check(check_file::Opts),
    Completions(completions::Completions),
    Man(completions::Man),
    #[command(flatten)]
    Shared(command::Command),
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli: Cli = help::parse(arguments(std::env::args_os()));
    ended::exit(match cli.command {
        Command::Init(opts) => init::run(&opts),
        Command::Check(opts) => check_file::run(&opts),
        Command::Completions(opts) => completions::complete(&opts, Cli::command()),
        Command::Man(opts) => completions::man(&opts, Cli::command()),
        Command::Shared(shared) => command::run(&shared),
    })
}

/// Cargo gives the subcommand's name as the first argument; called by itself the program has none.
fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = given.collect();
    if arguments.get(1).is_some_and(|first| first == "budget") {
        arguments.remove(1);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::{Cli, arguments};
    use clap::CommandFactory as _;

    /// Protects both ways to call it.
    #[test]
    fn cargo_gives_its_name_for_it() {
        for given in [
            &["cargo-budget", "budget", "init"][..],
            &["cargo-budget", "init"],
        ] {
            let arguments = arguments(given.iter().map(Into::into));
            assert_eq!(arguments, ["cargo-budget", "init"]);
        }
        Cli::command().debug_assert();
    }
}
