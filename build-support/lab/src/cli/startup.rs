//! `lab startup`: how long it takes until an agent is there. What `cargo startup` and
//! `cargo make startup` are.

use crate::startup::targets::{self, TARGETS, Weight};
use crate::startup::{self, Plan, Samples, Subject};
use crate::tables;
use crate::transcript::Transcript;
use crate::variants::{self, Variants};
use anyhow::Context as _;
use build_support::cli::ended::Ended;
use build_support::cli::terminal::{colour_on_stdout, print};
use build_support::output::progress::Progress;
use build_support::project::listener::Listener as _;
use build_support::project::package::Package;
use build_support::system::process;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Measure how long it takes until an agent is there: cold, precompiled, warm, in node, and as a
/// process
#[derive(Args)]
#[command(after_help = "\
Without FILE the agent is built for each of its targets, and the shipped files are measured, as they are and
pre-initialised with the transcript's configuration.
A sample is one agent in a new folder; the clock is read when the instance is there, when `init` has taken the
configuration, and when the first message of the transcript is answered. The first three samples are thrown away.
  cold, Cranelift    wasm bytes compiled by the optimising compiler, linked, instantiated
  cold, Winch        the same with the baseline compiler
  precompiled file   a .cwasm file read, checked against its record, loaded, linked, instantiated
  precompiled        the same from bytes that are in memory and checked
  warm, pooled       a linked program instantiated in a pool, with copy-on-write memory images
  node, cold; warm   bytes to module and instance; a module to an instance (core modules: node has no components)
Instructions are counted as well: they are the same on every machine. Targets are held against the median.
A trap or an error in any sample is an error of the command.
Exit codes: 0 measured, 1 a target is missed and --check was given, 2 error.
Examples:
  cargo startup
  cargo startup --json > startup.json
  cargo startup --check --no-node                        exit 1 where a target is missed
  cargo startup agent.wasm --samples 1000")]
pub struct Opts {
    /// Agents: components or reactors; the shipped files of the package where none is given
    files: Vec<PathBuf>,
    /// The messages sent to them; tests/transcript.json of the package where this is not given
    #[arg(long, value_name = "FILE")]
    workload: Option<PathBuf>,
    /// Samples of each start that does not compile
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    /// Samples of each start that compiles
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    cold_samples: u32,
    /// Samples of each process
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    process_samples: u32,
    /// Leave node out
    #[arg(long)]
    no_node: bool,
    /// Exit with 1 where a target is missed
    #[arg(long)]
    check: bool,
    /// Print the figures as JSON, times in nanoseconds
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let node = (!opts.no_node).then(node).transpose()?;
    // Hidden where stderr is no terminal, so that `--json` may show it too.
    let mut progress = Progress::start(false);
    let transcript = match &opts.workload {
        Some(file) => Transcript::read(file)?,
        None => Transcript::of(&Package::find(None)?)?,
    };
    let config = transcript.config();
    let subjects: Vec<_> = match opts.files.as_slice() {
        [] => variants::make(&Package::find(None)?, &transcript, &mut progress)?
            .iter()
            .flat_map(Variants::files)
            .map(|variant| Subject::of(variant, &config))
            .collect(),
        files => named(files)
            .into_iter()
            .map(|(label, file)| Subject {
                label,
                file,
                config: Some(config.clone()),
            })
            .collect(),
    };
    let first = &transcript.messages[0];
    let plan = Plan {
        subjects: &subjects,
        message: (&first.session, &first.message),
        samples: Samples {
            cold: opts.cold_samples,
            warm: opts.samples,
            process: opts.process_samples,
        },
        tool: &std::env::current_exe().context("finding this program's file")?,
        node: node.as_deref(),
    };
    let startup = startup::run(&plan, &mut |stage| progress.stage(stage))?;
    drop(progress);
    let missed = targets::missed(&startup);
    let all = json!({ "startup": startup, "targets": TARGETS, "missed": missed });
    print(opts.json, &all, || {
        tables::startup_table(&startup, colour_on_stdout())
    })?;
    let failed = missed
        .iter()
        .any(|miss| miss.target.weight == Weight::Required);
    Ok(if opts.check && failed {
        Ended::OverBudget
    } else {
        Ended::Well
    })
}

/// Files by their names; by their paths where two have the same.
fn named(files: &[PathBuf]) -> Vec<(String, PathBuf)> {
    let name = |file: &PathBuf| {
        file.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let label = |file: &PathBuf| {
        let alike = files
            .iter()
            .filter(|other| name(other) == name(file))
            .count();
        match name(file) {
            Some(name) if alike == 1 => name,
            _ => file.display().to_string(),
        }
    };
    files
        .iter()
        .map(|file| (label(file), file.clone()))
        .collect()
}

/// Where node is.
pub fn node() -> anyhow::Result<PathBuf> {
    process::on_path("node").context(
        "node is not on PATH, and its engine is to be measured\n  help: install node 20 or newer (apt-get install -y nodejs), or leave it out with --no-node",
    )
}
