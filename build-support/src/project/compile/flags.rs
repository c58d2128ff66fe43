//! The flags and variables that make a build of the kind the pipeline wants, and the same on every machine.

use super::{Kind, Project, Request, StdBuild};
use crate::project::toolchain::{Std, Toolchain, ships_components};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Between the flags in `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\x1f";

/// The start-up object of a reactor, beside the C library.
pub const REACTOR_STARTUP: &str = "crt1-reactor.o";

/// Set in the environment where the real linker's file is wanted as it is.
pub const LINK_PLAINLY: &str = "BUILD_SUPPORT_LINK_PLAINLY";

/// A folder, and what the compiler writes in its place. Of two that match, the later one wins.
pub type Remap = (PathBuf, String);

/// Sets the compiler, the standard library and the flags of every crate on `cargo`.
pub fn set(cargo: &mut Command, request: &Request, toolchain: &Toolchain, project: &Project) {
    cargo
        .env("RUSTC", &toolchain.rustc)
        .env("CARGO_INCREMENTAL", "0")
        // Where this tool is the target's linker, too: what is linked here goes through the passes afterwards.
        .env(LINK_PLAINLY, "1");
    if let Some(path) = path_with_this_tool() {
        cargo.env("PATH", path);
    }
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

/// `PATH` with this program's folder at its end: the configuration may name it as the linker, installed or not.
fn path_with_this_tool() -> Option<OsString> {
    let this = std::env::current_exe().ok()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(this.parent().map(Path::to_owned));
    std::env::join_paths(folders).ok()
}

/// The flags of the last step, which links.
pub fn link(target: &str, kind: &Kind, toolchain: &Toolchain) -> Vec<OsString> {
    // Names stay, line tables go: those of a ready-made standard library are megabytes.
    let mut flags: Vec<OsString> = vec!["-Cstrip=debuginfo".into()];
    let own = toolchain
        .sysroot
        .join("lib/rustlib")
        .join(target)
        .join("lib/self-contained");
    let (linker, libc) = match &toolchain.std {
        Std::Installed | Std::Added => (Linker::of_target(target), Some(&own)),
        Std::Sources(sources) => {
            if let Some(libc) = &sources.libc {
                flags.push("-Clink-self-contained=no".into());
                flags.push(with_path("-L", libc));
                if matches!(kind, Kind::Command(_)) {
                    // To a C library of its own the compiler adds it itself.
                    flags.push(with_path("-Clink-arg=", &libc.join("crt1-command.o")));
                }
            }
            (Linker::Lld, sources.libc.as_ref())
        }
    };
    let arguments = linker_arguments(linker, kind, libc.map(PathBuf::as_path));
    flags.extend(
        arguments
            .iter()
            .map(|argument| with_path("-Clink-arg=", Path::new(argument))),
    );
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

/// A linker for wasm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linker {
    /// LLVM's, which makes core modules.
    Lld,
    /// `wasm-component-ld`, which calls the former and makes a component of what it gives.
    Component,
}

impl Linker {
    /// rustc's default for `target`.
    pub fn of_target(target: &str) -> Self {
        match ships_components(target) {
            true => Linker::Component,
            false => Linker::Lld,
        }
    }
}

/// What the linker is asked for beyond what rustc asks: a core module with the relocations, and the start-up
/// object of a reactor, where `libc`, the folder with the C library, has it.
///
/// For a reactor the compiler has no start-up object: without an `_initialize` the linker would wrap every export in a
/// call of all constructors. It is taken only where the package has no `_initialize` of its own.
pub fn linker_arguments(linker: Linker, kind: &Kind, libc: Option<&Path>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["--emit-relocs".into()];
    if linker == Linker::Component {
        arguments.push("--skip-wit-component".into());
    }
    let startup = libc.map(|libc| libc.join(REACTOR_STARTUP));
    if let Some(startup) = startup.filter(|file| *kind == Kind::Reactor && file.is_file()) {
        arguments.extend([
            "--start-lib".into(),
            startup.into(),
            "--end-lib".into(),
            "--export=_initialize".into(),
        ]);
    }
    arguments
}

/// Folders of this machine that must not be named in what is shipped.
pub fn machine_paths(request: &Request, toolchain: &Toolchain) -> Vec<String> {
    let mut folders = vec![request.root.clone(), request.target_dir.clone()];
    if let Std::Sources(sources) = &toolchain.std {
        folders.push(sources.library.clone());
    }
    nameless(folders, std::slice::from_ref(&toolchain.sysroot))
}

/// `folders`, the compilers' sysroots and cargo's home, as they are named and as they are called without symbolic links.
pub fn nameless(mut folders: Vec<PathBuf>, sysroots: &[PathBuf]) -> Vec<String> {
    folders.push(cargo_home());
    // `/usr` is no secret, and too short to mean anything.
    let long = |folder: &&PathBuf| folder.components().count() > 2;
    folders.extend(sysroots.iter().filter(long).cloned());
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
