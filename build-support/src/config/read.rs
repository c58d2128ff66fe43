//! Walks the manifest down to the budget's tables. Goes on after a mistake, to find the next one.

use super::limits::Limits;
use super::mistakes::{Mistakes, code, nearest, suggestion};
use super::settings::{Config, DEFAULT_PROFILE, SweepRules};
use super::value::{Name, Value};
use super::{budget, compact, files, rules, tolerance, wasm_bindgen};
use crate::analyze::plan::SnipRules;
use crate::error::{Error, Result};
use crate::guard;
use crate::report::Size;
use std::path::Path;
use toml::de::DeTable;

/// The wasm targets of rustc that this tool serves.
const TARGETS: [&str; 6] = [
    "wasm32-wasip2",
    "wasm32-wasip1",
    "wasm32-wasip1-threads",
    "wasm32-wasip3",
    "wasm32-unknown-unknown",
    "wasm32v1-none",
];

/// Reads the configuration of the package at `manifest` for `target`.
///
/// # Errors
///
/// [`Error::Io`] where the file cannot be read, [`Error::Input`] where it is not UTF-8, and as
/// [`parse`].
pub fn load(manifest: &Path, target: &str) -> Result<Config> {
    let bytes = std::fs::read(manifest).map_err(Error::io("reading", manifest))?;
    let source = String::from_utf8(bytes).map_err(|error| Error::Input {
        file: manifest.to_owned(),
        offset: Some(error.utf8_error().valid_up_to() as u64),
        message: "the manifest is not UTF-8".into(),
        help: "save the file as UTF-8".into(),
    })?;
    parse(manifest, &source, target)
}

/// Reads the configuration for `target` from `source`, the text of `manifest`. A manifest without
/// `[package.metadata.budget]` gives the defaults and no limit.
///
/// # Errors
///
/// [`Error::Config`] with every mistake in the table, in the order of the file.
pub fn parse(manifest: &Path, source: &str, target: &str) -> Result<Config> {
    let mistakes = Mistakes::new(manifest, source);
    let mut config = Config {
        manifest: manifest.to_owned(),
        source: source.to_owned(),
        target: target.to_owned(),
        snip: SnipRules {
            enabled: true,
            ..SnipRules::default()
        },
        sweep: SweepRules {
            enabled: true,
            poison: false,
        },
        ..Config::without_package("")
    };
    let (document, errors) = DeTable::parse_recoverable(source);
    // What the parser could save of a broken file says nothing reliable about the rest.
    if errors.is_empty() {
        package(document.get_ref(), &mut config, &mistakes);
    }
    for error in errors {
        let span = error.span().unwrap_or(source.len()..source.len());
        let message = error.message().replace('\n', ", ");
        let message = format!("the manifest is not valid TOML: {message}");
        mistakes.add(code::SYNTAX, span, message);
    }
    mistakes.or(config).map_err(Error::Config)
}

/// Whether `source`, the text of a manifest, asks for a budget on what is built with a profile that
/// `is_built` knows. Where it is not clear, because the table has a mistake in that very place, it
/// does: [`parse`] says what is wrong.
pub fn concerns(source: &str, is_built: impl FnOnce(&str) -> bool) -> bool {
    let Ok(document) = source.parse::<toml::Table>() else {
        return true;
    };
    let package = document.get("package");
    let Some(metadata) = package.and_then(|package| package.get("metadata")?.as_table()) else {
        return false;
    };
    let is_misspelt = |table: &toml::Table, key| {
        let mut keys = table.keys();
        keys.any(|written| nearest(written, &[key]).is_some())
    };
    match metadata.get("budget") {
        None => is_misspelt(metadata, "budget"),
        Some(toml::Value::Table(budget)) => match budget.get("profile") {
            Some(profile) => profile.as_str().is_none_or(is_built),
            None => is_misspelt(budget, "profile") || is_built(DEFAULT_PROFILE),
        },
        Some(_) => true,
    }
}

fn package<'t>(document: &'t DeTable<'t>, config: &mut Config, mistakes: &'t Mistakes<'t>) {
    let package = document.get("package");
    let package = package.and_then(|package| package.get_ref().as_table());
    let Some((package, name)) = package.and_then(|package| Some((package, package.get("name")?)))
    else {
        let message = "the manifest has no package with a name";
        mistakes.add(code::NO_PACKAGE, 0..0, message).help(
            "a budget belongs to a package: give the Cargo.toml of the crate that is shipped",
        );
        return;
    };
    let name = Value::new(name, "package.name".to_owned(), mistakes);
    config.package = name.string().unwrap_or_default().to_owned();
    let metadata = package.get("metadata");
    let Some(metadata) = metadata.and_then(|metadata| metadata.get_ref().as_table()) else {
        return;
    };
    if let Some(budget) = metadata.get("budget") {
        let path = "package.metadata.budget".to_owned();
        tables(&Value::new(budget, path, mistakes), config);
        return;
    }
    // A budget that is not read is a gate that never closes: say so where the intention is plain.
    for key in metadata.keys() {
        let name: &str = key.get_ref();
        if nearest(name, &["budget"]).is_some() {
            let message = format!("unknown key `{name}` in `package.metadata`");
            mistakes
                .add(code::UNKNOWN_KEY, key.span(), message)
                .label("not read by anything")
                .help("did you mean `budget`?");
        }
    }
}

