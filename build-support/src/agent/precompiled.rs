//! Machine code made ahead of time: what wasmtime compiled for this machine, in a `.cwasm` file,
//! with a record beside it of what it was made from and by what.
//!
//! An engine runs such a file as it stands, so it must be the very bytes that this tool wrote.
//! `record` is the account of that; [`Precompiled::read`] holds the file against it, and only what
//! passed can be loaded. That guards against damage, mix-ups and files that are out of date, not
//! against somebody who may write to the folder: they could as well replace this tool.

mod record;

use crate::system::{digest, files};
pub use record::{Record, SCHEMA};

use crate::engine::program::Compiled;
use crate::engine::setup::{Compiler, Setup};
use crate::error::{Error, Result};
use crate::wasm::artifact::{Artifact, FileKind};
use std::path::{Path, PathBuf};
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

/// The extension of a precompiled file.
pub const EXTENSION: &str = "cwasm";

/// How it begins: it is an ELF file, whatever the machine.
const MAGIC: &[u8] = b"\x7fELF";

/// A precompiled file whose bytes are the ones this tool wrote.
pub struct Precompiled {
    file: PathBuf,
    bytes: Vec<u8>,
    record: Record,
}

/// Whether `file` is meant to be a precompiled one, by its name or its first bytes.
pub fn is_meant(file: &Path) -> bool {
    file.extension().is_some_and(|e| e == EXTENSION)
        || std::fs::read(file).is_ok_and(|bytes| bytes.starts_with(MAGIC))
}

/// Where the precompiled file of the wasm file `source` is: beside it.
pub fn beside(source: &Path) -> PathBuf {
    source.with_extension(EXTENSION)
}

/// Compiles `artifact`, which came from `source`, for this machine and writes it with its record to
/// `file`. The record goes last: a kill before that leaves a file that is refused.
///
/// # Errors
/// [`Error::Input`] where the engine refuses it, [`Error::Io`] where it cannot be written.
pub fn write(
    source: &Path,
    artifact: &Artifact,
    compiler: Compiler,
    file: &Path,
) -> Result<Precompiled> {
    let engine = Setup::new(compiler).engine()?;
    let made = match artifact.kind() {
        FileKind::Core => engine.precompile_module(artifact.bytes()),
        FileKind::Component => engine.precompile_component(artifact.bytes()),
    };
    let bytes = made.map_err(|error| {
        Error::input(
            source,
            format!("{compiler} refuses it: {error:#}"),
            "try the other --compiler, or see what the message says",
        )
    })?;
    let record = Record::new(source, artifact, compiler, &bytes);
    files::write_atomic(file, &bytes)?;
    record::write(file, &record)?;
    Ok(Precompiled {
        file: file.to_owned(),
        bytes,
        record,
    })
}

impl Precompiled {
    /// Reads `file` and holds it against its record, and against the wasm file it was made from
    /// where that lies beside it.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::Input`] where it or its record is missing,
    /// damaged, of another version or machine, or out of date. Each says what to do.
    pub fn read(file: &Path) -> Result<Self> {
        let bytes = std::fs::read(file).map_err(Error::io("reading", file))?;
        let record = record::read(file)?;
        record.check(file, &bytes)?;
        let source = file.with_file_name(&record.source);
        if source.is_file() {
            let now = std::fs::read(&source).map_err(Error::io("reading", &source))?;
            if digest::digest(&now) != record.source_sha256 {
                let message = format!("it is out of date: {} has changed since", record.source);
                return Err(record::again(file, message));
            }
        }
        Ok(Self {
            file: file.to_owned(),
            bytes,
            record,
        })
    }

    /// What is known of it.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// An engine that takes it, with instances on demand.
    ///
    /// # Errors
    /// As [`Setup::engine`].
    pub fn engine(&self) -> Result<Engine> {
        Setup::new(self.record.compiler).engine()
    }

    /// Hands it to `engine`, which compares version, machine and settings with its own.
    ///
    /// # Errors
    /// [`Error::Input`] with what differs, where `engine` is not set up as the one that made it.
    #[allow(unsafe_code)]
    pub fn load(&self, engine: &Engine) -> Result<Compiled> {
        let loaded = match self.record.kind {
            FileKind::Core => {
                // SAFETY: the bytes must be what `Engine::precompile_module` of some wasmtime gave,
                // unchanged. This value is made by `write`, from exactly that, and by `read`, which
                // took it from a file whose length and SHA-256 are the ones that `write` recorded;
                // its fields are private. (Who forges both can write to the folder this very tool
                // is in.) The bytes are in our memory, which nobody changes after the check. That
                // the wasmtime is this one, and its settings fit, is checked by the call itself.
                unsafe { Module::deserialize(engine, &self.bytes) }.map(Compiled::Core)
            }
            FileKind::Component => {
                // SAFETY: as above, with `Engine::precompile_component`; a record that mixes the
                // two up is an error of the call, which finds in the bytes which of them they are.
                unsafe { Component::deserialize(engine, &self.bytes) }.map(Compiled::Component)
            }
        };
        loaded.map_err(|error| {
            let message = format!("this engine cannot run it: {error:#}");
            record::again(&self.file, message)
        })
    }
}
