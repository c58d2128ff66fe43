//! Which function of a shipped file is called what: the names it lost on its way, by the index and
//! the place that engines print. Written beside the file as `<package>.symbols.json`; [`trace`]
//! reads backtraces with it.
//!
//! The names are those of the attribution, which carried them through every pass; here they only
//! get their places in the file. A map belongs to one file, by its digest or its build id. A
//! pre-initialised file is another file, and has none.

pub mod trace;

use crate::attribution::{self, Attribution, Row};
use crate::error::{Error, Result};
use crate::passes::build_id;
use crate::system::digest;
use crate::system::files;
use crate::wasm::artifact::Artifact;
use crate::wasm::{self, ReadError};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The version of the layout; raised when a field changes meaning or goes.
pub const SCHEMA: u32 = 1;

/// The names of one file's functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolMap {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The package's name, or the file's stem where no package is known.
    pub package: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Its build id, in hexadecimal; none where it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its core modules in file order: itself, or those of the component at any depth.
    pub modules: Vec<Module>,
}

/// One core module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// Its ordinal in file order, from 0.
    pub core: u32,
    /// Where it begins in the file, in bytes; 0 for a file that is a module.
    pub offset: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of it alone: what is left where a component is taken apart.
    pub sha256: String,
    /// Its functions by their index, from 0, the imported ones first.
    pub functions: Vec<Function>,
}

/// One function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its index in the module, imports counted.
    pub index: u32,
    /// Its name, demangled and without hashes, as in the report; `module.field` for an import.
    pub name: String,
    /// The crate that defines it, where the name does not say it.
    #[serde(default, rename = "crate", skip_serializing_if = "Option::is_none")]
    pub krate: Option<String>,
    /// Where its body is; none for an import.
    #[serde(flatten)]
    pub body: Option<Body>,
}

/// Where a function's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// From the beginning of its module, in bytes.
    pub offset: u64,
    /// Its size in bytes, the length in front not counted.
    pub bytes: u64,
}

/// What of a map is about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    File,
    /// The core module of that ordinal, which was taken out of a component.
    Module(u32),
}

impl SymbolMap {
    /// The map of `artifact`, with the names that `attribution`, which is of the same file, has.
    ///
    /// # Errors
    /// [`Error::InvalidOutput`] where the file cannot be taken apart.
    pub fn new(package: &str, artifact: &Artifact, attribution: &Attribution) -> Result<Self> {
        let modules = artifact
            .modules()
            .map_err(ReadError::output("symbol map"))?;
        let modules = modules.iter().zip(artifact.module_ranges()).zip(0..);
        let modules = modules.map(|((module, range), core)| Module {
            core,
            offset: range.start as u64,
            bytes: range.len() as u64,
            sha256: digest::digest(module.bytes),
            functions: functions(module, &attribution.rows_of(core)),
        });
        Ok(Self {
            schema: SCHEMA,
            package: package.to_owned(),
            sha256: digest::digest(artifact.bytes()),
            build_id: build_id::read(artifact.bytes()),
            bytes: artifact.len(),
            modules: modules.collect(),
        })
    }

    /// The map of a file with the names that are in it.
    ///
    /// # Errors
    /// As [`attribution::of_file`].
    pub fn of_file(file: &Path, artifact: &Artifact) -> Result<Self> {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        Self::new(&stem, artifact, &attribution::of_file(file, artifact)?)
    }

    /// Reads a map.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Input`] for what is none, or of another version.
    pub fn read(file: &Path) -> Result<Self> {
        let bytes = files::read(file)?;
        let input = |message: String| {
            Error::input(
                file,
                message,
                "give the .symbols.json that a build wrote beside the shipped file",
            )
        };
        let map: Self = serde_json::from_slice(&bytes)
            .map_err(|error| input(format!("it is no symbol map: {error}")))?;
        match map.schema {
            SCHEMA => Ok(map),
            other => Err(input(format!(
                "its layout is version {other}, this tool reads {SCHEMA}"
            ))),
        }
    }

    /// The JSON that [`SymbolMap::read`] reads.
    pub fn write(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("plain data with text for keys");
        json + "\n"
    }

    /// What of the map is about `bytes`, which came from `file`.
    ///
    /// # Errors
    /// [`Error::Input`] where it is the map of another file.
    pub fn scope(&self, file: &Path, bytes: &[u8]) -> Result<Scope> {
        let digest = digest::digest(bytes);
        if digest == self.sha256 {
            return Ok(Scope::File);
        }
        if let Some(module) = self.modules.iter().find(|m| m.sha256 == digest) {
            return Ok(Scope::Module(module.core));
        }
        // Sections may have been added since, a signature for instance: the id says that the code
        // is the same.
        let id = build_id::read(bytes);
        if id.is_some() && id == self.build_id {
            return Ok(Scope::File);
        }
        let (kind, of_file, of_map) = match (&id, &self.build_id) {
            (Some(id), Some(expected)) => ("build id", id, expected),
            _ => ("SHA-256", &digest, &self.sha256),
        };
        Err(Error::input(
            file,
            format!(
                "the symbol map is of another file: its {kind} is {of_map}, the file's is {of_file}"
            ),
            "give the .symbols.json that was written with this very file, or build again and reproduce the trap",
        ))
    }
}

/// The functions of a module with their names and places.
fn functions(module: &wasm::Module<'_>, rows: &HashMap<u32, &Row>) -> Vec<Function> {
    let imports = module.import_names().into_iter();
    let imports = imports.map(|name| (name, None, None));
    let bodies = module.bodies.iter().zip(module.imported..);
    let bodies = bodies.map(|(body, index)| {
        let row = rows.get(&index);
        let range = body.range();
        let body = Body {
            offset: range.start,
            bytes: range.end - range.start,
        };
        let name = row.map(|row| row.name.clone());
        (
            name.unwrap_or_else(|| format!("[function {index}]")),
            row.and_then(|row| row.krate.clone()),
            Some(body),
        )
    });
    let functions = imports.chain(bodies).zip(0..);
    functions
        .map(|((name, krate, body), index)| Function {
            index,
            name,
            krate,
            body,
        })
        .collect()
}

/// Where the map of `file` is: beside it.
pub fn beside(file: &Path) -> PathBuf {
    file.with_extension("symbols.json")
}

#[cfg(test)]
mod tests;