fn tables(budget: &Value<'_>, config: &mut Config) {
    let mut overrides = None;
    for (key, value) in budget.known(&[
        "profile",
        "targets",
        "features",
        "all-features",
        "no-default-features",
        "bin",
        "lib",
        "minimize",
        "build-id",
        "limits",
        "target",
        "ratchet",
        "snip",
        "sweep",
        "compact",
        "wasm-bindgen",
        "graph",
        "constants",
        "files",
        "sum",
    ]) {
        match key {
            "profile" => profile(&value, &mut config.profile),
            "targets" => targets(&value, config),
            "features" => features(&value, &mut config.features),
            "all-features" => value.boolean(&mut config.all_features),
            "no-default-features" => value.boolean(&mut config.no_default_features),
            // The package knows it: cargo has told what programs there are.
            "bin" => drop(value.string()),
            "lib" => value.boolean(&mut true),
            "minimize" => minimize(&value, &mut config.minimize),
            "build-id" => value.boolean(&mut config.build_id),
            "limits" => budget::read(&value, &mut config.limits),
            "target" => overrides = Some(value),
            "ratchet" => tolerance::read(&value, &mut config.ratchet),
            "snip" => rules::snip(&value, &mut config.snip),
            "sweep" => rules::sweep(&value, &mut config.sweep),
            "compact" => compact::read(&value, &mut config.compact),
            "wasm-bindgen" => wasm_bindgen::read(&value, &mut config.wasm_bindgen),
            "files" => files::read(&value, &mut config.files),
            "sum" => budget::sizes(&value, &mut config.files.sum),
            "graph" => rules::graph(&value, &mut config.graph),
            _ => rules::constants(&value),
        }
    }
    // Last: they replace the general limits, and their names are held against `targets`.
    if let Some(overrides) = overrides {
        per_target(&overrides, config);
    }
}

fn profile(value: &Value<'_>, profile: &mut String) {
    let Some(name) = value.string() else {
        return;
    };
    if guard::is_crate(name) {
        *profile = name.to_owned();
        return;
    }
    value
        .mistake(code::BAD_NAME, format!("`{name}` is not a profile name"))
        .label("letters, digits, - and _")
        .help("name a profile of the workspace's Cargo.toml, such as \"release\"");
}

fn features(value: &Value<'_>, features: &mut Vec<String>) {
    let named = value.strings().into_iter();
    features.extend(named.map(|name| name.text.to_owned()));
}

fn minimize(value: &Value<'_>, minimize: &mut Size) {
    let Some(name) = value.string() else {
        return;
    };
    match Size::named(name) {
        Some(size) => *minimize = size,
        None => {
            let names = Size::ALL.map(Size::name);
            value
                .mistake(code::BAD_NAME, format!("`{name}` is not a size"))
                .label("not what can be minimised")
                .help(suggestion(name, &names, "sizes"));
        }
    }
}

fn targets(value: &Value<'_>, config: &mut Config) {
    for target in value.strings() {
        if !TARGETS.contains(&target.text) {
            unknown_target(&target, &TARGETS, "wasm targets");
        }
        config.targets.push(target.text.to_owned());
    }
    let target = &config.target;
    if !config.targets.is_empty() && !config.targets.contains(target) {
        let message = format!("`{}` is not built for {target}", config.package);
        value
            .mistake(code::UNKNOWN_TARGET, message)
            .label("the targets it is built for")
            .help(format!(
                "add \"{target}\" to `targets`, or build for one that is there"
            ));
    }
}

/// Reads the limits of every target, for their mistakes, and keeps those of the one that is built.
fn per_target(overrides: &Value<'_>, config: &mut Config) {
    let listed: Vec<&str> = config.targets.iter().map(String::as_str).collect();
    let (known, what) = if listed.is_empty() {
        (&TARGETS[..], "wasm targets")
    } else {
        (&listed[..], "targets of this package")
    };
    for (triple, value) in overrides.entries() {
        let name = triple.text;
        if TARGETS.contains(&name) && !known.contains(&name) {
            let package = &config.package;
            let message = format!("limits for {name}, which `{package}` is not built for");
            triple
                .mistake(code::UNKNOWN_TARGET, message)
                .label("not in `targets`")
                .help(format!("add \"{name}\" to `targets`, or remove its limits"));
        } else if !known.contains(&name) {
            unknown_target(&triple, known, what);
        }
        let mut replaced = Limits::default();
        for (_, value) in value.known(&["limits"]) {
            budget::read(&value, &mut replaced);
        }
        if name == config.target {
            let replaced = replaced.iter().cloned();
            replaced.for_each(|limit| config.limits.set(limit));
        }
    }
}

fn unknown_target(triple: &Name<'_>, known: &[&str], what: &str) {
    let name = triple.text;
    triple
        .mistake(code::UNKNOWN_TARGET, format!("unknown target `{name}`"))
        .label(format!("not one of the {what}"))
        .help(suggestion(name, known, what));
}
