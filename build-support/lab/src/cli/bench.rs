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
    /// How many times as long as wasm-opt alone it may take
    #[arg(long, value_name = "RATIO", default_value_t = MOST)]
    most: f64,
    /// Exit with 1 where it takes longer
    #[arg(long)]
    check: bool,
}

/// What the whole part may take of what wasm-opt alone takes.
const MOST: f64 = 1.5;

#[derive(Serialize)]
struct Figures {
    file: String,
    runs: usize,
    /// Median wall time of wasm-opt alone, in milliseconds.
    wasm_opt_millis: f64,
    /// Median wall time of analyse, passes, load and measure, in milliseconds.
    post_link_millis: f64,
    ratio: f64,
    /// What the ratio may be.
    most: f64,
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
        most: opts.most,
    };
    print(true, &figures, String::new)?;
    Ok(ended(opts.check, figures.ratio, opts.most))
}

/// No ratio at all is not within anything.
fn ended(check: bool, ratio: f64, most: f64) -> Ended {
    if check && (ratio.is_nan() || ratio > most) {
        Ended::OverBudget
    } else {
        Ended::Well
    }
}

fn millis(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
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
