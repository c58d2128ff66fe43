//! What a package asks for, as plain data.

use super::compact::Compact;
use super::files::Files;
use super::limits::{Limits, Measure};
use super::tolerance::Tolerance;
use super::wasm_bindgen::WasmBindgen;
use crate::analyze::plan::SnipRules;
use crate::guard;
use crate::report::{Metric, Size};
use std::path::PathBuf;

/// The cargo profile where the manifest is silent.
pub(super) const DEFAULT_PROFILE: &str = "release";

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
    /// The features to build with besides the default ones.
    pub features: Vec<String>,
    /// Whether all features are built with.
    pub all_features: bool,
    /// Whether the default features are left off.
    pub no_default_features: bool,
    /// The target triple this configuration is for.
    pub target: String,
    /// The targets the package is built for, in the manifest's order; empty where it is silent.
    pub targets: Vec<String>,
    /// What the shipped file may weigh on this target.
    pub limits: Limits,
    /// Which size of the shipped file is to be small, raw where the manifest is silent.
    pub minimize: Size,
    /// Whether the shipped file gets a build id.
    pub build_id: bool,
    /// How much sizes may grow over the baseline.
    pub ratchet: Tolerance,
    /// What to replace by traps.
    pub snip: SnipRules,
    /// Whether to remove what is dead afterwards.
    pub sweep: SweepRules,
    /// How it is compacted, if it is.
    pub compact: Option<Compact>,
    /// What wasm-bindgen is to make of the linked file, if it is shipped by way of it.
    pub wasm_bindgen: Option<WasmBindgen>,
    /// Files that something else builds.
    pub files: Files,
    /// What the dependency graph may hold.
    pub graph: guard::Rules,
}

/// Whether to remove what the linker's relocations prove dead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweepRules {
    /// On for a package, off for a lone file: only the linker's own output can be swept.
    pub enabled: bool,
    /// Whether what is dead becomes poison instead of nothing, to show a wrong proof. Not for
    /// shipping.
    pub poison: bool,
}

impl Config {
    /// What stands for the manifest where limits are given on the command line.
    pub const COMMAND_LINE: &str = "command line";

    /// The configuration for a file that no package is known of, under the name `label`: no limits,
    /// and nothing is snipped.
    pub fn without_package(label: &str) -> Config {
        Config {
            package: label.to_owned(),
            manifest: PathBuf::new(),
            source: String::new(),
            profile: DEFAULT_PROFILE.to_owned(),
            features: Vec::new(),
            all_features: false,
            no_default_features: false,
            target: "unknown".to_owned(),
            targets: Vec::new(),
            limits: Limits::default(),
            minimize: Size::Raw,
            build_id: false,
            ratchet: Tolerance::default(),
            snip: SnipRules::default(),
            sweep: SweepRules::default(),
            compact: None,
            wasm_bindgen: None,
            files: Files::default(),
            graph: guard::Rules::default(),
        }
    }
    /// By what the file to ship is chosen: the size that is minimised, and those that have a limit.
    pub fn metric(&self) -> Metric {
        let limited = self.limits.iter().filter_map(|limit| match limit.measure {
            Measure::Size(size) => Some(size),
            _ => None,
        });
        Metric::new(self.minimize, limited)
    }
}
