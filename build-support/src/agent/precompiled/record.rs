//! The record beside a precompiled file: `app.cwasm.json` for `app.cwasm`. It says what the bytes
//! are, so that they can be known again before an engine trusts them.

use crate::engine::setup::{Compiler, ENGINE};
use crate::error::{Error, Result};
use crate::system::calling;
use crate::system::{digest, files};
use crate::wasm::artifact::{Artifact, FileKind};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The version of the record's layout; raised when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// What a precompiled file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The engine that made it, with its version.
    pub engine: String,
    /// The compiler.
    pub compiler: Compiler,
    /// The machine it is for: architecture and system. Which extensions of the processor it needs
    /// is in the file itself.
    pub machine: String,
    /// What it was made from: a core module or a component.
    pub kind: FileKind,
    /// The name of the wasm file it was made from, without its folder.
    pub source: String,
    /// SHA-256 of that file.
    pub source_sha256: String,
    /// Length of the precompiled file, in bytes.
    pub bytes: u64,
    /// SHA-256 of the precompiled file.
    pub sha256: String,
}

impl Record {
    pub(super) fn new(
        source: &Path,
        artifact: &Artifact,
        compiler: Compiler,
        bytes: &[u8],
    ) -> Self {
        let name = source.file_name().unwrap_or_default();
        Self {
            schema: SCHEMA,
            engine: ENGINE.to_owned(),
            compiler,
            machine: machine(),
            kind: artifact.kind(),
            source: name.to_string_lossy().into_owned(),
            source_sha256: digest::digest(artifact.bytes()),
            bytes: bytes.len() as u64,
            sha256: digest::digest(bytes),
        }
    }

    /// Holds `bytes` of `file` against the record. What another version or machine made is said
    /// first: it would be refused for that even if it is whole.
    pub(super) fn check(&self, file: &Path, bytes: &[u8]) -> Result<()> {
        let (length, here) = (bytes.len() as u64, machine());
        let Self {
            engine,
            machine,
            bytes: recorded,
            ..
        } = self;
        let message = if engine != ENGINE {
            format!("it was made by {engine}, and this tool runs {ENGINE}")
        } else if *machine != here {
            format!("it was made for {machine}, and this is {here}")
        } else if length != *recorded {
            format!(
                "it has {length} bytes, and its record says {recorded}: it is damaged, or one of the two is not its own"
            )
        } else if digest::digest(bytes) != self.sha256 {
            "its SHA-256 is not the one in its record: it is damaged, or one of the two is not its own"
                .to_owned()
        } else {
            return Ok(());
        };
        Err(again(file, message))
    }
}

/// Reads the record of `file`.
pub(super) fn read(file: &Path) -> Result<Record> {
    let path = path(file);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let name = path.file_name().unwrap_or_default().display();
            return Err(again(file, format!("its record {name} is not beside it")));
        }
        Err(error) => return Err(Error::io("reading", &path)(error)),
    };
    let record: Record = serde_json::from_str(&text)
        .map_err(|error| again(&path, format!("this is no record: {error}")))?;
    if record.schema != SCHEMA {
        let message = format!("layout {} is not known, only {SCHEMA}", record.schema);
        return Err(again(&path, message));
    }
    Ok(record)
}

/// Writes the record of `file`.
pub(super) fn write(file: &Path, record: &Record) -> Result<()> {
    let path = path(file);
    let mut json =
        serde_json::to_vec_pretty(record).map_err(|e| Error::io("writing", &path)(e.into()))?;
    json.push(b'\n');
    files::write_atomic(&path, &json)
}

/// The error of a file that is not to be used, whose remedy is always the same: it is made from the
/// wasm file.
pub(super) fn again(file: &Path, message: String) -> Error {
    let help = format!(
        "make it again here: `{} FILE.wasm -o FILE.cwasm`",
        calling::call("precompile")
    );
    Error::input(file, message, help)
}

/// `app.cwasm` → `app.cwasm.json`.
fn path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

fn machine() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}
