//! What the linker's relocations prove dead once panic entry points are snipped: functions, data,
//! table slots, and the code before a certain trap. Made on the linked bytes; `passes::sweep`
//! carries it out.
//!
//! The module is read by [`linked`](crate::wasm::linked). From there on in order, and no file uses
//! a later one: [`certain_traps`] finds the code that is certain to trap; [`state`] is the
//! [`graph`] of what is needed, with what its nodes stand for; [`roots`] is where it begins;
//! [`complete`] makes sure that no relocation is missing; [`value_flow`] follows addresses as
//! values through the code that stays, and [`marking`] grows the graph; these and the traps are
//! repeated until nothing changes; [`removal`] lists what was not marked, [`explain`](mod@explain)
//! why something was. What is not covered gets a [`Refusal`].

pub mod certain_traps;
mod complete;
mod explain;
mod graph;
mod marking;
mod removal;
mod roots;
mod state;
mod value_flow;

pub use crate::wasm::linked::refusal::Refusal;
pub use explain::{Explanation, Link};
pub use removal::{Reason, Removed, Sweep};

use crate::wasm::Module;
use crate::wasm::linked::module::LinkedModule;
use crate::wasm::linked::{self, relocations};
use state::State;

/// Proves what is dead in a valid core module, once the functions in `snipped` are traps.
///
/// # Errors
/// A [`Refusal`] for what the linker's relocations do not cover.
pub fn run(module: &Module<'_>, snipped: &[u32]) -> Result<Sweep, Refusal> {
    proved(module, snipped, |state| removal::run(state, snipped))
}

/// Why a function or data symbol is still there, as the chain from a root. `symbol` is a demangled
/// or linker name, or the end of one that begins after `::`.
///
/// # Errors
/// A [`Refusal`] as [`run`].
pub fn explain(
    module: &Module<'_>,
    snipped: &[u32],
    symbol: &str,
) -> Result<Vec<Explanation>, Refusal> {
    proved(module, snipped, |state| explain::run(state, symbol))
}

/// What `found` makes of what is marked once certain traps and marking no longer change each other.
fn proved<T>(
    module: &Module<'_>,
    snipped: &[u32],
    found: impl FnOnce(&State<'_>) -> T,
) -> Result<T, Refusal> {
    let linked = linked::module::read(module)?;
    let relocations = relocations::read(&linked)?;
    complete::check(&linked, &relocations)?;
    let bodies = certain_traps::bodies(&linked)?;
    let every_slot = vec![true; linked.slots.len()];
    let mut possible = classes(&linked, linked.table_is_open, &every_slot);
    loop {
        let traps = certain_traps::run(&linked, &bodies, snipped, &possible);
        let state = marking::fixpoint(&linked, &relocations, &traps)?;
        // A class of calls that no marked slot answers traps from now on.
        let next = classes(&linked, state.table_is_open, &state.called);
        let lost_one = next.iter().zip(&possible).any(|(now, before)| now < before);
        if !lost_one {
            return Ok(found(&state));
        }
        possible = next;
    }
}

/// For each class of types, whether a call through the table may meet a function of it.
fn classes(linked: &LinkedModule<'_>, table_is_open: bool, called: &[bool]) -> Vec<bool> {
    let mut possible = vec![table_is_open; linked.classes.len()];
    for (slot, called) in linked.slots.iter().zip(called) {
        possible[marking::class(linked, *slot)] |= *called;
    }
    possible
}
