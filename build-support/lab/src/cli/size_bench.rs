//! `lab size-bench`: what each step is worth on real programs, beside a standard library
//! rebuilt with unstable flags. What `cargo size-bench` and `cargo make size-bench` are.

use crate::{size_bench, tables};
use build_support::cli::ended::Ended;
use build_support::cli::terminal::{colour_on_stdout, print};
use build_support::output::progress::Progress;
use build_support::project::package::Package;
use clap::Args;
use serde_json::json;

/// Measure real programs: linked, wasm-opt only, snipped, ours, and the reference
#[derive(Args)]
#[command(after_help = "\
Builds the programs in the folder `fixtures` and the agent on both targets. The reference is a standard library rebuilt with
panic=immediate-abort and optimize_for_size, then the same wasm-opt; `swept` is the reference after snip and sweep.
`ours` is what the pipeline ships, which builds the library with optimize_for_size where it builds it at all; the line
below it is without that, and the last with the library as it is distributed (opt-level 3), which is never rebuilt.
The first run compiles the standard library once for each target and kind, which takes minutes; it is kept in target/.
`compacted` is what compaction makes of it by mode: raw (outlining everywhere), cold (not where it runs often), balanced (cold, and no size grows),
gzip and brotli (for that size, no outlining); behind it stand the instructions of the program's workload beside those without.
A program is marked where ours is more than 2% above the reference, raw or brotli.
Exit codes: 0 measured, 1 something is marked and --check was given, 2 error.
Examples:
  cargo size-bench
  cargo size-bench --fixture json              one program
  cargo size-bench --json > sizes.json
  cargo size-bench --check                     exit 1 where something is marked")]
pub struct Opts {
    /// Measure this one alone, by its name in the table
    #[arg(long, value_name = "NAME")]
    fixture: Option<String>,
    /// Exit with 1 where ours is more than 2% above the reference, raw or brotli
    #[arg(long)]
    check: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let agent = Package::find(None)?;
    let fixtures = size_bench::find(&agent, opts.fixture.as_deref())?;
    let mut rows = Vec::new();
    // Hidden where stderr is no terminal, so that `--json` may show it too.
    let mut progress = Progress::start(false);
    for fixture in &fixtures {
        rows.push(size_bench::measure(fixture, &mut progress)?);
    }
    drop(progress);
    print(opts.json, &json!({ "fixtures": rows }), || {
        tables::size_table(&rows, colour_on_stdout())
    })?;
    let marked = rows.iter().any(|row| !row.missed().is_empty());
    Ok(if opts.check && marked {
        Ended::OverBudget
    } else {
        Ended::Well
    })
}
