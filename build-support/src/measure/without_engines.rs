//! The same as `engine` and `start` in a build without wasmtime: nothing is loaded, which is said,
//! and what would have to run is refused.

/// Loads nothing.
pub mod engine {
    use crate::error::Result;
    use crate::wasm::artifact::Artifact;

    /// Says that nothing is loaded.
    ///
    /// # Errors
    /// None.
    pub fn load(_: &Artifact) -> Result<String> {
        Ok("not loaded: this build of the tool has no engine".to_owned())
    }
}

/// Counts nothing.
pub mod start {
    use crate::error::{Error, Result};
    use crate::wasm::artifact::Artifact;
    use std::path::Path;

    /// Refuses.
    ///
    /// # Errors
    /// [`Error::Input`], always: there is nothing that could count.
    pub fn run(file: &Path, _: &Artifact) -> Result<u64> {
        Err(Error::input(
            file,
            "the limit on `start` cannot be held against it: this build of the tool has no engine that counts",
            "install it with its default features, or remove the limit on `start`",
        ))
    }
}
