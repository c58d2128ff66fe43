//! What a manifest asks of the graph, and where a graph breaks it. Pure.

use super::graph::{Crate, Graph};
use crate::error::{Error, Result};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// The keys of `[package.metadata.budget.graph]`, for build scripts and for `config`.
pub const KEYS: [&str; 3] = [BANNED_CRATES, BANNED_FEATURES, MAX_CRATES];

/// The key of [`Rules::banned_crates`].
pub const BANNED_CRATES: &str = "banned-crates";
/// The key of [`Rules::banned_features`].
pub const BANNED_FEATURES: &str = "banned-features";
/// The key of [`Rules::max_crates`].
pub const MAX_CRATES: &str = "max-crates";

/// What `[package.metadata.budget.graph]` asks of the graph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Crates that must not be there.
    pub banned_crates: Vec<String>,
    /// Features that must not be on: `crate/feature`, or `feature` of any crate.
    pub banned_features: Vec<String>,
    /// How many crates there may be, the package included.
    pub max_crates: Option<usize>,
}

impl Rules {
    /// Reads the rules from a package's metadata; `None` where it has no `budget.graph`.
    ///
    /// # Errors
    /// [`Error::Input`] naming `manifest` for an unknown key or a value of another kind.
    pub fn read(manifest: &Path, metadata: &Value) -> Result<Option<Self>> {
        let table = metadata["budget"].get("graph");
        let rules = table.map(rules).transpose();
        rules.map_err(|message| wrong(manifest, &message))
    }
}

/// The targets the graph is checked for, from a package's metadata; none where it is silent.
///
/// # Errors
/// [`Error::Input`] naming `manifest` where they are no list of names.
pub(super) fn targets(manifest: &Path, metadata: &Value) -> Result<Vec<String>> {
    names(&metadata["budget"], "targets").map_err(|message| wrong(manifest, &message))
}

fn wrong(manifest: &Path, message: &str) -> Error {
    Error::Input {
        file: manifest.to_owned(),
        offset: None,
        message: format!("[package.metadata.budget.graph]: {message}"),
        help: "the keys are banned-crates and banned-features (lists of names) and max-crates (a number)"
            .to_owned(),
    }
}

fn rules(table: &Value) -> Result<Rules, String> {
    let entries = table.as_object().ok_or("it is not a table")?;
    if let Some(key) = entries.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("unknown key `{key}`"));
    }
    let max_crates = entries.get(MAX_CRATES).map(|max| {
        let max = max.as_u64().filter(|max| *max > 0);
        let max = max.and_then(|max| usize::try_from(max).ok());
        max.ok_or("`max-crates` is not a whole number above zero")
    });
    Ok(Rules {
        banned_crates: names(table, BANNED_CRATES)?,
        banned_features: names(table, BANNED_FEATURES)?,
        max_crates: max_crates.transpose()?,
    })
}

fn names(table: &Value, key: &str) -> Result<Vec<String>, String> {
    let Some(list) = table.get(key) else {
        return Ok(Vec::new());
    };
    let name = |name: &Value| name.as_str().map(str::to_owned);
    let names = list
        .as_array()
        .and_then(|list| list.iter().map(name).collect());
    names.ok_or_else(|| format!("`{key}` is not a list of names"))
}

/// Where `graph` breaks `rules`, one text for each.
pub fn violations(graph: &Graph, rules: &Rules, target: &str) -> Vec<String> {
    let mut broken = Vec::new();
    for (place, krate) in graph.crates().iter().enumerate() {
        let name = &krate.name;
        let mut object = |what: String, with: &[String]| {
            let (chain, with) = (arrows(&graph.chain(place)), features(with));
            broken.push(format!("{what} for {target}:\n  {chain}{with}"));
        };
        let mut banned = rules.banned_crates.iter();
        if banned.any(|banned| same_crate(banned, name)) {
            let what = format!("crate `{name}` is banned and is in the graph");
            object(what, &krate.features);
        }
        for feature in &krate.features {
            let mut banned = rules.banned_features.iter();
            if banned.any(|banned| same_feature(banned, name, feature)) {
                let what = format!("feature `{name}/{feature}` is banned and is on");
                object(what, std::slice::from_ref(feature));
            }
        }
    }
    broken.extend(too_many(graph, rules, target));
    broken
}

fn too_many(graph: &Graph, rules: &Rules, target: &str) -> Option<String> {
    let crates: BTreeSet<_> = graph.crates().iter().map(named).collect();
    let max = rules.max_crates.filter(|max| crates.len() > *max)?;
    let list: String = crates.iter().map(|krate| format!("\n  {krate}")).collect();
    Some(format!(
        "{} crates in the graph for {target}, max-crates is {max}:{list}",
        crates.len()
    ))
}

