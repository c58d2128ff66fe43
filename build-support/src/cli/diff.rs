//! `build-support diff`: what makes one file larger or smaller than another.

use crate::attribution::diff;
use crate::attribution::groups::Grouping;
use crate::cli::analyze;
use crate::cli::ended::Ended;
use crate::cli::terminal::colour_on_stdout;
use crate::output::text::size_by;
use crate::report::subject;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

/// Compare two files: what appeared, vanished, grew and shrank, by section, crate, generic family and item
#[derive(Args)]
#[command(after_help = "\
OLD and NEW are core modules, components, or report.json of builds, in any mixture; names have no hashes, so that
what was only compiled anew is no change. Every table sums to the difference of the two sizes, to the byte.
Exit codes: 0 compared, whatever came out; 2 error.
Examples:
  cp target/budget/wasm32-wasip2/report.json before.json; cargo wasm
  build-support diff before.json target/budget/wasm32-wasip2/report.json
  build-support diff old.wasm new.wasm --by crate --json")]
pub struct Opts {
    /// The file before: a core module, a component, or a report.json
    old: PathBuf,
    /// The file after
    new: PathBuf,
    /// How many changes to list in each table
    #[arg(long, default_value_t = 20)]
    top: usize,
    /// Only this table: section, crate, module, family or item; may be repeated
    #[arg(long, value_name = "GROUPING", value_parser = analyze::grouping)]
    by: Vec<Grouping>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is compared where no grouping is asked for.
const DEFAULT: [Grouping; 4] = [
    Grouping::Section,
    Grouping::Crate,
    Grouping::Family,
    Grouping::Item,
];

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let old = subject::read(&opts.old)?.attribution;
    let new = subject::read(&opts.new)?.attribution;
    let by: &[Grouping] = if opts.by.is_empty() {
        &DEFAULT
    } else {
        &opts.by
    };
    let diff = diff::run(&old, &new, by)?;
    let mut stdout = anstream::stdout();
    if opts.json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&diff)?)?;
        return Ok(Ended::Well);
    }
    let (old, new) = (
        opts.old.display().to_string(),
        opts.new.display().to_string(),
    );
    let text = size_by::diff(&diff, &old, &new, opts.top, colour_on_stdout());
    write!(stdout, "{text}")?;
    Ok(Ended::Well)
}
