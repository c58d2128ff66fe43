//! What a manifest asks of the graph, and where a graph breaks it. Pure. The one reader of the
//! table: build scripts give it what cargo makes of the manifest, `config` what it reads itself.

use super::graph::{Crate, Graph};
use crate::diagnostic::code;
use crate::size;
use serde_json::Value;
use std::collections::BTreeSet;

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

/// The table's path.
pub const TABLE: &str = "package.metadata.budget.graph";

/// A mistake in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Where it is.
    pub at: At,
    /// The name of its kind.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What stands beside the place.
    pub label: String,
    /// What to do; empty where the rest says it.
    pub help: String,
}

/// A place in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// All of it.
    Table,
    /// A key.
    Key(String),
    /// The value of a key.
    Value(String),
    /// An element of the value of a key: its number, and its text where it is a string.
    Element(String, usize, String),
}

impl Rules {
    /// Reads the rules from the table, and what is wrong with it. What is wrong is not among the
    /// rules.
    pub fn read(table: &Value) -> (Self, Vec<Flaw>) {
        let mut flaws = Vec::new();
        let mut rules = Self::default();
        let Some(entries) = table.as_object().filter(|_| !is_date(table)) else {
            let help = format!("write a table: [{TABLE}]");
            flaws.push(wrong_type(At::Table, TABLE, "a table", table, help));
            return (rules, flaws);
        };
        for (key, value) in entries {
            let path = format!("{TABLE}.{key}");
            match key.as_str() {
                BANNED_CRATES => {
                    let help = "name a crate as in Cargo.lock, such as \"tokio\"; features go into `banned-features`";
                    rules.banned_crates =
                        named(key, &path, value, (is_crate, "crate", help), &mut flaws);
                }
                BANNED_FEATURES => {
                    let help = "write \"crate/feature\", or \"feature\" for any crate that has it";
                    rules.banned_features =
                        named(key, &path, value, (is_feature, "feature", help), &mut flaws);
                }
                MAX_CRATES => match count(key, &path, value) {
                    Ok(max) => rules.max_crates = Some(max),
                    Err(flaw) => flaws.push(*flaw),
                },
                _ => flaws.push(Flaw {
                    at: At::Key(key.clone()),
                    code: code::UNKNOWN_KEY,
                    message: format!("unknown key `{key}` in `{TABLE}`"),
                    label: "not a key of this table".to_owned(),
                    help: format!(
                        "the keys here are {}",
                        KEYS.map(|key| format!("`{key}`")).join(", ")
                    ),
                }),
            }
        }
        (rules, flaws)
    }
}

/// The names in an array of strings, each once, and what is wrong with it.
pub(super) fn names(
    key: &str,
    path: &str,
    list: &Value,
    flaws: &mut Vec<Flaw>,
) -> Vec<(usize, String)> {
    let Some(elements) = list.as_array() else {
        let help = format!("write {key} = [\"\u{2026}\"]");
        let at = At::Value(key.to_owned());
        flaws.push(wrong_type(at, path, "an array of strings", list, help));
        return Vec::new();
    };
    let mut names: Vec<(usize, String)> = Vec::new();
    for (i, element) in elements.iter().enumerate() {
        let Some(name) = element.as_str() else {
            let (at, path) = (
                At::Element(key.to_owned(), i, String::new()),
                format!("{path}[{i}]"),
            );
            flaws.push(wrong_type(at, &path, "a string", element, String::new()));
            continue;
        };
        if names.iter().any(|(_, earlier)| earlier == name) {
            flaws.push(Flaw {
                at: At::Element(key.to_owned(), i, name.to_owned()),
                code: code::CONFLICT,
                message: format!("`{name}` is in `{path}` twice"),
                label: "again here".to_owned(),
                help: "remove one".to_owned(),
            });
            continue;
        }
        names.push((i, name.to_owned()));
    }
    names
}

/// What a name must be, what it is of, and what to write.
type Kind = (fn(&str) -> bool, &'static str, &'static str);

