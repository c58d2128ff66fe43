//! `lab coverage`: what the agent's tests run of it. What `cargo make coverage` is.

use crate::coverage::{self, Coverage, Lines};
use anyhow::Context as _;
use build_support::cli::ended::Ended;
use build_support::cli::terminal::{colour_on_stdout, print};
use build_support::output::progress::Progress;
use build_support::output::text::style::{HEADING, Paint};
use build_support::output::text::table::Table;
use build_support::project::listener::Listener as _;
use build_support::project::package::Package;
use build_support::report::units;
use clap::Args;

/// Count the lines of the agent's crates that their own unit tests run
#[derive(Args)]
#[command(after_help = "\
The crates are clawft-types and clawft-wasm, as they are built for this machine: what only a wasm target has is not
in the figure, nor are lines of tests.
Exit codes: 0 counted, 1 it is not above 85% and --check was given, 2 error.
Examples:
  cargo run -p lab -- coverage
  cargo run -p lab -- coverage --files --check")]
pub struct Opts {
    /// A line for each file, the ones with most that was not run first
    #[arg(long)]
    files: bool,
    /// Exit with 1 where it is too little
    #[arg(long)]
    check: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let package = Package::find(None)?;
    let own = std::env::current_exe().context("finding this program's file")?;
    let mut progress = Progress::start(false);
    let coverage = coverage::run(&package, &own, &mut |stage| progress.stage(stage))?;
    drop(progress);
    print(opts.json, &coverage, || {
        draw(&coverage, opts.files, colour_on_stdout())
    })?;
    Ok(if opts.check && !coverage.is_enough() {
        Ended::OverBudget
    } else {
        Ended::Well
    })
}

fn draw(coverage: &Coverage, files: bool, colour: bool) -> String {
    let row = |name: &str, lines: &Lines| {
        [
            name.to_owned(),
            units::bytes(lines.lines),
            units::bytes(lines.covered),
            format!("{:.1}%", lines.percent()),
        ]
    };
    let mut rows = Vec::new();
    if files {
        let mut all: Vec<_> = coverage.files.iter().collect();
        all.sort_by_key(|(_, lines)| std::cmp::Reverse(lines.lines - lines.covered));
        rows.extend(all.into_iter().map(|(name, lines)| row(name, lines)));
    }
    let packages = coverage.packages.iter();
    rows.extend(packages.map(|(name, lines)| row(name, lines)));
    rows.push(row("both", &coverage.total));
    let heads = if files {
        "file | >lines | >run | >share"
    } else {
        "crate | >lines | >run | >share"
    };
    let table = Table::headed(HEADING, heads).rows(rows);
    let verdict = if coverage.is_enough() { "is" } else { "is not" };
    let least = coverage.least;
    format!(
        "{}{:.1}% of the lines, which {verdict} above {least:.0}%\n",
        table.draw("", Paint { colour }),
        coverage.total.percent()
    )
}
