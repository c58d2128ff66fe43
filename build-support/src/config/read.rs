//! Walks the manifest down to the budget's tables. Goes on after a mistake, to find the next one.

use super::mistakes::{Mistakes, code, nearest, suggestion};
use super::value::{Table, Value};
use super::{Config, Limits, SnipRules, SweepRules, budget, rules, tolerance};
use crate::diagnostic::Diagnostic;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
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

/// Reads the configuration for `target`, or says all that is wrong.
pub(super) fn run(manifest: &Path, source: &str, target: &str) -> Result<Config, Vec<Diagnostic>> {
    let mut mistakes = Mistakes::new(manifest, source);
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
    if !errors.is_empty() {
        // What the parser could save of the file says nothing reliable about the rest.
        for error in errors {
            let span = error.span().unwrap_or(source.len()..source.len());
            let message = format!(
                "the manifest is not valid TOML: {}",
                error.message().replace('\n', ", ")
            );
            mistakes.add(code::SYNTAX, span, message);
        }
        return mistakes.or(config);
    }
    let package = document
        .get_ref()
        .get("package")
        .and_then(|package| package.get_ref().as_table());
    let Some((package, name)) = package.and_then(|package| Some((package, package.get("name")?)))
    else {
        let message = "the manifest has no package with a name";
        mistakes.add(code::NO_PACKAGE, 0..0, message).help(
            "a budget belongs to a package: give the Cargo.toml of the crate that is shipped",
        );
        return mistakes.or(config);
    };
    let name = Value {
        value: name,
        path: "package.name".into(),
    };
    config.package = name.string(&mut mistakes).unwrap_or_default().to_owned();
    if let Some(metadata) = package
        .get("metadata")
        .and_then(|metadata| metadata.get_ref().as_table())
    {
        match metadata.get("budget") {
            Some(value) => {
                let value = Value {
                    value,
                    path: "package.metadata.budget".into(),
                };
                if let Some(table) = value.table(&mut mistakes) {
                    tables(&table, &mut config, &mut mistakes);
                }
            }
            None => misspelt_budget(metadata, &mut mistakes),
        }
    }
    mistakes.or(config)
}

/// The profile that a budget is for: none where there is no budget, and none in it where it cannot be told.
pub(super) fn profile_of_budget(source: &str) -> Option<Option<String>> {
    let Ok(document) = source.parse::<toml::Table>() else {
        return Some(None);
    };
    let metadata = document.get("package")?.get("metadata")?.as_table()?;
    let Some(budget) = metadata.get("budget") else {
        let misspelt = metadata
            .keys()
            .any(|key| nearest(key, &["budget"]).is_some());
        return misspelt.then_some(None);
    };
    let Some(budget) = budget.as_table() else {
        return Some(None);
    };
    Some(match budget.get("profile") {
        Some(profile) => profile.as_str().map(str::to_owned),
        None => {
            let misspelt = budget
                .keys()
                .any(|key| nearest(key, &["profile"]).is_some());
            (!misspelt).then(|| super::DEFAULT_PROFILE.to_owned())
        }
    })
}

/// A budget that is not read is a gate that never closes: say so where the intention is plain.
fn misspelt_budget(metadata: &DeTable<'_>, mistakes: &mut Mistakes<'_>) {
    for key in metadata
        .keys()
        .filter(|key| nearest(key.get_ref(), &["budget"]).is_some())
    {
        let message = format!("unknown key `{}` in `package.metadata`", key.get_ref());
        mistakes
            .add(code::UNKNOWN_KEY, key.span(), message)
            .label("not read by anything")
            .help("did you mean `budget`?");
    }
}

