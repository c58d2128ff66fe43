//! `cargo budget check FILE`: a file that something else has built, judged as if it had been built
//! here.

use crate::cli::ended::Ended;
use crate::cli::messages::Messages;
use crate::cli::terminal::colour_on_stdout;
use crate::cli::verdict;
use crate::config::{self, Config};
use crate::ops::check;
use crate::output::text;
use crate::project::package::Package;
use crate::report;
use crate::system::streams;
use crate::wasm::artifact::Artifact;
use clap::Args;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Judge a wasm file that something else has built: wasm-pack, wasm-bindgen, a linker, a download
#[derive(Args)]
#[command(after_help = "\
The file is validated, measured and attributed, and never changed. The limits are those of the package with a budget, or
those given here.
Exit codes: 0 within budget, 1 over budget, 2 error.
Examples:
  cargo budget check pkg/app_bg.wasm
  cargo budget check pkg/app_bg.wasm --limit raw=60KiB --limit brotli=20000
  cargo budget check app.wasm --package app --target wasm32-wasip2 --json")]
pub struct Opts {
    /// A core module or a component
    file: PathBuf,
    /// The package whose limits hold; the only one with a budget where this is not given
    #[arg(long, short)]
    package: Option<String>,
    /// The target whose limits hold, where the package has several
    #[arg(long)]
    target: Option<String>,
    /// A limit as in the manifest, as in raw=60KiB; may be repeated. No package is looked for then
    #[arg(long, value_name = "KEY=SIZE", conflicts_with_all = ["package", "target"])]
    limit: Vec<String>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let config = if opts.limit.is_empty() {
        of_package(opts)?
    } else {
        given(opts)?
    };
    let artifact = Artifact::read(&opts.file)?;
    verdict::remark_on_names(&opts.file, artifact.bytes());
    let (report, verdict) = check::run(&opts.file, &artifact, &config)?;
    let mut stdout = streams::stdout();
    if opts.json {
        write!(stdout, "{}", report::json::write(&report))?;
    } else {
        let none: [&Path; 0] = [];
        let drawn = text::draw(&report, &none, colour_on_stdout());
        write!(stdout, "{}: {drawn}", opts.file.display())?;
    }
    stdout.flush()?;
    verdict::show(&Messages::drawn(), &verdict, &report, &config, &opts.file)
}

fn of_package(opts: &Opts) -> anyhow::Result<Config> {
    let package = Package::find(opts.package.as_deref())?;
    anyhow::ensure!(
        opts.target.is_some() || package.targets.len() < 2,
        "{} has limits for several targets\n  help: say with --target which the file is for: {}",
        package.name,
        package.targets.join(", ")
    );
    let config = package.config(opts.target.as_deref())?;
    anyhow::ensure!(
        config.limits.iter().next().is_some(),
        "{} has no limits for {}\n  help: `cargo budget init` writes some, or give them here: --limit raw=60KiB",
        package.name,
        config.target
    );
    Ok(config)
}

/// What the limits on the command line would be in a manifest, which is how they are read: the same
/// keys, units and mistakes, each at its place.
fn given(opts: &Opts) -> anyhow::Result<Config> {
    let mut manifest =
        "[package]\nname = \"file\"\n\n[package.metadata.budget.limits]\n".to_owned();
    for limit in &opts.limit {
        let split = limit
            .split_once('=')
            .map(|(key, size)| (key.trim(), size.trim()));
        let in_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let split = split.filter(|(key, _)| !key.is_empty() && key.chars().all(in_key));
        let Some((key, size)) = split else {
            anyhow::bail!(
                "`{limit}` is no limit\n  help: write it as in the manifest: --limit raw=60KiB"
            );
        };
        let is_number = !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit() || b == b'_');
        let size = if is_number {
            size.to_owned()
        } else {
            toml::Value::String(size.to_owned()).to_string()
        };
        manifest.push_str(&format!("{key} = {size}\n"));
    }
    let mut config = config::parse(Path::new("--limit"), &manifest, "unknown")?;
    let stem = opts.file.file_stem().unwrap_or_default();
    config.package = stem.to_string_lossy().into_owned();
    Ok(config)
}