fn named(key: &str, path: &str, list: &Value, kind: Kind, flaws: &mut Vec<Flaw>) -> Vec<String> {
    let (is_valid, what, help) = kind;
    let names = names(key, path, list, flaws);
    for (i, name) in names.iter().filter(|(_, name)| !is_valid(name)) {
        flaws.push(Flaw {
            at: At::Element(key.to_owned(), *i, name.clone()),
            code: code::BAD_NAME,
            message: match name.as_str() {
                "" => format!("empty name in `{path}`"),
                other => format!("`{other}` is not the name of a {what}"),
            },
            label: format!("not a {what}"),
            help: help.to_owned(),
        });
    }
    names.into_iter().map(|(_, name)| name).collect()
}

fn count(key: &str, path: &str, value: &Value) -> Result<usize, Box<Flaw>> {
    let at = At::Value(key.to_owned());
    let wrong = match (value.as_u64(), value.as_i64()) {
        (Some(0), _) => "zero",
        (Some(max), _) if max <= size::MAX => match usize::try_from(max) {
            Ok(max) => return Ok(max),
            Err(_) => "too large",
        },
        (Some(_), _) => "too large",
        (None, Some(_)) => "negative",
        (None, None) => {
            let help = format!("write {key} = 40");
            let flaw = wrong_type(at, path, "a positive integer", value, help);
            return Err(Box::new(flaw));
        }
    };
    Err(Box::new(Flaw {
        at,
        code: code::BAD_COUNT,
        message: format!("`{path}`: count is {wrong}"),
        label: String::new(),
        help: LEAST_CRATES.to_owned(),
    }))
}

/// What the least number of crates is.
pub const LEAST_CRATES: &str = "the package itself counts, so that 1 is the least that can be met";

fn wrong_type(at: At, path: &str, expected: &str, found: &Value, help: String) -> Flaw {
    let found = match found {
        Value::Null => "nothing",
        Value::Array(_) => "an array",
        Value::Object(_) if is_date(found) => "a date",
        Value::Object(_) => "a table",
        Value::String(_) => "a string",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "an integer",
        Value::Bool(_) => "a boolean",
    };
    Flaw {
        at,
        code: code::WRONG_TYPE,
        message: format!("`{path}` must be {expected}"),
        label: format!("this is {found}"),
        help,
    }
}

/// What a date is as JSON: cargo makes it so.
pub const DATE: &str = "$__toml_private_datetime";

fn is_date(value: &Value) -> bool {
    value.get(DATE).is_some()
}

/// Whether `text` is a name of letters, digits, `-`, `_` and the characters of `more`.
fn is_name(text: &str, more: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || more.contains(c);
    !text.is_empty() && text.chars().all(fits)
}

/// Whether a crate can be called that.
pub fn is_crate(text: &str) -> bool {
    is_name(text, "")
}

fn is_feature(text: &str) -> bool {
    match text.split_once('/') {
        Some((krate, feature)) => is_crate(krate) && is_name(feature, "+."),
        None => is_name(text, "+."),
    }
}

/// A rule that a graph breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule: its key, and the name in its list.
    pub rule: (&'static str, Option<String>),
    /// What breaks it.
    pub message: String,
    /// How it came in, or what there is; a line each.
    pub notes: Vec<String>,
}

/// Where `graph` breaks `rules`.
pub fn violations(graph: &Graph, rules: &Rules, target: &str) -> Vec<Violation> {
    let mut broken = Vec::new();
    for (place, krate) in graph.crates().iter().enumerate() {
        let name = &krate.name;
        let mut object = |rule: (&'static str, &String), what: String, with: &[String]| {
            let (chain, with) = (arrows(&graph.chain(place)), features(with));
            broken.push(Violation {
                rule: (rule.0, Some(rule.1.clone())),
                message: format!("{what} for {target}"),
                notes: vec![format!("{chain}{with}")],
            });
        };
        let mut banned = rules.banned_crates.iter();
        if let Some(rule) = banned.find(|banned| same_crate(banned, name)) {
            let what = format!("crate `{name}` is banned and is in the graph");
            object((BANNED_CRATES, rule), what, &krate.features);
        }
        for feature in &krate.features {
            let mut banned = rules.banned_features.iter();
            if let Some(rule) = banned.find(|banned| same_feature(banned, name, feature)) {
                let what = format!("feature `{name}/{feature}` is banned and is on");
                object((BANNED_FEATURES, rule), what, std::slice::from_ref(feature));
            }
        }
    }
    broken.extend(too_many(graph, rules, target));
    broken
}

