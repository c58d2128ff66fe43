//! A package with a budget: where it is, and the whole road from its source to its shipped file.

use crate::adopt::choice;
use crate::compile::{self, Request, StdBuild};
use crate::config::{self, Config};
use crate::error::{Error, Result};
use crate::newer_wasm_opt::{self, Found};
use crate::ship::{self, Shipped};
use crate::toolchain::{self, Toolchain};
use crate::wasm::bindgen;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use std::cell::Cell;
use std::fs::File;
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

/// Who hears what is going on.
pub trait Listener {
    /// A line for the user, e.g. which standard library was taken.
    fn say(&mut self, line: &str);
    /// The name of the stage that begins.
    fn stage(&mut self, name: &str);
    /// Whether cargo's own messages are wanted, which then come to [`Listener::message`] instead of being drawn.
    fn wants_messages(&self) -> bool {
        false
    }
    /// A line of JSON, as cargo wrote it.
    fn message(&mut self, _line: &str) {}
}

/// Hears nothing.
pub struct Silent;

impl Listener for Silent {
    fn say(&mut self, _line: &str) {}
    fn stage(&mut self, _name: &str) {}
}

impl Package {
    /// The package called `wanted` in the workspace of the current folder, or the only one there with a
    /// `[package.metadata.budget]`, or where none has one the one that makes a wasm file.
    ///
    /// # Errors
    /// [`Error::Toolchain`] where cargo cannot read the workspace or the choice is not clear.
    pub fn find(wanted: Option<&str>) -> Result<Self> {
        let budgets = Cell::new(0);
        let found = Self::choose(&mut MetadataCommand::new(), |package| match wanted {
            Some(name) => package.name.as_str() == name,
            None => {
                let has_budget = package.metadata.get("budget").is_some();
                budgets.set(budgets.get() + usize::from(has_budget));
                has_budget
            }
        });
        match (&found, wanted) {
            (Err(_), None) if budgets.get() == 0 => choice::package(None).or(found),
            _ => found,
        }
    }

