//! The files that are compared: the agent with each allocator, and the fixture with it, plain and
//! traced. All go through the whole pipeline, with the built-in optimiser alone, so that they are
//! the same on every machine.

use super::Allocator;
use crate::size_bench;
use build_support::error::{Error, Result};
use build_support::ops::build::{self, Road};
use build_support::ops::ship::Shipped;
use build_support::project::listener::Listener;
use build_support::project::package::{Package, Wanted};
use build_support::report::{Sizes, Toolchain};
use std::path::PathBuf;

/// The fixture's package.
const FIXTURE: &str = "allocators";

/// The feature of a traced build.
const TRACING: &str = "alloc-tracing";

/// Which of its forms the fixture is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracing {
    /// As it would be shipped.
    Off,
    /// With what the allocator is asked for counted.
    On,
}

/// The agent with one allocator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The shipped file.
    pub file: PathBuf,
    /// As the linker left it, without names, wrapped where the target has components.
    pub linked: Sizes,
    /// What is shipped.
    pub shipped: Sizes,
    /// What made it.
    pub toolchain: Toolchain,
}

/// The package of the fixture in the workspace that `agent` is in.
///
/// # Errors
/// [`Error::Toolchain`] where it is not there.
pub fn fixture(agent: &Package) -> Result<Package> {
    let mut packages = size_bench::packages(agent)?.into_iter();
    packages
        .find(|package| package.name == FIXTURE)
        .ok_or_else(|| Error::Toolchain {
            message: format!("{} has no fixture `{FIXTURE}`", agent.root.display()),
            help: "run this in the workspace of build-support".to_owned(),
        })
}

/// Builds and weighs the agent.
///
/// # Errors
/// As [`build::compile`] and [`build::ship`].
pub fn agent(
    package: &Package,
    target: &str,
    allocator: Allocator,
    listener: &mut dyn Listener,
) -> Result<Agent> {
    let shipped = ship(package, target, allocator, Tracing::Off, listener)?;
    let file = &shipped.files.linked;
    let linked = std::fs::read(file).map_err(Error::io("reading", file))?;
    Ok(Agent {
        linked: size_bench::unoptimized(&package.config(Some(target))?, file, &linked)?,
        shipped: shipped.report.sizes,
        toolchain: shipped.report.toolchain,
        file: shipped.files.shipped,
    })
}

/// Builds `package`, the agent or the fixture, in a folder of its own.
///
/// # Errors
/// As [`build::compile`] and [`build::ship`].
pub fn ship(
    package: &Package,
    target: &str,
    allocator: Allocator,
    tracing: Tracing,
    listener: &mut dyn Listener,
) -> Result<Shipped> {
    let mut features = vec![allocator.feature()];
    features.extend((tracing == Tracing::On).then(|| TRACING.to_owned()));
    let folder = package
        .target_dir
        .join("alloc-compare")
        .join(features.join("-"))
        .join(target);
    let wanted = Wanted {
        features,
        no_default_features: true,
        ..Wanted::default()
    };
    let config = package.config(Some(target))?;
    let linked = build::compile(package, &config, &wanted, listener)?;
    let road = Road {
        package,
        config: &config,
        folder: &folder,
        newer: None,
    };
    build::ship(&road, linked, listener)
}
