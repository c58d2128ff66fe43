//! `cargo budget check FILE…`: files that something else has built, each judged as if it had been
//! built here, and all of them together.

use crate::cli::ended::Ended;
use crate::cli::messages::Messages;
use crate::cli::terminal::colour_on_stdout;
use crate::cli::{limit_options, verdict};
use crate::config::Config;
use crate::error::Error;
use crate::gate::Verdict;
use crate::ops::check;
use crate::output::text;
use crate::project::package::Package;
use crate::report::{self, Report, units};
use crate::system::{calling, streams};
use crate::wasm::artifact::Artifact;
use anyhow::Context as _;
use clap::Args;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Judge wasm files that something else has built: wasm-pack, wasm-bindgen, a linker, a download
#[derive(Args)]
#[command(after_help = "\
The files are validated, measured and attributed, and never changed. The limits are those given here, or those of the package
with a budget: by the file's name in [package.metadata.budget.files.\"pkg/app-*.wasm\"], else its own. Without FILE all files that
are named so are judged. [package.metadata.budget.sum] and --sum limit all of them together.
Exit codes: 0 within budget, 1 over budget, 2 error.
Examples:
  cargo budget check pkg/app_bg.wasm
  cargo budget check pkg/*.wasm --limit raw=60KiB --sum brotli=100KiB
  cargo budget check 'dist/app-*.wasm' --limit raw=60KiB
                                       with a hash in its name, whatever the shell
  cargo budget check app.wasm --package app --target wasm32-wasip2 --json")]
pub struct Opts {
    /// Core modules or components; `*` and `?` stand for any part of a name
    file: Vec<PathBuf>,
    /// The package whose limits hold; the only one with a budget where this is not given
    #[arg(long, short)]
    package: Option<String>,
    /// The target whose limits hold, where the package has several
    #[arg(long)]
    target: Option<String>,
    /// A limit as in the manifest, as in raw=60KiB; may be repeated. No package is looked for then
    #[arg(long, value_name = "KEY=SIZE", conflicts_with_all = ["package", "target"])]
    limit: Vec<String>,
    /// The same of all files together
    #[arg(long, value_name = "KEY=SIZE", conflicts_with_all = ["package", "target"])]
    sum: Vec<String>,
    /// Print the report as JSON; of several files an array
    #[arg(long)]
    json: bool,
}

/// A file that was judged.
struct Judged {
    file: PathBuf,
    config: Config,
    report: Report,
    verdict: Verdict,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let is_given = !(opts.limit.is_empty() && opts.sum.is_empty());
    let (config, folder) = if is_given {
        let label = opts.file.first().and_then(|file| file.file_stem());
        let label = label.unwrap_or_default().to_string_lossy().into_owned();
        let config = limit_options::read(&label, &opts.limit, &opts.sum)?;
        (config, PathBuf::new())
    } else {
        of_package(opts)?
    };
    let patterns = if opts.file.is_empty() {
        let rules = config.files.rules.iter();
        rules.map(|rule| folder.join(&rule.pattern)).collect()
    } else {
        opts.file.clone()
    };
    anyhow::ensure!(
        !patterns.is_empty(),
        "there is no FILE to judge, and none in [package.metadata.budget.files]\n  help: {} pkg/app_bg.wasm",
        calling::this()
    );
    let files = found(&patterns)?;
    let several = files.len() > 1;
    let mut all = Vec::new();
    for file in files {
        let config = by_name(&config, &folder, &file, several);
        anyhow::ensure!(
            config
                .limits
                .iter()
                .chain(config.files.sum.iter())
                .next()
                .is_some(),
            "{} has no limits for {}\n  help: `{}` writes some, or give them here: --limit raw=60KiB",
            config.package,
            if config.target == "unknown" {
                file.display().to_string()
            } else {
                config.target
            },
            calling::budget("init")
        );
        let artifact = Artifact::read(&file)?;
        verdict::remark_on_names(&file, artifact.bytes());
        let (report, verdict) = check::run(&file, &artifact, &config)?;
        all.push(Judged {
            file,
            config,
            report,
            verdict,
        });
    }
    if several || !config.files.sum.is_empty() {
        let reports: Vec<_> = all
            .iter()
            .map(|one| (one.file.display().to_string(), one.report.clone()))
            .collect();
        if let Some((report, verdict)) = check::sum(&reports, &config) {
            let config = config.clone();
            let file = all[0].file.clone();
            all.push(Judged {
                file,
                config,
                report,
                verdict,
            });
        }
    }
    show(opts, several, &all)
}

fn show(opts: &Opts, several: bool, all: &[Judged]) -> anyhow::Result<Ended> {
    let mut stdout = streams::stdout();
    if opts.json && several {
        let reports: Vec<_> = all.iter().map(|one| &one.report).collect();
        writeln!(stdout, "{}", serde_json::to_string_pretty(&reports)?)?;
    } else if opts.json {
        write!(stdout, "{}", report::json::write(&all[0].report))?;
    } else if several {
        write!(stdout, "{}", table(all))?;
    } else {
        let none: [&Path; 0] = [];
        let drawn = text::draw(&all[0].report, &none, colour_on_stdout());
        write!(stdout, "{}: {drawn}", all[0].file.display())?;
    }
    stdout.flush()?;
    let mut within = true;
    for one in all {
        let ended = verdict::show(
            &Messages::drawn(),
            &one.verdict,
            &one.report,
            &one.config,
            &one.file,
        )?;
        within &= matches!(ended, Ended::Well);
    }
    Ok(if within {
        Ended::Well
    } else {
        Ended::OverBudget
    })
}

/// A line for each file, and one for all of them.
fn table(all: &[Judged]) -> String {
    use text::table::Table;
    let is_sum = |at: usize| at + 1 == all.len();
    let rows = all.iter().enumerate().map(|(at, one)| {
        let [raw, gzip, brotli] =
            report::Size::ALL.map(|size| units::bytes(one.report.sizes.get(size)));
        let name = if is_sum(at) {
            "all".to_owned()
        } else {
            one.file.display().to_string()
        };
        let standing = match (one.verdict.within(), one.report.budget.is_empty()) {
            (false, _) => "over",
            (true, true) => "no limit",
            (true, false) => "within",
        };
        [name, raw, gzip, brotli, standing.to_owned()]
    });
    let head = ["file", "bytes", "gzip", "brotli", ""].map(str::to_owned);
    let rows = std::iter::once(head).chain(rows);
    let paint = text::style::Paint::PLAIN;
    Table::aligned("<>>><").rows(rows).draw("", paint)
}

/// The files that the names stand for, each once, in their order.
fn found(patterns: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        let text = pattern.to_string_lossy();
        // A file may have such a name, too.
        if pattern.exists() || !text.contains(['*', '?', '[']) {
            files.push(pattern.clone());
            continue;
        }
        let matching = glob::glob(&text).with_context(|| format!("`{text}` is no pattern"))?;
        let matching: Vec<_> = matching.filter_map(Result::ok).collect();
        anyhow::ensure!(
            !matching.is_empty(),
            "no file is called {text}\n  help: build it first, or see what is in its folder"
        );
        files.extend(matching);
    }
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok(files)
}

/// The limits of `file`: those of its name, where there are any.
fn by_name(config: &Config, folder: &Path, file: &Path, several: bool) -> Config {
    let mut own = config.clone();
    let full = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let fits = |pattern: &str| {
        let pattern = folder.join(pattern);
        let pattern = glob::Pattern::new(&pattern.to_string_lossy());
        pattern.is_ok_and(|pattern| pattern.matches_path(&full) || pattern.matches_path(file))
    };
    let rule = own.files.rules.iter().find(|rule| fits(&rule.pattern));
    let is_named = rule.is_some();
    if let Some(rule) = rule {
        own.limits = rule.limits.clone();
    }
    if several || is_named {
        let name = file.file_name().unwrap_or_default();
        own.package = name.to_string_lossy().into_owned();
    }
    own
}

/// The package's limits, and its folder.
fn of_package(opts: &Opts) -> anyhow::Result<(Config, PathBuf)> {
    let package = Package::find(opts.package.as_deref())?;
    let folder = package.manifest.parent().unwrap_or(Path::new("."));
    let config = match opts.target.as_deref() {
        // What goes by the names of files is of no target.
        None if package.targets.len() > 1 => {
            let config = package.config(None)?;
            anyhow::ensure!(
                !config.files.rules.is_empty(),
                "{} has limits for several targets\n  help: say with --target which the file is for: {}",
                package.name,
                package.targets.join(", ")
            );
            config
        }
        None => match package.config(None) {
            // Nor has it to be clear for which.
            Err(unclear @ Error::Toolchain { .. }) => {
                let config = package.config(Some("wasm32-unknown-unknown"))?;
                if config.files.rules.is_empty() {
                    return Err(unclear.into());
                }
                config
            }
            config => config?,
        },
        target => package.config(target)?,
    };
    Ok((config, folder.to_owned()))
}
