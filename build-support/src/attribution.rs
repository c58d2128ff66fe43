//! The size of a file by what is in it, to the byte: every byte belongs to exactly one row, and the
//! rows sum to the file. What nothing names is a row too.
//!
//! [`names`] is what is known of a core module, its own or what the pipeline carried along while
//! the names went; [`parts`] takes a file apart into [`rows`], [`origin`] reads crate, module and
//! family from a row's name, [`definers`] knows the crates of names that do not say it, [`groups`]
//! adds rows up, [`diff`] compares two files, [`inlined`] says where code was written. What calls
//! what is left to `wasm::call_graph`.

pub mod definers;
pub mod diff;
pub mod groups;
pub mod inlined;
pub mod origin;
mod parts;
mod rows;

pub use parts::section_names;
pub use rows::{Attribution, Row, RowKind};

use crate::error::{Error, Result};
use crate::wasm::ReadError;
use crate::wasm::artifact::Artifact;
use crate::wasm::names::{self, Names};
use rows::Rows;
use std::path::Path;

/// What [`Error::InvalidOutput`] calls this step.
const STEP: &str = "attribution";

/// The attribution of any valid file, by the names that are in it: the `name` section, exports, and
/// where the file is a linker's own output its data symbols.
///
/// # Errors
/// [`Error::Input`] with the offset where names cannot be read, [`Error::InvalidOutput`] where the
/// rows would not sum to the file.
pub fn of_file(file: &Path, artifact: &Artifact) -> Result<Attribution> {
    let known: Vec<Names> = artifact
        .modules()
        .and_then(|modules| modules.iter().map(names::read).collect())
        .map_err(ReadError::input(
            file,
            "the file is valid but a section for tools in it is not: link it again",
        ))?;
    let mut in_order = known.iter();
    attribute(artifact, &mut |_| in_order.next())
}

/// The attribution of a file that lost its names on its way through the passes. `known` are the
/// modules that were seen while they had names; one is recognised by its code.
///
/// # Errors
/// [`Error::InvalidOutput`] where the file cannot be taken apart, or the rows would not sum to it.
pub fn shipped(known: &[Names], artifact: &Artifact) -> Result<Attribution> {
    attribute(artifact, &mut |code| {
        known.iter().find(|names| names.code == code)
    })
}

fn attribute<'a>(
    artifact: &Artifact,
    names_of: &mut dyn FnMut(&[u8]) -> Option<&'a Names>,
) -> Result<Attribution> {
    let mut rows = Rows::default();
    parts::run(artifact, names_of, &mut rows).map_err(ReadError::output(STEP))?;
    let attribution = rows.finish(artifact.len());
    let sum: u64 = attribution.rows.iter().map(|row| row.bytes).sum();
    let bytes = attribution.bytes;
    if sum != bytes {
        return Err(Error::InvalidOutput {
            pass: STEP,
            offset: None,
            message: format!("the rows sum to {sum} bytes and the file has {bytes}"),
        });
    }
    Ok(attribution)
}

#[cfg(test)]
mod tests;
