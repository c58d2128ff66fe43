//! The mark phase: from the roots on, whatever is needed, until nothing is added.

use super::certain_traps::CertainTraps;
use super::graph::{NONE, NodeIndex};
use super::state::{Node, State};
use super::{roots, value_flow};
use crate::wasm::linked::module::{LinkedModule, Slot};
use crate::wasm::linked::refusal::Refusal;
use crate::wasm::linked::relocations::{Relocations, Target};

/// Marks what is needed.
///
/// # Errors
/// A [`Refusal`] for code that the linker's relocations do not cover.
pub fn fixpoint<'a>(
    linked: &'a LinkedModule<'a>,
    relocations: &'a Relocations,
    traps: &'a CertainTraps,
) -> Result<State<'a>, Refusal> {
    let mut marking = Marking {
        state: State::new(linked, relocations, traps),
        callers: vec![None; linked.classes.len()],
        waiting: vec![Vec::new(); linked.classes.len()],
        seen: 0,
        opened: false,
    };
    marking.roots();
    loop {
        marking.answer_calls();
        if marking.state.table_is_open && !marking.opened {
            marking.open_table();
        }
        let Some(node) = marking.state.graph.next() else {
            return Ok(marking.state);
        };
        marking.follow(node)?;
    }
}

/// The class of types that a slot answers calls of.
pub fn class(linked: &LinkedModule<'_>, slot: Slot) -> usize {
    linked.classes[linked.module.functions[slot.function as usize] as usize] as usize
}

struct Marking<'a> {
    state: State<'a>,
    /// For each class, the first function that calls it through the table.
    callers: Vec<Option<NodeIndex>>,
    /// For each class, the marked slots that nothing calls yet.
    waiting: Vec<Vec<usize>>,
    /// How many of the state's indirect calls have been dealt with.
    seen: usize,
    /// Whether every slot has been marked because the table is open.
    opened: bool,
}

impl Marking<'_> {
    fn roots(&mut self) {
        let (linked, relocations) = (self.state.linked, self.state.relocations);
        for function in linked.entries.iter().chain(&relocations.kept) {
            self.state.mark_entry(*function, NONE);
        }
        for root in roots::run(linked, relocations) {
            match root {
                Target::Function(function) => self.state.mark_entry(function, NONE),
                other => self.state.graph.mark(self.state.target(other), NONE),
            }
        }
    }

    /// The slots of a class that is called for the first time may be reached.
    fn answer_calls(&mut self) {
        while let Some((class, caller)) = self.state.indirect.get(self.seen).copied() {
            self.seen += 1;
            let class = class as usize;
            if self.callers[class].is_none() {
                self.callers[class] = Some(caller);
                for slot in std::mem::take(&mut self.waiting[class]) {
                    self.call(slot);
                }
            }
        }
    }

    fn call(&mut self, slot: usize) {
        self.state.called[slot] = true;
        let function = self.state.linked.slots[slot].function;
        self.state
            .mark_entry(function, self.state.slot(slot as u32));
    }

    /// Whoever sees the table may call anything in it.
    fn open_table(&mut self) {
        self.opened = true;
        for slot in 0..self.state.called.len() {
            let node = self.state.slot(slot as u32);
            self.state.graph.mark(node, NONE);
            self.call(slot);
        }
    }

    /// What a marked node needs.
    fn follow(&mut self, node: NodeIndex) -> Result<(), Refusal> {
        let (linked, relocations) = (self.state.linked, self.state.relocations);
        match self.state.node(node) {
            Node::Function(function) => value_flow::scan(&mut self.state, function)?,
            Node::Data(symbol) => {
                for reloc in self.state.words(&relocations.data[symbol as usize]) {
                    if let Target::Data(_) | Target::Slot(_) = reloc.target {
                        let target = self.state.target(reloc.target);
                        self.state.graph.mark(target, node);
                    }
                }
            }
            Node::Slot(slot) => {
                let slot = slot as usize;
                let class = class(linked, linked.slots[slot]);
                if self.callers[class].is_some() {
                    self.call(slot);
                } else {
                    self.waiting[class].push(slot);
                }
            }
            Node::Value(_) => {}
        }
        Ok(())
    }
}
