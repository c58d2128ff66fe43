//! What the linker's relocations prove dead once panic entry points are snipped: functions, data, table slots,
//! and the code before a certain trap. Made on the linked bytes; `passes::sweep` carries it out.
//!
//! The module is read by [`linked`](crate::wasm::linked). From there on in order, and no file uses a later one:
//! [`complete`] makes sure that no relocation is missing; [`certain_traps`] finds the code that is certain to trap;
//! [`value_flow`] follows addresses as values through the rest, in the [`graph`] of what is needed, which
//! [`marking`] grows from the [`roots`] on; [`proof`] repeats that until nothing changes; [`removal`] lists what
//! was not marked, [`explain`](mod@explain) why something was. What is not covered gets a [`Refusal`].

pub mod certain_traps;
mod complete;
mod explain;
mod graph;
mod marking;
mod proof;
mod removal;
mod roots;
mod state;
mod value_flow;

pub use crate::wasm::linked::refusal::Refusal;
pub use explain::{Explanation, Link};
pub use removal::{Reason, Removed, Sweep};

/// Proves what is dead in a valid core module, once the functions in `snipped` are traps.
///
/// # Errors
/// A [`Refusal`] for what the linker's relocations do not cover.
pub fn run(module: &[u8], snipped: &[u32]) -> Result<Sweep, Refusal> {
    proof::with(module, snipped, removal::run)
}

/// Why a function or data symbol is still there, as the chain from a root. `symbol` is a demangled or
/// linker name, or the end of one that begins after `::`.
///
/// # Errors
/// A [`Refusal`] as [`run`].
pub fn explain(module: &[u8], snipped: &[u32], symbol: &str) -> Result<Vec<Explanation>, Refusal> {
    proof::with(module, snipped, |proof| explain::run(proof, symbol))
}
