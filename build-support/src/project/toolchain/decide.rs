//! Which standard library to take, given the facts. Pure: same facts, same decision.

use super::machine::{Apt, Compiler, Machine, Rustup};
use super::standard_library::{Std, StdSources, Toolchain};
use crate::error::{Error, Result};
use std::path::PathBuf;

/// The distribution's packages that make a standard library: compiler, cargo, sources, C library.
/// What matters is that compiler and sources have one version.
pub const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "wasi-libc"];

/// The package with a linker that fits their compiler, for a machine without rustup's.
pub const LINKER_PACKAGE: &str = "lld-22";

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Everything is there.
    Use(Toolchain),
    /// Ask rustup for the target, then look again.
    AddTarget {
        /// The program.
        rustup: PathBuf,
        /// The toolchain that lacks the target.
        toolchain: String,
    },
    /// Install these packages, then look again.
    InstallPackages(Vec<&'static str>),
}

/// Decides by the order of [`toolchain`](crate::project::toolchain).
///
/// # Errors
/// [`Error::Toolchain`] where there is nothing to use and nothing that may be installed.
pub fn decide(machine: &Machine) -> Result<Decision> {
    if let Some(toolchain) = ready(&machine.active) {
        return Ok(Decision::Use(toolchain));
    }
    if let Rustup::Ready { program, toolchain } = &machine.rustup {
        return Ok(Decision::AddTarget {
            rustup: program.clone(),
            toolchain: toolchain.clone(),
        });
    }
    // The distribution's compiler may bring the target as well, in a package of its own.
    if let Some(toolchain) = any_sources(machine).or_else(|| ready(&machine.distribution)) {
        return Ok(Decision::Use(toolchain));
    }
    match machine.apt {
        Apt::Ready => Ok(Decision::InstallPackages(packages(machine))),
        _ => Err(missing(machine)),
    }
}

/// Decides on sources alone, whatever stands ready.
///
/// # Errors
/// As [`decide`].
pub fn decide_sources(machine: &Machine) -> Result<Decision> {
    match any_sources(machine) {
        Some(toolchain) => Ok(Decision::Use(toolchain)),
        None if machine.apt == Apt::Ready => Ok(Decision::InstallPackages(packages(machine))),
        None => Err(missing_sources(machine)),
    }
}

fn compilers(machine: &Machine) -> impl Iterator<Item = &Compiler> {
    machine.active.iter().chain(&machine.distribution)
}

fn any_sources(machine: &Machine) -> Option<Toolchain> {
    compilers(machine).find_map(|compiler| from_sources(machine, compiler))
}

fn ready(compiler: &Option<Compiler>) -> Option<Toolchain> {
    let compiler = compiler.as_ref()?;
    compiler.has_target.then(|| installed(compiler))?
}

/// The toolchain of `compiler` with the standard library in its sysroot; none where it has no
/// cargo.
pub fn installed(compiler: &Compiler) -> Option<Toolchain> {
    Some(Toolchain {
        rustc: compiler.rustc.clone(),
        cargo: compiler.cargo.clone()?,
        version: compiler.version.clone(),
        sysroot: compiler.sysroot.clone(),
        std: Std::Installed,
    })
}

fn from_sources(machine: &Machine, compiler: &Compiler) -> Option<Toolchain> {
    let tree = compiler
        .sources
        .as_ref()
        .filter(|tree| tree.matches(&compiler.release))?;
    let libc = if needs_libc(&machine.target) {
        // The compiler's own is of the same day as its library; the distribution's may be older.
        Some(compiler.libc.clone().or_else(|| machine.libc.clone())?)
    } else {
        None
    };
    let sources = StdSources {
        library: tree.library.clone(),
        release: compiler.release.clone(),
        libc,
        linker: machine.linker.clone()?,
    };
    Some(Toolchain {
        std: Std::Sources(sources),
        ..installed(compiler)?
    })
}

fn needs_libc(target: &str) -> bool {
    target.contains("-wasi")
}

/// All of them, what is there included: apt-get then moves compiler and sources to one version.
fn packages(machine: &Machine) -> Vec<&'static str> {
    let linker = machine.linker.is_none().then_some(LINKER_PACKAGE);
    PACKAGES.into_iter().chain(linker).collect()
}

fn missing(machine: &Machine) -> Error {
    let mut facts = vec![match &machine.active {
        None => "there is no rustc on PATH".to_owned(),
        Some(active) if active.cargo.is_none() => format!("{} has no cargo", active.version),
        Some(active) => format!("{} has none in its sysroot", active.version),
    }];
    match &machine.rustup {
        Rustup::Off => facts.push("rustup is not to install anything (RUSTUP_AUTO_INSTALL=0 or `rustup set auto-install`)".to_owned()),
        Rustup::Failed(why) => facts.push(format!("rustup could not add it: {why}")),
        Rustup::Absent | Rustup::Ready { .. } => {}
    }
    facts.push(sources_fact(machine));
    if let Apt::Failed(why) = &machine.apt {
        facts.push(format!("the packages could not be installed: {why}"));
    }
    let target = &machine.target;
    let add = format!("rustup target add {target}");
    let install = format!("install rustup, then `{add}`");
    Error::toolchain(
        format!("no standard library for {target}: {}", facts.join("; ")),
        help(machine, add, install),
    )
}

fn missing_sources(machine: &Machine) -> Error {
    let target = &machine.target;
    let fact = sources_fact(machine);
    let add = format!("rustup component add rust-src && rustup target add {target}");
    let install = "install rustup, then `rustup component add rust-src`".to_owned();
    Error::toolchain(
        format!("no standard library for {target} can be built: {fact}"),
        help(machine, add, install),
    )
}

fn sources_fact(machine: &Machine) -> String {
    match compilers(machine).find_map(|c| Some((c, c.sources.as_ref()?))) {
        Some((compiler, tree)) if !tree.matches(&compiler.release) => format!(
            "the sources in {} are of {}, the compiler {} is {}",
            tree.library.display(),
            tree.release.as_deref().unwrap_or("another version"),
            compiler.rustc.display(),
            compiler.release,
        ),
        Some(_) if needs_libc(&machine.target) && machine.libc.is_none() => {
            "there are sources to build it from, but no C library for WASI".to_owned()
        }
        Some(_) if machine.linker.is_none() => {
            "there are sources to build it from, but no linker for wasm".to_owned()
        }
        _ => "there are no sources to build it from".to_owned(),
    }
}

/// The commands that fix it, the best first: `add` is for rustup, and `install` where there is
/// neither it nor apt-get.
fn help(machine: &Machine, add: String, install: String) -> String {
    let mut commands = Vec::new();
    if machine.rustup != Rustup::Absent {
        commands.push(add);
    }
    if machine.apt != Apt::Absent {
        commands.push(apt_commands(&packages(machine), &machine.apt));
    }
    if commands.is_empty() {
        commands.push(install);
    }
    commands.join("\n  or:   ")
}

/// The commands that install `packages`, to copy.
pub fn apt_commands(packages: &[&str], apt: &Apt) -> String {
    let sudo = if *apt == Apt::NotRoot { "sudo " } else { "" };
    format!(
        "{sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    )
}
