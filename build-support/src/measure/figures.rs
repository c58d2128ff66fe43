//! What a budget can limit besides sizes, read from the shipped file: functions, and the memory it begins with.

use crate::error::{Error, Result};
use crate::report::Figures;
use crate::wasm::artifact::{Artifact, Fault};
use crate::wasm::layout;
use wasmparser::{Parser, Payload};

/// Reads the figures of a file; what has to run for it, the start, is left to `start`.
///
/// # Errors
/// [`Error::InvalidOutput`] where a core module cannot be read.
pub fn run(artifact: &Artifact) -> Result<Figures> {
    let mut figures = Figures::default();
    for module in artifact.core_modules()? {
        let (functions, memory) = of_module(&module).map_err(|fault| Error::InvalidOutput {
            pass: "measure",
            offset: Some(fault.offset),
            message: fault.message,
        })?;
        figures.functions = figures.functions.saturating_add(functions);
        figures.memory = figures.memory.saturating_add(memory);
    }
    Ok(figures)
}

fn of_module(module: &[u8]) -> std::result::Result<(u64, u64), Fault> {
    let mut functions = 0;
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CodeSectionStart { count, .. } = payload? {
            functions = u64::from(count);
        }
    }
    let own = layout::read(module)?.memories.into_iter();
    let bytes = own
        .filter(|memory| !memory.imported)
        .map(|memory| memory.initial_pages.saturating_mul(memory.page_bytes));
    Ok((functions, bytes.fold(0, u64::saturating_add)))
}
