//! `lab compact`: what each step of the compaction gives.

use crate::compact::{self, Row};
use build_support::cli::ended::Ended;
use build_support::cli::terminal::colour_on_stdout;
use build_support::output::text::style::{HEADING, Paint};
use build_support::output::text::table::Table;
use build_support::report::units;
use clap::Args;
use std::path::PathBuf;

/// Show what each step of the compaction makes of files, in all three sizes
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo run -p lab -- compact target/budget/wasm32-wasip2/clawft_wasm.wasm")]
pub struct Opts {
    /// Files that have been optimised
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    for file in &opts.files {
        let rows = compact::measure(file)?;
        let paint = Paint {
            colour: colour_on_stdout(),
        };
        anstream::print!("{}", draw(&rows).draw("", paint));
    }
    Ok(Ended::Well)
}

fn draw(rows: &[Row]) -> Table {
    let heads = "file | step | >raw | >gzip | >brotli | >raw % | >gzip % | >brotli %";
    let first = rows.first().map(|row| row.sizes).unwrap_or_default();
    let per_cent = |now: u64, before: u64| {
        format!("{:+.2}", 100.0 * (now as f64 / before.max(1) as f64 - 1.0))
    };
    let rows = rows.iter().map(|row| {
        [
            row.file.clone(),
            row.step.to_owned(),
            units::bytes(row.sizes.raw),
            units::bytes(row.sizes.gzip),
            units::bytes(row.sizes.brotli),
            per_cent(row.sizes.raw, first.raw),
            per_cent(row.sizes.gzip, first.gzip),
            per_cent(row.sizes.brotli, first.brotli),
        ]
    });
    Table::headed(HEADING, heads).rows(rows)
}
