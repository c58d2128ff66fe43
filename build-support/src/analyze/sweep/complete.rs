//! Whether the relocations are whole. A linker that drops what nothing refers to (`--gc-sections`)
//! keeps only what it saw referred to; so with all of them every function, slot and data symbol is
//! reached from some root. What is not was either kept without need or is referred to by something
//! that is missing here, a section that was stripped, say. The two look the same, and the second
//! would make the sweep wrong.

use super::certain_traps::CertainTraps;
use super::graph::NONE;
use super::roots;
use super::state::{Node, State};
use crate::wasm::call_graph;
use crate::wasm::linked::module::LinkedModule;
use crate::wasm::linked::refusal::Refusal;
use crate::wasm::linked::relocations::Relocations;
use crate::wasm::linked::{ranges, symbol_names};
use crate::wasm::module::as_usize;

/// Checks that everything is reached.
///
/// # Errors
/// [`Refusal::Unreferenced`] with the first things that are not.
pub fn check(linked: &LinkedModule<'_>, relocations: &Relocations) -> Result<(), Refusal> {
    let no_traps = CertainTraps::default();
    let mut state = State::new(linked, relocations, &no_traps);
    for function in linked.entries.iter().chain(&relocations.kept) {
        state.graph.mark(*function, NONE);
    }
    for root in roots::run(linked, relocations) {
        state.graph.mark(state.target(root), NONE);
    }
    while let Some(node) = state.graph.next() {
        match state.node(node) {
            Node::Function(function) => body(&mut state, function)?,
            Node::Slot(slot) => state.graph.mark(linked.slots[slot as usize].function, node),
            Node::Data(symbol) => {
                for reloc in state.words(&relocations.data[symbol as usize]) {
                    state.graph.mark(state.target(reloc.target), node);
                }
            }
            Node::Value(_) => {}
        }
    }
    match missing(&state) {
        names if names.is_empty() => Ok(()),
        names => Err(Refusal::Unreferenced(listed(&names))),
    }
}

/// Marks what a function refers to.
fn body(state: &mut State<'_>, function: u32) -> Result<(), Refusal> {
    let Some(body) = state.linked.module.body(function) else {
        return Ok(());
    };
    let relocs = ranges::within(&state.relocations.in_code, &as_usize(&body.range()));
    for reloc in relocs {
        state.graph.mark(state.target(reloc.target), function);
    }
    if relocs.is_empty() {
        // The linker's own functions have calls without relocations.
        for called in call_graph::calls(body)?.functions {
            state.graph.mark(called, function);
        }
    }
    Ok(())
}

/// The names of what is not marked.
fn missing(state: &State<'_>) -> Vec<String> {
    let (linked, relocations) = (state.linked, state.relocations);
    let functions = (linked.module.imported..linked.module.functions.len() as u32)
        .filter(|function| !state.graph.is_marked(*function))
        // Its own functions the linker makes whether they are called or not.
        .filter(|function| !relocations.is_linkers_own(*function))
        .map(|function| symbol_names::function(linked, relocations, function));
    let slots = (linked.slots.iter().zip(0..))
        .filter(|(_, position)| !state.graph.is_marked(state.slot(*position)))
        .map(|(slot, _)| format!("slot {} of the table", slot.number));
    let data = (relocations.data.iter().zip(0..))
        .filter(|(_, position)| !state.graph.is_marked(state.data(*position)))
        .filter(|(symbol, _)| symbol.end > symbol.start)
        .map(|(symbol, _)| symbol_names::data(linked, symbol));
    functions.chain(slots).chain(data).collect()
}

/// The first few of `names`, and how many there are besides.
fn listed(names: &[String]) -> String {
    let shown: Vec<_> = names
        .iter()
        .take(3)
        .map(|name| format!("`{name}`"))
        .collect();
    let text = shown.join(", ");
    match names.len() - shown.len() {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}
