//! The layouts that `baseline.json` had before, read as the present one: nothing that was there is
//! lost. Version 1 had what was measured and nothing else, all of it at the top; version 2 one
//! entry of each file, whatever made it.

use super::place;
use crate::gate::entries::Entries;
use crate::gate::entry::Entry;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// The entries by package and target, as `baseline::file` has them.
type Ratchet = BTreeMap<String, BTreeMap<String, Entries>>;

/// Version 1, which has no entries: whether it is JSON at all. What was measured is [`measured`].
pub fn first(text: &str) -> serde_json::Result<Ratchet> {
    let _: IgnoredAny = serde_json::from_str(text)?;
    Ok(Ratchet::new())
}

/// What was measured, of version 1, as the text it is in the present layout: everything but the
/// version.
pub fn measured(text: &str) -> Option<String> {
    let version = place::find(text, &["schema"])?;
    let key = text[..version.start]
        .rfind('"')
        .and_then(|end| text[..end].rfind('"'))?;
    let (before, after) = (text[..key].trim_end(), text[version.end..].trim());
    let rest = match after.strip_prefix(',') {
        Some(after) => format!("{before}{after}"),
        None => format!("{}{after}", before.trim_end_matches(',')),
    };
    let is_empty = rest.trim_matches(['{', '}']).trim().is_empty();
    (!is_empty).then(|| rest.replace('\n', "\n  "))
}

/// The entries of version 2.
pub fn second(text: &str) -> serde_json::Result<Ratchet> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Second {
        #[serde(rename = "schema")]
        _schema: u32,
        #[serde(default)]
        ratchet: BTreeMap<String, BTreeMap<String, Entry>>,
        #[serde(default, rename = "measured")]
        _measured: Option<IgnoredAny>,
    }
    let Second { ratchet, .. } = serde_json::from_str(text)?;
    let alone = |(target, entry)| {
        let mut entries = Entries::default();
        entries.set(entry);
        (target, entries)
    };
    let targets = |(package, targets): (_, BTreeMap<_, _>)| {
        (package, targets.into_iter().map(alone).collect())
    };
    Ok(ratchet.into_iter().map(targets).collect())
}
