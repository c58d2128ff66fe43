//! `build-support analyze`: who takes room in a wasm file, and why something is still there.

use super::{Ended, explain};
use build_support::artifact::Artifact;
use build_support::config::Config;
use build_support::pipeline;
use build_support::report::units;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

/// List the largest functions and data segments of a file that still has its names
#[derive(Args)]
#[command(after_help = "\
Examples:
  build-support analyze target/budget/wasm32-wasip2/clawft_wasm.linked.wasm
  build-support analyze app.wasm --top 100 --json
  build-support analyze app.linked.wasm --explain core::fmt::write
                                          the chain from an export to it, once panics are snipped")]
pub struct Opts {
    /// The file to read: a linked core module, or a component
    file: PathBuf,
    /// How many to list
    #[arg(long, default_value_t = 30)]
    top: usize,
    /// Say why a function or data symbol is still there: its path, or the end of it; needs relocations
    #[arg(long, value_name = "SYMBOL")]
    explain: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    if let Some(symbol) = &opts.explain {
        return explain::run(&opts.file, symbol, opts.json);
    }
    let artifact = Artifact::read(&opts.file)?;
    let config = Config::without_package(&opts.file.display().to_string());
    let mut found = pipeline::analyze(&config, &opts.file, &artifact)?;
    found.contributors.truncate(opts.top);
    let mut stdout = anstream::stdout();
    if opts.json {
        writeln!(
            stdout,
            "{}",
            serde_json::to_string_pretty(&found.contributors)?
        )?;
        return Ok(Ended::Well);
    }
    for contributor in &found.contributors {
        writeln!(
            stdout,
            "{:>10}  {:<16}  {}",
            units::bytes(contributor.bytes),
            contributor.krate,
            contributor.name
        )?;
    }
    Ok(Ended::Well)
}
