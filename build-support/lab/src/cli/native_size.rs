//! `lab native-size`: ways of building `weft`, and what each is worth. What `cargo make
//! native-size` is; it writes `docs/native-size.md`.

use crate::native::builds;
use crate::tables;
use crate::transcript::Transcript;
use build_support::cli::ended::Ended;
use build_support::cli::terminal::print;
use build_support::output::progress::Progress;
use build_support::project::listener::Listener as _;
use build_support::project::package::Package;
use build_support::system::files;
use clap::Args;
use std::path::PathBuf;

/// Build weft with thin and fat LTO, with and without tables of unwinding, with a profile; compare
#[derive(Args)]
#[command(after_help = "\
Each is a clean build, and so is that of the shipped wasm file: this takes a while. Times of the processor change
little on a busy machine, those of the clock do.
Exit codes: 0 measured, 2 error.
Examples:
  cargo run -p lab -- native-size
  cargo run -p lab -- native-size --write-docs")]
pub struct Opts {
    /// Write the document too; to docs/native-size.md of the workspace where no FILE is given
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    write_docs: Option<Option<PathBuf>>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let package = Package::find(None)?;
    let transcript = Transcript::of(&package)?;
    let tool = super::tool_beside()?;
    let mut progress = Progress::start(false);
    let builds = builds::run(&package, &transcript, &tool, &mut |stage| {
        progress.stage(stage);
    })?;
    let page = tables::native_page(&builds);
    if let Some(file) = &opts.write_docs {
        let file = file.clone();
        let file = file.unwrap_or_else(|| package.root.join("docs").join("native-size.md"));
        files::write_atomic(&file, page.as_bytes())?;
        progress.say(&format!("wrote {}", file.display()));
    }
    drop(progress);
    print(opts.json, &builds, || page)?;
    Ok(Ended::Well)
}
