//! The flags and variables that make a build of the kind the pipeline wants, and the same on every machine.

use super::{Kind, Project, Request, StdBuild};
use crate::toolchain::{Std, Toolchain, ships_components};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Between the flags in `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\x1f";

/// A folder, and what the compiler writes in its place. Of two that match, the later one wins.
pub type Remap = (PathBuf, String);

/// Sets the compiler, the standard library and the flags of every crate on `cargo`.
pub fn set(cargo: &mut Command, request: &Request, toolchain: &Toolchain, project: &Project) {
    cargo
        .env("RUSTC", &toolchain.rustc)
        .env("CARGO_INCREMENTAL", "0");
    if let Std::Sources(sources) = &toolchain.std {
        // A release compiler takes `-Z` flags and compiles its own library only with this.
        cargo
            .env("RUSTC_BOOTSTRAP", "1")
            .arg("-Zbuild-std=std,panic_abort");
        if request.std != StdBuild::Plain {
            cargo.arg("-Zbuild-std-features=optimize_for_size");
        }
        if request.std == StdBuild::Reference {
            cargo.args([
                "-Zpanic-immediate-abort",
                "--config",
                &format!("profile.{}.panic=\"immediate-abort\"", request.profile),
            ]);
        }
        cargo.arg("--config").arg(setting(
            &request.target,
            "linker",
            quoted(&sources.linker.to_string_lossy()),
        ));
    }
    let mut ours = remap_flags(&project.remaps);
    if project.links_dependencies {
        ours.extend(dependency_flags(toolchain));
    }
    match users_flags() {
        // Cargo takes the variable alone, where it is set; with a target triple it concerns no build script.
        Some(users) => {
            let all = users
                .into_iter()
                .chain(ours)
                .collect::<Vec<_>>()
                .join(SEPARATOR);
            cargo.env("CARGO_ENCODED_RUSTFLAGS", all);
        }
        None => {
            let list = ours
                .iter()
                .map(|flag| quoted(flag))
                .collect::<Vec<_>>()
                .join(", ");
            cargo
                .arg("--config")
                .arg(setting(&request.target, "rustflags", format!("[{list}]")));
        }
    }
}

/// The flags of the last step, which links.
pub fn link(target: &str, kind: &Kind, toolchain: &Toolchain) -> Vec<OsString> {
    // Names stay, line tables go: those of a ready-made standard library are megabytes.
    let mut flags: Vec<OsString> = vec![
        "-Cstrip=debuginfo".into(),
        "-Clink-arg=--emit-relocs".into(),
    ];
    let startup = match kind {
        Kind::Reactor => "crt1-reactor.o",
        Kind::Command(_) => "crt1-command.o",
    };
    match &toolchain.std {
        Std::Installed | Std::Added => {
            if ships_components(target) {
                // To `wasm-component-ld`, the default linker there: leave the core module.
                flags.push("-Clink-arg=--skip-wit-component".into());
            }
            // For a command the compiler adds its start-up object itself.
            let own = toolchain
                .sysroot
                .join("lib/rustlib")
                .join(target)
                .join("lib/self-contained")
                .join(startup);
            if *kind == Kind::Reactor && own.is_file() {
                flags.extend(reactor(&own));
            }
        }
        Std::Sources(sources) => {
            if let Some(libc) = &sources.libc {
                flags.push("-Clink-self-contained=no".into());
                flags.push(with_path("-L", libc));
                match kind {
                    Kind::Reactor => flags.extend(reactor(&libc.join(startup))),
                    Kind::Command(_) => flags.push(with_path("-Clink-arg=", &libc.join(startup))),
                }
            }
        }
    }
    flags
}

/// What cargo needs to link a dependency as it goes by, where the dependency is a `cdylib` too: flags of the last step do
/// not reach it. Nobody uses the file, but where it cannot be linked the build fails.
fn dependency_flags(toolchain: &Toolchain) -> Option<String> {
    match &toolchain.std {
        Std::Installed | Std::Added => None,
        Std::Sources(sources) => {
            let libc = sources.libc.as_ref()?;
            Some(format!("-Lnative={}", libc.display()))
        }
    }
}

/// The start-up object of a reactor, for which the compiler has none: without an `_initialize` the linker would
/// wrap every export in a call of all constructors. It is taken only where the package has no
/// `_initialize` of its own.
fn reactor(startup: &Path) -> [OsString; 4] {
    [
        "-Clink-arg=--start-lib".into(),
        with_path("-Clink-arg=", startup),
        "-Clink-arg=--end-lib".into(),
        "-Clink-arg=--export=_initialize".into(),
    ]
}

/// Folders of this machine that must not be named in what is shipped.
pub fn machine_paths(request: &Request, toolchain: &Toolchain) -> Vec<String> {
    let mut folders = vec![
        request.root.clone(),
        request.target_dir.clone(),
        cargo_home(),
    ];
    if let Std::Sources(sources) = &toolchain.std {
        folders.push(sources.library.clone());
    }
    // `/usr` is no secret, and too short to mean anything.
    folders
        .extend(Some(toolchain.sysroot.clone()).filter(|sysroot| sysroot.components().count() > 2));
    let mut paths: Vec<_> = folders
        .iter()
        .flat_map(|folder| with_real(folder))
        .collect();
    paths.retain(|path| path.is_absolute() && path.parent().is_some());
    paths.sort();
    paths.dedup();
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}

/// What holds for every package: general folders first.
pub fn general_remaps(request: &Request, toolchain: &Toolchain) -> Vec<Remap> {
    let mut remaps = vec![
        (cargo_home(), "cargo".to_owned()),
        (request.root.clone(), ".".to_owned()),
        (request.target_dir.clone(), "target".to_owned()),
        (
            toolchain.sysroot.join("lib/rustlib/src/rust/library"),
            "library".to_owned(),
        ),
    ];
    if let Std::Sources(sources) = &toolchain.std {
        remaps.push((sources.library.clone(), "library".to_owned()));
    }
    remaps
}

/// `CARGO_HOME`, or where cargo puts it.
pub fn cargo_home() -> PathBuf {
    let set = std::env::var_os("CARGO_HOME")
        .filter(|home| !home.is_empty())
        .map(PathBuf::from);
    set.or_else(|| Some(std::env::home_dir()?.join(".cargo")))
        .unwrap_or_else(|| ".cargo".into())
}

fn remap_flags(remaps: &[Remap]) -> Vec<String> {
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

/// A folder as it was named, and as it is called without symbolic links: the compiler may use either.
fn with_real(folder: &Path) -> Vec<PathBuf> {
    let real = folder.canonicalize().ok().filter(|real| real != folder);
    std::iter::once(folder.to_owned()).chain(real).collect()
}

/// The flags in the user's environment, as cargo reads them.
fn users_flags() -> Option<Vec<String>> {
    if let Ok(flags) = std::env::var("CARGO_ENCODED_RUSTFLAGS") {
        return Some(
            flags
                .split(SEPARATOR)
                .filter(|flag| !flag.is_empty())
                .map(str::to_owned)
                .collect(),
        );
    }
    let flags = std::env::var("RUSTFLAGS").ok()?;
    Some(flags.split_whitespace().map(str::to_owned).collect())
}

fn with_path(flag: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(flag);
    flag.push(path);
    flag
}

/// An argument of cargo's `--config`; lists are joined with those in the user's configuration.
fn setting(target: &str, key: &str, value: String) -> String {
    format!("target.{target}.{key}={value}")
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects folders with spaces and quotes, which the environment variables for flags cannot carry.
    #[test]
    fn a_folder_may_have_any_name() {
        let flags = remap_flags(&[("/no/such folder \"x\"".into(), "deps".to_owned())]);
        assert_eq!(flags, ["--remap-path-prefix=/no/such folder \"x\"=deps"]);
        let setting = setting(
            "wasm32-wasip1",
            "rustflags",
            format!("[{}]", quoted(&flags[0])),
        );
        let table: toml::Table = setting.parse().unwrap();
        let read = &table["target"]["wasm32-wasip1"]["rustflags"][0];
        assert_eq!(read.as_str(), Some(flags[0].as_str()));
    }
}