fn tables(table: &Table<'_>, config: &mut Config, mistakes: &mut Mistakes<'_>) {
    let mut overrides = None;
    for (key, value) in table.known(
        &[
            "profile",
            "targets",
            "build-id",
            "limits",
            "target",
            "ratchet",
            "snip",
            "sweep",
            "graph",
            "constants",
        ],
        mistakes,
    ) {
        match key {
            "profile" => profile(&value, &mut config.profile, mistakes),
            "targets" => targets(&value, config, mistakes),
            "build-id" => config.build_id = value.boolean(mistakes).unwrap_or_default(),
            "limits" => budget::read(&value, &mut config.limits, mistakes),
            "target" => overrides = value.table(mistakes),
            "ratchet" => tolerance::read(&value, &mut config.ratchet, mistakes),
            "snip" => rules::snip(&value, &mut config.snip, mistakes),
            "sweep" => rules::sweep(&value, &mut config.sweep, mistakes),
            "graph" => rules::graph(&value, &mut config.graph, mistakes),
            "constants" => rules::constants(&value, mistakes),
            _ => unreachable!("`known` gives only the keys it was given"),
        }
    }
    // Last: they replace the general limits, and their names are held against `targets`.
    if let Some(overrides) = overrides {
        per_target(&overrides, config, mistakes);
    }
}

fn profile(value: &Value<'_>, profile: &mut String, mistakes: &mut Mistakes<'_>) {
    let Some(name) = value.string(mistakes) else {
        return;
    };
    if rules::is_name(name, "") {
        *profile = name.to_owned();
    } else {
        let message = format!("`{name}` is not a profile name");
        mistakes
            .add(code::BAD_NAME, value.span(), message)
            .label("letters, digits, - and _")
            .help("name a profile of the workspace's Cargo.toml, such as \"release\"");
    }
}

fn targets(value: &Value<'_>, config: &mut Config, mistakes: &mut Mistakes<'_>) {
    let listed = value.strings(mistakes);
    for target in listed
        .iter()
        .filter(|target| !TARGETS.contains(&target.get_ref().as_str()))
    {
        unknown_target(
            target.get_ref(),
            target.span(),
            &TARGETS,
            "wasm targets",
            mistakes,
        );
    }
    config.targets = listed.into_iter().map(Spanned::into_inner).collect();
    if !config.targets.is_empty() && !config.targets.contains(&config.target) {
        let message = format!("`{}` is not built for {}", config.package, config.target);
        mistakes
            .add(code::UNKNOWN_TARGET, value.span(), message)
            .label("the targets it is built for")
            .help(format!(
                "add \"{}\" to `targets`, or build for one that is there",
                config.target
            ));
    }
}

/// Reads the limits of every target, for their mistakes, and keeps those of the one that is built.
fn per_target(overrides: &Table<'_>, config: &mut Config, mistakes: &mut Mistakes<'_>) {
    let listed: Vec<&str> = config.targets.iter().map(String::as_str).collect();
    let (known, what) = if listed.is_empty() {
        (&TARGETS[..], "wasm targets")
    } else {
        (&listed[..], "targets of this package")
    };
    for (triple, value) in overrides.entries {
        let name: &str = triple.get_ref();
        if TARGETS.contains(&name) && !known.contains(&name) {
            let message = format!(
                "limits for {name}, which `{}` is not built for",
                config.package
            );
            mistakes
                .add(code::UNKNOWN_TARGET, triple.span(), message)
                .label("not in `targets`")
                .help(format!("add \"{name}\" to `targets`, or remove its limits"));
        } else if !known.contains(&name) {
            unknown_target(triple.get_ref(), triple.span(), known, what, mistakes);
        }
        let path = format!("{}.{}", overrides.path, triple.get_ref());
        let Some(table) = (Value { value, path }).table(mistakes) else {
            continue;
        };
        let mut replaced = Limits::default();
        for (_, value) in table.known(&["limits"], mistakes) {
            budget::read(&value, &mut replaced, mistakes);
        }
        if *triple.get_ref() == config.target {
            for limit in replaced.iter() {
                config.limits.set(limit.clone());
            }
        }
    }
}

fn unknown_target(
    triple: &str,
    span: Range<usize>,
    known: &[&str],
    what: &str,
    mistakes: &mut Mistakes<'_>,
) {
    let message = format!("unknown target `{triple}`");
    mistakes
        .add(code::UNKNOWN_TARGET, span, message)
        .label(format!("not one of the {what}"))
        .help(suggestion(triple, known, what));
}
