//! `build-support bundle-audit`: what is really in a bundle. What `cargo bundle-audit` is.

use crate::cli::ended::Ended;
use crate::cli::terminal::{colour_on_stdout, print};
use crate::ops::bundle;
use crate::ops::bundle::folder;
use crate::output::bundle as drawn;
use crate::project::package::Package;
use crate::report::{names, units};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Look through a bundle that is there, and say what is in it and where that was found
#[derive(Args)]
#[command(after_help = "\
Everything is found anew in the files: the table in audit.json is compared with it, and so are hashes, sizes, compressed forms,
the policy and the build id.
Exit codes: 0 all is as it says, 1 something is claimed that nobody finds, 2 error.
Examples:
  cargo bundle-audit
  build-support bundle-audit public --format markdown")]
pub struct Opts {
    /// The bundle; target/bundle where none is given
    folder: Option<PathBuf>,
    /// How the table is printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// How a table is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let folder = match &opts.folder {
        Some(folder) => folder.clone(),
        None => bundle::folder_of(&Package::find(None)?),
    };
    let found = folder::audit(&folder)?;
    let json = opts.json || opts.format == Format::Json;
    print(json, &found, || match opts.format {
        Format::Markdown => drawn::audit_markdown(&found.rows, &found.examples),
        _ => drawn::audit(&found.rows, &found.examples, colour_on_stdout()),
    })?;
    for fault in &found.faults {
        let fault = units::shorten(&names::visible(fault), units::LONGEST_LINE);
        eprintln!("error: {fault}");
    }
    Ok(if found.faults.is_empty() {
        Ended::Well
    } else {
        Ended::OverBudget
    })
}
