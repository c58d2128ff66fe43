//! A standard library for the target, or an error that says how to get one.
//!
//! The order: what the active toolchain already has; what `rustup target add` brings, unless
//! installing is switched off (`RUSTUP_AUTO_INSTALL=0`); sources that match a compiler, the active
//! toolchain's `rust-src` or the distribution's packages. `machine` looks, [`decide`] chooses and
//! touches nothing, `install` acts, and then it is looked at again: nothing is believed to be there
//! because it was installed.
//!
//! How a toolchain is then used, which flags it needs, is `compile`'s business.

mod decide;
mod install;
mod machine;
mod standard_library;

pub use decide::{
    Decision, LINKER_PACKAGE, PACKAGES, apt_commands, decide, decide_sources, installed,
};
pub use install::packages as install_packages;
pub use machine::{Apt, Compiler, Machine, Rustup, SourceTree, any_linker, any_tool, observe};
pub use standard_library::{Std, StdSources, Toolchain};

use crate::error::{Error, Result};
use crate::system::process;
use std::path::PathBuf;

/// The distribution's package with the lints of its compiler.
const CLIPPY_PACKAGE: &str = "rust-web-clippy";

/// Whether what is shipped for `target` is a component rather than a core module.
pub fn ships_components(target: &str) -> bool {
    matches!(target, "wasm32-wasip2" | "wasm32-wasip3")
}

/// Finds or gets a standard library for `target`, and tells `say` in one line which it took. What
/// it has to install, it announces there first.
///
/// # Errors
/// [`Error::Toolchain`] with the commands that fix it.
pub fn find(target: &str, say: &mut dyn FnMut(&str)) -> Result<Toolchain> {
    reach(target, decide, say)
}

/// Finds or gets a toolchain that compiles the standard library for `target` from sources, even
/// where one stands ready: only then can it be compiled otherwise than it is distributed.
///
/// # Errors
/// [`Error::Toolchain`] with the commands that fix it.
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
                let why = why_in_vain(install::target(&rustup, &toolchain, target));
                machine = Machine {
                    rustup: Rustup::Failed(why),
                    ..observe(target)
                };
                added = true;
            }
            Decision::InstallPackages(packages) => {
                say(&format!("installing {} with apt-get", packages.join(" ")));
                let why = why_in_vain(install::packages(&packages));
                machine = Machine {
                    apt: Apt::Failed(why),
                    rustup: machine.rustup,
                    ..observe(target)
                };
            }
        }
    }
}

/// What to say of an attempt to install where that did not help. An attempt is made once: whatever
/// it gave, it is marked as made.
fn why_in_vain(attempt: Result<()>) -> String {
    attempt.err().map_or_else(
        || "it brought nothing that is usable".to_owned(),
        |error| error.to_string(),
    )
}

/// The `cargo-clippy` of the toolchain's own compiler, whose lints read what that compiler wrote.
/// The distribution's is a package of its own, got like the others.
///
/// # Errors
/// [`Error::Toolchain`] with the command that fixes it, [`Error::Process`] where apt-get fails.
pub fn clippy(toolchain: &Toolchain) -> Result<PathBuf> {
    let folder = toolchain.rustc.with_file_name("");
    let tool = |name| process::in_folder(&folder, name);
    let complete = || tool("clippy-driver").and_then(|_| tool("cargo-clippy"));
    let apt = machine::apt();
    let is_packaged = toolchain.rustc.starts_with("/usr/bin");
    if complete().is_none() && is_packaged && apt == Apt::Ready {
        install::packages(&[CLIPPY_PACKAGE])?;
    }
    if let Some(clippy) = complete() {
        return Ok(clippy);
    }
    Err(Error::toolchain(
        format!(
            "no clippy beside {} ({})",
            toolchain.rustc.display(),
            toolchain.version
        ),
        if is_packaged {
            apt_commands(&[CLIPPY_PACKAGE], &apt)
        } else {
            "rustup component add clippy".to_owned()
        },
    ))
}

fn line(target: &str, toolchain: &Toolchain) -> String {
    let from = match &toolchain.std {
        Std::Installed => "installed".to_owned(),
        Std::Added => "added by rustup".to_owned(),
        Std::Sources(sources) => format!(
            "built from sources in {}, once for each set of flags",
            sources.library.display()
        ),
    };
    let version = &toolchain.version;
    format!("standard library for {target}: {from} ({version})")
}
