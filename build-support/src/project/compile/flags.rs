//! The flags and variables that make a build of the kind the pipeline wants, and the same on every
//! machine.

use super::folders::remap_flags;
use super::project::Project;
use super::request::{Request, StdBuild};
use super::rustflags;
use crate::error::Result;
use crate::project::package::CrateKind;
use crate::project::toolchain::{Toolchain, ships_components};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The start-up object of a reactor, beside the C library.
pub const REACTOR_STARTUP: &str = "crt1-reactor.o";

/// Set in the environment where the real linker's file is wanted as it is.
pub const LINK_PLAINLY: &str = "BUILD_SUPPORT_LINK_PLAINLY";

/// Set in the environment where the linker that cargo calls is this tool, which is to ask the real
/// one for more stack.
pub const SPARE_STACK: &str = "BUILD_SUPPORT_SPARE_STACK";

/// The path of the real linker then, where it is not the one that rustc would find.
pub const REAL_LINKER: &str = "BUILD_SUPPORT_REAL_LINKER";

/// Sets the compiler, the standard library and the flags of every crate on `cargo`.
///
/// # Errors
/// As [`rustflags::run`].
pub fn set(
    cargo: &mut Command,
    request: &Request,
    toolchain: &Toolchain,
    project: &Project,
) -> Result<()> {
    cargo
        .env("RUSTC", &toolchain.rustc)
        .env("CARGO_INCREMENTAL", "0")
        // Where this tool is the target's linker, too: what is linked here goes through the passes
        // afterwards.
        .env(LINK_PLAINLY, "1");
    if let Some(path) = path_with_this_tool() {
        cargo.env("PATH", path);
    }
    if let Some(sources) = toolchain.sources() {
        // A release compiler takes `-Z` flags and compiles its own library only with this.
        cargo
            .env("RUSTC_BOOTSTRAP", "1")
            .arg("-Zbuild-std=std,panic_abort");
        if request.std != StdBuild::Plain {
            cargo.arg("-Zbuild-std-features=optimize_for_size");
        }
        if request.std == StdBuild::Reference {
            let panic = format!("profile.{}.panic=\"immediate-abort\"", request.profile);
            cargo.args(["-Zpanic-immediate-abort", "--config", &panic]);
        }
        let linker = sources.linker.to_string_lossy();
        cargo.args(["--config", &setting(&request.target, "linker", &*linker)]);
    }
    let mut flags = rustflags::run(request, toolchain)?;
    flags.extend(remap_flags(&project.remaps));
    if project.links_dependencies {
        flags.extend(dependency_flags(toolchain));
    }
    if request.lines {
        // Not by the profile: cargo would name every symbol anew.
        flags.push("-Cdebuginfo=limited".to_owned());
    }
    // Cargo takes the variable alone, where it is set; with a target triple it concerns no build
    // script.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join(rustflags::SEPARATOR));
    Ok(())
}

/// Puts this tool in front of the linker, for the last step alone, where more stack is to be asked
/// for: what others ask for, build scripts among them, nobody else knows. A linker that the project
/// names itself is left alone.
///
/// # Errors
/// As [`rustflags::names_linker`].
pub fn put_in_front(
    cargo: &mut Command,
    request: &Request,
    toolchain: &Toolchain,
) -> Result<Option<OsString>> {
    let Some(tool) = this_tool().filter(|_| request.spare_stack) else {
        return Ok(None);
    };
    match toolchain.sources() {
        Some(sources) => {
            cargo.env(REAL_LINKER, &sources.linker);
        }
        None if rustflags::names_linker(request, toolchain)? => return Ok(None),
        None => {}
    }
    cargo.env(SPARE_STACK, "1");
    Ok(Some(with_path("-Clinker=", tool)))
}

/// The program `build-support` of this build: this one, or the one beside it; none where the
/// library is used without.
fn this_tool() -> Option<PathBuf> {
    let this = std::env::current_exe().ok()?;
    let folders = this.ancestors().skip(1).take(2);
    let name = format!("build-support{}", std::env::consts::EXE_SUFFIX);
    let mut beside = folders.map(|folder| folder.join(&name));
    beside.find(|tool| tool.is_file())
}

