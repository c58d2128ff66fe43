//! The sweep itself: whatever was not marked, with its name, its size and the reason.

use super::certain_traps::Cut;
use super::state::State;
use crate::wasm::linked::ranges::{union, without};
use crate::wasm::linked::relocations::{DataSymbol, Target};
use crate::wasm::linked::symbol_names;
use crate::wasm::module::as_usize;
use std::collections::HashSet;
use std::ops::Range;

/// What is to be done with one core module. Places are byte offsets in the linked file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Code to replace by a trap, in order.
    pub cuts: Vec<Cut>,
    /// `i32.const` operators whose value nothing uses, in order: what they point at may be dead.
    pub constants: Vec<usize>,
    /// Functions that nothing can call, in order.
    pub functions: Vec<u32>,
    /// Functions whose calls are certain to trap, snipped ones left out, in order.
    pub traps: Vec<u32>,
    /// Data that nothing can read, in order.
    pub data: Vec<Range<usize>>,
    /// Table slots that nothing can call through, by number, in order.
    pub slots: Vec<u32>,
    /// All of that with names and sizes, largest first.
    pub removed: Vec<Removed>,
}

/// Something that is dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Why.
    pub reason: Reason,
    /// Its demangled name.
    pub name: String,
    /// Its size in the linked file, in bytes.
    pub bytes: u64,
}

/// Why something is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Its call is certain to end in a panic.
    CertainTrap,
    /// It prepares a panic inside a function that stays.
    BeforeTrap,
    /// Nothing calls it any more.
    Function,
    /// It holds the addresses of functions, and nothing reads it any more.
    Vtable,
    /// Nothing reads it any more.
    Data,
}

impl Reason {
    /// Every one, in the order they are shown.
    pub const ALL: [Reason; 5] = [
        Reason::CertainTrap,
        Reason::BeforeTrap,
        Reason::Function,
        Reason::Vtable,
        Reason::Data,
    ];

    /// What it is called in reports.
    pub fn name(self) -> &'static str {
        match self {
            Reason::CertainTrap => "functions that always panic",
            Reason::BeforeTrap => "code before a panic",
            Reason::Function => "unreachable functions",
            Reason::Vtable => "unreachable vtables",
            Reason::Data => "unreachable data",
        }
    }
}

/// What was not marked. The functions in `snipped` are known to be traps, and not listed as such.
pub fn run(state: &State<'_>, snipped: &[u32]) -> Sweep {
    let mut sweep = Sweep::default();
    code(state, snipped, &mut sweep);
    data(state, &mut sweep);
    let slots = state.linked.slots.iter().zip(&state.called);
    let dead = slots.filter(|(_, called)| !**called);
    sweep.slots = dead.map(|(slot, _)| slot.number).collect();
    sweep.removed.sort_by(|a, b| {
        (b.bytes.cmp(&a.bytes))
            .then_with(|| a.name.cmp(&b.name))
            .then(a.reason.cmp(&b.reason))
    });
    sweep
}

/// Functions, and what is dead inside of those that stay.
fn code(state: &State<'_>, snipped: &[u32], sweep: &mut Sweep) {
    let (linked, graph) = (state.linked, &state.graph);
    let mut add = |reason, function, bytes: usize| {
        sweep.removed.push(Removed {
            reason,
            name: symbol_names::function(linked, state.relocations, function),
            bytes: bytes as u64,
        });
    };
    let bodies: Vec<_> = linked
        .module
        .bodies
        .iter()
        .map(|body| as_usize(&body.range()))
        .collect();
    for (function, body) in (linked.module.imported..).zip(&bodies) {
        if !graph.is_marked(function) {
            sweep.functions.push(function);
            add(Reason::Function, function, body.len());
        } else if state.traps.functions[function as usize] && !snipped.contains(&function) {
            sweep.traps.push(function);
            add(Reason::CertainTrap, function, body.len());
        }
    }
    for cut in &state.traps.cuts {
        let position = bodies.partition_point(|body| body.end <= cut.start);
        let function = linked.module.imported + position as u32;
        if graph.is_marked(function) && !state.traps.functions[function as usize] {
            sweep.cuts.push(*cut);
            add(Reason::BeforeTrap, function, cut.end - cut.start);
        }
    }
    let constants = state.constants.iter();
    let unused = constants.filter(|(_, node)| !graph.is_marked(*node));
    sweep.constants = unused.map(|(at, _)| *at).collect();
    sweep.constants.sort_unstable();
    sweep.constants.dedup();
}

/// Bytes of dead symbols that no live symbol shares.
fn data(state: &State<'_>, sweep: &mut Sweep) {
    let symbols = state.relocations.data.iter().zip(0..);
    let (live, dead): (Vec<_>, Vec<_>) =
        symbols.partition(|(_, position)| state.graph.is_marked(state.data(*position)));
    let live = union(live.iter().map(|(symbol, _)| symbol.start..symbol.end));
    let mut ranges = Vec::new();
    let mut counted = HashSet::new();
    for (symbol, _) in dead {
        let parts = without(&(symbol.start..symbol.end), &live);
        let bytes: usize = parts.iter().map(ExactSizeIterator::len).sum();
        if bytes > 0 && counted.insert((symbol.start, symbol.end)) {
            sweep.removed.push(removed(state, symbol, bytes as u64));
        }
        ranges.extend(parts);
    }
    sweep.data = union(ranges.into_iter());
}

fn removed(state: &State<'_>, symbol: &DataSymbol, bytes: u64) -> Removed {
    let mut words = state.words(symbol).iter();
    let (reason, name) = if words.any(|w| matches!(w.target, Target::Slot(_))) {
        let name = symbol_names::vtable(state.linked, state.relocations, symbol);
        (Reason::Vtable, name)
    } else {
        (Reason::Data, symbol_names::data(state.linked, symbol))
    };
    Removed {
        reason,
        name,
        bytes,
    }
}
