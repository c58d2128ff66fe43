//! `build-support analyze`: the size of a wasm file by crate and more, and why something is still
//! there. What `cargo analyze` and `cargo make analyze` are.

use crate::attribution::groups::{self, Grouping};
use crate::cli::ended::Ended;
use crate::cli::options::Tables;
use crate::cli::terminal::{colour_on_stdout, print, shown};
use crate::cli::{explain, inlined, verdict, why};
use crate::ops::named;
use crate::ops::ship::Files;
use crate::output::hints;
use crate::output::text::size_by::{self, Retained};
use crate::project::package::Package;
use crate::report::subject::Subject;
use crate::report::{Sizes, units};
use crate::system::calling;
use crate::system::files;
use crate::wasm::call_graph;
use anyhow::Context as _;
use clap::Args;
use std::cmp::Reverse;
use std::path::{Path, PathBuf};

/// Show the size of a file by section, crate, generic family and item, and what each function
/// retains
#[derive(Args)]
#[command(after_help = "\
FILE is any core module or component, with or without names, or the report.json of a build: the report has the
names of the shipped file beside it, which has none. Without FILE it is the report of the package's last build.
Every table sums to the file, to the byte; with --code to its code. The symbol map beside FILE is found by itself.
gzip and brotli are shown of files that are compressed in a few seconds; `cargo budget check` measures any.
--explain goes by the package's own [package.metadata.budget.snip], as its build does, where FILE is the package's
report.json or a file beside it; any other file is explained by the defaults. Without FILE it is the package's last
linked file. --why shows the calls in the file as it is, for which there are no rules.
Examples:
  build-support analyze                           the shipped agent, by its report
  build-support analyze app.wasm --top 50 --by item
  build-support analyze app.wasm --by crate --by module --json
  build-support analyze app.wasm --why core::fmt::write
                                          the calls that lead to it, in the file as it is
  build-support analyze --inlined                 where the code of the linked agent was written
  build-support analyze --explain core::fmt::write
                                          the chain from an export to it, once panics are snipped and the rest swept")]
pub struct Opts {
    /// A core module, a component, or a report.json
    file: Option<PathBuf>,
    /// How many to list in each table
    #[arg(long, default_value_t = 15)]
    top: usize,
    #[command(flatten)]
    tables: Tables,
    /// Show where the code was written, by crate and function, before it was inlined: of FILE,
    /// linked with debug information, or of the package, which is linked once more with it
    #[arg(long, conflicts_with_all = ["why", "explain", "by", "code", "symbols"])]
    inlined: bool,
    /// The symbol map of FILE; the one beside it where this is not given
    #[arg(long, value_name = "MAP")]
    symbols: Vec<PathBuf>,
    /// Say why a function is there: its path or the end of it; from the calls in the code, for any
    /// file with names
    #[arg(long, value_name = "SYMBOL")]
    why: Option<String>,
    /// Say why a function or data symbol survives snip and sweep: its path, or the end of it; needs
    /// relocations
    #[arg(long, value_name = "SYMBOL", conflicts_with = "why")]
    explain: Option<String>,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    if opts.inlined {
        return inlined::run(opts.file.as_deref(), opts.top, opts.tables.json);
    }
    let file = match &opts.file {
        Some(file) => file.clone(),
        None => last_report()?,
    };
    if let Some(symbol) = &opts.explain {
        anyhow::ensure!(
            !files::is_stdin(&file),
            "what stands beside the file is looked at, too\n  help: name a file, not `-`"
        );
        return explain::run(&file, symbol, opts.tables.json);
    }
    let mut subject = named::read(&[&file], &opts.symbols)?.remove(0);
    verdict::remark_on_subject(&file, &subject);
    if let Some(symbol) = &opts.why {
        return why::run(&file, &subject, symbol, opts.tables.json);
    }
    let retained = if opts.tables.is_default() && subject.missing.is_none() {
        Some(dominators(&subject)?)
    } else {
        None
    };
    let whole = subject.attribution.bytes;
    if opts.tables.code {
        subject.attribution = std::mem::take(&mut subject.attribution).code();
    }
    let sizes = named::sizes(&subject).unwrap_or_default();
    let sizes = Sizes {
        raw: whole,
        ..sizes
    };
    let json = as_json(opts, &file, &subject, &sizes, retained.as_deref())?;
    print(opts.tables.json, &json, || {
        as_text(opts, &file, &subject, &sizes, retained)
    })?;
    Ok(Ended::Well)
}

