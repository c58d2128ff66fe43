//! The names that a configuration may have, for suggestions. A test holds the core's part of them
//! against what the core says itself.

use super::document::Document;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Of the file.
pub(super) const TOP: &[&str] = &[
    "model",
    "temperature",
    "system",
    "limits",
    "providers",
    "routes",
    "tools",
    "web",
    "host_tools",
    "root",
    "http",
];

/// Of `limits`.
pub(super) const LIMITS: &[&str] = &[
    "max_message_bytes",
    "max_history",
    "max_history_bytes",
    "max_tool_rounds",
    "max_file_bytes",
    "max_sessions",
    "max_tokens_per_turn",
    "max_tokens_per_session",
];

/// Of each of `providers`.
pub(super) const PROVIDER: &[&str] = &[
    "name",
    "kind",
    "models",
    "base_url",
    "headers",
    "body",
    "stream",
    "max_tokens",
    "context_tokens",
    "key_env",
    "key_file",
    "key_command",
];

/// Of `http`.
pub(super) const HTTP: &[&str] = &["connect_ms", "first_byte_ms", "between_bytes_ms"];

/// Every name that nothing is called, with its place and what may be meant.
pub(super) fn unknown(document: &Document<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let table = document.table();
    let mut hold = |table: &DeTable<'_>, known: &[&str]| {
        let names = table.iter().map(|(key, _)| key);
        let unknown = names.filter(|key| !known.contains(&key.get_ref().as_ref()));
        found.extend(unknown.map(|key| wrong(document, key, known)));
    };
    hold(table, TOP);
    for (name, known) in [("limits", LIMITS), ("http", HTTP)] {
        if let Some(DeValue::Table(table)) = table.get(name).map(|value| value.get_ref()) {
            hold(table, known);
        }
    }
    for provider in document.providers() {
        if let DeValue::Table(table) = provider.get_ref() {
            hold(table, PROVIDER);
        }
    }
    found
}

fn wrong(document: &Document<'_>, key: &Spanned<toml::de::DeString<'_>>, known: &[&str]) -> String {
    let name = key.get_ref().as_ref();
    let message = match nearest(name, known) {
        Some(near) => format!("unknown key `{name}`; did you mean `{near}`?"),
        None => format!("unknown key `{name}`; known are {}", known.join(", ")),
    };
    document.at(key.span(), &message)
}

/// The name that is meant, if one is near.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let score = |near: &str| strsim::jaro_winkler(name, near);
    let best = known
        .iter()
        .copied()
        .max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(best) > 0.8).then_some(best)
}
