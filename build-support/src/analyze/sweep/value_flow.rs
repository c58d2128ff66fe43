//! How addresses flow through one function: abstract execution of its live code, with a node of the
//! graph for each value that an address may have gone into. What an operator with an effect takes
//! is needed; an address that only ever reaches unused results, unused locals or unused parameters
//! of the functions called is not, and what it points at may be dead.
//!
//! Locals are followed definition by definition, for compilers use one for several things: where
//! ways meet, a value that came by two of them is a node with two edges.
//!
//! `execution` is the machine's state, `blocks` what it does where ways part and meet, `step` what
//! it does at each operator; `coarse` is for functions that are too large for it.

mod blocks;
mod coarse;
mod execution;
mod step;

use super::state::State;
use crate::wasm::linked::refusal::Refusal;
use crate::wasm::module::as_usize;
use execution::Execution;
use std::ops::Range;
use wasmparser::FunctionBody;

/// Following locals takes their number of steps at every branch. Beyond this many, and beyond this
/// many times the size of the body in bytes, all that a function mentions is taken for needed.
const LOCALS: usize = 1_000;
const LOCALS_BYTES: usize = 1 << 27;

/// Adds what a needed function needs.
///
/// # Errors
/// A [`Refusal`] where an operand has no relocation or one of the wrong kind, or for an operator
/// that is not known.
pub fn scan(state: &mut State<'_>, function: u32) -> Result<(), Refusal> {
    let Some(body) = state.linked.module.body(function) else {
        return Ok(());
    };
    if state.traps.functions[function as usize] {
        return Ok(());
    }
    let range = &as_usize(&body.range());
    let mut locals = 0;
    for local in body.get_locals_reader()? {
        locals += local?.0 as usize;
    }
    if locals > LOCALS || locals * range.len() > LOCALS_BYTES {
        coarse::scan(state, function, range, body)
    } else {
        follow(Execution::new(state, function, range, locals), range, body)
    }
}

/// Executes a body, leaving out what is cut.
fn follow(
    mut execution: Execution<'_, '_>,
    range: &Range<usize>,
    body: &FunctionBody<'_>,
) -> Result<(), Refusal> {
    let traps = execution.state.traps;
    let first = traps.cuts.partition_point(|cut| cut.start < range.start);
    let mut cuts = traps.cuts[first..].iter().peekable();
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let start = operators.original_position() as usize;
        let operator = operators.read()?;
        let end = operators.original_position() as usize;
        while let Some(cut) = cuts.next_if(|cut| cut.start <= start) {
            if cut.start == start {
                execution.stop();
            }
        }
        let site = execution.site(start, end)?;
        if execution.live {
            execution.step(&operator, site)?;
        } else {
            execution.skip(&operator);
        }
    }
    Ok(())
}
