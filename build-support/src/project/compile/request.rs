//! What cargo is asked for.

use crate::config::Config;
use crate::project::package::{Features, Package};
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
    /// Whether the default features are left off.
    pub no_default_features: bool,
    /// The workspace's root folder.
    pub root: PathBuf,
    /// The folder for everything cargo makes. Builds that differ in `std` must differ here too.
    pub target_dir: PathBuf,
    /// How the standard library is built, where it is built with the package.
    pub std: StdBuild,
    /// Settings for cargo's `--config`, over those in the project's files.
    pub settings: Vec<String>,
}

impl Request {
    /// `package` as its budget says, in the folder that `cargo wasm` compiles in.
    pub fn new(package: &Package, config: &Config, features: &Features) -> Self {
        Self {
            manifest: package.manifest.clone(),
            package: package.name.clone(),
            target: config.target.clone(),
            profile: config.profile.clone(),
            features: features.features.clone(),
            no_default_features: features.no_default,
            root: package.root.clone(),
            target_dir: package.target_dir.join("wasm-build"),
            std: StdBuild::Small,
            settings: Vec::new(),
        }
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
