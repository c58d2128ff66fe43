//! `build-support build`: a package from source to a shipped, measured and judged file. What `cargo
//! wasm` and `cargo make wasm` are.

use crate::cli::ended::Ended;
use crate::cli::messages::{MessageFormat, Messages};
use crate::cli::options::{self, Selection};
use crate::cli::terminal::{colour_on_stdout, shown};
use crate::cli::{dry_run, verdict};
use crate::ops::build::{self, Road};
use crate::ops::ship::{Files, Shipped};
use crate::output::progress::Progress;
use crate::output::text;
use crate::passes::pipeline;
use crate::project::package::Package;
use crate::report::{self, Size};
use crate::system::streams;
use crate::wasm::artifact::Artifact;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

/// Compile a package for wasm, shrink it, and fail if it is over its budget
#[derive(Args)]
#[command(after_help = "\
Writes target/budget/<target>/<name>.wasm (shipped), <name>.linked.wasm (before), <name>.symbols.json and report.json;
the name is cargo's.
What is built is what plain cargo builds, with all of its flags and settings, made smaller. With a table `compact` in the budget
it is compacted, too; a line for each step of that says what it gave of the core modules, raw and compressed.
Exit codes: 0 within budget, 1 over budget, 2 error.
Examples:
  build-support build                                  the package with a budget, its first target
  build-support build --target wasm32-wasip1 --json
  build-support build --features alloc-talc --out-dir target/talc
  build-support build --message-format=json            diagnostics as cargo's own messages, for editors
  build-support build --dry-run                        list what would go, ship nothing")]
pub struct Opts {
    /// The target triple; the first of the package's `targets` where this is not given
    #[arg(long)]
    target: Option<String>,
    #[command(flatten)]
    selection: Selection,
    /// Where the files go; target/budget/<target> where this is not given
    #[arg(long, value_name = "FOLDER")]
    out_dir: Option<PathBuf>,
    /// What is to be small, in place of the manifest's `minimize`: raw, gzip or brotli
    #[arg(long, value_name = "SIZE", value_parser = options::size)]
    minimize: Option<Size>,
    /// List what would be snipped and swept, and stop
    #[arg(long)]
    dry_run: bool,
    /// Print the report as JSON
    #[arg(long, conflicts_with = "message_format")]
    json: bool,
    /// How diagnostics are given, as cargo spells it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    message_format: MessageFormat,
}

impl Opts {
    /// Where the report of this build goes.
    ///
    /// # Errors
    /// As the build itself.
    pub fn report(&self) -> anyhow::Result<(Package, PathBuf)> {
        let package = self.selection.package()?;
        let target = package.config(self.target.as_deref())?.target;
        let folder = self.out_dir.clone();
        let folder = folder.unwrap_or_else(|| package.outputs(&target));
        Ok((package, folder.join("report.json")))
    }
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let package = opts.selection.package()?;
    let messages = Messages::new(opts.message_format, Some(&package));
    messages.finish(build(opts, &package, &messages))
}

fn build(opts: &Opts, package: &Package, messages: &Messages<'_>) -> anyhow::Result<Ended> {
    let mut config = package.config(opts.target.as_deref())?;
    config.minimize = opts.minimize.unwrap_or(config.minimize);
    let wanted = opts.selection.wanted();
    let mut progress = match opts.message_format {
        MessageFormat::Json => Progress::for_messages(),
        MessageFormat::Human | MessageFormat::Short => Progress::start(opts.json),
    };
    if opts.dry_run {
        let linked = build::compile(package, &config, &wanted, &mut progress)?;
        let artifact = Artifact::new(linked.bytes, &linked.path)?;
        drop(progress);
        return dry_run::show(
            &pipeline::analyze(&config.snip, config.sweep.enabled, &linked.path, &artifact)?,
            opts.json,
        );
    }
    let folder = opts
        .out_dir
        .clone()
        .unwrap_or_else(|| package.outputs(&config.target));
    let linked = build::compile(package, &config, &wanted, &mut progress)?;
    let shipped = build::ship(&Road::new(package, &config, &folder), linked, &mut progress)?;
    drop(progress);
    if opts.message_format != MessageFormat::Json {
        show(opts, &shipped)?;
    }
    verdict::judge(messages, &config, &shipped)
}

fn show(opts: &Opts, shipped: &Shipped) -> anyhow::Result<()> {
    let mut stdout = streams::stdout();
    if opts.json {
        write!(stdout, "{}", report::json::write(&shipped.report))?;
    } else {
        let Files {
            shipped: file,
            linked,
            report,
            symbols,
            ..
        } = &shipped.files;
        let files = [file, linked, report, symbols].into_iter();
        let files: Vec<_> = files
            .chain(&shipped.beside)
            .map(|file| shown(file))
            .collect();
        write!(
            stdout,
            "{}",
            text::draw(&shipped.report, &files, colour_on_stdout())
        )?;
        if shipped.unchanged {
            writeln!(
                stdout,
                "nothing changed since the last run: no pass ran again"
            )?;
        }
    }
    stdout.flush()?;
    verdict::remark_on_wasm_bindgen(&shipped.bytes);
    Ok(())
}
