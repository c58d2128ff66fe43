//! The tables of limits.

use super::amounts::{count, size};
use super::mistakes::{Mistakes, code, suggestion};
use super::value::{Table, Value};
use super::{Limit, Limits, Measure, rules};
use crate::attribution::{self, origin};
use crate::report::Unit;

/// The tables in a table of limits.
const TABLES: [&str; 2] = ["crate", "section"];

/// Reads a `limits` table into `limits`.
pub(super) fn read(value: &Value<'_>, limits: &mut Limits, mistakes: &mut Mistakes<'_>) {
    let Some(table) = value.table(mistakes) else {
        return;
    };
    let mut known: Vec<&'static str> = Measure::WHOLE.iter().map(Measure::key).collect();
    known.extend(TABLES);
    for (key, value) in table.known(&known, mistakes) {
        let mut whole = Measure::WHOLE.into_iter();
        match whole.find(|measure| measure.key() == key) {
            Some(measure) => limit(&value, measure, limits, mistakes),
            None => {
                if let Some(table) = value.table(mistakes) {
                    named(&table, key, limits, mistakes);
                }
            }
        }
    }
}

fn limit(value: &Value<'_>, measure: Measure, limits: &mut Limits, mistakes: &mut Mistakes<'_>) {
    let most = match measure.unit() {
        Unit::Bytes => size(value, mistakes),
        Unit::Count | Unit::Instructions => count(value, least(&measure), mistakes),
    };
    if let Some(most) = most {
        limits.set(Limit {
            most,
            span: value.span(),
            measure,
        });
    }
}

fn least(measure: &Measure) -> &'static str {
    match measure {
        Measure::Crates => "the package itself counts, so that 1 is the least that can be met",
        _ => "1 is the least that can be set; leave the key out for no limit",
    }
}

/// The limits by the names of crates or sections.
fn named(table: &Table<'_>, kind: &str, limits: &mut Limits, mistakes: &mut Mistakes<'_>) {
    let mut seen = Vec::new();
    for (key, value) in table.entries {
        let written: &str = key.get_ref();
        let measure = match kind {
            "crate" => krate(written).map(Measure::Crate),
            _ => section(written).map(Measure::Section),
        };
        let Some(measure) = measure else {
            let (label, help) = match kind {
                "crate" => (
                    "not a crate",
                    "name a crate as in Cargo.lock, such as serde_json".to_owned(),
                ),
                _ => {
                    let names = attribution::section_names();
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    ("not a section", section_help(written, &names))
                }
            };
            let message = format!("`{written}` is not the name of a {kind}");
            let mistake = mistakes.add(code::BAD_NAME, key.span(), message);
            mistake.label(label).help(help);
            continue;
        };
        if seen.contains(&measure) {
            let message = format!("`{written}` is in `{}` twice", table.path);
            mistakes
                .add(code::CONFLICT, key.span(), message)
                .label("`-` and `_` are the same here")
                .help("remove one");
            continue;
        }
        seen.push(measure.clone());
        let path = format!("{}.{written}", table.path);
        limit(&Value { value, path }, measure, limits, mistakes);
    }
}

/// A crate's name as the attribution has it.
fn krate(written: &str) -> Option<String> {
    let stands_for_none = [origin::NO_CRATE, origin::UNNAMED, origin::DATA];
    if stands_for_none.contains(&written) {
        return Some(written.to_owned());
    }
    let starts_well = |name: &str| !name.starts_with(|c: char| c.is_numeric());
    (rules::is_crate(written) && starts_well(written)).then(|| written.replace('-', "_"))
}

/// A section's name, where there can be one of that name.
fn section(written: &str) -> Option<String> {
    let custom = written
        .strip_prefix("custom ")
        .is_some_and(|name| !name.trim().is_empty());
    let known = || {
        attribution::section_names()
            .iter()
            .any(|name| name == written)
    };
    (custom || known()).then(|| written.to_owned())
}

fn section_help(written: &str, names: &[&str]) -> String {
    if written.starts_with("custom") || written.starts_with('.') {
        return "a custom section is written \"custom NAME\", as `analyze --by section` prints it"
            .to_owned();
    }
    suggestion(written, names, "sections")
}