    /// The package whose manifest is in `folder`.
    ///
    /// # Errors
    /// As [`Package::find`].
    pub fn at(folder: &Path) -> Result<Self> {
        let manifest = folder.join("Cargo.toml");
        Self::choose(MetadataCommand::new().manifest_path(&manifest), |package| {
            package.manifest_path.as_std_path() == manifest
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
        let metadata = read(command)?;
        let mut members: Vec<_> = metadata
            .workspace_packages()
            .into_iter()
            .map(|package| Self::of(package, &metadata))
            .collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(members)
    }

    fn of(package: &cargo_metadata::Package, metadata: &Metadata) -> Self {
        let build_dir = metadata.build_directory.as_ref();
        let build_dir = build_dir.unwrap_or(&metadata.target_directory);
        Self {
            name: package.name.to_string(),
            id: package.id.repr.clone(),
            manifest: package.manifest_path.clone().into(),
            targets: targets(package),
            root: metadata.workspace_root.clone().into(),
            target_dir: metadata.target_directory.clone().into(),
            build_dir: build_dir.clone().into(),
            makes: package.targets.clone(),
            dependencies: package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .map(|dependency| dependency.name.clone())
                .collect(),
        }
    }

    fn choose(
        command: &mut MetadataCommand,
        wanted: impl Fn(&cargo_metadata::Package) -> bool,
    ) -> Result<Self> {
        let metadata = read(command)?;
        let names = |packages: &[&cargo_metadata::Package]| {
            packages
                .iter()
                .map(|p| p.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let all: Vec<_> = metadata.packages.iter().collect();
        let found: Vec<_> = all
            .iter()
            .copied()
            .filter(|package| wanted(package))
            .collect();
        match found.as_slice() {
            [package] => Ok(Self::of(package, &metadata)),
            [] => Err(Error::Toolchain {
                message: format!(
                    "no such package in {}, or none with a [package.metadata.budget] table",
                    metadata.workspace_root
                ),
                help: format!("name one with --package: {}", names(&all)),
            }),
            several => Err(Error::Toolchain {
                message: "several packages have a [package.metadata.budget] table".to_owned(),
                help: format!("name one with --package: {}", names(several)),
            }),
        }
    }

    /// `target/budget/<target>`, where the shipped file and its report go.
    pub fn outputs(&self, target: &str) -> PathBuf {
        self.target_dir.join("budget").join(target)
    }

    /// `tests/transcript.json`, what is said to the agent where a workload of its own is wanted.
    pub fn transcript(&self) -> PathBuf {
        self.manifest
            .with_file_name("tests")
            .join("transcript.json")
    }

    /// What cargo calls the package's files.
    pub fn file_stem(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The package's settings for `target`, or for the first of its own targets, or for the one it is plainly made for.
    ///
    /// # Errors
    /// [`Error::Config`] with every mistake in the metadata.
    pub fn config(&self, target: Option<&str>) -> Result<Config> {
        if let Some(target) = target {
            return config::load(&self.manifest, target);
        }
        let first = match self.targets.first() {
            Some(first) => first.clone(),
            None => choice::targets(self, &[])?.remove(0),
        };
        config::load(&self.manifest, &first)
    }

    /// What is to be compiled, and with what.
    ///
    /// # Errors
    /// [`Error::Toolchain`] where there is no standard library for the target.
    pub fn request(
        &self,
        config: &Config,
        features: &Features,
        listener: &mut dyn Listener,
    ) -> Result<(Request, Toolchain)> {
        let toolchain = toolchain::find(&config.target, &mut |line| listener.say(line))?;
        Ok((
            self.request_in("wasm-build", config, features, StdBuild::Small),
            toolchain,
        ))
    }

    /// What is to be compiled in the target folder's `folder`, with a standard library built as `std` says.
    pub fn request_in(
        &self,
        folder: &str,
        config: &Config,
        features: &Features,
        std: StdBuild,
    ) -> Request {
        Request {
            manifest: self.manifest.clone(),
            package: self.name.clone(),
            target: config.target.clone(),
            profile: config.profile.clone(),
            features: features.features.clone(),
            no_default_features: features.no_default,
            root: self.root.clone(),
            target_dir: self.target_dir.join(folder),
            std,
            settings: Vec::new(),
        }
    }

    /// Compiles, rewrites, measures, judges and writes to `folder`. Where there is a newer optimiser on the machine, it may
    /// win.
    ///
    /// # Errors
    /// What any step reports; the files of the run before stay then.
    pub fn ship(
        &self,
        target: &str,
        features: &Features,
        folder: &Path,
        listener: &mut dyn Listener,
    ) -> Result<Shipped> {
        let newer = newer_wasm_opt::find();
        self.ship_with(newer.as_ref(), target, features, folder, listener)
    }

    /// As [`Package::ship`], with `newer` as the second optimiser; with none the bytes are the same on every machine.
    ///
    /// # Errors
    /// As [`Package::ship`].
    pub fn ship_with(
        &self,
        newer: Option<&Found>,
        target: &str,
        features: &Features,
        folder: &Path,
        listener: &mut dyn Listener,
    ) -> Result<Shipped> {
        let config = self.config(Some(target))?;
        let linked = self.compile(&config, features, listener)?;
        self.ship_linked(newer, &config, linked, folder, listener)
    }

    /// The road from the linked file on, whoever linked it.
    ///
    /// # Errors
    /// As [`Package::ship`].
    pub fn ship_linked(
        &self,
        newer: Option<&Found>,
        config: &Config,
        linked: compile::Linked,
        folder: &Path,
        listener: &mut dyn Listener,
    ) -> Result<Shipped> {
        let identity = identity(newer)?;
        let unjudged = bindgen::is_input(&linked.bytes).then(|| bindgen::not_judged(config));
        let input = ship::Input {
            config: unjudged.as_ref().unwrap_or(config),
            name: &self.file_stem(),
            file: &linked.path,
            linked: linked.bytes,
            toolchain: linked.toolchain,
            wants_component: toolchain::ships_components(&config.target),
            newer_wasm_opt: newer,
            identity: &identity,
            machine_paths: &linked.machine_paths,
        };
        ship::run(&input, folder, &mut |stage| listener.stage(stage))
    }

    /// Compiles and links.
    ///
    /// # Errors
    /// As [`link`].
    pub fn compile(
        &self,
        config: &Config,
        features: &Features,
        listener: &mut dyn Listener,
    ) -> Result<compile::Linked> {
        let (request, toolchain) = self.request(config, features, listener)?;
        let _lock = wait(&request)?;
        match listener.wants_messages() {
            true => compile::run_heard(&request, &toolchain, &mut |line| listener.message(line)),
            false => compile::run(&request, &toolchain),
        }
    }

    /// Whom messages about it name: what is shipped of it, where it is a library and a program alike.
    pub fn origin(&self) -> Origin {
        let shipped = |target: &&cargo_metadata::Target| target.is_cdylib() || target.is_bin();
        Origin {
            package_id: self.id.clone(),
            manifest: self.manifest.clone(),
            target: self
                .makes
                .iter()
                .find(shipped)
                .or(self.makes.first())
                .cloned(),
        }
    }
}

/// Compiles and links. Runs wait for each other: cargo puts the files of every feature set in one place.
///
/// # Errors
/// [`Error::Toolchain`] or [`Error::Process`].
pub fn link(request: &Request, toolchain: &Toolchain) -> Result<compile::Linked> {
    let _lock = wait(request)?;
    compile::run(request, toolchain)
}

fn wait(request: &Request) -> Result<File> {
    std::fs::create_dir_all(&request.target_dir)
        .map_err(Error::io("creating folder", &request.target_dir))?;
    let path = request.target_dir.join(".lock");
    let lock = File::create(&path).map_err(Error::io("creating", &path))?;
    lock.lock().map_err(Error::io("locking", &path))?;
    Ok(lock)
}

fn read(command: &mut MetadataCommand) -> Result<Metadata> {
    command.no_deps().exec().map_err(|error| Error::Toolchain {
        message: format!("reading the workspace: {error}"),
        help: "run this inside a cargo project".to_owned(),
    })
}

/// As cargo reads them; `config` says what is wrong with them, once a target is chosen.
fn targets(package: &cargo_metadata::Package) -> Vec<String> {
    let list = package.metadata["budget"]["targets"].as_array();
    list.into_iter()
        .flatten()
        .filter_map(|target| target.as_str().map(str::to_owned))
        .collect()
}

/// What decides the bytes besides the input and the configuration: this program and the other optimiser.
fn identity(newer: Option<&Found>) -> Result<String> {
    let newer = newer.map(Found::identity).transpose()?.unwrap_or_default();
    // A program that was replaced while it runs has no file any more: then no other run is like this one.
    let this = std::env::current_exe()
        .and_then(std::fs::metadata)
        .map_or_else(
            |_| format!("process {}", std::process::id()),
            |about| format!("{} {:?}", about.len(), about.modified().ok()),
        );
    Ok(format!("{} {this} {newer}", env!("CARGO_PKG_VERSION")))
}
