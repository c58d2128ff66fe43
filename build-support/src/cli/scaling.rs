//! `build-support scaling`: how the sweep's time and memory grow with the file. What `cargo make scaling` is.

use super::{Ended, progress::Progress};
use crate::package::{Listener as _, Package};
use crate::process;
use crate::report::text;
use crate::scaling::{self, Cost};
use anyhow::Context as _;
use clap::Args;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;

/// Measure how the sweep's time and memory grow with the file
#[derive(Args)]
#[command(after_help = "\
Without a file, files of 0.1, 1, 5 and 20 MB are linked out of real crates, which takes minutes the first time, and each is
measured in a process of its own. The ratio is the sweep's time in relation to the final wasm-opt run.
Examples:
  build-support scaling
  build-support scaling app.linked.wasm --json")]
pub struct Opts {
    /// Measure this linked file alone
    file: Option<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let mut progress = Progress::start(false);
    let costs = match &opts.file {
        Some(file) => vec![scaling::measure(file)?],
        None => {
            let files = scaling::build(&Package::find(None)?, &mut progress)?;
            let mut costs = Vec::new();
            for file in files {
                progress.stage(&format!("measuring {}", file.display()));
                costs.extend(in_a_process(file)?);
            }
            costs
        }
    };
    drop(progress);
    let mut stdout = anstream::stdout();
    if opts.json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&costs)?)?;
    } else {
        write!(
            stdout,
            "{}",
            text::cost_table(&costs, super::colour_on_stdout())
        )?;
    }
    stdout.flush()?;
    Ok(Ended::Well)
}

/// The peak of memory is a process's own.
fn in_a_process(file: PathBuf) -> anyhow::Result<Vec<Cost>> {
    let this = std::env::current_exe().context("finding this program")?;
    let args = ["scaling".into(), file.into_os_string(), "--json".into()];
    let json = process::capture(&this, &args.map(OsString::from))?;
    Ok(serde_json::from_str(&json)?)
}
