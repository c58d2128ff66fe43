//! A standard library for the target, or an error that says how to get one.
//!
//! The order: what the active toolchain already has; what `rustup target add` brings, unless installing is
//! switched off (`RUSTUP_AUTO_INSTALL=0`); sources that match a compiler, the active toolchain's `rust-src`
//! or the distribution's packages. `machine` looks, [`decide`] chooses and touches nothing, `install` acts,
//! and then it is looked at again: nothing is believed to be there because it was installed.
//!
//! How a toolchain is then used, which flags it needs, is `compile`'s business.

mod decide;
mod install;
mod machine;

pub use decide::{
    Decision, LINKER_PACKAGE, PACKAGES, apt_commands, decide, decide_sources, installed,
};
pub use install::packages as install_packages;
pub use machine::{Apt, Compiler, Machine, Rustup, SourceTree, any_linker, observe};

use crate::error::{Error, Result};
use std::fmt;
use std::path::PathBuf;

/// The distribution's package with the lints of its compiler.
const CLIPPY_PACKAGE: &str = "rust-web-clippy";

/// A compiler, its cargo, and a standard library for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// The compiler.
    pub rustc: PathBuf,
    /// The cargo that drives it.
    pub cargo: PathBuf,
    /// What `rustc -V` says.
    pub version: String,
    /// The compiler's sysroot.
    pub sysroot: PathBuf,
    /// Where the standard library comes from.
    pub std: Std,
}

/// Where a standard library comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Std {
    /// The sysroot has it.
    Installed,
    /// The sysroot has it since rustup was asked for it in this run.
    Added,
    /// It is compiled with the package, once.
    Sources(StdSources),
}

/// What it takes to compile a standard library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StdSources {
    /// The folder `library` of the sources.
    pub library: PathBuf,
    /// The compiler's version, which is the sources' too.
    pub release: String,
    /// The folder with the C library and the start-up objects; none for a target that has no C library.
    pub libc: Option<PathBuf>,
    /// The linker.
    pub linker: PathBuf,
}

/// For reports and the line that says what was taken; names no folder, and `Added` reads as `Installed`:
/// the bytes are the same.
impl fmt::Display for Std {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Std::Installed | Std::Added => write!(f, "installed"),
            Std::Sources(sources) => write!(f, "built from sources ({})", sources.release),
        }
    }
}

/// Whether what is shipped for `target` is a component rather than a core module.
pub fn ships_components(target: &str) -> bool {
    matches!(target, "wasm32-wasip2" | "wasm32-wasip3")
}

/// Finds or gets a standard library for `target`, and tells `say` in one line which it took. What it has to
/// install, it announces there first.
///
/// # Errors
/// [`Error::Toolchain`] with the commands that mend it.
pub fn find(target: &str, say: &mut dyn FnMut(&str)) -> Result<Toolchain> {
    reach(target, decide, say)
}

/// Finds or gets a toolchain that compiles the standard library for `target` from sources, even where one stands
/// ready: only then can it be compiled otherwise than it is distributed.
///
/// # Errors
/// [`Error::Toolchain`] with the commands that mend it.
pub fn from_sources(target: &str, say: &mut dyn FnMut(&str)) -> Result<Toolchain> {
    reach(target, decide_sources, say)
}

fn reach(
    target: &str,
    decide: fn(&Machine) -> Result<Decision>,
    say: &mut dyn FnMut(&str),
) -> Result<Toolchain> {
    let mut machine = observe(target);
    let mut added = false;
    loop {
        match decide(&machine)? {
            Decision::Use(mut toolchain) => {
                if added && toolchain.std == Std::Installed {
                    toolchain.std = Std::Added;
                }
                say(&line(target, &toolchain));
                return Ok(toolchain);
            }
            Decision::AddTarget { rustup, toolchain } => {
                say(&format!("adding {target} to {toolchain} with rustup"));
                machine = after(
                    target,
                    &machine,
                    install::target(&rustup, &toolchain, target),
                    |m, why| {
                        m.rustup = Rustup::Failed(why);
                    },
                );
                added = true;
            }
            Decision::InstallPackages(packages) => {
                say(&format!("installing {} with apt-get", packages.join(" ")));
                machine = after(target, &machine, install::packages(&packages), |m, why| {
                    m.apt = Apt::Failed(why)
                });
            }
        }
    }
}

/// The `cargo-clippy` of the toolchain's own compiler, whose lints read what that compiler wrote. The distribution's is
/// a package of its own, got like the others.
///
/// # Errors
/// [`Error::Toolchain`] with the command that mends it, [`Error::Process`] where apt-get fails.
pub fn clippy(toolchain: &Toolchain) -> Result<PathBuf> {
    let tool = |name: &str| {
        toolchain
            .rustc
            .with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    };
    let complete = || tool("cargo-clippy").is_file() && tool("clippy-driver").is_file();
    let apt = machine::apt();
    let packaged = toolchain.rustc.starts_with("/usr/bin");
    if !complete() && packaged && apt == Apt::Ready {
        install::packages(&[CLIPPY_PACKAGE])?;
    }
    if complete() {
        return Ok(tool("cargo-clippy"));
    }
    Err(Error::Toolchain {
        message: format!(
            "no clippy beside {} ({})",
            toolchain.rustc.display(),
            toolchain.version
        ),
        help: if packaged {
            apt_commands(&[CLIPPY_PACKAGE], &apt)
        } else {
            "rustup component add clippy".to_owned()
        },
    })
}

/// Looks again after an attempt. An attempt is made once: whatever it gave, it is marked as made.
fn after(
    target: &str,
    before: &Machine,
    attempt: Result<()>,
    mark: impl FnOnce(&mut Machine, String),
) -> Machine {
    let mut machine = observe(target);
    if matches!(before.rustup, Rustup::Failed(_)) {
        machine.rustup = before.rustup.clone();
    }
    let why = attempt.err().map_or_else(
        || "it brought nothing that is usable".to_owned(),
        |error| error.to_string(),
    );
    mark(&mut machine, why);
    machine
}

fn line(target: &str, toolchain: &Toolchain) -> String {
    let from = match &toolchain.std {
        Std::Installed => "installed".to_owned(),
        Std::Added => "added by rustup".to_owned(),
        Std::Sources(sources) => format!("built from sources in {}", sources.library.display()),
    };
    format!(
        "standard library for {target}: {from} ({})",
        toolchain.version
    )
}
