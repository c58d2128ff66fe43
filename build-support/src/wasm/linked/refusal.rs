//! Why a file is not swept. The sweep never guesses: where relocations are missing or speak of
//! something it does not know, it says what, where, and what to do.

use crate::wasm::ReadError;
use thiserror::Error;
use wasmparser::{BinaryReaderError, Operator};

/// The reason a module cannot be swept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A section the linker writes with `--emit-relocs` is not there.
    #[error("the section `{0}` is missing")]
    Missing(&'static str),
    /// A section for tools cannot be read.
    #[error("{0}")]
    Broken(#[from] ReadError),
    /// A relocation of a type that static 32-bit code does not have, or that is not known.
    #[error("relocation type {kind} of `{section}` is not known to the sweep")]
    UnknownRelocation {
        /// Its number or name.
        kind: String,
        /// The section it is in.
        section: &'static str,
    },
    /// What stands in the bytes is not what a relocation says must stand there.
    #[error("`{section}` is stale: {what}")]
    Stale {
        /// The section with the relocation.
        section: &'static str,
        /// Where the operand is, in bytes from the start of the module.
        offset: u64,
        /// What differs.
        what: String,
    },
    /// A symbol that lies outside its segment, or names something that is not there.
    #[error("the symbol table disagrees with the file: {0}")]
    Symbols(String),
    /// An operand that must have a relocation and has none.
    #[error("{what} has no relocation")]
    Gap {
        /// Where it is, in bytes from the start of the module.
        offset: u64,
        /// What it is.
        what: String,
    },
    /// Something the linker would not have kept if its relocations were whole.
    #[error("no relocation refers to {0}, yet it is there")]
    Unreferenced(String),
    /// Memory that other threads may see.
    #[error("the memory is shared")]
    SharedMemory,
    /// Code that is not at a fixed address.
    #[error("the module is position-independent ({0})")]
    PositionIndependent(&'static str),
    /// Something else that the analysis does not cover.
    #[error("{0}")]
    Unsupported(String),
}

impl Refusal {
    /// The refusal of an operator that the sweep does not know.
    pub fn operator(operator: &Operator<'_>, at: u64) -> Refusal {
        let name = format!("{operator:?}");
        let name = name.split([' ', '(', '{']).next().unwrap_or_default();
        Refusal::Unsupported(format!(
            "the operator {name} at byte {at} is not covered by the sweep"
        ))
    }

    /// Whether the file is as it should be, and of a kind that the sweep does not cover: then it is
    /// left alone. All else is a mistake of whoever links it, or no file of a linker.
    pub fn is_of_kind(&self) -> bool {
        matches!(
            self,
            Refusal::UnknownRelocation { .. }
                | Refusal::SharedMemory
                | Refusal::PositionIndependent(_)
                | Refusal::Unsupported(_)
        )
    }

    /// Where in the module, in bytes from its start, where that is known.
    pub fn offset(&self) -> Option<u64> {
        match self {
            Refusal::Broken(ReadError { offset, .. })
            | Refusal::Stale { offset, .. }
            | Refusal::Gap { offset, .. } => Some(*offset),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Refusal::Missing(_) => {
                "link with `-Clink-arg=--emit-relocs` and without `-Cstrip=symbols`, and give the linker's own output"
            }
            Refusal::Broken(_) | Refusal::Symbols(_) => "link the file again",
            Refusal::Stale { .. } | Refusal::Gap { .. } => {
                "give the linker's own output: another tool has rewritten this file since it was linked"
            }
            Refusal::Unreferenced(_) => {
                "link with `--gc-sections` (the default) and `--emit-relocs`: without them an unused part cannot be told from a missing relocation"
            }
            Refusal::SharedMemory => {
                "build without `+atomics`, or switch the sweep off for this file"
            }
            Refusal::PositionIndependent(_) => {
                "link a static module (`-Crelocation-model=static`), or switch the sweep off for this file"
            }
            Refusal::UnknownRelocation { .. } | Refusal::Unsupported(_) => {
                "switch the sweep off for this file (`sweep.enabled = false` in the budget)"
            }
        }
    }
}

impl From<BinaryReaderError> for Refusal {
    fn from(error: BinaryReaderError) -> Self {
        Refusal::Broken(error.into())
    }
}
