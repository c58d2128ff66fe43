//! `[package.metadata.budget]` of a package's manifest → [`Config`], each value with its place in the
//! file, so that whoever complains later can point at it.
//!
//! ```toml
//! [package.metadata.budget]
//! profile = "release-wasm"                 # "release" where the key is absent
//! targets = ["wasm32-wasip2"]              # any wasm target where the key is absent
//! build-id = true                          # a custom section with an id of the contents; false where the key is absent
//! [package.metadata.budget.limits]         # on the shipped file, for every target
//! raw = "300 KiB"                          # or a whole number of bytes
//! gzip = "120 KiB"
//! brotli = "100 KiB"
//! functions = 400                          # functions with a body
//! crates = 12                              # crates that have bytes in it
//! memory = "320 KiB"                       # linear memory at the start
//! start = 5_000                            # instructions until there is an instance
//! crate.serde_json = "40 KiB"              # what a crate takes of it
//! section.data = "8 KiB"                   # what a section takes of it
//! [package.metadata.budget.target.wasm32-wasip2.limits]
//! raw = 61_440                             # replaces that limit for that target
//! [package.metadata.budget.ratchet]        # growth over the baseline that passes
//! tolerance = "0.5%"                       # or bytes, or a list of both, of which the larger counts
//! compressed-tolerance = "1%"              # of gzip and brotli
//! drift = "2%"                             # all growth since the last deliberate raise
//! [package.metadata.budget.snip]
//! enabled = true                           # the default
//! families = ["core::panicking"]           # of `families::FAMILIES`; all where the key is absent
//! allow = ["app::keep::*"]                 # demangled paths that are never snipped
//! deny = ["app::debug::dump"]              # and ones that are, besides the built-in families
//! [package.metadata.budget.sweep]
//! enabled = true                           # the default
//! [package.metadata.budget.graph]
//! banned-crates = ["tokio"]
//! banned-features = ["app/channels", "native-exec"]
//! max-crates = 40
//! [package.metadata.budget.constants]      # sizes inside the program, for `guard::constants`
//! read-buffer = "16 KiB"
//! ```
//!
//! All mistakes are found in one go. What the values mean is left to others: limits to `gate`, patterns
//! to `snip`, the graph to `guard`, which reads the same table through cargo.

mod amounts;
mod budget;
mod limits;
mod mistakes;
mod read;
mod rules;
mod tolerance;
mod value;

use crate::analyze::plan::SnipRules;
use crate::error::{Error, Result};
use crate::guard;
use std::path::{Path, PathBuf};

pub use limits::{Limit, Limits, Measure};
pub use mistakes::code;
pub use tolerance::{Allowance, Tolerance};

/// What a package asks of the tool, for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The package's name.
    pub package: String,
    /// The manifest it was read from, as it was given; empty where there is none.
    pub manifest: PathBuf,
    /// The manifest's text, which every span is a byte range of.
    pub source: String,
    /// The cargo profile to build with, `release` where the manifest is silent.
    pub profile: String,
    /// The target triple this configuration is for.
    pub target: String,
    /// The targets the package is built for, in the manifest's order; empty where it is silent.
    pub targets: Vec<String>,
    /// What the shipped file may weigh on this target.
    pub limits: Limits,
    /// Whether the shipped file gets a build id.
    pub build_id: bool,
    /// How much growth over the baseline passes.
    pub ratchet: Tolerance,
    /// What to replace by traps.
    pub snip: SnipRules,
    /// Whether to remove what is dead afterwards.
    pub sweep: SweepRules,
    /// What the dependency graph may hold.
    pub graph: guard::Rules,
}

/// Whether to remove what the linker's relocations prove dead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweepRules {
    /// On for a package, off for a lone file: only the linker's own output can be swept.
    pub enabled: bool,
    /// Whether what is dead becomes poison instead of nothing, to show a wrong proof. Not for shipping.
    pub poison: bool,
}

/// Reads the configuration of the package at `manifest` for `target`.
///
/// # Errors
///
/// [`Error::Io`] where the file cannot be read, [`Error::Input`] where it is not UTF-8, and as [`parse`].
pub fn load(manifest: &Path, target: &str) -> Result<Config> {
    let bytes = std::fs::read(manifest).map_err(Error::io("reading", manifest))?;
    let source = String::from_utf8(bytes).map_err(|error| Error::Input {
        file: manifest.to_owned(),
        offset: Some(error.utf8_error().valid_up_to() as u64),
        message: "the manifest is not UTF-8".into(),
        help: "save the file as UTF-8".into(),
    })?;
    parse(manifest, &source, target)
}

/// Reads the configuration for `target` from `source`, the text of `manifest`. A manifest without
/// `[package.metadata.budget]` gives the defaults and no limit.
///
/// # Errors
///
/// [`Error::Config`] with every mistake in the table, in the order of the file.
pub fn parse(manifest: &Path, source: &str, target: &str) -> Result<Config> {
    read::run(manifest, source, target).map_err(Error::Config)
}

/// Whether `source`, the text of a manifest, asks for a budget on what is built with a profile that `is_built` knows.
/// Where it is not clear, because the table has a mistake in that very place, it does: [`parse`] says what is wrong.
pub fn concerns(source: &str, is_built: impl FnOnce(&str) -> bool) -> bool {
    read::profile_of_budget(source).is_some_and(|profile| profile.is_none_or(|p| is_built(&p)))
}

impl Config {
    /// The configuration for a file that no package is known of, under the name `label`: no limits, and
    /// nothing is snipped.
    pub fn without_package(label: &str) -> Config {
        Config {
            package: label.to_owned(),
            manifest: PathBuf::new(),
            source: String::new(),
            profile: DEFAULT_PROFILE.to_owned(),
            target: "unknown".to_owned(),
            targets: Vec::new(),
            limits: Limits::default(),
            build_id: false,
            ratchet: Tolerance::default(),
            snip: SnipRules::default(),
            sweep: SweepRules::default(),
            graph: guard::Rules::default(),
        }
    }
}

const DEFAULT_PROFILE: &str = "release";

#[cfg(test)]
mod tests;
