//! Who takes room in a file, to the byte: every byte of it belongs to exactly one row, and the rows sum to the
//! file. What nothing names is a row too.
//!
//! [`names`] is what is known of a core module, its own or what the pipeline carried along while the names went;
//! [`parts`] takes a file apart, [`origin`] reads crate, module and family from a row's name, [`groups`] adds
//! rows up, [`diff`] compares two files, [`subject`] reads what is asked about. What calls what is left to `analyze::call_graph`.

pub mod diff;
pub mod groups;
pub mod origin;
mod parts;

use crate::error::{Error, Result};
use crate::wasm::ReadError;
use crate::wasm::artifact::Artifact;
use crate::wasm::names;
use names::Names;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// What [`Error::InvalidOutput`] calls this step.
const STEP: &str = "attribution";

/// Every byte of a file, by item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// The file's size in bytes: the sum of all rows.
    pub bytes: u64,
    /// Every item, the largest first, those of one size by name.
    pub rows: Vec<Row>,
}

/// An item, or several of one name: what a generic function is compiled to more than once, constants that look
/// alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What it is.
    pub kind: Kind,
    /// Its name, demangled and without hashes, so that two builds compare. What nothing names stands in brackets.
    pub name: String,
    /// What it takes of the file, in bytes, its length in front included.
    pub bytes: u64,
    /// How many items of that name there are.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u64,
    /// The core module inside the component, from 0 in file order; none in a core module, and for what is the
    /// component's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core: Option<u32>,
    /// The functions' indices in their core module, imports counted; with them a file without names has names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<u32>,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A function's body.
    Function,
    /// A piece of a data segment.
    Data,
    /// A custom section.
    Custom,
    /// Any other section of a core module, or what frames its functions and data.
    Section,
    /// A section of a component, or what frames the modules inside it.
    Component,
}

fn one() -> u64 {
    1
}

fn is_one(count: &u64) -> bool {
    *count == 1
}

/// The attribution of any valid file, by the names that are in it: the `name` section, exports, and where the
/// file is a linker's own output its data symbols.
///
/// # Errors
/// [`Error::Input`] with the offset where names cannot be read, [`Error::InvalidOutput`] where the rows would
/// not sum to the file.
pub fn of_file(file: &Path, artifact: &Artifact) -> Result<Attribution> {
    let known: Vec<Names> = artifact
        .modules()
        .and_then(|modules| modules.iter().map(names::read).collect())
        .map_err(ReadError::input(
            file,
            "the file is valid but a section for tools in it is not: link it again",
        ))?;
    let mut ordinal = 0;
    attribute(artifact, &mut |_| {
        ordinal += 1;
        known.get(ordinal - 1)
    })
}

/// The attribution of a file that lost its names on its way through the passes. `known` are the modules that
/// were seen while they had names; one is recognised by its code.
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
    if sum != attribution.bytes {
        return Err(Error::InvalidOutput {
            pass: STEP,
            offset: None,
            message: format!(
                "the rows sum to {sum} bytes and the file has {}",
                attribution.bytes
            ),
        });
    }
    Ok(attribution)
}

/// The names that sections have here, those of custom sections (`custom NAME`) left out.
pub fn section_names() -> Vec<String> {
    parts::section_names()
}

impl Attribution {
    /// The crates that have bytes in the file, by name.
    pub fn crates(&self) -> BTreeSet<String> {
        let names = self.rows.iter().map(Row::krate);
        names.filter(|name| !name.starts_with('[')).collect()
    }

    /// The names of the functions of one core module (0 in a file that is one), by their index.
    pub fn functions(&self, core: u32) -> HashMap<u32, &str> {
        let rows = self.rows.iter().filter(|row| row.core.unwrap_or(0) == core);
        rows.flat_map(|row| {
            row.functions
                .iter()
                .map(|index| (*index, row.name.as_str()))
        })
        .collect()
    }
}

/// The rows while they are found; those of one name are one.
#[derive(Default)]
struct Rows {
    rows: Vec<Row>,
    by_name: HashMap<(Kind, Option<u32>, String), usize>,
}

impl Rows {
    fn add(&mut self, kind: Kind, core: Option<u32>, name: String, bytes: u64) -> &mut Row {
        let next = self.rows.len();
        let position = *self
            .by_name
            .entry((kind, core, name.clone()))
            .or_insert(next);
        if position == next {
            self.rows.push(Row {
                kind,
                name,
                bytes: 0,
                count: 0,
                core,
                functions: Vec::new(),
            });
        }
        let row = &mut self.rows[position];
        row.bytes += bytes;
        row.count += 1;
        row
    }

    fn finish(self, bytes: u64) -> Attribution {
        let mut rows = self.rows;
        rows.sort_by(|a, b| {
            let by_size = b.bytes.cmp(&a.bytes);
            by_size
                .then_with(|| a.name.cmp(&b.name))
                .then_with(|| (a.kind, a.core).cmp(&(b.kind, b.core)))
        });
        Attribution { bytes, rows }
    }
}

#[cfg(test)]
mod tests;
