//! Compile-time rules, for build scripts: on the dependency graph, `fn main() {
//! build_support::guard::check() }`, and on sizes inside of the program, [`constants`].
//!
//! The rules stand in the package's manifest:
//!
//! ```toml
//! [package.metadata.budget.graph]
//! banned-crates = ["tokio"]                         # crates that must not be in the graph
//! banned-features = ["app/channels", "native-exec"] # a crate's feature, or a feature of any crate
//! max-crates = 12                                   # the package itself included
//! ```
//!
//! Looked at is the graph for each of the budget's `targets`, with the package's features as they
//! are in this very build, whatever is being built. Only what ends up in the wasm file counts:
//! normal dependencies, without procedural macros, build scripts and what those need, all of which
//! run on the host. `cargo tree` resolves it, because only cargo's own resolver gives each crate
//! the features it really gets for a target; `cargo metadata` adds up those of the whole workspace
//! and every platform.
//!
//! Cargo is asked offline first. A package that is not downloaded yet (a host build downloads none
//! of the wasm targets') is fetched by a second attempt; where that is impossible too, the build
//! fails and says why: a rule that cannot be checked is not kept. A run costs some tenths of a
//! second, and cargo repeats it only when a manifest or the lock file changes.

mod constants;
mod graph;
pub mod place;
mod rules;

pub use constants::{Constants, is_key};
pub use graph::{Crate, Graph};
pub use rules::{At, BANNED_CRATES, DATE, Flaw, KEYS, LEAST_CRATES, Rules, TABLE, Violation};
pub use rules::{is_crate, violations};

use crate::diagnostic::{self, Diagnostic};
use crate::error::{Error, Result};
use crate::system::process;
use cargo_metadata::{MetadataCommand, Package};
use std::collections::BTreeSet;
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;

/// The build script's whole work: fails the build where the graph breaks the rules.
pub fn check() {
    match run() {
        Ok(watched) => {
            for file in watched {
                println!("cargo::rerun-if-changed={}", file.display());
            }
        }
        Err(error) => fail(&error),
    }
}

/// Writes `[package.metadata.budget.constants]` of the manifest as constants to `budget.rs` in
/// cargo's `OUT_DIR`, and gives them to the build script. Fails the build where one is no size.
///
/// ```toml
/// [package.metadata.budget.constants]
/// agent = 96              # budget::AGENT
/// read-buffer = "16 KiB"  # budget::READ_BUFFER
/// ```
///
/// ```ignore
/// mod budget {
///     include!(concat!(env!("OUT_DIR"), "/budget.rs"));
/// }
/// static BUFFER: [u8; budget::READ_BUFFER] = [0; budget::READ_BUFFER];
/// const _: () = assert!(size_of::<Agent>() <= budget::AGENT, "`Agent` is too large");
/// ```
pub fn constants() -> Constants {
    match write_constants() {
        Ok(constants) => constants,
        Err(error) => fail(&error),
    }
}

/// Tells cargo what is wrong.
fn fail(error: &Error) -> ! {
    let text = match error {
        Error::Config(all) | Error::Banned(all) => said(all),
        error => error.to_string(),
    };
    for line in text.lines() {
        println!("cargo::error={line}");
    }
    std::process::exit(1);
}

/// Diagnostics as a build script can give them, for cargo puts its own words in front of each line:
/// `file:line:column: message`, which editors know, and below it why and what to do, the same help
/// once.
fn said(all: &[Diagnostic]) -> String {
    let mut text = String::new();
    for (i, one) in all.iter().enumerate() {
        let (line, column) = diagnostic::place(&one.source, one.span.start);
        let file = one.file.display();
        text.push_str(&format!("{file}:{line}:{column}: {}\n", one.message));
        let next = all.get(i + 1).map(|next| &next.help);
        let help = one.help.iter().filter(|_| next != Some(&one.help));
        let notes = one.notes.iter().map(|note| format!("  {note}\n"));
        text.extend(notes.chain(help.map(|help| format!("  help: {help}\n"))));
    }
    text
}