fn as_text(
    opts: &Opts,
    file: &Path,
    subject: &Subject,
    sizes: &Sizes,
    retained: Option<Vec<Retained>>,
) -> String {
    let colour = colour_on_stdout();
    let all = &subject.attribution;
    let raw = units::counted(sizes.raw);
    let mut text = format!("{}: {raw}", shown(file).display());
    if sizes.gzip > 0 {
        let [gzip, brotli] = [sizes.gzip, sizes.brotli].map(units::bytes);
        text.push_str(&format!(", gzip {gzip}, brotli {brotli}"));
    }
    if opts.tables.code {
        text.push_str(&format!("; code {}", units::counted(all.bytes)));
    }
    text.push('\n');
    for by in opts.tables.groupings() {
        let groups = groups::run(all, *by);
        let table = size_by::groups(by.plural(), &groups, all.bytes, opts.top, colour);
        text.push_str(&format!("\n{table}"));
    }
    if let Some(mut retained) = retained {
        retained.truncate(opts.top);
        text.push_str(&format!("\n{}", size_by::retained(&retained, colour)));
    } else if opts.tables.is_default()
        && let Some(missing) = &subject.missing
    {
        text.push_str(&format!(
            "\nno dominators: {} is not there, or not the one of the report\n",
            missing.display()
        ));
    }
    if opts.tables.is_default() {
        let hints = hints::of(all).into_iter();
        text.extend(hints.map(|hint| format!("\nhelp: {hint}\n")));
    }
    text
}

/// The report that the last build of the package left for its first target.
fn last_report() -> anyhow::Result<PathBuf> {
    let package = Package::find(None)?;
    let target = match package.config(None) {
        Ok(config) => config.target,
        // It was built for one all the same.
        Err(unclear) => last_target(&package).ok_or(unclear)?,
    };
    let file = Files::last(&package, &target).report;
    std::fs::metadata(&file).with_context(|| {
        format!(
            "{} is not there: build it with `{}`",
            file.display(),
            calling::call("build")
        )
    })?;
    Ok(file)
}

/// What the package was built for the last time.
fn last_target(package: &Package) -> Option<String> {
    let folders = std::fs::read_dir(package.outputs("")).ok()?.flatten();
    let built = folders.filter_map(|folder| {
        let target = folder.file_name().into_string().ok()?;
        let about = std::fs::metadata(Files::last(package, &target).report).ok()?;
        Some((about.modified().ok()?, target))
    });
    built.max().map(|(_, target)| target)
}

/// What the functions of every module retain, the most first.
fn dominators(subject: &Subject) -> anyhow::Result<Vec<Retained>> {
    let mut found = Vec::new();
    for (core, module) in subject.modules()?.iter().enumerate() {
        let graph = call_graph::read(module)?;
        let names = subject.attribution.functions(core as u32);
        found.extend(graph.retained().into_iter().map(|retained| {
            let name = names.get(&retained.function).copied();
            (core, retained, name.unwrap_or("[unnamed]"))
        }));
    }
    found.sort_by_key(|(core, r, _)| (Reverse(r.retained), *core, r.function));
    let found = found.into_iter().map(|(_, retained, name)| Retained {
        name: name.to_owned(),
        bytes: retained.bytes,
        retained: retained.retained,
        functions: retained.functions,
    });
    Ok(found.collect())
}

fn as_json(
    opts: &Opts,
    file: &Path,
    subject: &Subject,
    sizes: &Sizes,
    retained: Option<&[Retained]>,
) -> anyhow::Result<serde_json::Value> {
    let all = &subject.attribution;
    let mut json = serde_json::json!({ "file": file.to_string_lossy(), "bytes": all.bytes });
    if sizes.gzip > 0 {
        json["gzip"] = sizes.gzip.into();
        json["brotli"] = sizes.brotli.into();
    }
    for by in opts.tables.groupings() {
        json[by.plural()] = match by {
            Grouping::Item => serde_json::to_value(&all.rows)?,
            by => serde_json::to_value(groups::run(all, *by))?,
        };
    }
    if let Some(retained) = retained {
        json["dominators"] = serde_json::to_value(retained)?;
    }
    Ok(json)
}