/// The whole message: what is broken, by which rules, and what to do.
pub(super) fn message(broken: &[String], manifest: &Path) -> String {
    format!(
        "{}\nbanned by [package.metadata.budget.graph] in {}\n\
         help: drop the dependency, switch its feature off (`default-features = false`), or put it under \
         [target.'cfg(not(target_family = \"wasm\"))'.dependencies]; change the rule only if it is meant to be in the wasm file",
        broken.join("\n"),
        manifest.display()
    )
}

/// `app 0.1.0 → foo 1.2.0 → tokio 1.40.0`
fn arrows(chain: &[&Crate]) -> String {
    let names: Vec<_> = chain.iter().map(|krate| named(krate)).collect();
    names.join(" → ")
}

fn named(krate: &Crate) -> String {
    format!("{} {}", krate.name, krate.version)
}

fn features(list: &[String]) -> String {
    let quoted: Vec<_> = list.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => format!(" (feature {one})"),
        _ => format!(" (features {})", quoted.join(", ")),
    }
}

fn same_crate(one: &str, other: &str) -> bool {
    one.replace('-', "_") == other.replace('-', "_")
}

fn same_feature(banned: &str, krate: &str, feature: &str) -> bool {
    match banned.split_once('/') {
        Some((owner, banned)) => same_crate(owner, krate) && banned == feature,
        None => banned == feature,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TREE: &str = "0|app v0.1.0 (/code/app)|default|\n1|types v0.1.0 (/code/types)|channels|\n2|foo v1.2.0||\n3|tokio v1.40.0|rt,net|\n1|serde_json v1.0.1||\n";

    fn check(rules: Value) -> Vec<String> {
        let metadata = json!({ "budget": { "graph": rules } });
        let rules = Rules::read(Path::new("app/Cargo.toml"), &metadata)
            .unwrap()
            .unwrap();
        violations(&Graph::parse(TREE).unwrap(), &rules, "wasm32-wasip2")
    }

    /// Protects the chain: it is how the user finds the dependency that brought the crate in.
    #[test]
    fn a_banned_crate_is_named_with_its_chain() {
        let broken = check(json!({ "banned-crates": ["tokio"] }));
        assert_eq!(
            broken,
            [
                "crate `tokio` is banned and is in the graph for wasm32-wasip2:\n  \
             app 0.1.0 → types 0.1.0 → foo 1.2.0 → tokio 1.40.0 (features \"rt\", \"net\")"
            ]
        );
        assert_eq!(
            check(json!({ "banned-crates": ["serde-json"] })).len(),
            1,
            "cargo takes - and _ for the same"
        );
        assert!(
            check(json!({ "banned-crates": ["tok", "serde"] })).is_empty(),
            "whole names only"
        );
    }

    /// Protects both ways to name a feature.
    #[test]
    fn a_banned_feature_is_of_one_crate_or_of_any() {
        let expected = "feature `types/channels` is banned and is on for wasm32-wasip2:\n  \
                        app 0.1.0 → types 0.1.0 (feature \"channels\")";
        assert_eq!(
            check(json!({ "banned-features": ["types/channels"] })),
            [expected]
        );
        assert_eq!(
            check(json!({ "banned-features": ["channels"] })),
            [expected]
        );
        assert!(check(json!({ "banned-features": ["app/channels", "rt-multi"] })).is_empty());
    }

    /// Protects the limit's edge and the list of what is there.
    #[test]
    fn crates_are_counted_with_the_package() {
        assert!(check(json!({ "max-crates": 5 })).is_empty());
        let broken = check(json!({ "max-crates": 4 }));
        assert!(
            broken[0].starts_with(
                "5 crates in the graph for wasm32-wasip2, max-crates is 4:\n  app 0.1.0"
            ),
            "{broken:?}"
        );
    }

    /// Protects against a rule that is not kept because of a typing mistake.
    #[test]
    fn wrong_rules_are_errors() {
        let graphs = [
            (
                json!({ "banned_crates": [] }),
                "unknown key `banned_crates`",
            ),
            (
                json!({ "banned-crates": "tokio" }),
                "`banned-crates` is not a list of names",
            ),
            (
                json!({ "banned-features": [1] }),
                "`banned-features` is not a list of names",
            ),
            (
                json!({ "max-crates": "4" }),
                "`max-crates` is not a whole number above zero",
            ),
            (json!([]), "it is not a table"),
        ];
        for (graph, expected) in graphs {
            let metadata = json!({ "budget": { "graph": graph } });
            let error = Rules::read(Path::new("app/Cargo.toml"), &metadata)
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with("app/Cargo.toml: [package.metadata.budget.graph]: "),
                "{error}"
            );
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(
            Rules::read(Path::new("Cargo.toml"), &json!(null)).unwrap(),
            None
        );
    }
}
