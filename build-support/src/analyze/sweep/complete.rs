//! Whether the relocations are whole. A linker that drops what nothing refers to (`--gc-sections`) keeps only
//! what it saw referred to; so with all of them every function, slot and data symbol is reached from
//! some root. What is not was either kept without need or is referred to by something that is missing
//! here, a section that is gone, say. The two look the same, and the second would make the sweep wrong.

use super::roots;
use crate::wasm::linked::module::Linked;
use crate::wasm::linked::refusal::Refusal;
use crate::wasm::linked::relocations::{Relocations, Target};
use crate::wasm::linked::{ranges, symbol_names};
use std::ops::Range;
use wasmparser::{FunctionBody, Operator};

/// Checks that everything is reached.
///
/// # Errors
/// [`Refusal::Unreferenced`] with the first things that are not.
pub fn check(linked: &Linked<'_>, relocations: &Relocations) -> Result<(), Refusal> {
    let mut reached = Reached {
        functions: vec![false; linked.functions.len()],
        slots: vec![false; linked.slots.len()],
        data: vec![false; relocations.data.len()],
        queue: Vec::new(),
    };
    for function in linked.entries.iter().chain(&relocations.kept) {
        reached.add(Target::Function(*function));
    }
    for root in roots::run(linked, relocations) {
        reached.add(root);
    }
    while let Some(target) = reached.queue.pop() {
        match target {
            Target::Function(function) => {
                if let Some(position) = linked.defined(function) {
                    reached.body(linked, relocations, &linked.bodies[position])?;
                }
            }
            Target::Slot(slot) => {
                reached.add(Target::Function(linked.slots[slot as usize].function));
            }
            Target::Data(symbol) => {
                let symbol = &relocations.data[symbol as usize];
                for reloc in ranges::within(&relocations.in_data, &(symbol.start..symbol.end)) {
                    reached.add(reloc.target);
                }
            }
            Target::Nothing => {}
        }
    }
    reached.verdict(linked, relocations)
}

struct Reached {
    functions: Vec<bool>,
    slots: Vec<bool>,
    data: Vec<bool>,
    queue: Vec<Target>,
}

impl Reached {
    fn add(&mut self, target: Target) {
        let seen = match target {
            Target::Function(function) => &mut self.functions[function as usize],
            Target::Slot(slot) => &mut self.slots[slot as usize],
            Target::Data(symbol) => &mut self.data[symbol as usize],
            Target::Nothing => return,
        };
        if !std::mem::replace(seen, true) {
            self.queue.push(target);
        }
    }

    fn body(
        &mut self,
        linked: &Linked<'_>,
        relocations: &Relocations,
        range: &Range<usize>,
    ) -> Result<(), Refusal> {
        let relocs = ranges::within(&relocations.in_code, range);
        for reloc in relocs {
            self.add(reloc.target);
        }
        if relocs.is_empty() {
            // The linker's own functions have calls without relocations.
            let bytes = &linked.bytes[range.clone()];
            let body = FunctionBody::new(wasmparser::BinaryReader::new(bytes, range.start as u64));
            for operator in body.get_operators_reader()? {
                if let Operator::Call { function_index }
                | Operator::ReturnCall { function_index }
                | Operator::RefFunc { function_index } = operator?
                {
                    self.add(Target::Function(function_index));
                }
            }
        }
        Ok(())
    }

    fn verdict(&self, linked: &Linked<'_>, relocations: &Relocations) -> Result<(), Refusal> {
        let functions = (linked.imported as usize..self.functions.len())
            .filter(|function| !self.functions[*function])
            // Its own functions the linker makes whether they are called or not.
            .filter(|function| !relocations.is_linkers_own(*function as u32))
            .map(|function| symbol_names::function(linked, relocations, function as u32));
        let slots = (0..self.slots.len())
            .filter(|slot| !self.slots[*slot])
            .map(|slot| format!("slot {} of the table", linked.slots[slot].number));
        let data = relocations
            .data
            .iter()
            .zip(&self.data)
            .filter(|(symbol, reached)| !**reached && symbol.end > symbol.start)
            .map(|(symbol, _)| symbol_names::data(linked, symbol));
        let mut missing: Vec<_> = functions.chain(slots).chain(data).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let count = missing.len();
        missing.truncate(3);
        let mut text = missing
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        if count > missing.len() {
            text.push_str(&format!(" and {} more", count - missing.len()));
        }
        Err(Refusal::Unreferenced(text))
    }
}