fn write_constants() -> Result<Constants> {
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("Cargo.toml");
    println!("cargo::rerun-if-changed={}", manifest.display());
    let metadata = metadata(&manifest)?;
    let package = package(&metadata, &manifest)?;
    let root = metadata.workspace_root.as_std_path();
    let named = manifest.strip_prefix(root).unwrap_or(&manifest);
    let constants = Constants::read(named, &package.metadata)?;
    let file = PathBuf::from(variable("OUT_DIR")?).join("budget.rs");
    std::fs::write(&file, constants.source()).map_err(Error::io("writing", &file))?;
    Ok(constants)
}

/// Checks the package whose build script this is, and gives the files that the answer depends on.
///
/// # Errors
/// [`Error::Banned`] with every violation, [`Error::Config`] where the rules have mistakes,
/// [`Error::Process`] where cargo cannot resolve the graph, [`Error::Toolchain`] outside a build
/// script.
pub fn run() -> Result<BTreeSet<PathBuf>> {
    let folder = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let manifest = folder.join("Cargo.toml");
    let metadata = metadata(&manifest)?;
    let root = metadata.workspace_root.as_std_path();
    let package = package(&metadata, &manifest)?;
    let mut watched = BTreeSet::from([
        manifest.clone(),
        root.join("Cargo.toml"),
        root.join("Cargo.lock"),
    ]);
    let Some(table) = package.metadata["budget"].get("graph") else {
        return Ok(watched);
    };
    let source = std::fs::read_to_string(&manifest).unwrap_or_default();
    let named = manifest.strip_prefix(root).unwrap_or(&manifest);
    let (rules, mut flaws) = Rules::read(table);
    let targets = targets(&package.metadata["budget"], &mut flaws);
    if !flaws.is_empty() {
        let mistakes = flaws.into_iter().map(|flaw| mistake(flaw, named, &source));
        return Err(Error::Config(mistakes.collect()));
    }
    let targets = match targets.as_slice() {
        [] => vec![variable("TARGET")?],
        targets => targets.to_vec(),
    };
    let features = features_in_force(package);
    let graphs = std::thread::scope(|scope| {
        let features = &features;
        let running: Vec<_> = targets
            .iter()
            .map(|target| scope.spawn(move || tree(package, target, features)))
            .collect();
        let join = |thread: ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        running.into_iter().map(join).collect::<Vec<_>>()
    });
    let mut broken = Vec::new();
    for (target, graph) in targets.iter().zip(graphs) {
        let graph = graph?;
        let folders = graph.local_folders();
        watched.extend(folders.map(|folder| folder.join("Cargo.toml")));
        broken.extend(violations(&graph, &rules, target));
    }
    if broken.is_empty() {
        return Ok(watched);
    }
    let broken = broken
        .into_iter()
        .map(|broken| banned(broken, named, &source));
    Err(Error::Banned(broken.collect()))
}

/// The targets that the graph is checked for; none where the manifest is silent.
fn targets(budget: &serde_json::Value, flaws: &mut Vec<Flaw>) -> Vec<String> {
    let path = "package.metadata.budget.targets";
    let names = |list| rules::names("targets", path, list, flaws);
    let names = budget.get("targets").map(names).unwrap_or_default();
    names.into_iter().map(|(_, name)| name).collect()
}

/// The stable name of the diagnostic for a rule that is broken.
pub const BANNED: &str = "banned";

fn banned(broken: Violation, manifest: &Path, source: &str) -> Diagnostic {
    let (key, name) = &broken.rule;
    Diagnostic {
        code: BANNED,
        message: broken.message,
        label: "the rule".to_owned(),
        notes: broken.notes,
        help: vec![
            "drop the dependency, switch its feature off (`default-features = false`), or put it under \
             [target.'cfg(not(target_family = \"wasm\"))'.dependencies]; change the rule only if it is meant to be in the wasm file"
                .to_owned(),
        ],
        ..Diagnostic::at(manifest, source, rule_place(source, key, name.as_deref()))
    }
}

fn mistake(flaw: Flaw, manifest: &Path, source: &str) -> Diagnostic {
    let (key, element) = match &flaw.at {
        At::Table => (None, None),
        At::Key(key) | At::Value(key) => (Some(key), None),
        At::Element(key, _, text) => (Some(key), Some(text.as_str())),
    };
    let place = match (key, &flaw.at) {
        (None, _) => table_place(source),
        (Some(key), At::Key(_)) => {
            let key = place::find(source, &path(key));
            key.map_or_else(|| table_place(source), |(key, _)| key)
        }
        (Some(key), _) => rule_place(source, key, element),
    };
    Diagnostic {
        code: flaw.code,
        message: flaw.message,
        label: flaw.label,
        help: Some(flaw.help)
            .filter(|help| !help.is_empty())
            .into_iter()
            .collect(),
        ..Diagnostic::at(manifest, source, place)
    }
}

