//! `lab pgo`: `weft` with a profile. What `cargo make pgo` is.

use crate::native::pgo::{self, Gain, Pgo};
use crate::transcript::Transcript;
use build_support::cli::ended::Ended;
use build_support::cli::terminal::{colour_on_stdout, print, shown};
use build_support::output::progress::Progress;
use build_support::output::text::style::{HEADING, Paint};
use build_support::output::text::table::Table;
use build_support::project::listener::Listener as _;
use build_support::project::package::Package;
use build_support::report::units;
use clap::Args;

/// Build weft with a profile of what users do, and tell what that is worth in instructions
#[derive(Args)]
#[command(after_help = "\
Builds weft plain, instrumented, and with what the instrumented one saw of a workload: conversations with the offline
provider and turns with a scripted model on loopback. Instructions are counted of that workload, and of another.
It wants llvm-profdata in the compiler's version, and valgrind or a processor whose counters can be read.
Exit codes: 0 built and measured, 1 it takes more instructions than without and --check was given, 2 error.
Examples:
  cargo run -p lab -- pgo
  cargo run -p lab -- pgo --check --json")]
pub struct Opts {
    /// Exit with 1 where the profile makes it slower
    #[arg(long)]
    check: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let package = Package::find(None)?;
    let transcript = Transcript::of(&package)?;
    let mut progress = Progress::start(false);
    let made = pgo::run(&package, &transcript, &mut |stage| progress.stage(stage))?;
    drop(progress);
    let figures = &made.figures;
    print(opts.json, figures, || {
        let program = shown(&made.program).display();
        format!("{}{program}\n", draw(figures, colour_on_stdout()))
    })?;
    let slower = figures.training.ratio > 1.0 || figures.others.ratio > 1.0;
    Ok(if opts.check && slower {
        Ended::OverBudget
    } else {
        Ended::Well
    })
}

fn draw(pgo: &Pgo, colour: bool) -> String {
    let row = |name: &str, gain: Gain| {
        [
            name.to_owned(),
            units::bytes(gain.plain),
            units::bytes(gain.profiled),
            format!("{:.3}", gain.ratio),
        ]
    };
    let rows = [
        row("instructions, what trained it", pgo.training),
        row("instructions, other commands", pgo.others),
        row("bytes", pgo.bytes),
    ];
    let table = Table::headed(HEADING, "of weft | >plain | >with a profile | >ratio").rows(rows);
    let drawn = table.draw("", Paint { colour });
    format!("{drawn}counted by {}\n", pgo.counter)
}
