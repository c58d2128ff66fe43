//! `lab build-time`: how long a clean build takes, beside an earlier commit.

use crate::build_time;
use build_support::cli::ended::Ended;
use build_support::cli::terminal::print;
use build_support::output::progress::Progress;
use build_support::project::listener::Listener as _;
use build_support::project::package::Package;
use clap::Args;

/// Build the shipped file from nothing, in turn with an earlier commit, and print the ratio as JSON
#[derive(Args)]
#[command(after_help = "\
Each build begins with an empty target folder, and the standard library is built where the target has none. Both use
this tool; the ratio is of the shortest builds.
Exit codes: 0 measured, 1 the ratio is above 1.2 and --check was given, 2 error.
Examples:
  cargo run -p lab -- build-time --against origin/main
  cargo run -p lab -- build-time --against HEAD~20 --runs 5 --check")]
pub struct Opts {
    /// The commit to compare with
    #[arg(long, value_name = "REF")]
    against: String,
    /// How often each is built
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Exit with 1 where it takes more than a fifth longer
    #[arg(long)]
    check: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let package = Package::find(None)?;
    let tool = super::tool_beside()?;
    let mut progress = Progress::start(false);
    let mut stage = |stage: &str| progress.stage(stage);
    let time = build_time::run(&package, &tool, &opts.against, opts.runs, &mut stage)?;
    drop(progress);
    print(true, &time, String::new)?;
    Ok(if opts.check && !time.is_within() {
        Ended::OverBudget
    } else {
        Ended::Well
    })
}
