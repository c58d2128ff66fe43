//! The tables of limits.

use super::amounts::{count, size};
use super::limits::{Limit, Limits, Measure};
use super::mistakes::{code, suggestion};
use super::value::{Name, Value};
use crate::attribution::{self, origin};
use crate::guard;
use crate::report::{Size, Unit};

/// Reads a `limits` table into `limits`.
pub(super) fn read(value: &Value<'_>, limits: &mut Limits) {
    let mut known = Measure::WHOLE.map(|measure| measure.key()).to_vec();
    known.extend(["crate", "section"]);
    for (key, value) in value.known(&known) {
        let mut whole = Measure::WHOLE.into_iter();
        match whole.find(|measure| measure.key() == key) {
            Some(measure) => limit(&value, measure, limits),
            None => named(&value, key, limits),
        }
    }
}

/// Reads limits on the sizes alone.
pub(super) fn sizes(value: &Value<'_>, limits: &mut Limits) {
    for (key, value) in value.known(&Size::ALL.map(Size::name)) {
        if let Some(size) = Size::named(key) {
            limit(&value, Measure::Size(size), limits);
        }
    }
}

fn limit(value: &Value<'_>, measure: Measure, limits: &mut Limits) {
    let least = match measure {
        Measure::Crates => guard::LEAST_CRATES,
        _ => "1 is the least that can be set; leave the key out for no limit",
    };
    let most = match measure.unit() {
        Unit::Bytes => size(value),
        Unit::Count | Unit::Instructions => count(value, least),
    };
    if let Some(most) = most {
        let span = value.span.clone();
        limits.set(Limit {
            most,
            span,
            measure,
        });
    }
}

/// The limits by the names of crates or sections.
fn named(table: &Value<'_>, kind: &str, limits: &mut Limits) {
    let mut seen = Vec::new();
    for (key, value) in table.entries() {
        let written = key.text;
        let measure = match kind {
            "crate" => krate(written).map(Measure::Crate),
            _ => section(written).map(Measure::Section),
        };
        let Some(measure) = measure else {
            unknown(&key, kind);
            continue;
        };
        if seen.contains(&measure) {
            let message = format!("`{written}` is in `{}` twice", table.path);
            key.mistake(code::CONFLICT, message)
                .label("`-` and `_` are the same here")
                .help("remove one");
            continue;
        }
        seen.push(measure.clone());
        limit(&value, measure, limits);
    }
}

fn unknown(key: &Name<'_>, kind: &str) {
    let message = format!("`{}` is not the name of a {kind}", key.text);
    let help = if kind == "crate" {
        "name a crate as in Cargo.lock, such as serde_json".to_owned()
    } else if key.text.starts_with("custom") || key.text.starts_with('.') {
        "a custom section is written \"custom NAME\", as `analyze --by section` prints it"
            .to_owned()
    } else {
        let names = attribution::section_names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        suggestion(key.text, &names, "sections")
    };
    let mistake = key.mistake(code::BAD_NAME, message);
    mistake.label(format!("not a {kind}")).help(help);
}

/// A crate's name as the attribution has it.
fn krate(written: &str) -> Option<String> {
    let stands_for_none = [origin::NO_CRATE, origin::UNNAMED, origin::DATA];
    if stands_for_none.contains(&written) {
        return Some(written.to_owned());
    }
    let starts_well = |name: &str| !name.starts_with(|c: char| c.is_numeric());
    (guard::is_crate(written) && starts_well(written)).then(|| written.replace('-', "_"))
}

/// A section's name, where there can be one of that name.
fn section(written: &str) -> Option<String> {
    let custom = written.strip_prefix("custom ");
    let known = custom.is_some_and(|name| !name.trim().is_empty())
        || attribution::section_names()
            .iter()
            .any(|name| name == written);
    known.then(|| written.to_owned())
}
