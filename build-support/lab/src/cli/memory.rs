//! `lab memory`: how much memory the agent takes. What `cargo memory` and `cargo make
//! memory` are.

use crate::memory::{self, Plan, Subject};
use crate::tables;
use crate::transcript::Transcript;
use crate::variants::{self, Variants};
use build_support::cli::ended::Ended;
use build_support::cli::terminal::{colour_on_stdout, print};
use build_support::output::progress::Progress;
use build_support::project::listener::Listener as _;
use build_support::project::package::Package;
use clap::Args;
use std::path::PathBuf;

/// Show what a file says about its memory, and how far that grows when it is talked to
#[derive(Args)]
#[command(after_help = "\
Without FILE the agent is built for each of its targets, and the shipped files are shown beside the linked ones.
The stack's size is the value of the stack pointer: the linker puts the stack first, from address 0 up to there.
Linear memory never shrinks, so each figure of a run is the highest so far.
Exit codes: 0 measured, 2 error.
Examples:
  cargo memory
  cargo memory --json > memory.json
  cargo memory agent.wasm --workload transcript.json --rounds 1000")]
pub struct Opts {
    /// Agents: components or reactors; the shipped files of the package where none is given
    files: Vec<PathBuf>,
    /// The messages sent to them; tests/transcript.json of the package where this is not given
    #[arg(long, value_name = "FILE")]
    workload: Option<PathBuf>,
    /// How often they are sent in all, to one instance
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    // Hidden where stderr is no terminal, so that `--json` may show it too.
    let mut progress = Progress::start(false);
    let transcript = match &opts.workload {
        Some(file) => Transcript::read(file)?,
        None => Transcript::of(&Package::find(None)?)?,
    };
    let subjects: Vec<_> = match opts.files.as_slice() {
        [] => variants::make(&Package::find(None)?, &transcript, &mut progress)?
            .iter()
            .flat_map(Variants::files)
            .map(Subject::from)
            .collect(),
        files => files
            .iter()
            .map(|file| Subject {
                label: file.display().to_string(),
                file: file.clone(),
                linked: None,
                initialised: false,
            })
            .collect(),
    };
    let plan = Plan {
        subjects: &subjects,
        transcript: &transcript,
        rounds: opts.rounds,
    };
    let profile = memory::run(&plan, &mut |stage| progress.stage(stage))?;
    drop(progress);
    print(opts.json, &profile, || {
        tables::memory_table(&profile, colour_on_stdout())
    })?;
    Ok(Ended::Well)
}
