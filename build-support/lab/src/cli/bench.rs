//! `lab bench`: what the post-link part costs, beside wasm-opt alone on the same file.

use anyhow::Context as _;
use build_support::cli::ended::Ended;
use build_support::cli::terminal::print;
use build_support::config::Config;
use build_support::measure::{engine, sizes};
use build_support::passes::{Job, componentize, optimize, pipeline};
use build_support::wasm::artifact::Artifact;
use build_support::wasm::features;
use build_support::wasm::{Module, linked};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// Time the whole post-link part against wasm-opt alone, and print the ratio as JSON
#[derive(Args)]
#[command(after_help = "\
Both are run in turn, so that a busy machine slows both; the ratio is of the medians.
Example:
  cargo run -p lab -- bench target/budget/wasm32-wasip2/clawft_wasm.linked.wasm")]
pub struct Opts {
    /// A linked file, with its names
    file: PathBuf,
    /// How often each is run
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

#[derive(Serialize)]
struct Figures {
    file: String,
    runs: usize,
    /// Median wall time of wasm-opt alone, in milliseconds.
    wasm_opt_millis: f64,
    /// Median wall time of analyse, passes, load and measure, in milliseconds.
    post_link_millis: f64,
    ratio: f64,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let input = Artifact::read(&opts.file)?;
    let mut config = Config::without_package(&opts.file.display().to_string());
    let (mut alone, mut whole) = (Vec::new(), Vec::new());
    config.snip.enabled = true;
    // What is no linker's output can only be snipped.
    config.sweep.enabled = Module::read(input.bytes()).is_ok_and(|module| {
        linked::module::read(&module).is_ok_and(|linked| linked.linking.is_some())
    });
    let plain = optimize::without_stale_sections(input.bytes())?;
    let features = features::run(&plain, &opts.file)?;
    // Binaryen trusts the sections that only tools read: what is wrong with them is found before it
    // gets them.
    pipeline::analyze(&config.snip, config.sweep.enabled, &opts.file, &input)?;
    for _ in 0..opts.runs.max(1) {
        let start = Instant::now();
        optimize::built_in(&plain, &features)?;
        alone.push(millis(start));

        let start = Instant::now();
        let fresh = Artifact::new(input.bytes().to_vec(), &opts.file)?;
        let analysis = pipeline::analyze(&config.snip, config.sweep.enabled, &opts.file, &fresh)?;
        let job = Job {
            wants_component: componentize::has_world(input.bytes()),
            ..Job::new(&opts.file, analysis.plans)
        };
        let product = pipeline::run(&job, fresh, &mut |_| {})?;
        engine::load(&product.artifact)?;
        sizes::run(product.artifact.bytes());
        whole.push(millis(start));
    }
    let (alone, whole) = (
        median(alone).context("no run")?,
        median(whole).context("no run")?,
    );
    let figures = Figures {
        file: opts.file.display().to_string(),
        runs: opts.runs,
        wasm_opt_millis: alone,
        post_link_millis: whole,
        ratio: whole / alone,
    };
    print(true, &figures, String::new)?;
    Ok(Ended::Well)
}

fn millis(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}
