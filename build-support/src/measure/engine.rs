//! Loads the shipped file into a real engine: wasmtime compiles it for this machine. What the
//! validator takes and an engine does not must never be shipped; but other engines know proposals
//! that this one is built without.

use crate::engine::program::Compiled;
use crate::error::{Error, Result};
use crate::wasm::artifact::Artifact;
use crate::wasm::{ReadError, features};
use wasmtime::{Config, Engine};

const STEP: &str = "load";

/// The features whose values this wasmtime has no collector for, or that it has not.
const NOT_HERE: [&str; 11] = [
    "reference-types",
    "exception-handling",
    "exceptions (legacy)",
    "exceptions (standard)",
    "function references",
    "garbage collection",
    "memory control",
    "custom descriptors",
    "multibyte array access",
    "stack switching",
    "shared-everything threads",
];

/// Compiles the file with what wasmtime knows. Gives what came of it in words.
///
/// # Errors
/// [`Error::InvalidOutput`] with the engine's words.
pub fn load(artifact: &Artifact) -> Result<String> {
    let mut config = Config::new();
    config
        .wasm_custom_page_sizes(true)
        .wasm_wide_arithmetic(true);
    let loaded = Engine::new(&config).and_then(|engine| Compiled::new(&engine, artifact));
    let Err(error) = loaded else {
        return Ok("wasmtime compiles it".to_owned());
    };
    let missing = missing(artifact)?;
    if missing.is_empty() {
        return Err(Error::InvalidOutput {
            pass: STEP,
            offset: None,
            message: format!("wasmtime refuses it: {error:#}"),
        });
    }
    Ok(format!(
        "not loaded: this wasmtime is built without {}",
        missing.join(", ")
    ))
}

/// What the file uses and this wasmtime is built without.
///
/// # Errors
/// [`Error::InvalidOutput`] where a core module cannot be read.
pub fn missing(artifact: &Artifact) -> Result<Vec<&'static str>> {
    let mut missing = Vec::new();
    for module in artifact.modules().map_err(ReadError::output(STEP))? {
        let used = features::of(&module).map_err(ReadError::output(STEP))?;
        let names = used.iter().map(|feature| feature.name);
        missing.extend(names.filter(|name| NOT_HERE.contains(name)));
    }
    missing.dedup();
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::load;
    use crate::wasm::artifact::Artifact;
    use std::path::Path;

    /// Protects whoever ships to a browser: what this engine is built without is said, and stops
    /// nothing.
    #[test]
    fn what_this_engine_is_built_without_is_said() {
        let said = |text: &str| {
            let module = wat::parse_str(format!("(module {text})")).unwrap();
            load(&Artifact::new(module, Path::new("a.wasm")).unwrap()).unwrap()
        };
        assert_eq!(said("(memory 1 (pagesize 1))"), "wasmtime compiles it");
        assert_eq!(
            said("(tag $t) (func (try_table (throw $t)))"),
            "not loaded: this wasmtime is built without exceptions (standard)"
        );
    }
}
