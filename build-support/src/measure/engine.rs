//! Loads the shipped file into a real engine: wasmtime compiles it for this machine. What the
//! validator takes and an engine does not must never be shipped.

use crate::engine::program::Compiled;
use crate::error::{Error, Result};
use crate::wasm::artifact::Artifact;
use wasmtime::Engine;

/// Compiles the file with wasmtime's default features.
///
/// # Errors
/// [`Error::InvalidOutput`] with the engine's words.
pub fn load(artifact: &Artifact) -> Result<()> {
    let loaded = Compiled::new(&Engine::default(), artifact);
    loaded.map(|_| ()).map_err(|error| Error::InvalidOutput {
        pass: "load",
        offset: None,
        message: format!("wasmtime refuses it: {error:#}"),
    })
}
