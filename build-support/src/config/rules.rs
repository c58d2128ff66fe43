//! The tables of rules: what to snip, what the dependency graph may hold.

use super::amounts::size;
use super::mistakes::{code, suggestion};
use super::settings::SweepRules;
use super::value::{Name, Value};
use crate::analyze::families::FAMILIES;
use crate::analyze::plan::SnipRules;
use crate::guard::{self, At};
use serde_json::Value as Json;
use std::ops::Range;
use toml::Spanned;
use toml::de::DeValue;

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

/// Reads the `graph` table as build scripts do, and gives each mistake its place.
pub(super) fn graph(value: &Value<'_>, rules: &mut guard::Rules) {
    let (read, flaws) = guard::Rules::read(&json(value.value));
    *rules = read;
    for flaw in flaws {
        let help = match &flaw.at {
            At::Key(key) => suggestion(key, &guard::KEYS, "keys here"),
            _ => flaw.help,
        };
        let mistake = value
            .mistakes
            .add(flaw.code, span(value, &flaw.at), flaw.message);
        mistake.label(flaw.label).help_if(help);
    }
}

/// The place in the file.
fn span(value: &Value<'_>, at: &At) -> Range<usize> {
    let entry = |key: &str| {
        let mut entries = value.value.as_table()?.iter();
        entries.find(|(name, _)| name.get_ref() == key)
    };
    let span = match at {
        At::Table => None,
        At::Key(key) => entry(key).map(|(name, _)| name.span()),
        At::Value(key) => entry(key).map(|(_, value)| value.span()),
        At::Element(key, i, _) => entry(key).and_then(|(_, value)| {
            let elements = value.get_ref().as_array()?;
            Some(elements.get(*i)?.span())
        }),
    };
    span.unwrap_or(value.span.clone())
}

/// As cargo gives it to build scripts.
fn json(value: &DeValue<'_>) -> Json {
    match value {
        DeValue::String(text) => Json::from(text.as_ref()),
        DeValue::Integer(integer) => {
            let number = i128::from_str_radix(integer.as_str(), integer.radix());
            let number = number.unwrap_or(i128::MAX);
            // What TOML cannot hold is too much or too little either way.
            match (u64::try_from(number), i64::try_from(number)) {
                (Ok(number), _) => Json::from(number),
                (_, Ok(number)) => Json::from(number),
                _ if number < 0 => Json::from(i64::MIN),
                _ => Json::from(u64::MAX),
            }
        }
        DeValue::Float(float) => Json::from(float.as_str().parse().unwrap_or(0.5)),
        DeValue::Boolean(value) => Json::from(*value),
        DeValue::Datetime(date) => serde_json::json!({ guard::DATE: date.to_string() }),
        DeValue::Array(array) => array.iter().map(|value| json(value.get_ref())).collect(),
        DeValue::Table(table) => {
            let entries = table.iter();
            let entry = |(key, value): (&Spanned<_>, &Spanned<_>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                (key.to_string(), json(value.get_ref()))
            };
            Json::Object(entries.map(entry).collect())
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
