//! `build-support diff`: what makes one file larger or smaller than another.

use crate::attribution::diff;
use crate::cli::ended::Ended;
use crate::cli::options::Tables;
use crate::cli::terminal::{self, colour_on_stdout, print};
use crate::cli::verdict;
use crate::ops::named;
use crate::output::text::size_by;
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
  cp target/budget/wasm32-wasip2/report.json before.json
  build-support diff before.json target/budget/wasm32-wasip2/report.json
  build-support diff old.wasm new.wasm --by crate --json")]
pub struct Opts {
    /// The file before: a core module, a component, or a report.json
    old: PathBuf,
    /// The file after
    new: PathBuf,
    /// The symbol map of OLD or NEW, for a file without names; may be repeated. One that lies
    /// beside the file is found
    #[arg(long, value_name = "MAP")]
    symbols: Vec<PathBuf>,
    /// How many changes to list in each table
    #[arg(long, default_value_t = 20)]
    top: usize,
    #[command(flatten)]
    tables: Tables,
}

impl Opts {
    /// What changed between two reports, in few lines.
    pub fn between(old: PathBuf, new: PathBuf) -> Self {
        Self {
            old,
            new,
            symbols: Vec::new(),
            top: 10,
            tables: Tables::by_crate(),
        }
    }
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    terminal::read_once([opts.old.as_path(), &opts.new])?;
    let files = [opts.old.as_path(), &opts.new];
    let subjects = named::read(&files, &opts.symbols)?;
    for (file, subject) in files.iter().zip(&subjects) {
        verdict::remark_on_subject(file, subject);
    }
    let names = files.map(|file| file.display().to_string());
    let sizes: Option<Vec<_>> = subjects.iter().map(named::sizes).collect();
    let sides = subjects.into_iter().map(|subject| match opts.tables.code {
        true => subject.attribution.code(),
        false => subject.attribution,
    });
    let sides: Vec<_> = sides.collect();
    let diff = diff::run(&sides[0], &sides[1], opts.tables.groupings())?;
    print(opts.tables.json, &diff, || {
        let sizes = sizes.filter(|_| !opts.tables.code);
        let sizes = sizes.as_deref().and_then(|sizes| sizes.first_chunk());
        size_by::diff(&diff, &names, sizes, opts.top, colour_on_stdout())
    })?;
    let bare = match [sides[0].has_names(), sides[1].has_names()] {
        [true, false] => Some(&names[1]),
        [false, true] => Some(&names[0]),
        _ => None,
    };
    if let Some(bare) = bare {
        eprintln!(
            "note: {bare} has no names, so that every function of the two is another: give its symbol map with --symbols, or its report.json instead of it"
        );
    }
    Ok(Ended::Well)
}
