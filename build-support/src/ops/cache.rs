//! Whether a run would make what is already there: a key over everything that decides the bytes,
//! kept beside the shipped file.

use crate::error::{Error, Result};
use crate::system::files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What the last finished run left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// [`Key::finish`] of that run.
    pub key: String,
    /// SHA-256 of the shipped file it wrote.
    pub shipped: String,
    /// SHA-256 of the copy of the linked file it wrote.
    pub linked: String,
    /// SHA-256 of the report it wrote.
    pub report: String,
    /// SHA-256 of the symbol map it wrote.
    pub symbols: String,
    /// SHA-256 of whatever else it wrote, by its path from the folder.
    #[serde(default)]
    pub beside: BTreeMap<String, String>,
}

/// The record in `file`; `None` where there is none or it cannot be understood, which costs one
/// run.
pub fn read(file: &Path) -> Option<Record> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// Writes the record.
///
/// # Errors
/// [`Error::Io`] naming the file.
pub fn write(file: &Path, record: &Record) -> Result<()> {
    let json = serde_json::to_vec_pretty(record)
        .map_err(|e| Error::io("writing", file)(std::io::Error::other(e)))?;
    files::write_atomic(file, &json)
}
