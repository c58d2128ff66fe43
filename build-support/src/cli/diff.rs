//! `build-support diff`: what makes one file larger or smaller than another.

use crate::attribution::diff;
use crate::cli::ended::Ended;
use crate::cli::options::Tables;
use crate::cli::terminal::{self, colour_on_stdout, print};
use crate::output::text::size_by;
use crate::report::subject;
use clap::Args;
use std::path::PathBuf;

/// Compare two files: what appeared, vanished, grew and shrank, by section, crate, generic family
/// and item
#[derive(Args)]
#[command(after_help = "\
OLD and NEW are core modules, components, or report.json of builds, in any mixture; names have no hashes, so that
what was only compiled anew is no change. `-` is standard input. Every table sums to the difference of the two sizes, to the byte.
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
    #[command(flatten)]
    tables: Tables,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    terminal::read_once([opts.old.as_path(), &opts.new])?;
    let old = subject::read(&opts.old)?.attribution;
    let new = subject::read(&opts.new)?.attribution;
    let diff = diff::run(&old, &new, opts.tables.groupings())?;
    print(opts.tables.json, &diff, || {
        let (old, new) = (opts.old.display(), opts.new.display());
        let (old, new) = (old.to_string(), new.to_string());
        size_by::diff(&diff, &old, &new, opts.top, colour_on_stdout())
    })?;
    Ok(Ended::Well)
}
