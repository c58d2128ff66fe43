//! `build-support analyze`: who takes room in a wasm file.

use super::Ended;
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
  build-support analyze app.wasm --top 100 --json")]
pub struct Opts {
    /// The file to read: a linked core module, or a component
    file: PathBuf,
    /// How many to list
    #[arg(long, default_value_t = 30)]
    top: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
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