/// `PATH` with this program's folder at its end: the configuration may name it as the linker,
/// installed or not.
fn path_with_this_tool() -> Option<OsString> {
    let this = std::env::current_exe().ok()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(this.parent().map(Path::to_owned));
    std::env::join_paths(folders).ok()
}

/// The flags of the last step, which links.
pub fn link(request: &Request, kind: &CrateKind, toolchain: &Toolchain) -> Vec<OsString> {
    let target = request.target.as_str();
    // Names stay, line tables go: those of a ready-made standard library are megabytes.
    let strip = if request.lines { "none" } else { "debuginfo" };
    let mut flags: Vec<OsString> = vec![format!("-Cstrip={strip}").into()];
    let (linker, libc) = match toolchain.sources() {
        None => {
            let folder = format!("lib/rustlib/{target}/lib/self-contained");
            (
                Linker::of_target(target),
                Some(toolchain.sysroot.join(folder)),
            )
        }
        Some(sources) => (Linker::Lld, sources.libc.clone()),
    };
    if let Some(libc) = libc.as_ref().filter(|_| toolchain.sources().is_some()) {
        flags.push("-Clink-self-contained=no".into());
        flags.push(with_path("-L", libc));
        if matches!(kind, CrateKind::Command(_)) {
            // To a C library of its own the compiler adds it itself.
            flags.push(with_path("-Clink-arg=", libc.join("crt1-command.o")));
        }
    }
    let arguments = linker_arguments(linker, kind, libc.as_deref());
    flags.extend(
        arguments
            .iter()
            .map(|argument| with_path("-Clink-arg=", argument)),
    );
    flags
}

/// What cargo needs to link a dependency as it goes by, where the dependency is a `cdylib` too:
/// flags of the last step do not reach it. Nobody uses the file, but where it cannot be linked the
/// build fails.
fn dependency_flags(toolchain: &Toolchain) -> Option<String> {
    let libc = toolchain.sources()?.libc.as_ref()?;
    Some(format!("-Lnative={}", libc.display()))
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
        if ships_components(target) {
            Linker::Component
        } else {
            Linker::Lld
        }
    }
}

/// What the linker is asked for beyond what rustc asks: a core module with the relocations, and the
/// start-up object of a reactor, where `libc`, the folder with the C library, has it.
///
/// For a reactor the compiler has no start-up object: without an `_initialize` the linker would
/// wrap every export in a call of all constructors. It is taken only where the package has no
/// `_initialize` of its own.
pub fn linker_arguments(linker: Linker, kind: &CrateKind, libc: Option<&Path>) -> Vec<OsString> {
    // The second for a build script that strips: no other flag gets by here.
    let mut arguments: Vec<OsString> = vec!["--emit-relocs".into(), "--keep-section=name".into()];
    if linker == Linker::Component {
        arguments.push("--skip-wit-component".into());
    }
    let startup = libc.map(|libc| libc.join(REACTOR_STARTUP));
    if let Some(startup) = startup.filter(|file| *kind == CrateKind::Reactor && file.is_file()) {
        arguments.extend([
            "--start-lib".into(),
            startup.into(),
            "--end-lib".into(),
            "--export=_initialize".into(),
        ]);
    }
    arguments
}

fn with_path(flag: &str, path: impl AsRef<OsStr>) -> OsString {
    let mut flag = OsString::from(flag);
    flag.push(path);
    flag
}

/// An argument of cargo's `--config`.
fn setting(target: &str, key: &str, value: impl Into<toml::Value>) -> String {
    format!("target.{target}.{key}={}", value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects folders with spaces and quotes.
    #[test]
    fn a_folder_may_have_any_name() {
        let flags = remap_flags(&[("/no/such folder \"x\"".into(), "deps".to_owned())]);
        assert_eq!(flags, ["--remap-path-prefix=/no/such folder \"x\"=deps"]);
        let setting = setting("wasm32-wasip1", "linker", "/no/such folder \"x\"");
        let table: toml::Table = setting.parse().unwrap();
        let read = &table["target"]["wasm32-wasip1"]["linker"];
        assert_eq!(read.as_str(), Some("/no/such folder \"x\""));
    }
}
