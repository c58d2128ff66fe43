//! `build-support bundle`: a page with the agent in it, as one folder. What `cargo bundle` and
//! `cargo make bundle` are.

use crate::agent::preinit;
use crate::cli::ended::Ended;
use crate::cli::messages::{MessageFormat, Messages};
use crate::cli::options::Selection;
use crate::cli::terminal::{colour_on_stdout, print, shown};
use crate::ops::bundle::{self, Bundled, Request};
use crate::output::bundle as drawn;
use crate::output::progress::Progress;
use crate::project::package::Package;
use clap::Args;
use std::path::{Path, PathBuf};

/// Make a folder for any static host: the page, the shipped agent, and what its manifest asks for
#[derive(Args)]
#[command(after_help = "\
Builds the module for the target that [package.metadata.bundle] names, configures it where an example says `preinit`,
checks manifest.json, and writes target/bundle whole: index.html, service-worker.js, audit.json, and BUILD ID/ with the rest.
The same input gives the same bytes. docs/bundle.md has the manifest.
Exit codes: 0 within its limits, 1 over one or a claim that nobody finds, 2 error.
Examples:
  cargo bundle
  cargo bundle --examples light,notes --dry-run
  cargo bundle --json
  build-support bundle --module agent.wasm --out-dir public")]
pub struct Opts {
    #[command(flatten)]
    pub made: Made,
    /// Write nothing: say what would be written
    #[arg(long)]
    dry_run: bool,
    /// Print what is in it as JSON
    #[arg(long)]
    json: bool,
}

/// How it is made.
#[derive(Args)]
pub struct Made {
    #[command(flatten)]
    selection: Selection,
    /// The examples, with commas between them; all of the manifest's where none is given
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    examples: Vec<String>,
    /// A core module that is there, instead of building one
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    /// Where the bundle goes; target/bundle where this is not given
    #[arg(long, value_name = "FOLDER")]
    out_dir: Option<PathBuf>,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let package = opts.made.package()?;
    let mut progress = Progress::start(opts.json);
    let bundled = opts.made.make(&package, opts.dry_run, &mut progress)?;
    drop(progress);
    let report = &bundled.report;
    print(opts.json, report, || {
        let folder = shown(Path::new(&report.folder)).display().to_string();
        drawn::draw(report, &folder, opts.dry_run, colour_on_stdout())
    })?;
    object(&package, &bundled)
}

impl Made {
    /// The package.
    ///
    /// # Errors
    /// As [`Package::find`].
    pub fn package(&self) -> crate::Result<Package> {
        self.selection.package()
    }

    /// Makes it.
    ///
    /// # Errors
    /// As [`bundle::run`].
    pub fn make(
        &self,
        package: &Package,
        dry_run: bool,
        progress: &mut Progress,
    ) -> crate::Result<Bundled> {
        let folder = self.out_dir.as_deref().map(std::path::absolute);
        let request = Request {
            examples: self.examples.clone(),
            module: self.module.clone(),
            folder: folder.and_then(Result::ok),
            dry_run,
            wanted: self.selection.wanted(),
        };
        bundle::run(package, &request, &preinit::run, progress)
    }
}

/// Says on stderr what does not hold.
pub fn object(package: &Package, bundled: &Bundled) -> anyhow::Result<Ended> {
    let messages = Messages::new(MessageFormat::Human, Some(package));
    messages.show(&drawn::over(&bundled.breaches, &bundled.settings))?;
    for (row, example) in bundled.false_claims() {
        let evidence = &row.cells[example].evidence;
        eprintln!(
            "error: {example}: {} is claimed, and not found: {evidence}",
            row.name
        );
    }
    Ok(if bundled.is_well() {
        Ended::Well
    } else {
        Ended::OverBudget
    })
}
