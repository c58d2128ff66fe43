//! Past the built-in Binaryen 116, what it does not know, so that the rest of the module gets to
//! it. Each operator with a plain stack signature becomes a call of an imported function, which
//! Binaryen can neither drop nor reorder nor see through, and the operator again afterwards, with
//! the indices as they then are. What such operators change behind Binaryen's back (a table, its
//! segments, a memory) is exported meanwhile: so it stays, is found again, and nothing is assumed
//! of its contents. A table or the type of a memory that Binaryen cannot read is kept from it.
//!
//! And past its faults: it drops segments that are out of bounds, and the trap with them; to it a
//! slot that `table.grow` makes is never there; and it says to stderr where segments overlap.

use super::baggage::Baggage;
use super::{fetch, leave};
use crate::error::Result;
use crate::wasm::{Module, ReadError};

const PASS: &str = "optimize";

/// Runs `optimize` on what Binaryen can read of `module`, and puts the rest back into what comes of
/// it; none where something cannot be kept from it.
///
/// # Errors
/// What `optimize` returns, and [`Error::InvalidOutput`] where a module cannot be read.
pub fn run(
    module: &[u8],
    optimize: impl FnOnce(&[u8]) -> Result<Vec<u8>>,
) -> Result<Option<Vec<u8>>> {
    let read = Module::read(module).map_err(ReadError::output(PASS))?;
    let Some(baggage) = Baggage::of(&read).map_err(ReadError::output(PASS))? else {
        return Ok(None);
    };
    if baggage.is_empty() {
        return optimize(module).map(Some);
    }
    let optimized = optimize(&leave::run(&baggage, &read)?)?;
    let optimized = Module::read(&optimized).map_err(ReadError::output(PASS))?;
    fetch::run(&baggage, &read, &optimized).map(Some)
}
