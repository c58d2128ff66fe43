//! `build-support preinit`: the shipped agent, configured when it is built.

use crate::agent::preinit;
use crate::cli::ended::Ended;
use crate::cli::terminal::{colour_on_stdout, here};
use crate::measure::sizes;
use crate::ops::build;
use crate::output::progress::Progress;
use crate::output::text;
use crate::project::listener::Listener as _;
use crate::project::package::Package;
use crate::report::Sizes;
use crate::system::files;
use crate::wasm::artifact::Artifact;
use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Write the shipped agent as it is after init(config), so that a start needs no configuring
#[derive(Args)]
#[command(after_help = "\
The file is run as far as the end of init, and what its memory then holds becomes its initial state. It answers like the
plain one; calling init on it configures it anew. Written beside the plain file, as NAME.preinit.wasm.
Examples:
  cargo preinit                                        both shipped files, with the default configuration
  cargo preinit --config-file agent.json
  build-support preinit agent.wasm -o ready.wasm --config '{\"model\": \"offline\"}'")]
pub struct Opts {
    /// The agent's files; those that `cargo wasm` and `cargo wasm-p1` shipped where none is given
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
    let files = match opts.files.as_slice() {
        [] => build::shipped_files(&Package::find(None)?, &mut progress)?,
        files => files.to_vec(),
    };
    if opts.output.is_some() && files.len() != 1 {
        anyhow::bail!("--output is for one file, and there are {}", files.len());
    }
    let mut rows = Vec::new();
    for file in &files {
        progress.stage(&format!("initialising {}", file.display()));
        let plain = Artifact::read(file)?;
        let ready = preinit::run(file, &plain, &config)?;
        let output = opts.output.clone().unwrap_or_else(|| preinit::beside(file));
        files::write_atomic(&output, ready.bytes())?;
        rows.push((file.clone(), sizes::run(plain.bytes())));
        rows.push((output, sizes::run(ready.bytes())));
    }
    drop(progress);
    show(&rows, opts.json)?;
    Ok(Ended::Well)
}

fn show(rows: &[(PathBuf, Sizes)], json: bool) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout();
    if json {
        let row = |(file, sizes): &(PathBuf, Sizes)| json!({ "file": file, "sizes": sizes });
        let all: Vec<_> = rows.iter().map(row).collect();
        writeln!(stdout, "{}", serde_json::to_string_pretty(&all)?)?;
    } else {
        let here = here();
        let named = |(file, sizes): &(PathBuf, Sizes)| {
            let name: &Path = file.strip_prefix(&here).unwrap_or(file);
            (name.display().to_string(), *sizes)
        };
        let all: Vec<_> = rows.iter().map(named).collect();
        write!(stdout, "{}", text::sizes_table(&all, colour_on_stdout()))?;
    }
    Ok(())
}
