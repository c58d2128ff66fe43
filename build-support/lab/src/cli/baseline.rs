//! `lab baseline`: measures, and writes `baseline.json`. What `cargo baseline` and `cargo
//! make baseline` are.

use crate::baseline::{self, Baseline, Part, Tools};
use anyhow::Context as _;
use build_support::baseline::file::{File, Measured};
use build_support::baseline::merge_base;
use build_support::cli::ended::Ended;
use build_support::output::progress::Progress;
use build_support::project::package::Package;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

/// Measure everything, and write it to baseline.json
#[derive(Args)]
#[command(after_help = "\
The file is committed. Sizes, instructions and memory are the same for the same toolchain; times are this machine's.
Sizes that change go into its history, with the commit that was checked out.
Examples:
  cargo baseline                                everything, from nothing too
  cargo baseline --only sizes --only allocators these alone, after a change of what is shipped; the others stay
  cargo baseline --output now.json              somewhere else, to look at")]
pub struct Opts {
    /// Measure this part alone; may be repeated
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
    /// Where to write; baseline.json at the root of the workspace where this is not given
    #[arg(short, long)]
    output: Option<PathBuf>,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let package = Package::find(None)?;
    let file = File::path(&package);
    let before = File::read(&file)?.and_then(|file| file.measured);
    let before: Option<Baseline> = before.map(|text| text.read(&file)).transpose()?;
    let parts = match opts.only.as_slice() {
        [] => &Part::ALL,
        parts => parts,
    };
    let mut progress = Progress::start(false);
    // Nothing but the start-up is measured in node.
    let node = if parts.contains(&Part::Startup) {
        crate::cli::startup::node()?
    } else {
        PathBuf::new()
    };
    let tools = Tools {
        tool: &std::env::current_exe().context("finding this program's file")?,
        node: &node,
    };
    let mut now = baseline::measure(&package, parts, before.as_ref(), &tools, &mut progress)?;
    drop(progress);
    if let Some(before) = &before {
        now.remember(before, &merge_base::commit(&package.root));
    }
    let output = opts.output.as_deref().unwrap_or(&file);
    let _lock = File::lock(&package.root)?;
    // Read again: what the ratchet holds may have changed while this was measured.
    let ratchet = File::read(&file)?.map(|file| file.ratchet);
    let all = File {
        ratchet: ratchet.unwrap_or_default(),
        measured: Some(Measured::new(&now)),
        ..File::default()
    };
    all.write(output)?;
    writeln!(anstream::stdout(), "written: {}", output.display())?;
    Ok(Ended::Well)
}
