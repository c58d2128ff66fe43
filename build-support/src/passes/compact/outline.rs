//! Code that stands in several places becomes a function of its own, with the locals and constants
//! that differ for parameters. What leaves the function it stands in is never part of it.
//!
//! No inliner may run after it, and the native stack is deeper by a frame.

pub mod carry_out;
pub mod choice;
pub mod flow;
pub mod hot;
pub mod liveness;
pub mod piece;
pub mod places;
pub mod repeats;

use crate::error::Result;
use crate::passes::compact::order;
use crate::passes::compact::origin::Rewritten;
use crate::passes::compact::rewrite::{Edit, PASS};
use crate::wasm::{Module, ReadError};
use piece::Piece;
use places::Places;

/// Where code may become a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outline {
    /// Nowhere.
    Off,
    /// Not in loops, nor in functions that are called from loops.
    Cold,
    /// Not in loops.
    OutsideLoops,
    /// Everywhere.
    All,
}

/// How often what is left is gone through.
const ROUNDS: usize = 3;

/// Outlines, as long as that saves something, at most three times.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read or written.
pub fn run(module: &[u8], outline: Outline) -> Result<Rewritten> {
    let mut done = Rewritten::untouched(module.to_vec()).map_err(ReadError::output(PASS))?;
    for _ in 0..ROUNDS {
        let found = find(&done.bytes, outline)?;
        if found.pieces.is_empty() {
            break;
        }
        let next = write(&done.bytes, &found)?;
        done = done.then(next);
    }
    Ok(done)
}

/// What is to become functions.
pub struct Found {
    /// The module's operators.
    pub places: Places,
    /// What was chosen.
    pub pieces: Vec<Piece>,
}

/// Finds it.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read.
pub fn find(module: &[u8], outline: Outline) -> Result<Found> {
    let module = Module::read(module).map_err(ReadError::output(PASS))?;
    let edit = Edit::new(&module).map_err(ReadError::output(PASS))?;
    let flows = flow::run(&module).map_err(ReadError::output(PASS))?;
    let places = Places::new(&edit.bodies, flows);
    let hot = match outline {
        Outline::Cold => hot::run(&module, &edit.bodies)?,
        _ => Vec::new(),
    };
    let may_begin = |start: u32| match outline {
        Outline::Off => false,
        Outline::All => true,
        Outline::OutsideLoops => places.all[start as usize].before.loops == 0,
        Outline::Cold => {
            places.all[start as usize].before.loops == 0 && !hot[places.function(start)]
        }
    };
    let calls = choice::Calls {
        displaced: i64::from(order::displaced(&module, &edit)?),
        types: edit.signatures(),
    };
    let candidates = repeats::run(&places, &calls, may_begin);
    let pieces = choice::run(candidates, &places, calls);
    Ok(Found { places, pieces })
}

/// Writes the module with it.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read or written.
pub fn write(module: &[u8], found: &Found) -> Result<Rewritten> {
    let module = Module::read(module).map_err(ReadError::output(PASS))?;
    let mut edit = Edit::new(&module).map_err(ReadError::output(PASS))?;
    let defined = module.functions.iter().skip(module.imported as usize);
    let parameters = defined.map(|ty| module.function_type(*ty).map_or(0, |ty| ty.params().len()));
    let parameters: Vec<usize> = parameters.collect();
    carry_out::run(&mut edit, &found.places, &found.pieces, &parameters);
    edit.write()
}