fn too_many(graph: &Graph, rules: &Rules, target: &str) -> Option<Violation> {
    let crates: BTreeSet<_> = graph.crates().iter().map(named_with_version).collect();
    let max = rules.max_crates.filter(|max| crates.len() > *max)?;
    Some(Violation {
        rule: (MAX_CRATES, None),
        message: format!(
            "{} crates in the graph for {target}, max-crates is {max}",
            crates.len()
        ),
        notes: crates.into_iter().collect(),
    })
}

/// `app 0.1.0 → foo 1.2.0 → tokio 1.40.0`
fn arrows(chain: &[&Crate]) -> String {
    let names: Vec<_> = chain
        .iter()
        .map(|krate| named_with_version(krate))
        .collect();
    names.join(" → ")
}

fn named_with_version(krate: &Crate) -> String {
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
        let (rules, flaws) = Rules::read(&rules);
        assert_eq!(flaws, []);
        let broken = violations(&Graph::parse(TREE).unwrap(), &rules, "wasm32-wasip2");
        let said = broken
            .iter()
            .map(|broken| format!("{}:\n  {}", broken.message, broken.notes.join("\n  ")));
        said.collect()
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
        let tables = [
            (
                json!({ "banned_crates": [] }),
                "unknown key `banned_crates` in `package.metadata.budget.graph`",
            ),
            (
                json!({ "banned-crates": "tokio" }),
                "`package.metadata.budget.graph.banned-crates` must be an array of strings",
            ),
            (
                json!({ "banned-features": [1] }),
                "`package.metadata.budget.graph.banned-features[0]` must be a string",
            ),
            (
                json!({ "banned-crates": ["to kio"] }),
                "`to kio` is not the name of a crate",
            ),
            (
                json!({ "banned-crates": ["a", "a"] }),
                "`a` is in `package.metadata.budget.graph.banned-crates` twice",
            ),
            (
                json!({ "max-crates": "4" }),
                "`package.metadata.budget.graph.max-crates` must be a positive integer",
            ),
            (
                json!({ "max-crates": 0 }),
                "`package.metadata.budget.graph.max-crates`: count is zero",
            ),
            (
                json!({ "max-crates": -1 }),
                "`package.metadata.budget.graph.max-crates`: count is negative",
            ),
            (
                json!({ "max-crates": 1.5 }),
                "`package.metadata.budget.graph.max-crates` must be a positive integer",
            ),
            (json!([]), "`package.metadata.budget.graph` must be a table"),
        ];
        for (table, expected) in tables {
            let (_, flaws) = Rules::read(&table);
            let said: Vec<_> = flaws.iter().map(|flaw| flaw.message.as_str()).collect();
            assert_eq!(said, [expected]);
        }
    }

    /// Protects where a violation points: at the rule as the manifest has it.
    #[test]
    fn a_violation_names_its_rule() {
        let (rules, _) = Rules::read(&json!({ "banned-crates": ["serde-json"], "max-crates": 1 }));
        let broken = violations(&Graph::parse(TREE).unwrap(), &rules, "wasm32-wasip2");
        let rules: Vec<_> = broken.into_iter().map(|broken| broken.rule).collect();
        assert_eq!(
            rules,
            [
                (BANNED_CRATES, Some("serde-json".to_owned())),
                (MAX_CRATES, None)
            ]
        );
    }
}
