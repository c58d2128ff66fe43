//! FR-10: what of a banned crate is in the linked file, by its names.

use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::error::{Error, Result};
use crate::guard;
use crate::passes::pipeline::Analysis;
use crate::report::units;
use crate::wasm::path::{self, RustPath};
use std::cmp::Reverse;

/// The linked file, which still has names, holds nothing of a banned crate.
///
/// # Errors
/// [`Error::Banned`] with the place of each rule that is broken.
pub fn refuse(config: &Config, analysis: &Analysis) -> Result<()> {
    let functions = analysis.functions.iter();
    let named: Vec<_> = functions
        .filter_map(|function| Some((function.name.as_deref()?, function.bytes)))
        .collect();
    let banned = config.graph.banned_crates.iter();
    let broken = banned.filter_map(|banned| {
        let krate = banned.replace('-', "_");
        let is_of = |(name, _): &&(&str, u64)| {
            path::is_rust(name) && RustPath::parse(name).krate() == krate
        };
        let found: Vec<_> = named.iter().filter(is_of).copied().collect();
        (!found.is_empty()).then(|| linked_in(config, banned, found))
    });
    let broken: Vec<_> = broken.collect();
    if broken.is_empty() {
        Ok(())
    } else {
        Err(Error::Banned(broken))
    }
}

/// The functions of a crate that is banned, the largest first.
fn linked_in(config: &Config, krate: &str, mut found: Vec<(&str, u64)>) -> Diagnostic {
    found.sort_by_key(|(name, bytes)| (Reverse(*bytes), *name));
    let bytes = found
        .iter()
        .fold(0u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
    let largest = found.iter().take(10);
    let place = guard::rule_place(&config.source, guard::BANNED_CRATES, Some(krate));
    Diagnostic {
        code: guard::BANNED,
        message: format!(
            "crate `{krate}` is banned, and the linked file for {} holds {} of it in {} functions",
            config.target,
            units::counted(bytes),
            found.len()
        ),
        label: "the rule".to_owned(),
        notes: largest
            .map(|(name, bytes)| format!("{name} ({})", units::counted(*bytes)))
            .collect(),
        help: vec![format!(
            "`cargo tree --target {} -i {krate}` shows what brings it in",
            config.target
        )],
        ..Diagnostic::at(&config.manifest, &config.source, place)
    }
}
