//! What a build has to know of the package's surroundings: what it links, and which folders its sources
//! come from, so that none of them is named in the file. Cargo is asked once and the answer is kept: it stays true while
//! the lock file and the local manifests are what they were.

use super::Request;
use super::flags::{self, Remap};
use crate::error::{Error, Result};
use crate::project::toolchain::Toolchain;
use crate::system::digest::Key;
use crate::system::{files, process};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, NodeDep, Package};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// What a package links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A `cdylib`: a library that stays alive between calls.
    Reactor,
    /// The program of that name, which runs once.
    Command(String),
}

/// What a build has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// What is linked.
    pub kind: Kind,
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
/// [`Error::Process`] where cargo cannot resolve the workspace, [`Error::Toolchain`] where the package is not there
/// or has nothing to link.
pub fn read(request: &Request, toolchain: &Toolchain) -> Result<Project> {
    let file = request.target_dir.join(format!(
        "project-{}-{}.json",
        request.package, request.target
    ));
    let kept = std::fs::read(&file)
        .ok()
        .and_then(|json| serde_json::from_slice::<Record>(&json).ok());
    if let Some(record) =
        kept.filter(|record| record.key == key(request, toolchain, &record.manifests))
    {
        return Ok(record.project);
    }
    let metadata = ask(request, toolchain)?;
    let package = metadata
        .packages
        .iter()
        .find(|package| package.manifest_path.as_std_path() == request.manifest);
    let targets = package
        .map(|package| package.targets.as_slice())
        .unwrap_or_default();
    let project = Project {
        kind: kind(&request.manifest, targets)?,
        remaps: remaps(request, toolchain, &metadata),
        links_dependencies: links_dependencies(request, &metadata),
    };
    let local = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_none());
    let manifests: Vec<PathBuf> = local
        .map(|package| package.manifest_path.clone().into())
        .collect();
    let record = Record {
        key: key(request, toolchain, &manifests),
        manifests,
        project,
    };
    let json = serde_json::to_vec(&record)
        .map_err(|e| Error::io("writing", &file)(std::io::Error::other(e)))?;
    std::fs::create_dir_all(&request.target_dir)
        .map_err(Error::io("creating folder", &request.target_dir))?;
    files::write_atomic(&file, &json)?;
    Ok(record.project)
}

fn key(request: &Request, toolchain: &Toolchain, manifests: &[PathBuf]) -> String {
    let bytes = |file: &Path| std::fs::read(file).unwrap_or_default();
    let mut key = Key::start()
        .with(env!("CARGO_PKG_VERSION"))
        .with(format!(
            "{request:?} {toolchain:?} {}",
            flags::cargo_home().display()
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
        .args([
            "metadata",
            "--format-version",
            "1",
            "--filter-platform",
            &request.target,
            "--manifest-path",
        ])
        .arg(&request.manifest);
    let json = process::output(&mut cargo)?;
    MetadataCommand::parse(json).map_err(|error| Error::Toolchain {
        message: format!("cargo metadata for {}: {error}", request.manifest.display()),
        help: "is the cargo in use newer than this tool?".to_owned(),
    })
}

/// What of all that cargo makes of the package at `manifest` is linked and shipped.
///
/// # Errors
/// [`Error::Toolchain`] where there is nothing, or where it is not clear.
pub fn kind(manifest: &Path, targets: &[cargo_metadata::Target]) -> Result<Kind> {
    let bins: Vec<_> = targets.iter().filter(|target| target.is_bin()).collect();
    if targets.iter().any(cargo_metadata::Target::is_cdylib) {
        return Ok(Kind::Reactor);
    }
    let help = match bins.as_slice() {
        [only] => return Ok(Kind::Command(only.name.clone())),
        [] => "add `crate-type = [\"cdylib\"]` under [lib], or a program".to_owned(),
        _ => "leave one, or make the package a cdylib".to_owned(),
    };
    Err(Error::Toolchain {
        message: format!(
            "{} has no cdylib and {} programs: nothing to link",
            manifest.display(),
            bins.len()
        ),
        help,
    })
}

/// Goes by what the package depends on when it runs: what its build script uses is built for the host, by other rules.
fn links_dependencies(request: &Request, metadata: &Metadata) -> bool {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let nodes: HashMap<_, _> = nodes.map(|node| (&node.id, node)).collect();
    let own = metadata
        .packages
        .iter()
        .find(|package| package.manifest_path.as_std_path() == request.manifest);
    let mut seen = HashSet::new();
    let mut waiting: Vec<_> = own.map(|package| &package.id).into_iter().collect();
    while let Some(node) = waiting.pop().and_then(|id| nodes.get(id)) {
        let normal = |dep: &&NodeDep| {
            let mut kinds = dep.dep_kinds.iter();
            kinds.any(|info| info.kind == DependencyKind::Normal)
        };
        let deps = node.deps.iter().filter(normal).map(|dep| &dep.pkg);
        waiting.extend(deps.filter(|id| seen.insert(*id)));
    }
    let mut used = metadata
        .packages
        .iter()
        .filter(|package| seen.contains(&package.id));
    used.any(|package| {
        let mut targets = package.targets.iter();
        targets.any(cargo_metadata::Target::is_cdylib)
    })
}

fn remaps(request: &Request, toolchain: &Toolchain, metadata: &Metadata) -> Vec<Remap> {
    let mut remaps = flags::general_remaps(request, toolchain);
    let mut own: Vec<Remap> = metadata
        .packages
        .iter()
        .filter_map(|package| remap(request, package))
        .collect();
    own.sort();
    own.dedup();
    remaps.extend(own);
    remaps
}

/// One flag for a whole registry, one for each package from anywhere else; those in the workspace are named by
/// their path in it.
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
