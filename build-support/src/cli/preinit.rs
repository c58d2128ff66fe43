//! `build-support preinit`: the shipped agent, configured when it is built.

use crate::agent::preinit;
use crate::cli::ended::Ended;
use crate::cli::options::Features;
use crate::cli::terminal::{self, colour_on_stdout, print, shown};
use crate::measure::sizes;
use crate::ops::build;
use crate::output::progress::Progress;
use crate::output::text;
use crate::project::listener::Listener as _;
use crate::project::package::Package;
use crate::system::files;
use crate::system::streams;
use crate::wasm::artifact::Artifact;
use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Write the shipped agent as it is after init(config), so that a start needs no configuring
#[derive(Args)]
#[command(after_help = "\
The file is run as far as the end of init, and what its memory then holds becomes its initial state. It answers like the
plain one; calling init on it configures it anew. Written beside the plain file, as NAME.preinit.wasm.
Examples:
  build-support preinit                                        both shipped files, with the default configuration
  build-support preinit --config-file agent.json
  build-support preinit agent.wasm -o ready.wasm --config '{\"model\": \"offline\"}'")]
pub struct Opts {
    /// The agent's files; those that the last builds shipped where none is given
    files: Vec<PathBuf>,
    /// The configuration, as JSON
    #[arg(long, default_value = "{}")]
    config: String,
    /// The configuration, in a JSON file
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    config_file: Option<PathBuf>,
    /// Where to write, where there is one file
    #[arg(short, long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    features: Features,
    /// Print the sizes as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let config = match &opts.config_file {
        Some(file) => {
            std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?
        }
        None => opts.config.clone(),
    };
    let mut progress = Progress::start(opts.json);
    let sources = match opts.files.as_slice() {
        [] => build::shipped_files(
            &Package::find(None)?,
            &opts.features.wanted(),
            &mut progress,
        )?,
        files => files.to_vec(),
    };
    if opts.output.is_some() && sources.len() != 1 {
        anyhow::bail!("--output is for one file, and there are {}", sources.len());
    }
    terminal::read_once(sources.iter().map(PathBuf::as_path))?;
    anyhow::ensure!(
        opts.output.is_some() || !sources.iter().any(|file| files::is_stdin(file)),
        "there is no folder beside standard input\n  help: name the file to write with --output"
    );
    let outputs: Vec<_> = opts.output.iter().map(PathBuf::as_path).collect();
    let taken = terminal::written_once(&outputs, opts.json)?;
    let mut rows = Vec::new();
    for file in &sources {
        progress.stage(&format!("initialising {}", file.display()));
        let plain = Artifact::read(file)?;
        let ready = preinit::run(file, &plain, &config)?;
        let output = opts.output.clone().unwrap_or_else(|| preinit::beside(file));
        files::write_atomic(&output, ready.bytes())?;
        rows.push((file.clone(), sizes::run(plain.bytes())));
        rows.push((output, sizes::run(ready.bytes())));
    }
    drop(progress);
    let all: Vec<_> = rows
        .iter()
        .map(|(file, sizes)| json!({ "file": file.to_string_lossy(), "sizes": sizes }))
        .collect();
    let said = || {
        let rows = rows
            .iter()
            .map(|(file, sizes)| (shown(file).display().to_string(), *sizes));
        text::sizes_table(&rows.collect::<Vec<_>>(), colour_on_stdout())
    };
    if taken {
        streams::say(said().trim_end());
    } else {
        print(opts.json, &all, said)?;
    }
    Ok(Ended::Well)
}
