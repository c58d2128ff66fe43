//! `build-support check`: does the package type-check for its wasm targets, without making
//! anything.

use crate::cli::ended::Ended;
use crate::cli::options::Selection;
use crate::output::progress::Progress;
use crate::project::compile::{self, Request};
use crate::project::listener::Listener as _;
use crate::project::toolchain;
use clap::Args;

/// Type-check a package for its wasm targets (`cargo check` with the right standard library)
#[derive(Args)]
#[command(after_help = "\
Examples:
  build-support check                            every target of the package with a budget
  build-support check --target wasm32-wasip1 --features alloc-lol
  build-support check --clippy                   lints as errors, as CI does")]
pub struct Opts {
    /// One target triple; all of the package's `targets` where this is not given
    #[arg(long)]
    target: Option<String>,
    #[command(flatten)]
    selection: Selection,
    /// Run clippy, with warnings as errors
    #[arg(long)]
    clippy: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let package = opts.selection.package()?;
    let targets = opts
        .target
        .clone()
        .map_or_else(|| package.targets.clone(), |target| vec![target]);
    let mode = if opts.clippy {
        compile::Check::Clippy
    } else {
        compile::Check::Types
    };
    anyhow::ensure!(
        !targets.is_empty(),
        "{} names no targets; give --target",
        package.manifest.display()
    );
    let mut progress = Progress::start(false);
    for target in targets {
        let config = package.config(Some(&target))?;
        let toolchain = toolchain::find(&target, &mut |line| progress.say(line))?;
        let request = Request::new(&package, &config, &opts.selection.wanted());
        compile::check(&request, &toolchain, mode)?;
    }
    Ok(Ended::Well)
}
