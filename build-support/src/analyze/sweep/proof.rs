//! Certain traps and what is marked, found in turn until neither changes the other.

use super::certain_traps::{self, CertainTraps};
use super::state::State;
use super::{complete, marking};
use crate::wasm::linked::module::{self, Linked};
use crate::wasm::linked::refusal::Refusal;
use crate::wasm::linked::relocations::{self, Relocations};

/// Everything that the analysis found.
pub struct Proof<'a> {
    /// The module.
    pub linked: &'a Linked<'a>,
    /// The linker's relocations in it.
    pub relocations: &'a Relocations,
    /// Where code is certain to trap.
    pub traps: &'a CertainTraps,
    /// What is marked, and why.
    pub state: &'a State<'a>,
    /// For each slot, whether a call through the table may reach it.
    pub called: &'a [bool],
    /// The functions that are traps because the plan says so.
    pub snipped: &'a [u32],
}

/// What `found` makes of the proof for a module.
///
/// # Errors
/// A [`Refusal`] for what the linker's relocations do not cover.
pub fn with<T>(
    bytes: &[u8],
    snipped: &[u32],
    found: impl FnOnce(&Proof<'_>) -> T,
) -> Result<T, Refusal> {
    let linked = module::read(bytes)?;
    let relocations = relocations::read(&linked)?;
    complete::check(&linked, &relocations)?;
    let bodies = certain_traps::bodies(&linked)?;
    let every_slot = vec![true; linked.slots.len()];
    let mut possible = classes(&linked, linked.table_is_open, &every_slot);
    loop {
        let traps = certain_traps::run(&linked, &bodies, snipped, &possible);
        let (state, called) = marking::fixpoint(&linked, &relocations, &traps)?;
        // A class of calls that no needed slot answers traps from now on.
        let next = classes(&linked, state.table_is_open, &called);
        let lost_one = next.iter().zip(&possible).any(|(now, before)| now < before);
        if !lost_one {
            return Ok(found(&Proof {
                linked: &linked,
                relocations: &relocations,
                traps: &traps,
                state: &state,
                called: &called,
                snipped,
            }));
        }
        possible = next;
    }
}

/// For each class of types, whether a call through the table may meet a function of it.
fn classes(linked: &Linked<'_>, table_is_open: bool, called: &[bool]) -> Vec<bool> {
    let mut possible = vec![table_is_open; linked.types.len()];
    for (slot, called) in linked.slots.iter().zip(called) {
        possible[marking::class(linked, *slot)] |= *called;
    }
    possible
}
