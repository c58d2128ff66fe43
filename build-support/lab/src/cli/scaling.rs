//! `lab scaling`: how time and memory grow with the file, of the sweep or of `analyze`
//! and `diff`. What `cargo make scaling` is.

use crate::{scaling, tables};
use anyhow::Context as _;
use build_support::cli::ended::Ended;
use build_support::cli::terminal::{colour_on_stdout, print};
use build_support::output::progress::Progress;
use build_support::project::listener::Listener as _;
use build_support::project::package::Package;
use build_support::system::process;
use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Measure how the time and memory of the sweep, or of analyze and diff, grow with the file
#[derive(Args)]
#[command(after_help = "\
Without a file, files of 0.1, 1, 5, 10 and 20 MB are linked out of real crates, which takes minutes the first time, and each is
measured in a process of its own. The ratio is the sweep's time in relation to the final wasm-opt run; those behind `compact` are
what compacting its result takes in relation to it, for raw bytes, and for brotli with gzip held.
Examples:
  cargo run -p lab -- scaling
  cargo run -p lab -- scaling --attribution                  analyze and diff, which need no wasm-opt
  cargo run -p lab -- scaling app.linked.wasm --json")]
pub struct Opts {
    /// Measure this linked file alone
    file: Option<PathBuf>,
    /// Measure analyze, and diff with the next smaller file, instead of the sweep
    #[arg(long)]
    attribution: bool,
    /// What FILE is compared with; itself where this is not given
    #[arg(long, value_name = "FILE", requires = "attribution")]
    before: Option<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    if opts.attribution {
        show(
            opts,
            |file| {
                let before = opts.before.as_deref().unwrap_or(file);
                scaling::attribution::measure(file, before)
            },
            tables::reading_table,
        )
    } else {
        show(opts, scaling::measure, tables::cost_table)
    }
}

/// Measures the file, or each of those that are linked for it, and shows what came of it.
fn show<T: Serialize + DeserializeOwned>(
    opts: &Opts,
    measure: impl Fn(&Path) -> build_support::Result<T>,
    table: fn(&[T], bool) -> String,
) -> anyhow::Result<Ended> {
    let mut progress = Progress::start(false);
    let measured = match &opts.file {
        Some(file) => vec![measure(file)?],
        None => {
            let files = scaling::build(&Package::find(None)?, &mut progress)?;
            let mut measured = Vec::new();
            let mut before = &files[0];
            for file in &files {
                progress.stage(&format!("measuring {}", file.display()));
                measured.extend(in_a_process(opts, file, before)?);
                before = file;
            }
            measured
        }
    };
    drop(progress);
    print(opts.json, &measured, || {
        table(&measured, colour_on_stdout())
    })?;
    Ok(Ended::Well)
}

/// The peak of memory is a process's own.
fn in_a_process<T: DeserializeOwned>(
    opts: &Opts,
    file: &Path,
    before: &Path,
) -> anyhow::Result<Vec<T>> {
    let this = std::env::current_exe().context("finding this program")?;
    let mut args: Vec<&OsStr> = vec!["scaling".as_ref(), file.as_ref(), "--json".as_ref()];
    if opts.attribution {
        args.extend::<[&OsStr; 3]>([
            "--attribution".as_ref(),
            "--before".as_ref(),
            before.as_ref(),
        ]);
    }
    let json = process::capture(&this, &args)?;
    Ok(serde_json::from_str(&json)?)
}
