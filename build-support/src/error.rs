//! What can go wrong, one type for the whole library. Messages are in lower case and name the file,
//! the offset and what to do; the command decides how they are drawn.

use crate::diagnostic::Diagnostic;
use std::path::{Path, PathBuf};

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything the library reports as a failure. Being over budget is not one: that is a
/// [`Verdict`](crate::gate::Verdict).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read, written or renamed.
    #[error("{action} {}: {reason}", path.display())]
    Io {
        /// What was being done, e.g. `reading`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason. Not called `source`, which would be told once more by whoever tells
        /// the chain.
        reason: std::io::Error,
    },
    /// An input is not what it should be.
    #[error("{}: {message}{}\n  help: {help}", file.display(), at(*offset))]
    Input {
        /// The file, or the part of it (`app.wasm, core module 2`).
        file: PathBuf,
        /// Byte offset of the fault in the file, where there is one.
        offset: Option<u64>,
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// A pass could not do its work.
    #[error("pass {pass}: {message}")]
    Pass {
        /// The pass's name in [`PASSES`](crate::passes::pipeline::PASSES).
        pass: &'static str,
        /// Why.
        message: String,
    },
    /// A pass made something that does not validate: a bug of the tool, never written out.
    #[error("pass {pass} made an invalid file (nothing was written){}: {message}", at(*offset))]
    InvalidOutput {
        /// The pass's name.
        pass: &'static str,
        /// Byte offset in what it made.
        offset: Option<u64>,
        /// The validator's words.
        message: String,
    },
    /// The toolchain lacks something.
    #[error("{message}\n  help: {help}")]
    Toolchain {
        /// What is missing.
        message: String,
        /// The commands that fix it.
        help: String,
    },
    /// A process that was started failed.
    #[error("`{command}` failed ({status}){}", tail(stderr))]
    Process {
        /// The command line.
        command: String,
        /// How it ended.
        status: String,
        /// The end of its stderr, empty where that went to the terminal.
        stderr: String,
    },
    /// Cargo could not build, and has said why where the user reads it.
    #[error("cargo could not build it, and says why above")]
    Told,
    /// A manifest's budget table is wrong; each diagnostic points at its place.
    #[error("{} mistake{} in the budget metadata", .0.len(), if .0.len() == 1 { "" } else { "s" })]
    Config(Vec<Diagnostic>),
    /// A bundle's manifest is wrong; each diagnostic points at its place.
    #[error("{} mistake{} in the manifest of the bundle", .0.len(), if .0.len() == 1 { "" } else { "s" })]
    Manifest(Vec<Diagnostic>),
    /// The dependency graph or the linked file holds what the manifest bans; each diagnostic points
    /// at the rule.
    #[error("{} rule{} in [package.metadata.budget.graph] broken", .0.len(), if .0.len() == 1 { "" } else { "s" })]
    Banned(Vec<Diagnostic>),
}

impl Error {
    /// An [`Error::Io`] for `path`, for use with `map_err`.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_owned();
        move |reason| Error::Io {
            action,
            path,
            reason,
        }
    }

    /// An [`Error::Input`] about the whole of `file`.
    pub fn input(file: &Path, message: impl Into<String>, help: impl Into<String>) -> Self {
        Error::Input {
            file: file.to_owned(),
            offset: None,
            message: message.into(),
            help: help.into(),
        }
    }

    /// An [`Error::Pass`].
    pub fn pass(pass: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Error::Pass { pass, message }
    }

    /// An [`Error::Toolchain`].
    pub fn toolchain(message: impl Into<String>, help: impl Into<String>) -> Self {
        Error::Toolchain {
            message: message.into(),
            help: help.into(),
        }
    }
}

fn at(offset: Option<u64>) -> String {
    offset.map_or(String::new(), |o| format!(" (at offset {o:#x})"))
}

fn tail(stderr: &str) -> String {
    let said = (!stderr.is_empty()).then(|| format!(":\n{stderr}"));
    said.unwrap_or_default()
}
