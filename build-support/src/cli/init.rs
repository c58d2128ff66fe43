//! `cargo budget init`: a budget for a package that has none.

use crate::cli::ended::Ended;
use crate::cli::options::Build;
use crate::cli::terminal::shown;
use crate::ops::adopt::{self, Adopted, Margin, Request};
use crate::output::progress::Progress;
use crate::report::units;
use crate::system::{calling, streams};
use crate::wasm::artifact::FileKind;
use clap::Args;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Give a package a budget: what it weighs now, and a margin
#[derive(Args)]
#[command(after_help = "\
Builds the package as it will be built with the budget, and writes [package.metadata.budget] into its Cargo.toml, and a
profile for size into the workspace's where there is none. Everything else in both stays as it is; where anything fails,
nothing is written. A budget that is there is left alone.
Package and target are found: a cdylib or a program; cargo's own build.target, or what the dependencies are made for.
Exit codes: 0 written, 2 error.
Examples:
  cargo budget init
  cargo budget init --package app --target wasm32-unknown-unknown --margin 5%
  cargo budget init --target wasm32-wasip2 --target wasm32-wasip1
  cargo budget init --bin worker --features fast
                                         the program and the features are kept in the budget
  cargo budget init --from pkg/app_bg.wasm
                                         what wasm-bindgen made is what is shipped
  cargo budget init --force              the budget that is there gets new limits, and nothing else")]
pub struct Opts {
    /// The package; the only one that makes a wasm file where this is not given
    #[arg(long, short)]
    package: Option<String>,
    /// The target triple; may be repeated
    #[arg(long)]
    target: Vec<String>,
    #[command(flatten)]
    build: Build,
    /// What the limits are above the present sizes
    #[arg(long, default_value = "3%", value_name = "PERCENT")]
    margin: Margin,
    /// A profile of the workspace to build with; release-wasm where this is not given, which is
    /// added if it is not there
    #[arg(long)]
    profile: Option<String>,
    /// A file of this package that something else has built (wasm-bindgen, wasm-pack): measure it,
    /// build nothing
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Write the limits of a budget that is there anew
    #[arg(long)]
    force: bool,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let request = Request {
        package: opts.package.clone(),
        targets: opts.target.clone(),
        wanted: opts.build.wanted(),
        profile: opts.profile.clone(),
        from: opts.from.clone(),
        margin: opts.margin,
        force: opts.force,
    };
    let mut progress = Progress::start(false);
    let adopted = adopt::run(&request, &mut progress)?;
    drop(progress);
    show(opts, &adopted)?;
    Ok(Ended::Well)
}

fn show(opts: &Opts, adopted: &Adopted) -> anyhow::Result<()> {
    let mut stdout = streams::stdout();
    for built in &adopted.built {
        let kind = match built.kind {
            FileKind::Core => "core module",
            FileKind::Component => "component",
        };
        let sizes = built.sizes;
        writeln!(
            stdout,
            "{} for {}, {kind}: {} bytes, {} after gzip -9, {} after brotli -q 11",
            adopted.package,
            built.target,
            units::bytes(sizes.raw),
            units::bytes(sizes.gzip),
            units::bytes(sizes.brotli),
        )?;
    }
    if let Some(root) = &adopted.profile_added_to {
        let root = shown(root).display();
        writeln!(stdout, "wrote [profile.{}] to {root}", adopted.profile)?;
    }
    let manifest = shown(&adopted.manifest).display();
    match &adopted.written {
        Some(text) => {
            writeln!(stdout, "wrote to {manifest}:\n")?;
            for line in text.lines() {
                writeln!(stdout, "{}", format!("    {line}").trim_end())?;
            }
        }
        None => writeln!(
            stdout,
            "wrote {} anew in {manifest}",
            match adopted.rewritten {
                1 => "1 limit".to_owned(),
                n => format!("{n} limits"),
            }
        )?,
    }
    if opts.from.is_none() {
        let snipped = adopted.built.iter().map(|built| built.snipped).max();
        writeln!(stdout, "\n{}", costs(snipped.unwrap_or(0)))?;
    }
    writeln!(stdout, "\n{}", next(opts.from.as_deref()))?;
    stdout.flush()?;
    Ok(())
}

/// What is different from plain cargo's file.
fn costs(snipped: usize) -> String {
    let what = match snipped {
        0 => "no panic of this file had a message to lose".to_owned(),
        n => format!("{n} functions of panics are traps in this file"),
    };
    format!(
        "\
What it does beside making the file smaller: a panic stops the program where it did, as a trap, but without its
message ({what}). To keep them: [package.metadata.budget.snip] enabled = false"
    )
}

fn next(from: Option<&Path>) -> String {
    let [build, gate] = ["build", "gate"].map(calling::call);
    match from {
        None => format!(
            "\
Next:
  {build}            # exits with 1 from now on when it weighs more, and lists what is largest
  {gate} --update    # holds what was reached, in baseline.json, so that growth is told below the limits, too
  git add Cargo.toml baseline.json
In CI, one line: {gate}"
        ),
        Some(file) => {
            let check = format!("{} {}", calling::budget("check"), file.display());
            format!(
                "\
Next:
  {check}    # exits with 1 from now on when it weighs more, and lists what is largest
  git add Cargo.toml    # the budget is part of the source
In CI, one line after the file is built: {check}"
            )
        }
    }
}
