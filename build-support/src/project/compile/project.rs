//! What a build has to know of the package's surroundings: what it links, and which folders its
//! sources come from, so that none of them is named in the file. Cargo is asked once and the answer
//! is kept: it stays true while the lock file and the local manifests are what they were.

use super::folders::{self, Remap};
use super::request::Request;
use crate::error::{Error, Result};
use crate::project::package::{self, CrateKind};
use crate::project::toolchain::Toolchain;
use crate::system::digest::Key;
use crate::system::{files, process};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, NodeDep, Package, Target};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// What a build has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// What is linked.
    pub kind: CrateKind,
    /// Source folders and their names in the file.
    pub remaps: Vec<Remap>,
    /// Whether a dependency is a `cdylib` besides: cargo links that one too, as it goes by.
    pub links_dependencies: bool,
}

/// The answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Record {
    key: String,
    manifests: Vec<PathBuf>,
    project: Project,
}

/// Reads it, from the last answer where that still holds.
///
/// # Errors
/// [`Error::Process`] where cargo cannot resolve the workspace, [`Error::Toolchain`] where the
/// package is not there or has nothing to link.
pub fn read(request: &Request, toolchain: &Toolchain) -> Result<Project> {
    let name = format!("project-{}-{}.json", request.package, request.target);
    let file = request.target_dir.join(name);
    if let Ok(json) = std::fs::read(&file)
        && let Ok(record) = serde_json::from_slice::<Record>(&json)
        && record.key == key(request, toolchain, &record.manifests)
    {
        return Ok(record.project);
    }
    let metadata = ask(request, toolchain)?;
    let own = own(request, &metadata);
    let package = own.map(|own| package::Package::new(own, &metadata));
    let package = package.ok_or_else(|| {
        let manifest = request.manifest.display();
        let message = format!("{manifest} is the manifest of no package");
        Error::toolchain(message, "give the folder of a package")
    })?;
    let project = Project {
        kind: package.product(request.product.as_ref())?,
        remaps: remaps(request, toolchain, &metadata),
        links_dependencies: own.is_some_and(|own| links_dependencies(own, &metadata)),
    };
    let packages = metadata.packages.into_iter();
    let local = packages.filter(|package| package.source.is_none());
    let manifests: Vec<_> = local.map(|package| package.manifest_path.into()).collect();
    let record = Record {
        key: key(request, toolchain, &manifests),
        manifests,
        project,
    };
    let json = serde_json::to_vec(&record).map_err(|e| Error::io("writing", &file)(e.into()))?;
    files::write_atomic(&file, &json)?;
    Ok(record.project)
}

/// The package that is built.
fn own<'a>(request: &Request, metadata: &'a Metadata) -> Option<&'a Package> {
    let mut packages = metadata.packages.iter();
    packages.find(|package| package.manifest_path.as_std_path() == request.manifest)
}

fn key(request: &Request, toolchain: &Toolchain, manifests: &[PathBuf]) -> String {
    let bytes = |file: &Path| std::fs::read(file).unwrap_or_default();
    let mut key = Key::start()
        .with(env!("CARGO_PKG_VERSION"))
        .with(format!(
            "{request:?} {toolchain:?} {}",
            folders::cargo_home().display()
        ))
        .with(bytes(&request.root.join("Cargo.lock")))
        .with(bytes(&request.root.join("Cargo.toml")));
    for manifest in manifests {
        key = key
            .with(manifest.as_os_str().as_encoded_bytes())
            .with(bytes(manifest));
    }
    key.finish()
}

/// Asks cargo, which downloads what is not there yet: afterwards every source folder is known.
fn ask(request: &Request, toolchain: &Toolchain) -> Result<Metadata> {
    let mut cargo = process::cargo(&toolchain.cargo);
    cargo
        .env("RUSTC", &toolchain.rustc)
        .args(["metadata", "--format-version", "1"])
        .args(["--filter-platform", &request.target, "--manifest-path"])
        .arg(&request.manifest)
        .args(request.arguments());
    let json = process::output(&mut cargo)?;
    MetadataCommand::parse(json).map_err(|error| {
        Error::toolchain(
            format!("cargo metadata for {}: {error}", request.manifest.display()),
            "is the cargo in use newer than this tool?",
        )
    })
}

/// Whether a dependency is a `cdylib` too. Goes by what the package depends on when it runs: what
/// its build script uses is built for the host, by other rules.
fn links_dependencies(own: &Package, metadata: &Metadata) -> bool {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let nodes: HashMap<_, _> = nodes.map(|node| (&node.id, node)).collect();
    let mut seen = HashSet::new();
    let mut waiting = vec![&own.id];
    while let Some(node) = waiting.pop().and_then(|id| nodes.get(id)) {
        let deps = node.deps.iter().filter(|dep| is_normal(dep));
        waiting.extend(deps.map(|dep| &dep.pkg).filter(|id| seen.insert(*id)));
    }
    let mut packages = metadata.packages.iter();
    packages.any(|package| seen.contains(&package.id) && makes_cdylib(&package.targets))
}

fn is_normal(dep: &NodeDep) -> bool {
    let mut kinds = dep.dep_kinds.iter();
    kinds.any(|info| info.kind == DependencyKind::Normal)
}

fn makes_cdylib(targets: &[Target]) -> bool {
    targets.iter().any(Target::is_cdylib)
}

fn remaps(request: &Request, toolchain: &Toolchain, metadata: &Metadata) -> Vec<Remap> {
    let packages = metadata.packages.iter();
    let own: BTreeSet<Remap> = packages
        .filter_map(|package| remap(request, package))
        .collect();
    let mut remaps = folders::general_remaps(request, toolchain);
    remaps.extend(own);
    remaps
}

/// One flag for a whole registry, one for each package from anywhere else; those in the workspace
/// are named by their path in it.
fn remap(request: &Request, package: &Package) -> Option<Remap> {
    let folder = package.manifest_path.parent()?;
    match &package.source {
        Some(source) if !source.repr.starts_with("git+") => {
            Some((folder.parent()?.into(), "deps".to_owned()))
        }
        None if folder.starts_with(&*request.root.to_string_lossy()) => None,
        _ => Some((
            folder.into(),
            format!("deps/{}-{}", package.name, package.version),
        )),
    }
}
