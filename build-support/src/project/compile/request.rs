//! What cargo is asked for.

use crate::config::{Config, LowMemory};
use crate::project::package::{CrateKind, Package, Wanted};
use std::path::PathBuf;

/// What is to be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The package's manifest.
    pub manifest: PathBuf,
    /// The package's name.
    pub package: String,
    /// The target triple.
    pub target: String,
    /// The cargo profile.
    pub profile: String,
    /// Features to switch on.
    pub features: Vec<String>,
    /// Whether all features are switched on.
    pub all_features: bool,
    /// Whether the default features are left off.
    pub no_default_features: bool,
    /// What is linked; the package's own choice where nothing is said.
    pub product: Option<CrateKind>,
    /// The workspace's root folder.
    pub root: PathBuf,
    /// The folder for everything cargo makes. Builds that differ in `std` must differ here too.
    pub target_dir: PathBuf,
    /// How the standard library is built, where it is built with the package.
    pub std: StdBuild,
    /// Whether the linked file has line tables and the names of inlined functions. They change no
    /// code.
    pub lines: bool,
    /// Whether the linker is asked for more stack than the program needs, so that it never touches
    /// the lowest addresses.
    pub spare_stack: bool,
    /// Settings for cargo's `--config`, over those in the project's files.
    pub settings: Vec<String>,
}

impl Request {
    /// `package` as its budget says, in the folder that `cargo wasm` compiles in.
    pub fn new(package: &Package, config: &Config, wanted: &Wanted) -> Self {
        let mut features = config.features.clone();
        let more = wanted.features.iter();
        let more = more.filter(|feature| !config.features.contains(feature));
        features.extend(more.cloned());
        Self {
            manifest: package.manifest.clone(),
            package: package.name.clone(),
            target: config.target.clone(),
            profile: config.profile.clone(),
            features,
            all_features: config.all_features || wanted.all_features,
            no_default_features: config.no_default_features || wanted.no_default_features,
            product: wanted.product.clone(),
            root: package.root.clone(),
            target_dir: package.target_dir.join("wasm-build"),
            std: StdBuild::Small,
            lines: false,
            spare_stack: wants_spare_stack(config),
            settings: wanted.settings.clone(),
        }
    }

    /// What cargo is told of features and settings, whatever it is to do.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        if self.all_features {
            arguments.push("--all-features".to_owned());
        }
        if self.no_default_features {
            arguments.push("--no-default-features".to_owned());
        }
        if !self.features.is_empty() {
            arguments.extend(["--features".to_owned(), self.features.join(",")]);
        }
        for setting in &self.settings {
            arguments.extend(["--config".to_owned(), setting.clone()]);
        }
        arguments
    }
}

/// How a standard library is built from its sources. A ready-made one is what it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StdBuild {
    /// With the package's own profile, and with the library's own feature for size
    /// (`optimize_for_size`: one small merge sort instead of a fast one, and the like). What it
    /// computes is the same.
    #[default]
    Small,
    /// With the package's own profile alone: what a distribution with that profile would ship.
    Plain,
    /// For size, and without anything of a panic but the trap: what unstable flags alone give
    /// (`optimize_for_size`, `panic = "immediate-abort"`). The package is built for it too. It is
    /// what a post-link tool is measured against, not what is shipped.
    Reference,
}

/// Whether `config` asks for what holds only with a stack that is larger than the program needs.
pub fn wants_spare_stack(config: &Config) -> bool {
    let compact = config.compact;
    compact.is_some_and(|compact| compact.low_memory == LowMemory::Auto)
}
