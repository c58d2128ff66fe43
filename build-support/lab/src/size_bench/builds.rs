//! A fixture linked against one kind of standard library. Each kind has a target folder of its own,
//! so that none evicts another's and a second run compiles nothing.

use super::Fixture;
use crate::size_bench::distributed;
use build_support::error::Result;
use build_support::project::compile::{self, Linked, Request, StdBuild};
use build_support::project::listener::{Listener, Silent};
use build_support::project::package::Wanted;
use build_support::project::toolchain;
use std::fmt;

/// Which standard library a program is linked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Built from sources with the package's own profile and the library's feature for size: what
    /// is shipped.
    Small,
    /// Built from sources with the package's own profile alone.
    Plain,
    /// Built from sources with unstable flags.
    Reference,
    /// Built at opt-level 3, as it is distributed.
    Distributed,
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Small => "std for size",
            Self::Plain => "std of its own profile",
            Self::Reference => "std with unstable flags",
            Self::Distributed => "std as distributed",
        })
    }
}

/// Compiles and links.
///
/// # Errors
/// [`Error::Toolchain`](build_support::Error::Toolchain) where there are no sources of the standard
/// library, and as [`compile::run`].
pub fn link(fixture: &Fixture, flavour: Flavour, listener: &mut dyn Listener) -> Result<Linked> {
    let Fixture {
        package, config, ..
    } = fixture;
    listener.stage(&format!("{}: linking, {flavour}", fixture.name));
    let found = toolchain::from_sources(&config.target, &mut |_| {})?;
    let (folder, std) = match flavour {
        // The agent's is the one that `cargo wasm` makes.
        Flavour::Small => ("wasm-build", StdBuild::Small),
        Flavour::Plain => ("wasm-build-plain", StdBuild::Plain),
        Flavour::Reference => ("wasm-build-reference", StdBuild::Reference),
        Flavour::Distributed => ("wasm-build-distributed", StdBuild::Plain),
    };
    let toolchain = match flavour {
        Flavour::Small | Flavour::Plain | Flavour::Reference => found,
        Flavour::Distributed => {
            let folder = package.target_dir.join("distributed-std");
            distributed::run(&config.target, &found, &folder)?
        }
    };
    let request = Request {
        target_dir: package.target_dir.join(folder),
        std,
        // Compaction has its right to low memory then, and without it nothing changes.
        spare_stack: flavour == Flavour::Small,
        ..Request::new(package, config, &Wanted::default())
    };
    compile::run(&request, &toolchain, &mut Silent)
}
