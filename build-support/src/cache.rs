//! Whether a run would make what is already there: a key over everything that decides the bytes, kept
//! beside the shipped file.

use crate::artifact;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
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
}

/// A key being made: every part goes in with its length, so that no two lists of parts collide.
pub struct Key(Sha256);

impl Key {
    /// An empty key.
    pub fn start() -> Self {
        Self(Sha256::new())
    }

    /// Adds a part.
    #[must_use]
    pub fn with(mut self, part: impl AsRef<[u8]>) -> Self {
        self.0.update((part.as_ref().len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    /// The key, in hexadecimal.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// SHA-256 of `bytes`, in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The record in `file`; `None` where there is none or it cannot be understood, which costs one run.
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
    artifact::write_atomic(file, &json)
}

/// In hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