fn path(key: &str) -> Vec<&str> {
    // The one key that is read of the table above.
    let table = if key == "targets" {
        "package.metadata.budget"
    } else {
        TABLE
    };
    table.split('.').chain([key]).collect()
}

/// Where a rule stands in the text of a manifest: the value of `key`, or `name` in it; else the
/// table, or the beginning.
pub fn rule_place(source: &str, key: &str, name: Option<&str>) -> Range<usize> {
    let Some((_, value)) = place::find(source, &path(key)) else {
        return table_place(source);
    };
    let element = name.and_then(|name| place::element(source, value.clone(), name));
    element.unwrap_or(value)
}

fn table_place(source: &str) -> Range<usize> {
    let table: Vec<_> = TABLE.split('.').collect();
    place::find(source, &table).map_or(0..0, |(_, table)| table)
}

fn package<'m>(metadata: &'m cargo_metadata::Metadata, manifest: &Path) -> Result<&'m Package> {
    let mut packages = metadata.packages.iter();
    packages
        .find(|package| package.manifest_path.as_std_path() == manifest)
        .ok_or_else(|| Error::Input {
            file: manifest.to_owned(),
            offset: None,
            message: "cargo does not list this package".to_owned(),
            help: "add it to the workspace's members".to_owned(),
        })
}

fn metadata(manifest: &Path) -> Result<cargo_metadata::Metadata> {
    let mut command = cargo()?;
    let arguments = "metadata --format-version 1 --no-deps --manifest-path";
    command.args(arguments.split(' ')).arg(manifest);
    MetadataCommand::parse(process::output(&mut command)?).map_err(|error| Error::Input {
        file: manifest.to_owned(),
        offset: None,
        message: format!("cargo metadata: {error}"),
        help: "is the cargo in use newer than this tool?".to_owned(),
    })
}

/// Asks cargo for the graph of `package` on `target`.
fn tree(package: &Package, target: &str, features: &[String]) -> Result<Graph> {
    let ask = |offline: bool| {
        let mut command = cargo()?;
        let arguments =
            "tree --locked --edges normal,no-proc-macro --prefix depth --no-default-features";
        command
            .args(arguments.split(' '))
            .args(["--format", graph::FORMAT, "--target", target])
            .args(["--features", &features.join(","), "--manifest-path"])
            .arg(&package.manifest_path);
        if offline {
            command.arg("--offline");
        }
        process::output(&mut command)
    };
    let text = ask(true).or_else(|_| ask(false))?;
    Graph::parse(&text).ok_or_else(|| Error::Input {
        file: package.manifest_path.clone().into(),
        offset: None,
        message: format!("cannot read what `cargo tree` says for {target}"),
        help: "is the cargo in use newer than this tool?".to_owned(),
    })
}

/// The cargo that runs this build script, with the user's environment.
fn cargo() -> Result<std::process::Command> {
    let mut command = process::cargo(variable("CARGO")?);
    // Set for a build script as for an inner cargo to use, and a check of another target is not
    // meant by them.
    for name in [
        "TARGET",
        "HOST",
        "PROFILE",
        "OPT_LEVEL",
        "DEBUG",
        "NUM_JOBS",
        "CARGO_BUILD_TARGET",
    ] {
        command.env_remove(name);
    }
    Ok(command)
}

/// The package's features that are on in this build. Cargo tells them in capitals.
fn features_in_force(package: &Package) -> Vec<String> {
    let variable = |name: &str| format!("CARGO_FEATURE_{}", name.to_uppercase().replace('-', "_"));
    let names = package.features.keys();
    let on = names.filter(|name| std::env::var_os(variable(name)).is_some());
    on.cloned().collect()
}

fn variable(name: &'static str) -> Result<String> {
    std::env::var(name).map_err(|_| Error::Toolchain {
        message: format!("{name} is not set"),
        help: "call this from a build script, which cargo starts".to_owned(),
    })
}
