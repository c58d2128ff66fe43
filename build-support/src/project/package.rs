//! A package of a cargo workspace: where it is, what cargo makes of it, and what it depends on.

use crate::error::{Error, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use std::path::{Path, PathBuf};

/// A package of a cargo workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// What cargo calls it in its messages.
    pub id: String,
    /// Its manifest.
    pub manifest: PathBuf,
    /// Whether its manifest has a budget.
    pub has_budget: bool,
    /// The targets its manifest names, the primary one first.
    pub targets: Vec<String>,
    /// The workspace's root folder.
    pub root: PathBuf,
    /// The workspace's target folder.
    pub target_dir: PathBuf,
    /// Where cargo keeps what is not a product: the target folder, unless the user says otherwise.
    pub build_dir: PathBuf,
    /// What cargo makes of it: libraries, programs, tests …
    pub makes: Vec<cargo_metadata::Target>,
    /// What it depends on itself when it runs, on any target.
    pub dependencies: Vec<String>,
}

/// Whom a message is about.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Cargo's id of the package.
    pub package_id: String,
    /// Its manifest.
    pub manifest: PathBuf,
    /// What is built of it; none where cargo makes nothing of it.
    pub target: Option<cargo_metadata::Target>,
}

/// Which features to build with, as cargo takes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    /// Features to switch on.
    pub features: Vec<String>,
    /// Whether the default features are left off.
    pub no_default: bool,
}

impl Package {
    /// The package whose manifest is in `folder`.
    ///
    /// # Errors
    /// [`Error::Toolchain`] where cargo cannot read it, or there is none.
    pub fn at(folder: &Path) -> Result<Self> {
        let manifest = folder.join("Cargo.toml");
        let mut all = Self::members(folder)?.into_iter();
        all.find(|package| package.manifest == manifest)
            .ok_or_else(|| {
                Error::toolchain(
                    format!("{} is the manifest of no package", manifest.display()),
                    "give the folder of a package",
                )
            })
    }

    /// Every package of the workspace whose root manifest is in `folder`, by name.
    ///
    /// # Errors
    /// [`Error::Toolchain`] where cargo cannot read it.
    pub fn members(folder: &Path) -> Result<Vec<Self>> {
        Self::all(MetadataCommand::new().manifest_path(folder.join("Cargo.toml")))
    }

    /// Every package of the workspace of the current folder, by name.
    ///
    /// # Errors
    /// [`Error::Toolchain`] where cargo cannot read it.
    pub fn all_here() -> Result<Vec<Self>> {
        Self::all(&mut MetadataCommand::new())
    }

    fn all(command: &mut MetadataCommand) -> Result<Vec<Self>> {
        let metadata = command.no_deps().exec().map_err(|error| {
            Error::toolchain(
                format!("reading the workspace: {error}"),
                "run this inside a cargo project",
            )
        })?;
        let packages = metadata.workspace_packages().into_iter();
        let mut members: Vec<_> = packages.map(|p| Self::new(p, &metadata)).collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(members)
    }

    fn new(package: &cargo_metadata::Package, metadata: &Metadata) -> Self {
        let build_dir = metadata.build_directory.as_ref();
        let build_dir = build_dir.unwrap_or(&metadata.target_directory);
        let dependencies = package.dependencies.iter();
        let dependencies = dependencies.filter(|one| one.kind == DependencyKind::Normal);
        Self {
            name: package.name.to_string(),
            id: package.id.repr.clone(),
            manifest: package.manifest_path.clone().into(),
            has_budget: package.metadata.get("budget").is_some(),
            targets: targets(package),
            root: metadata.workspace_root.clone().into(),
            target_dir: metadata.target_directory.clone().into(),
            build_dir: build_dir.clone().into(),
            makes: package.targets.clone(),
            dependencies: dependencies.map(|one| one.name.clone()).collect(),
        }
    }

    /// `target/budget/<target>`, where the shipped file and its report go.
    pub fn outputs(&self, target: &str) -> PathBuf {
        self.target_dir.join("budget").join(target)
    }

    /// What cargo calls the package's files.
    pub fn file_stem(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Whom messages about it name: what is shipped of it, where it is a library and a program
    /// alike.
    pub fn origin(&self) -> Origin {
        let mut makes = self.makes.iter();
        let shipped = makes.find(|target| target.is_cdylib() || target.is_bin());
        Origin {
            package_id: self.id.clone(),
            manifest: self.manifest.clone(),
            target: shipped.or(self.makes.first()).cloned(),
        }
    }
}

/// As cargo reads them; `config` says what is wrong with them, once a target is chosen.
fn targets(package: &cargo_metadata::Package) -> Vec<String> {
    let list = package.metadata["budget"]["targets"].as_array();
    let targets = list.into_iter().flatten().filter_map(|t| t.as_str());
    targets.map(str::to_owned).collect()
}
