//! A package from its source to its shipped file.

use crate::config::{Config, Limits};
use crate::error::{Error, Result};
use crate::ops::newer_wasm_opt::{self, Found};
use crate::ops::ship::{self, Shipped};
use crate::project::compile::{self, Request, StdBuild};
use crate::project::listener::Listener;
use crate::project::package::{Features, Package};
use crate::project::toolchain::{self, Toolchain};
use crate::wasm::bindgen;
use std::fs::File;
use std::path::{Path, PathBuf};

impl Package {
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
        let unjudged = bindgen::is_input(&linked.bytes).then(|| not_judged(config));
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
}

/// Builds each of the targets of `package` as it is shipped, which costs little where nothing changed. Whether they are
/// within budget is no matter here.
///
/// # Errors
/// As [`Package::ship`], and [`Error::Toolchain`] where the package names no targets.
pub fn shipped(package: &Package, listener: &mut dyn Listener) -> Result<Vec<(String, Shipped)>> {
    if package.targets.is_empty() {
        return Err(Error::Toolchain {
            message: format!("{}: it names no targets", package.manifest.display()),
            help: "add `targets = [\"wasm32-wasip2\"]` to [package.metadata.budget]".to_owned(),
        });
    }
    let ship = |target: &String| {
        let folder = package.outputs(target);
        let shipped = package.ship(target, &Features::default(), &folder, listener)?;
        Ok((target.clone(), shipped))
    };
    package.targets.iter().map(ship).collect()
}

/// As [`shipped`]: the shipped files alone.
///
/// # Errors
/// As [`shipped`].
pub fn shipped_files(package: &Package, listener: &mut dyn Listener) -> Result<Vec<PathBuf>> {
    let shipped = shipped(package, listener)?.into_iter();
    Ok(shipped.map(|(_, shipped)| shipped.files.shipped).collect())
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

/// `config` for a file that is not what is shipped.
fn not_judged(config: &Config) -> Config {
    Config {
        limits: Limits::default(),
        ..config.clone()
    }
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
