//! Folders of this machine: which must not be named in what is shipped, and what the compiler
//! writes in their place.

use super::request::Request;
use crate::project::toolchain::Toolchain;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A folder, and what the compiler writes in its place. Of two that match, the later one wins.
pub type Remap = (PathBuf, String);

/// Folders of this machine that must not be named in what is shipped.
pub fn nameless_of(request: &Request, toolchain: &Toolchain) -> Vec<String> {
    let mut folders = vec![request.root.clone(), request.target_dir.clone()];
    folders.extend(toolchain.sources().map(|sources| sources.library.clone()));
    nameless(folders, std::slice::from_ref(&toolchain.sysroot))
}

/// `folders`, the compilers' sysroots and cargo's home, as they are named and as they are called
/// without symbolic links.
pub fn nameless(mut folders: Vec<PathBuf>, sysroots: &[PathBuf]) -> Vec<String> {
    folders.push(cargo_home());
    // `/usr` is no secret, and too short to mean anything.
    let sysroots = sysroots
        .iter()
        .filter(|folder| folder.components().count() > 2);
    folders.extend(sysroots.cloned());
    let all = folders.iter().flat_map(|folder| with_real(folder));
    let named = all.filter(|path| path.is_absolute() && path.parent().is_some());
    let paths = BTreeSet::from_iter(named).into_iter();
    paths.map(|path| path.display().to_string()).collect()
}

/// What holds for every package: general folders first.
pub fn general_remaps(request: &Request, toolchain: &Toolchain) -> Vec<Remap> {
    let mut remaps = vec![
        (cargo_home(), "cargo".to_owned()),
        (request.root.clone(), ".".to_owned()),
        (request.target_dir.clone(), "target".to_owned()),
    ];
    let own = toolchain.sysroot.join("lib/rustlib/src/rust/library");
    let sources = toolchain.sources().map(|sources| sources.library.clone());
    let libraries = std::iter::once(own).chain(sources);
    remaps.extend(libraries.map(|folder| (folder, "library".to_owned())));
    remaps
}

/// The flags that have the compiler write the names in place of the folders.
pub fn remap_flags(remaps: &[Remap]) -> Vec<String> {
    let mut flags = Vec::new();
    for (from, to) in remaps {
        for folder in with_real(from) {
            let flag = format!("--remap-path-prefix={}={to}", folder.display());
            if !flags.contains(&flag) {
                flags.push(flag);
            }
        }
    }
    flags
}

/// `CARGO_HOME`, or where cargo puts it.
pub fn cargo_home() -> PathBuf {
    let set = std::env::var_os("CARGO_HOME").filter(|home| !home.is_empty());
    set.map_or_else(
        || std::env::home_dir().unwrap_or_default().join(".cargo"),
        PathBuf::from,
    )
}

/// A folder as it was named, and as it is called without symbolic links: the compiler may use
/// either.
fn with_real(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let real = folder.canonicalize().ok().filter(|real| real != folder);
    std::iter::once(folder.to_owned()).chain(real)
}
