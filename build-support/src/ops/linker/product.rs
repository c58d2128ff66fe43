//! Whether what cargo has linked is what a package with a budget ships. rustc inherits from cargo,
//! and its linker from rustc, the variables that cargo sets for a crate (the Cargo book,
//! "Environment variables Cargo sets for crates").

use super::arguments::Arguments;
use super::place::Place;
use crate::config;
use crate::error::{Error, Result};
use crate::project::package::{CrateKind, Package};
use crate::system::calling;
use cargo_metadata::Target;
use std::path::{Path, PathBuf};

/// A link that a budget is for.
pub struct Product {
    /// The package.
    pub package: Package,
    /// What of it is linked.
    pub kind: CrateKind,
    /// Where rustc wants the file.
    pub output: PathBuf,
    /// The folder for what this tool writes.
    pub target_dir: PathBuf,
}

impl Product {
    /// What a budget is for of what `arguments` link; none where there is no budget, or for
    /// something else.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Toolchain`] where there is a budget and it cannot be told whether
    /// it is for this.
    pub fn find(arguments: &Arguments, place: Option<&Place>) -> Result<Option<Self>> {
        let (Some(folder), Some(output)) =
            (std::env::var_os("CARGO_MANIFEST_DIR"), arguments.output())
        else {
            return Ok(None);
        };
        let folder = PathBuf::from(folder);
        let manifest = folder.join("Cargo.toml");
        let source = std::fs::read(&manifest).map_err(Error::io("reading", &manifest))?;
        let source = String::from_utf8_lossy(&source);
        if !config::concerns(&source, |profile| {
            place.is_none_or(|place| place.is_of_profile(profile))
        }) {
            return Ok(None);
        }
        let place = place.ok_or_else(|| unknown_place(output, &manifest))?;
        let package = Package::at(&folder)?;
        let Some(kind) = kind(&package, arguments)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            kind,
            output: output.to_owned(),
            target_dir: if place.build_dir == package.build_dir {
                package.target_dir.clone()
            } else {
                // A folder that was given to cargo on its command line: no other cargo knows it.
                place.build_dir.clone()
            },
            package,
        }))
    }
}

impl Product {
    /// Whether cargo makes more of the library than a `cdylib`. It does not optimise across crates
    /// then, as long as it makes all of it at once.
    pub fn is_library_of_several_kinds(&self) -> bool {
        let mut libraries = self.package.makes.iter();
        self.kind == CrateKind::Reactor
            && libraries.any(|target| target.is_cdylib() && target.crate_types.len() > 1)
    }
}

/// What is linked, if it is what the package ships.
fn kind(package: &Package, arguments: &Arguments) -> Result<Option<CrateKind>> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let (krate, bin) = (variable("CARGO_CRATE_NAME"), variable("CARGO_BIN_NAME"));
    let is_library = |target: &Target| target.is_cdylib() && target.name.replace('-', "_") == krate;
    let is_program = |target: &Target| target.is_bin() && target.name == bin;
    let candidate = if bin.is_empty() {
        arguments.has_no_entry() && package.makes.iter().any(is_library)
    } else {
        package.makes.iter().any(is_program)
    };
    if !candidate {
        return Ok(None);
    }
    let kind = package.product(None)?;
    let is_it = match &kind {
        CrateKind::Reactor => bin.is_empty(),
        CrateKind::Command(name) => *name == bin,
    };
    Ok(is_it.then_some(kind))
}

fn unknown_place(output: &Path, manifest: &Path) -> Error {
    Error::toolchain(
        format!(
            "{} is not where cargo puts what it builds, so the profile cannot be told and the budget in {} not be kept",
            output.display(),
            manifest.display()
        ),
        format!(
            "build with `cargo build --target …`, or take the tool out as the linker and use `{}`",
            calling::call("build")
        ),
    )
}
