//! `lab alloc-compare`: the agent's allocators beside each other. What `cargo
//! alloc-compare` and `cargo make alloc-compare` are.

use crate::alloc_compare::{self, Allocator, Comparison, Request, Weights};
use crate::tables::{self, allocators};
use anyhow::Context as _;
use build_support::cli::ended::Ended;
use build_support::cli::terminal::{colour_on_stdout, print};
use build_support::output::progress::Progress;
use build_support::project::listener::Listener as _;
use build_support::project::package::Package;
use build_support::system::files;
use clap::Args;
use std::path::PathBuf;

/// Compare the agent's allocators: size, instructions, memory, time, and what the rule makes of
/// them
#[derive(Args)]
#[command(after_help = "\
Builds the agent, and the workloads of fixtures/allocators plain and traced, with every allocator for every target: some
minutes. Then every workload runs in an embedded wasmtime, in which instructions are counted; that takes a minute or two.
The workloads are explained in docs/allocators.md, which --write-docs writes anew; `cargo make alloc-compare` asks for it.
The score of an allocator is the weighted mean of five criteria, each from 0 to 1. The highest of those that take memory
back is recommended, but dlmalloc stays where its score is within a tenth of that.
Exit codes: 0 compared, 1 memory is lost and --check was given, 2 error; an allocator with which a workload computes something else is one.
Examples:
  cargo alloc-compare
  cargo alloc-compare --json > allocators.json
  cargo alloc-compare --target wasm32-wasip1 --allocator dlmalloc --allocator talc
  cargo alloc-compare --weights size=50,maturity=5      those not named keep theirs; they need not make 100")]
pub struct Opts {
    /// Only for this target; may be given again
    #[arg(long = "target", value_name = "TRIPLE")]
    targets: Vec<String>,
    /// Only this allocator: dlmalloc, talc, talc-small, lol-free or lol; may be given again. The
    /// first is what the others are compared with
    #[arg(long = "allocator", value_name = "NAME", value_parser = allocator)]
    allocators: Vec<Allocator>,
    /// What the criteria count for;
    /// size=30,throughput=20,fragmentation=20,reclamation=15,maturity=15 where not given
    #[arg(long, value_name = "NAME=N,…", value_parser = alloc_compare::weights)]
    weights: Option<Weights>,
    /// How many wall times are taken of each workload, at least
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    samples: u32,
    /// Write the document too; to docs/allocators.md of the workspace where no FILE is given
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    write_docs: Option<Option<PathBuf>>,
    /// Exit with 1 where the default allocator loses 5% of its memory or more to fragmentation
    #[arg(long)]
    check: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

fn allocator(name: &str) -> Result<Allocator, String> {
    let names = Allocator::ALL.map(Allocator::name).join(", ");
    Allocator::of(name).ok_or_else(|| format!("there are {names}"))
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let agent = Package::find(None)?;
    let mut request = Request {
        samples: opts.samples,
        ..Request::everything(&agent)
    };
    if !opts.targets.is_empty() {
        request.targets = opts.targets.clone();
    }
    if !opts.allocators.is_empty() {
        request.allocators = opts.allocators.clone();
    }
    request.weights = opts.weights.unwrap_or(request.weights);
    // Hidden where stderr is no terminal, so that `--json` may show it too.
    let mut progress = Progress::start(false);
    let comparison = alloc_compare::run(&agent, &request, &mut progress)?;
    if let Some(file) = &opts.write_docs {
        let file = file.clone();
        let file = file.unwrap_or_else(|| agent.root.join("docs").join("allocators.md"));
        write(&file, &comparison)?;
        progress.say(&format!("wrote {}", file.display()));
    }
    drop(progress);
    print(opts.json, &comparison, || {
        tables::alloc_tables(&comparison, colour_on_stdout())
    })?;
    let lost = comparison.lost();
    for line in lost.iter().filter(|_| opts.check) {
        anstream::eprintln!("{line}");
    }
    Ok(if opts.check && !lost.is_empty() {
        Ended::OverBudget
    } else {
        Ended::Well
    })
}

fn write(file: &std::path::Path, comparison: &Comparison) -> anyhow::Result<()> {
    if let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("creating folder {}", folder.display()))?;
    }
    let page = allocators::page(comparison);
    Ok(files::write_atomic(file, page.as_bytes())?)
}
