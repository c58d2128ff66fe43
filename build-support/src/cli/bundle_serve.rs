//! `build-support serve`: the bundle as it is now, served on this machine. What `cargo serve` is.

use crate::cli::bundle::{self, Made};
use crate::cli::ended::Ended;
use crate::output::progress::Progress;
use crate::system::process;
use clap::Args;
use std::path::Path;

/// Make the bundle if it is stale, and serve it on this machine
#[derive(Args)]
#[command(after_help = "\
What follows `--` is for the server: cargo serve -- --port 0. See `cargo run -p clawft-cli -- serve --help`.
Examples:
  cargo serve
  cargo serve --examples light -- --port 8000")]
pub struct Opts {
    #[command(flatten)]
    made: Made,
    /// The package whose program `weft` serves
    #[arg(long, default_value = "clawft-cli", value_name = "PACKAGE")]
    server: String,
    /// What the server is given
    #[arg(last = true)]
    args: Vec<String>,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let package = opts.made.package()?;
    let mut progress = Progress::start(false);
    let bundled = opts.made.make(&package, false, &mut progress)?;
    drop(progress);
    // A page that is too heavy, or unfinished, is looked at all the same.
    let objected = bundle::object(&package, &bundled)?;
    let mut command = process::cargo("cargo");
    command
        .current_dir(&package.root)
        .args(["run", "--quiet", "--package", &opts.server, "--", "serve"])
        .arg(Path::new(&bundled.report.folder))
        .args(&opts.args);
    let status = process::status(&mut command)?;
    match status.code() {
        // Ended by a signal, as Ctrl-C is one.
        Some(0) | None => Ok(objected),
        Some(code) => anyhow::bail!("the server ended with {code}"),
    }
}
