//! A package of a cargo workspace: where it is, what cargo makes of it, and what it depends on.

use crate::error::{Error, Result};
use crate::system::calling;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Target};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
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
    pub makes: Vec<Target>,
    /// What is linked of it, where its budget says so.
    pub chosen: Option<CrateKind>,
    /// The program that `cargo run` takes.
    pub default_run: Option<String>,
    /// What it depends on itself when it runs, on any target.
    pub dependencies: Vec<String>,
    /// The features that can be switched on: its own, and its optional dependencies.
    pub features: BTreeSet<String>,
}

/// Whom a message is about.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Cargo's id of the package.
    pub package_id: String,
    /// Its manifest.
    pub manifest: PathBuf,
    /// What is built of it; none where cargo makes nothing of it.
    pub target: Option<Target>,
}

/// What a package links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CrateKind {
    /// A `cdylib`: a library that stays alive between calls.
    Reactor,
    /// The program of that name, which runs once.
    Command(String),
}

/// What is wanted of a package beyond what its manifest says, as cargo takes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Features to switch on.
    pub features: Vec<String>,
    /// Whether all of them are switched on.
    pub all_features: bool,
    /// Whether the default features are left off.
    pub no_default_features: bool,
    /// What is linked; [`Package::product`] where nothing is said.
    pub product: Option<CrateKind>,
    /// Settings for cargo's `--config`, over those in the project's files.
    pub settings: Vec<String>,
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
        let metadata = command.no_deps().exec().map_err(unreadable)?;
        let packages = metadata.workspace_packages().into_iter();
        let mut members: Vec<_> = packages.map(|p| Self::new(p, &metadata)).collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(members)
    }

    /// A package that cargo told of.
    pub(super) fn new(package: &cargo_metadata::Package, metadata: &Metadata) -> Self {
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
            chosen: chosen(&package.metadata["budget"]),
            default_run: package.default_run.clone(),
            dependencies: dependencies.map(|one| one.name.clone()).collect(),
            features: package.features.keys().cloned().collect(),
        }
    }

    /// `target/budget/<target>`, where the shipped file and its report go.
    pub fn outputs(&self, target: &str) -> PathBuf {
        self.target_dir.join("budget").join(target)
    }

    /// What of all that cargo makes of it is linked and shipped: what is `wanted`, else what
    /// its budget says, else its `cdylib`, else the only program or `default-run`.
    ///
    /// # Errors
    /// [`Error::Toolchain`] where there is nothing, or where it is not clear.
    pub fn product(&self, wanted: Option<&CrateKind>) -> Result<CrateKind> {
        let bins = self.makes.iter().filter(|target| target.is_bin());
        let bins: Vec<_> = bins.map(|target| target.name.as_str()).collect();
        let program = |name: &str| CrateKind::Command(name.to_owned());
        let programs = match bins.len() {
            0 => "0 programs: nothing to link".to_owned(),
            1 => "1 program".to_owned(),
            several => format!("{several} programs"),
        };
        let named = match wanted.or(self.chosen.as_ref()) {
            Some(CrateKind::Reactor) if self.library().is_some() => return Ok(CrateKind::Reactor),
            Some(CrateKind::Reactor) => {
                return Err(self.unclear(&format!("no library and {programs}"), &bins));
            }
            Some(CrateKind::Command(name)) => Some(name),
            None => None,
        };
        match (named, bins.as_slice()) {
            (Some(name), bins) if bins.contains(&name.as_str()) => Ok(program(name)),
            (Some(name), _) => Err(self.unclear(&format!("no program `{name}`"), &bins)),
            (None, _) if self.makes.iter().any(Target::is_cdylib) => Ok(CrateKind::Reactor),
            (None, [only]) => Ok(program(only)),
            (None, _) => match &self.default_run {
                Some(name) => Ok(program(name)),
                None => Err(self.unclear(&format!("no cdylib and {programs}"), &bins)),
            },
        }
    }

    fn library(&self) -> Option<&Target> {
        let is_library =
            |target: &&Target| target.is_cdylib() || target.is_lib() || target.is_rlib();
        self.makes.iter().find(is_library)
    }

    /// It `lacks` what was looked for, and has these programs.
    fn unclear(&self, lacks: &str, bins: &[&str]) -> Error {
        let help = match bins {
            [] => "add `crate-type = [\"cdylib\"]` under [lib], or a program".to_owned(),
            _ => format!(
                "choose with --bin, or for good with `bin` in [package.metadata.budget] or `default-run` in [package]: {}",
                bins.join(", ")
            ),
        };
        Error::toolchain(format!("{} has {lacks}", self.manifest.display()), help)
    }

    /// What cargo calls the files of `kind`.
    pub fn file_stem(&self, kind: &CrateKind) -> String {
        match kind {
            CrateKind::Command(name) => name.clone(),
            CrateKind::Reactor => {
                let library = self.library().map(|library| &library.name);
                library.unwrap_or(&self.name).replace('-', "_")
            }
        }
    }

    /// Whom messages about it name: what is shipped of it, where it is a library and a program
    /// alike.
    pub fn origin(&self) -> Origin {
        let product = self.product(None).ok();
        let mut makes = self.makes.iter();
        let shipped = makes.find(|target| match &product {
            Some(CrateKind::Command(name)) => target.is_bin() && target.name == *name,
            _ => target.is_cdylib() || target.is_bin(),
        });
        Origin {
            package_id: self.id.clone(),
            manifest: self.manifest.clone(),
            target: shipped.or(self.makes.first()).cloned(),
        }
    }
}

/// Why cargo gives no workspace, in its own words where it has some.
fn unreadable(error: cargo_metadata::Error) -> Error {
    let cargo_metadata::Error::CargoMetadata { stderr } = &error else {
        return Error::toolchain(
            format!("cargo cannot be asked for the workspace: {error}"),
            "see that cargo is on PATH, or name it in CARGO",
        );
    };
    let said = stderr.trim();
    let said = said.strip_prefix("error: ").unwrap_or(said);
    let help = if said.starts_with("could not find `Cargo.toml`") {
        format!(
            "run this inside a cargo project; `{} FILE --limit raw=60KiB` and whatever is given a file need none",
            calling::budget("check")
        )
    } else {
        "mend what cargo says".to_owned()
    };
    Error::toolchain(format!("reading the workspace: {said}"), help)
}

/// What `bin` or `lib` in a `budget` choose.
fn chosen(budget: &serde_json::Value) -> Option<CrateKind> {
    let program = budget["bin"].as_str();
    let program = program.map(|name| CrateKind::Command(name.to_owned()));
    program.or_else(|| (budget["lib"] == true).then_some(CrateKind::Reactor))
}

/// As cargo reads them; `config` says what is wrong with them, once a target is chosen.
fn targets(package: &cargo_metadata::Package) -> Vec<String> {
    let list = package.metadata["budget"]["targets"].as_array();
    let targets = list.into_iter().flatten().filter_map(|t| t.as_str());
    targets.map(str::to_owned).collect()
}
