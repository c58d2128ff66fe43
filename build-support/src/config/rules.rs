//! The tables of rules: what to snip, what the dependency graph may hold.

use super::amounts::{count, size};
use super::mistakes::{Mistakes, code, suggestion};
use super::value::Value;
use super::{SnipRules, SweepRules};
use crate::analyze::families::FAMILIES;
use crate::guard;
use toml::Spanned;

/// Reads the `snip` table.
pub(super) fn snip(value: &Value<'_>, rules: &mut SnipRules, mistakes: &mut Mistakes<'_>) {
    let Some(table) = value.table(mistakes) else {
        return;
    };
    let mut allow = Vec::new();
    let mut deny = Vec::new();
    for (key, value) in table.known(&["enabled", "families", "allow", "deny"], mistakes) {
        match key {
            "families" => rules.families = families(&value, mistakes),
            "enabled" => rules.enabled = value.boolean(mistakes).unwrap_or(rules.enabled),
            "allow" => {
                allow = patterns(
                    &value,
                    "matches everything: write enabled = false instead",
                    mistakes,
                )
            }
            _ => deny = patterns(&value, "matches every function of the program", mistakes),
        }
    }
    for denied in deny.iter().filter(|denied| {
        allow
            .iter()
            .any(|allowed| allowed.get_ref() == denied.get_ref())
    }) {
        let message = format!(
            "`{}` is both to be kept and to be snipped",
            denied.get_ref()
        );
        mistakes
            .add(code::CONFLICT, denied.span(), message)
            .label("also in `allow`")
            .help("remove it from `allow` or from `deny`");
    }
    [rules.allow, rules.deny] = [allow, deny].map(values);
}

fn values(list: Vec<Spanned<String>>) -> Vec<String> {
    list.into_iter().map(Spanned::into_inner).collect()
}

/// A list without a family would read as all of them.
fn families(value: &Value<'_>, mistakes: &mut Mistakes<'_>) -> Vec<String> {
    let known: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
    let listed = value.strings(mistakes);
    for family in listed
        .iter()
        .filter(|family| !known.contains(&family.get_ref().as_str()))
    {
        let message = format!("unknown family `{}`", family.get_ref());
        mistakes
            .add(code::BAD_NAME, family.span(), message)
            .label("not one of the families of panics")
            .help(suggestion(family.get_ref(), &known, "families"));
    }
    if listed.is_empty() {
        let message = format!("no family in `{}`", value.path);
        mistakes
            .add(code::BAD_NAME, value.span(), message)
            .label("snips nothing")
            .help("write enabled = false instead, or leave the key out for all of them");
    }
    values(listed)
}

/// Reads the `sweep` table.
pub(super) fn sweep(value: &Value<'_>, rules: &mut SweepRules, mistakes: &mut Mistakes<'_>) {
    let Some(table) = value.table(mistakes) else {
        return;
    };
    for (_, value) in table.known(&["enabled"], mistakes) {
        rules.enabled = value.boolean(mistakes).unwrap_or(rules.enabled);
    }
}

/// Reads the `graph` table.
pub(super) fn graph(value: &Value<'_>, rules: &mut guard::Rules, mistakes: &mut Mistakes<'_>) {
    let Some(table) = value.table(mistakes) else {
        return;
    };
    for (key, value) in table.known(&guard::KEYS, mistakes) {
        match key {
            guard::BANNED_CRATES => {
                rules.banned_crates = named(&value, is_crate, "crate", CRATE_HELP, mistakes);
            }
            guard::BANNED_FEATURES => {
                rules.banned_features =
                    named(&value, is_feature, "feature", FEATURE_HELP, mistakes);
            }
            _ => {
                let most = count(&value, COUNT_HELP, mistakes);
                rules.max_crates = most.and_then(|most| usize::try_from(most).ok());
            }
        }
    }
}

/// Reads the `constants` table for its mistakes alone: `guard` makes constants of it, in build scripts.
pub(super) fn constants(value: &Value<'_>, mistakes: &mut Mistakes<'_>) {
    let Some(table) = value.table(mistakes) else {
        return;
    };
    for (key, value) in table.entries {
        if !guard::is_key(key.get_ref()) {
            let message = format!("`{}` in `{}` makes no constant", key.get_ref(), table.path);
            mistakes
                .add(code::BAD_NAME, key.span(), message)
                .label("no name of a constant")
                .help("write small letters and digits, words joined by -, such as read-buffer");
        }
        let path = format!("{}.{}", table.path, key.get_ref());
        let value = Value { value, path };
        if size(&value, mistakes).is_some_and(|bytes| bytes > u64::from(u32::MAX)) {
            let message = format!("`{}` is more than wasm32 can address", value.path);
            mistakes.add(code::BAD_SIZE, value.span(), message);
        }
    }
}

/// Whether `text` is a name of letters, digits, `-`, `_` and the characters of `more`.
pub(super) fn is_name(text: &str, more: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || c == '-' || c == '_' || more.contains(c))
}

const COUNT_HELP: &str = "the package itself counts, so that 1 is the least that can be met";
const CRATE_HELP: &str =
    "name a crate as in Cargo.lock, such as \"tokio\"; features go into `banned-features`";
const FEATURE_HELP: &str = "write \"crate/feature\", or \"feature\" for any crate that has it";

pub(super) fn is_crate(text: &str) -> bool {
    is_name(text, "")
}

fn is_feature(text: &str) -> bool {
    match text.split_once('/') {
        Some((krate, feature)) => is_crate(krate) && is_name(feature, "+."),
        None => is_name(text, "+."),
    }
}

fn named(
    value: &Value<'_>,
    is_valid: fn(&str) -> bool,
    what: &str,
    help: &str,
    mistakes: &mut Mistakes<'_>,
) -> Vec<String> {
    let names = value.strings(mistakes);
    for name in names.iter().filter(|name| !is_valid(name.get_ref())) {
        let message = match name.get_ref().as_str() {
            "" => format!("empty name in `{}`", value.path),
            other => format!("`{other}` is not the name of a {what}"),
        };
        mistakes
            .add(code::BAD_NAME, name.span(), message)
            .label(format!("not a {what}"))
            .help(help);
    }
    values(names)
}

fn patterns(value: &Value<'_>, all: &str, mistakes: &mut Mistakes<'_>) -> Vec<Spanned<String>> {
    let patterns = value.strings(mistakes);
    for pattern in &patterns {
        let path = pattern.get_ref().trim();
        let table = &value.path;
        let (message, label) = if path.is_empty() {
            (format!("empty pattern in `{table}`"), "matches nothing")
        } else if path.chars().all(|c| c == '*' || c == ':') {
            (format!("pattern without a path in `{table}`"), all)
        } else if path != pattern.get_ref() {
            let message = format!("pattern with blanks around it in `{table}`");
            (message, "matches nothing")
        } else if path.contains("::*::") || (path.ends_with('*') && !path.ends_with("::*")) {
            let message = format!("pattern in `{table}` with `*` in the wrong place");
            (message, "`*` stands for a whole rest")
        } else {
            continue;
        };
        mistakes
            .add(code::BAD_NAME, pattern.span(), message)
            .label(label)
            .help("write a demangled path, \"my_crate::item\", or all below one, \"my_crate::module::*\"");
    }
    patterns
}
