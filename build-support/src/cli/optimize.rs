//! `build-support optimize`: any core module or component from anywhere, made smaller.

use crate::attribution;
use crate::cli::ended::Ended;
use crate::cli::terminal::{colour_on_stdout, print};
use crate::cli::{dry_run, options, terminal, verdict};
use crate::config::Config;
use crate::measure::sizes;
use crate::ops::newer_wasm_opt;
use crate::ops::symbol_map::SymbolMap;
use crate::output::progress::Progress;
use crate::output::text;
use crate::output::text::size_by;
use crate::passes::pipeline::{self, Product};
use crate::passes::{Compact, Job, LowMemory, Outline};
use crate::project::listener::Listener as _;
use crate::report::{Size, units};
use crate::system::files;
use crate::system::streams;
use crate::wasm::artifact::Artifact;
use crate::wasm::bindgen;
use clap::Args;
use std::path::{Path, PathBuf};

/// Make a core module or component smaller, behaving as before
#[derive(Args)]
#[command(after_help = "\
A component stays one: the core modules inside it are optimised in place, its interface is untouched.
Examples:
  build-support optimize app.wasm -o small.wasm
  build-support optimize app.wasm -o small.wasm --minimize gzip
                                                           smallest as it is served
  build-support optimize app.wasm -o small.wasm --symbols small.symbols.json
                                                           its names, for backtraces of small.wasm
  build-support optimize app.wasm -o small.wasm --snip     panics trap without their message
  build-support optimize app.linked.wasm -o small.wasm --snip --sweep
                                                           and what only panics needed goes with them
  build-support optimize app.linked.wasm -o test.wasm --snip --poison
                                                           not for shipping: run its tests against this
  build-support optimize app.wasm -o small.wasm --compact cold
                                                           and what no optimiser does
  build-support optimize app.wasm --snip --dry-run         list what would go, write nothing
  build-support optimize - -o - < app.wasm > small.wasm    in a pipe; what is said of it goes to standard error")]
pub struct Opts {
    /// The file to read; `-` is standard input
    file: PathBuf,
    /// The file to write; `-` is standard output
    #[arg(short, long, required_unless_present = "dry_run")]
    output: Option<PathBuf>,
    /// Write what the functions of the output are called, for `symbolicate`
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    symbols: Option<PathBuf>,
    /// Replace panic entry points by traps; needs the names in the file
    #[arg(long)]
    snip: bool,
    /// Remove what the linker's relocations prove dead; needs the linker's own output, linked with
    /// --emit-relocs
    #[arg(long)]
    sweep: bool,
    /// Sweep, but poison what is dead instead of removing it: a file that behaves differently shows
    /// a wrong proof
    #[arg(long)]
    poison: bool,
    /// Never snip this path; `a::b::*` is everything below a::b; may be repeated
    #[arg(long, value_name = "PATH")]
    allow: Vec<String>,
    /// Snip this path too; may be repeated
    #[arg(long, value_name = "PATH")]
    deny: Vec<String>,
    /// What is to be small: raw, gzip or brotli; neither it nor the raw size grows, ever
    #[arg(long, value_name = "SIZE", default_value = "raw", value_parser = options::size)]
    minimize: Size,
    /// Compact what the optimiser made, with repeated code as functions: off, cold (not in loops,
    /// nor in what they call), outside-loops or all
    #[arg(long, value_name = "OUTLINE", value_parser = options::outline)]
    compact: Option<Outline>,
    /// Whether addresses below 1,024 are used, when compacting: auto by the layout, used or unused
    #[arg(long, value_name = "HOW", value_parser = options::low_memory, default_value = "auto", requires = "compact")]
    low_memory: LowMemory,
    /// List what would be snipped and swept, and stop
    #[arg(long)]
    dry_run: bool,
    /// Print the stages as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let outputs: Vec<_> = opts.output.iter().chain(&opts.symbols).collect();
    let outputs: Vec<_> = outputs.into_iter().map(PathBuf::as_path).collect();
    let taken = !opts.dry_run && terminal::written_once(&outputs, opts.json)?;
    let mut config = Config::without_package(&opts.file.display().to_string());
    config.snip.enabled = opts.snip || !opts.deny.is_empty();
    config.sweep.enabled = opts.sweep || opts.poison;
    config.sweep.poison = opts.poison;
    config.minimize = opts.minimize;
    config.snip.allow.clone_from(&opts.allow);
    config.snip.deny.clone_from(&opts.deny);
    let input = Artifact::read(&opts.file)?;
    verdict::remark_on_names(&opts.file, input.bytes());
    let analysis = pipeline::analyze(&config.snip, config.sweep.enabled, &opts.file, &input)?;
    if opts.dry_run {
        return dry_run::show(&analysis, opts.json);
    }
    let mut progress = Progress::start(opts.json);
    let newer = newer_wasm_opt::find();
    let optimizer = newer.map(|found| found.optimizer()).transpose()?.flatten();
    let job = Job {
        snips: config.snip.enabled,
        poison: opts.poison,
        metric: config.metric(),
        compact: opts.compact.map(|outline| Compact {
            outline,
            low_memory: opts.low_memory,
        }),
        second_optimizer: optimizer.as_ref().map(|o| (o.name.as_str(), &*o.run)),
        ..Job::new(&opts.file, analysis.plans)
    };
    let before = input.len();
    let compressed = sizes::soon(input.bytes());
    let product = pipeline::run(&job, input, &mut |stage| progress.stage(stage))?;
    drop(progress);
    let output = opts.output.as_deref().expect("clap asks for it");
    let map = opts.symbols.as_ref().map(|_| symbols(output, &product));
    let map = map.transpose()?;
    files::write_atomic(output, product.artifact.bytes())?;
    if let (Some(file), Some(map)) = (&opts.symbols, map) {
        files::write_atomic(file, map.write().as_bytes())?;
    }
    let said = || {
        let table = text::stage_table(&product.stages, colour_on_stdout());
        let (before, after) = (units::bytes(before), units::bytes(product.artifact.len()));
        let after_all = compressed.and_then(|_| sizes::soon(product.artifact.bytes()));
        let sizes = compressed.zip(after_all);
        let compressed = sizes.map(|(before, after)| {
            let sizes = size_by::compressed(&[before, after]);
            format!("; {sizes}")
        });
        let compressed = compressed.unwrap_or_default();
        format!(
            "{table}{}: {before} -> {after} bytes{compressed}\n",
            output.display()
        )
    };
    if taken {
        streams::say(said().trim_end());
    } else {
        print(opts.json, &product.stages, said)?;
    }
    verdict::remark_on_wasm_bindgen(product.artifact.bytes());
    Ok(Ended::Well)
}

fn symbols(output: &Path, product: &Product) -> crate::Result<SymbolMap> {
    let artifact = &product.artifact;
    if bindgen::is_input(artifact.bytes()) {
        return SymbolMap::of_file(output, artifact);
    }
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    let attribution = attribution::shipped(&product.names, artifact)?;
    SymbolMap::new(&stem, artifact, &attribution)
}
