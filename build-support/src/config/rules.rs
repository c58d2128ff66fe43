//! The tables of rules: what to snip, what the dependency graph may hold.

use super::amounts::{count, size};
use super::mistakes::{code, suggestion};
use super::settings::SweepRules;
use super::value::{Name, Value};
use crate::analyze::families::FAMILIES;
use crate::analyze::plan::SnipRules;
use crate::guard;

/// What the least number of crates is.
pub(super) const LEAST_CRATES: &str =
    "the package itself counts, so that 1 is the least that can be met";

/// Reads the `snip` table.
pub(super) fn snip(value: &Value<'_>, rules: &mut SnipRules) {
    let mut allow = Vec::new();
    let mut deny = Vec::new();
    for (key, value) in value.known(&["enabled", "families", "allow", "deny"]) {
        match key {
            "enabled" => value.boolean(&mut rules.enabled),
            "families" => rules.families = families(&value),
            "allow" => {
                allow = patterns(&value, "matches everything: write enabled = false instead")
            }
            _ => deny = patterns(&value, "matches every function of the program"),
        }
    }
    for denied in &deny {
        if allow.iter().any(|allowed| allowed.text == denied.text) {
            let message = format!("`{}` is both to be kept and to be snipped", denied.text);
            denied
                .mistake(code::CONFLICT, message)
                .label("also in `allow`")
                .help("remove it from `allow` or from `deny`");
        }
    }
    [rules.allow, rules.deny] = [allow, deny].map(texts);
}

fn texts(list: Vec<Name<'_>>) -> Vec<String> {
    list.iter().map(|name| name.text.to_owned()).collect()
}

/// A list without a family would read as all of them.
fn families(value: &Value<'_>) -> Vec<String> {
    let known: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
    let listed = value.strings();
    for family in listed.iter().filter(|family| !known.contains(&family.text)) {
        let message = format!("unknown family `{}`", family.text);
        family
            .mistake(code::BAD_NAME, message)
            .label("not one of the families of panics")
            .help(suggestion(family.text, &known, "families"));
    }
    if listed.is_empty() {
        let message = format!("no family in `{}`", value.path);
        value
            .mistake(code::BAD_NAME, message)
            .label("snips nothing")
            .help("write enabled = false instead, or leave the key out for all of them");
    }
    texts(listed)
}

/// Reads the `sweep` table.
pub(super) fn sweep(value: &Value<'_>, rules: &mut SweepRules) {
    for (_, value) in value.known(&["enabled"]) {
        value.boolean(&mut rules.enabled);
    }
}

/// Reads the `graph` table.
pub(super) fn graph(value: &Value<'_>, rules: &mut guard::Rules) {
    for (key, value) in value.known(&guard::KEYS) {
        match key {
            guard::BANNED_CRATES => {
                let help = "name a crate as in Cargo.lock, such as \"tokio\"; features go into `banned-features`";
                rules.banned_crates = named(&value, is_crate, "crate", help);
            }
            guard::BANNED_FEATURES => {
                let help = "write \"crate/feature\", or \"feature\" for any crate that has it";
                rules.banned_features = named(&value, is_feature, "feature", help);
            }
            _ => {
                let most = count(&value, LEAST_CRATES);
                rules.max_crates = most.and_then(|most| usize::try_from(most).ok());
            }
        }
    }
}

/// Reads the `constants` table for its mistakes alone: `guard` makes constants of it, in build
/// scripts.
pub(super) fn constants(table: &Value<'_>) {
    for (key, value) in table.entries() {
        if !guard::is_key(key.text) {
            let message = format!("`{}` in `{}` makes no constant", key.text, table.path);
            key.mistake(code::BAD_NAME, message)
                .label("no name of a constant")
                .help("write small letters and digits, words joined by -, such as read-buffer");
        }
        if size(&value).is_some_and(|bytes| bytes > u64::from(u32::MAX)) {
            let message = format!("`{}` is more than wasm32 can address", value.path);
            value.mistake(code::BAD_SIZE, message);
        }
    }
}

/// Whether `text` is a name of letters, digits, `-`, `_` and the characters of `more`.
pub(super) fn is_name(text: &str, more: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || more.contains(c);
    !text.is_empty() && text.chars().all(fits)
}

pub(super) fn is_crate(text: &str) -> bool {
    is_name(text, "")
}

fn is_feature(text: &str) -> bool {
    match text.split_once('/') {
        Some((krate, feature)) => is_crate(krate) && is_name(feature, "+."),
        None => is_name(text, "+."),
    }
}

fn named(value: &Value<'_>, is_valid: fn(&str) -> bool, what: &str, help: &str) -> Vec<String> {
    let names = value.strings();
    for name in names.iter().filter(|name| !is_valid(name.text)) {
        let message = match name.text {
            "" => format!("empty name in `{}`", value.path),
            other => format!("`{other}` is not the name of a {what}"),
        };
        let mistake = name.mistake(code::BAD_NAME, message);
        mistake.label(format!("not a {what}")).help(help);
    }
    texts(names)
}

fn patterns<'t>(value: &Value<'t>, all: &str) -> Vec<Name<'t>> {
    let patterns = value.strings();
    let table = &value.path;
    for pattern in &patterns {
        let path = pattern.text.trim();
        let (message, label) = if path.is_empty() {
            (format!("empty pattern in `{table}`"), "matches nothing")
        } else if path.chars().all(|c| c == '*' || c == ':') {
            (format!("pattern without a path in `{table}`"), all)
        } else if path != pattern.text {
            let message = format!("pattern with blanks around it in `{table}`");
            (message, "matches nothing")
        } else if path.contains("::*::") || (path.ends_with('*') && !path.ends_with("::*")) {
            let message = format!("pattern in `{table}` with `*` in the wrong place");
            (message, "`*` stands for a whole rest")
        } else {
            continue;
        };
        pattern.mistake(code::BAD_NAME, message).label(label).help(
            "write a demangled path, \"my_crate::item\", or all below one, \"my_crate::module::*\"",
        );
    }
    patterns
}
