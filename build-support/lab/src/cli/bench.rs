//! `lab bench`: what the post-link part costs, beside wasm-opt alone on the same file.

use crate::{processor, scaling};
use anyhow::Context as _;
use build_support::cli::ended::Ended;
use build_support::cli::terminal::print;
use build_support::config::Config;
use build_support::error::Result;
use build_support::measure::{engine, sizes};
use build_support::passes::pipeline::{self, Product};
use build_support::passes::{Job, componentize, optimize};
use build_support::report::{Metric, Size};
use build_support::wasm::artifact::Artifact;
use build_support::wasm::features;
use build_support::wasm::{Module, linked};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Time the whole post-link part against wasm-opt alone, and print the ratio as JSON
#[derive(Args)]
#[command(after_help = "\
Processor time, which a busy machine changes less than the clock's; both are run in turn, and the ratio is of the
medians. Where sweep and snip take little of a file, wasm-opt makes a second one to compare with: what the whole may
take is counted for each.
Compacting what they make is timed beside them, and no part of that ratio.
Exit codes: 0 measured, 1 the ratio is above the most and --check was given, 2 error.
Examples:
  cargo run -p lab -- bench target/budget/wasm32-wasip2/clawft_wasm.linked.wasm
  cargo run -p lab -- bench agent.linked.wasm --check --most 1.2")]
pub struct Opts {
    /// A linked file, with its names
    file: PathBuf,
    /// How often each is run
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// How many times as long as wasm-opt alone it may take, for each file that wasm-opt makes
    #[arg(long, value_name = "RATIO", default_value_t = MOST)]
    most: f64,
    /// Exit with 1 where it takes longer
    #[arg(long)]
    check: bool,
}

/// What the whole part may take of what wasm-opt alone takes, for each file that that makes.
const MOST: f64 = 1.5;

#[derive(Serialize)]
struct Figures {
    file: String,
    runs: usize,
    /// Median processor time of wasm-opt alone, in milliseconds.
    wasm_opt_millis: u64,
    /// Median processor time of analyse, passes, load and measure, in milliseconds.
    post_link_millis: u64,
    ratio: f64,
    /// How many files wasm-opt makes, of which the best is kept.
    optimized: usize,
    /// Median processor time of compacting what that makes for brotli, with gzip held, in
    /// milliseconds.
    compact_millis: u64,
    /// It in relation to wasm-opt alone.
    compact_ratio: f64,
    /// What the ratio of the whole may be: so much for each of them.
    most: f64,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let input = Artifact::read(&opts.file)?;
    let mut config = Config::without_package(&opts.file.display().to_string());
    let (mut alone, mut whole, mut compact) = (Vec::new(), Vec::new(), Vec::new());
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
    let mut optimized = 1;
    for _ in 0..opts.runs.max(1) {
        let (made, millis) = processor::timed(|| optimize::built_in(&plain, &features));
        made?;
        alone.push(millis);
        let (made, millis) = processor::timed(|| post_link(&config, &opts.file, &input));
        let product = made?;
        optimized = product.optimized.max(1);
        whole.push(millis);
        let metric = Metric::new(Size::Brotli, [Size::Gzip]);
        let (made, millis) =
            processor::timed(|| scaling::compact_millis(&opts.file, metric, &product.artifact));
        made?;
        compact.push(millis);
    }
    let median = |times| median(times).context("no run");
    let (alone, whole, compact) = (median(alone)?, median(whole)?, median(compact)?);
    let figures = Figures {
        file: opts.file.display().to_string(),
        runs: opts.runs,
        wasm_opt_millis: alone,
        post_link_millis: whole,
        ratio: whole as f64 / alone as f64,
        optimized,
        compact_millis: compact,
        compact_ratio: compact as f64 / alone as f64,
        most: opts.most * optimized as f64,
    };
    print(true, &figures, String::new)?;
    Ok(ended(opts.check, figures.ratio, figures.most))
}

/// Everything from the linked file on, as a build does it.
fn post_link(config: &Config, file: &Path, input: &Artifact) -> Result<Product> {
    let fresh = Artifact::new(input.bytes().to_vec(), file)?;
    let analysis = pipeline::analyze(&config.snip, config.sweep.enabled, file, &fresh)?;
    let job = Job {
        wants_component: componentize::has_world(input.bytes()),
        ..Job::new(file, analysis.plans)
    };
    let product = pipeline::run(&job, fresh, &mut |_| {})?;
    engine::load(&product.artifact)?;
    sizes::run(product.artifact.bytes());
    Ok(product)
}

/// No ratio at all is not within anything.
fn ended(check: bool, ratio: f64, most: f64) -> Ended {
    if check && (ratio.is_nan() || ratio > most) {
        Ended::OverBudget
    } else {
        Ended::Well
    }
}

fn median(mut times: Vec<u64>) -> Option<u64> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::ended;
    use build_support::cli::ended::Ended;

    /// Protects the check from passing whatever comes.
    #[test]
    fn a_ratio_above_the_most_is_told_where_it_is_asked_for() {
        for (check, ratio, over) in [
            (true, 1.5, false),
            (true, 1.501, true),
            (true, f64::NAN, true),
            (true, f64::INFINITY, true),
            (false, 9.0, false),
        ] {
            let ended = ended(check, ratio, 1.5);
            assert_eq!(matches!(ended, Ended::OverBudget), over, "{check} {ratio}");
        }
    }
}
