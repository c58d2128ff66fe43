//! A compiler with a standard library, and where that comes from.

use std::fmt;
use std::path::PathBuf;

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

impl Toolchain {
    /// What the standard library is compiled from, where it does not stand ready.
    pub fn sources(&self) -> Option<&StdSources> {
        match &self.std {
            Std::Sources(sources) => Some(sources),
            Std::Installed | Std::Added => None,
        }
    }
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
    /// The folder with the C library and the start-up objects; none for a target that has no C
    /// library.
    pub libc: Option<PathBuf>,
    /// The linker.
    pub linker: PathBuf,
}

/// For reports and the line that says what was taken; names no folder, and `Added` reads as
/// `Installed`: the bytes are the same.
impl fmt::Display for Std {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Std::Installed | Std::Added => write!(f, "installed"),
            Std::Sources(sources) => write!(f, "built from sources ({})", sources.release),
        }
    }
}
