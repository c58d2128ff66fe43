//! `lab corpus`: what others made, through the passes. What `cargo make corpus` is.

use crate::corpus::{self, File, Row};
use crate::tables;
use anyhow::Context as _;
use build_support::cli::ended::Ended;
use build_support::cli::options;
use build_support::cli::terminal::{colour_on_stdout, print};
use build_support::output::progress::Progress;
use build_support::passes::{Compact, LowMemory, Outline};
use build_support::project::listener::Listener as _;
use build_support::project::package::Package;
use build_support::report::{Metric, Size};
use build_support::system::process;
use clap::Args;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Mutex;

/// Measure modules that others made: as published, by wasm-opt alone, by the passes
#[derive(Args)]
#[command(after_help = "\
Fetches the packages with npm the first time. Each file is measured in a process of its own, two at a time; time is processor
time, of reading, analysing, every pass, loading and measuring beside wasm-opt alone. Where a package has a script, what it does
is compared before and after, in node. Marked is what grows by what is minimised, over the input or over wasm-opt alone, takes
more than 1.5 times as long as that (above 100 KB), or behaves differently.
Exit codes: 0 measured, 1 something is marked and --check was given, 2 error.
Examples:
  cargo make corpus
  cargo make corpus --minimize brotli --check
  cargo make corpus --compact all                           with compaction, outlining everywhere
  cargo make corpus brotli-wasm zxing-wasm --json           files with these in their names")]
pub struct Opts {
    /// Only files with one of these in their names
    names: Vec<String>,
    /// What is to be small: raw, gzip or brotli
    #[arg(long, value_name = "SIZE", default_value = "raw", value_parser = options::size)]
    minimize: Size,
    /// Compact the files as well, outlining: off, cold, outside-loops, all
    #[arg(long, value_name = "WHERE", value_parser = options::outline)]
    compact: Option<Outline>,
    /// Exit with 1 where something is marked
    #[arg(long)]
    check: bool,
    /// Measure the one file of that name in this process
    #[arg(long, hide = true)]
    alone: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let folder = Package::find(None)?.target_dir.join("tmp/scratch/foreign");
    let fetched = corpus::fetch(&folder)?;
    let metric = Metric::new(opts.minimize, []);
    let wanted = |file: &File| {
        let mut names = opts.names.iter();
        opts.names.is_empty() || names.any(|name| file.name.contains(name))
    };
    let mut files = corpus::list();
    files.retain(wanted);
    if opts.alone {
        let file = files.iter().find(|file| file.name == opts.names[0]);
        let compact = opts.compact.map(|outline| Compact {
            outline,
            low_memory: LowMemory::Auto,
        });
        let row = corpus::measure(&fetched, file.context("no such file")?, &metric, compact)?;
        println!("{}", serde_json::to_string(&row)?);
        return Ok(Ended::Well);
    }
    let rows = all(opts, files)?;
    print(opts.json, &rows, || {
        tables::corpus_table(&rows, &metric, colour_on_stdout())
    })?;
    let marked = rows.iter().any(|row| !row.missed(&metric).is_empty());
    Ok(match opts.check && marked {
        true => Ended::OverBudget,
        false => Ended::Well,
    })
}

/// Two at a time, in the order of the list.
fn all(opts: &Opts, files: Vec<File>) -> anyhow::Result<Vec<Row>> {
    let progress = Mutex::new(Progress::start(false));
    let count = files.len();
    let left = Mutex::new(files.into_iter().enumerate());
    let rows = Mutex::new(Vec::new());
    let work = || -> anyhow::Result<()> {
        loop {
            let next = left.lock().ok().and_then(|mut left| left.next());
            let Some((place, file)) = next else {
                return Ok(());
            };
            if let Ok(mut progress) = progress.lock() {
                progress.stage(&format!("{} of {count}: {}", place + 1, file.name));
            }
            let row = in_a_process(opts, &file)?;
            rows.lock().expect("no thread panics").push((place, row));
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let own = work();
        other.join().expect("it does not panic").and(own)
    })?;
    let mut rows = rows.into_inner().expect("no thread panicked");
    rows.sort_by_key(|(place, _)| *place);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

fn in_a_process(opts: &Opts, file: &File) -> anyhow::Result<Row> {
    let this: PathBuf = std::env::current_exe().context("finding this program")?;
    let minimize = opts.minimize.name();
    let mut args: Vec<&OsStr> = vec![
        "corpus".as_ref(),
        file.name.as_ref(),
        "--alone".as_ref(),
        "--minimize".as_ref(),
        minimize.as_ref(),
    ];
    if let Some(outline) = opts.compact {
        args.extend::<[&OsStr; 2]>(["--compact".as_ref(), outline.name().as_ref()]);
    }
    let json = process::capture(&this, &args).with_context(|| file.name.clone())?;
    serde_json::from_str(&json).with_context(|| file.name.clone())
}
