//! A package from its source to its shipped file.

use crate::config::{Config, Limits};
use crate::error::{Error, Result};
use crate::ops::newer_wasm_opt::{self, Found};
use crate::ops::ship::{self, Shipped};
use crate::ops::wasm_bindgen;
use crate::project::compile::{self, Linked, Request};
use crate::project::listener::Listener;
use crate::project::package::{Package, Wanted};
use crate::project::toolchain;
use std::path::{Path, PathBuf};

/// Where the road from a linked file leads.
pub struct Road<'a> {
    /// What is shipped.
    pub package: &'a Package,
    /// Its settings.
    pub config: &'a Config,
    /// Where its files go.
    pub folder: &'a Path,
    /// A second optimiser, which may win; with none the bytes are the same on every machine.
    pub newer: Option<Found>,
}

impl<'a> Road<'a> {
    /// With the newer optimiser on the machine, where there is one.
    pub fn new(package: &'a Package, config: &'a Config, folder: &'a Path) -> Self {
        Self {
            package,
            config,
            folder,
            newer: newer_wasm_opt::find(),
        }
    }
}

/// Compiles and links `package` as its budget says.
///
/// # Errors
/// [`Error::Toolchain`] where there is no standard library for the target, as [`compile::run`], and
/// as [`wasm_bindgen::find`] where that is asked for.
pub fn compile(
    package: &Package,
    config: &Config,
    wanted: &Wanted,
    listener: &mut dyn Listener,
) -> Result<Linked> {
    wasm_bindgen::look(config, &package.root)?;
    let toolchain = toolchain::find(&config.target, &mut |line| listener.say(line))?;
    compile::run(&Request::new(package, config, wanted), &toolchain, listener)
}

/// Rewrites, measures, judges and writes what was linked, whoever linked it.
///
/// # Errors
/// What any step reports; the files of the run before stay then.
pub fn ship(road: &Road<'_>, linked: Linked, listener: &mut dyn Listener) -> Result<Shipped> {
    let stem = road.package.file_stem(&linked.kind);
    let bindgen = wasm_bindgen::find(road.config, &road.package.root, &stem)?;
    let identity = identity(road.newer.as_ref())?;
    let is_left = wasm_bindgen::is_left(road.config, &linked.bytes);
    let unjudged = is_left.then(|| not_judged(road.config));
    let input = ship::Input {
        config: unjudged.as_ref().unwrap_or(road.config),
        name: &ship::shipped_stem(road.config, stem),
        file: &linked.path,
        linked: linked.bytes,
        toolchain: linked.toolchain,
        definers: &linked.definers,
        wants_component: toolchain::ships_components(&road.config.target),
        newer_wasm_opt: road.newer.as_ref(),
        bindgen: bindgen.as_ref(),
        identity: &identity,
        machine_paths: &linked.machine_paths,
    };
    ship::run(&input, road.folder, &mut |stage| listener.stage(stage))
}

/// Both, for one target of `package`. Where there is a newer optimiser on the machine, it may win.
///
/// # Errors
/// As [`compile`] and [`ship`].
pub fn run(
    package: &Package,
    target: &str,
    wanted: &Wanted,
    folder: &Path,
    listener: &mut dyn Listener,
) -> Result<Shipped> {
    let config = package.config(Some(target))?;
    let linked = compile(package, &config, wanted, listener)?;
    let road = Road::new(package, &config, folder);
    ship(&road, linked, listener)
}

/// Builds each of the targets of `package` as it is shipped, which costs little where nothing
/// changed. Whether they are within budget is no matter here.
///
/// # Errors
/// As [`run`], and [`Error::Toolchain`] where the package names no targets.
pub fn shipped(
    package: &Package,
    wanted: &Wanted,
    listener: &mut dyn Listener,
) -> Result<Vec<(String, Shipped)>> {
    if package.targets.is_empty() {
        return Err(Error::toolchain(
            format!("{}: it names no targets", package.manifest.display()),
            "add `targets = [\"wasm32-wasip2\"]` to [package.metadata.budget]",
        ));
    }
    let mut all = Vec::new();
    for target in &package.targets {
        let folder = package.outputs(target);
        let shipped = run(package, target, wanted, &folder, listener)?;
        all.push((target.clone(), shipped));
    }
    Ok(all)
}

/// As [`shipped`]: the shipped files alone.
///
/// # Errors
/// As [`shipped`].
pub fn shipped_files(
    package: &Package,
    wanted: &Wanted,
    listener: &mut dyn Listener,
) -> Result<Vec<PathBuf>> {
    let shipped = shipped(package, wanted, listener)?.into_iter();
    Ok(shipped.map(|(_, shipped)| shipped.files.shipped).collect())
}

/// `config` for a file that is not what is shipped.
fn not_judged(config: &Config) -> Config {
    Config {
        limits: Limits::default(),
        ..config.clone()
    }
}

/// What decides the bytes besides the input and the configuration: this program and the other
/// optimiser.
fn identity(newer: Option<&Found>) -> Result<String> {
    let newer = newer.map(Found::identity).transpose()?.unwrap_or_default();
    // A program that was replaced while it runs has no file any more: then no other run is like
    // this one.
    let this = std::env::current_exe()
        .and_then(std::fs::metadata)
        .map_or_else(
            |_| format!("process {}", std::process::id()),
            |about| format!("{} {:?}", about.len(), about.modified().ok()),
        );
    Ok(format!("{} {this} {newer}", env!("CARGO_PKG_VERSION")))
}
