//! The scan of a function that is too large to follow its values: whatever it mentions is needed.

use crate::analyze::sweep::graph::NodeIndex;
use crate::analyze::sweep::state::State;
use crate::wasm::linked::refusal::Refusal;
use crate::wasm::linked::{operators, ranges};
use std::ops::Range;
use wasmparser::{FunctionBody, Operator};

/// Adds what the function may need.
///
/// # Errors
/// [`Refusal::Gap`] for a call without a relocation.
pub fn scan(
    state: &mut State<'_>,
    function: u32,
    range: &Range<usize>,
    body: &FunctionBody<'_>,
) -> Result<(), Refusal> {
    let relocations = state.relocations;
    let relocs = ranges::within(&relocations.in_code, range);
    for reloc in relocs {
        let node = state.target(reloc.target);
        state.graph.mark(node, function);
    }
    // Addresses that come in may go anywhere.
    let first = state.values(function).parameters;
    for parameter in 0..state.linked.signature(function).params().len() {
        state.graph.mark(first + parameter as NodeIndex, function);
    }
    let relocated = !relocs.is_empty() || !relocations.is_linkers_own(function);
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let start = operators.original_position() as usize;
        let operator = operators.read()?;
        let end = operators.original_position() as usize;
        match operator {
            Operator::Call { function_index }
            | Operator::ReturnCall { function_index }
            | Operator::RefFunc { function_index } => state.mark_entry(function_index, function),
            Operator::CallIndirect { type_index, .. }
            | Operator::ReturnCallIndirect { type_index, .. } => {
                let class = state.linked.classes[type_index as usize];
                state.indirect.push((class, function));
            }
            other => {
                state.table_is_open |= operators::changes_table(&other);
                continue;
            }
        }
        if relocated && ranges::within(relocs, &(start..end)).is_empty() {
            return Err(Refusal::Gap {
                offset: start as u64,
                what: "a call".into(),
            });
        }
    }
    Ok(())
}
