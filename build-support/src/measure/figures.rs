//! What a budget can limit besides sizes, read from the shipped file: functions, and the memory it
//! begins with.

use crate::error::Result;
use crate::report::Figures;
use crate::wasm::artifact::Artifact;
use crate::wasm::{Module, ReadError, layout};

/// Reads the figures of a file; what has to run for it, the start, is left to `start`.
///
/// # Errors
/// [`crate::Error::InvalidOutput`] where a core module cannot be read.
pub fn run(artifact: &Artifact) -> Result<Figures> {
    let mut figures = Figures::default();
    for module in artifact.modules().map_err(ReadError::output(STEP))? {
        let memory = memory(&module).map_err(ReadError::output(STEP))?;
        let functions = module.bodies.len() as u64;
        figures.functions = figures.functions.saturating_add(functions);
        figures.memory = figures.memory.saturating_add(memory);
    }
    Ok(figures)
}

/// The name of this step in messages.
const STEP: &str = "measure";

fn memory(module: &Module<'_>) -> Result<u64, ReadError> {
    let own = layout::read(module)?.memories.into_iter();
    let bytes = own
        .filter(|memory| !memory.imported)
        .map(|memory| memory.initial_pages.saturating_mul(memory.page_bytes));
    Ok(bytes.fold(0, u64::saturating_add))
}
