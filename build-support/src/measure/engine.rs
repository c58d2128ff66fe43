//! Loads the shipped file into a real engine: wasmtime compiles it for this machine. What the validator
//! takes and an engine does not must never be shipped.

use crate::error::{Error, Result};
use crate::wasm::artifact::{Artifact, Kind};
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

/// Compiles the file with wasmtime's default features.
///
/// # Errors
/// [`Error::InvalidOutput`] with the engine's words.
pub fn load(artifact: &Artifact) -> Result<()> {
    let engine = Engine::default();
    let loaded = match artifact.kind() {
        Kind::Core => Module::new(&engine, artifact.bytes()).map(|_| ()),
        Kind::Component => Component::new(&engine, artifact.bytes()).map(|_| ()),
    };
    loaded.map_err(|error| Error::InvalidOutput {
        pass: "load",
        offset: None,
        message: format!("wasmtime refuses it: {error:#}"),
    })
}
