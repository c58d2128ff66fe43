//! What the linker's relocations prove dead once panic entry points are snipped: functions, data,
//! table slots, and the code before a certain trap. Made on the linked bytes; `passes::sweep` carries it out.
//!
//! In order: [`linked`] takes the file apart, [`relocations`] reads and checks the relocations, [`complete`]
//! makes sure nothing is missing from them, [`certain_traps`] finds the code that is certain to trap, and [`value_flow`]
//! follows addresses through the rest, from the roots on, in the [`graph`] of what is needed. That is
//! repeated until nothing changes. Where a relocation is missing, a [`Refusal`] says so.

pub mod certain_traps;
pub mod complete;
mod explain;
mod graph;
pub mod linked;
mod operators;
mod ranges;
pub mod refusal;
pub mod relocations;
mod state;
mod symbol_names;
mod value_flow;

pub use explain::{Explanation, Link};
pub use refusal::Refusal;

use certain_traps::{CertainTraps, Cut};
use graph::NONE;
use linked::Linked;
use ranges::{contains, union, within, without};
use relocations::{Relocations, Target};
use state::{Node, State};
use std::collections::HashSet;
use std::ops::Range;

/// What is to be done with one core module. Places are byte offsets in the linked file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Code to replace by a trap, in order.
    pub cuts: Vec<Cut>,
    /// `i32.const` operators whose value nothing uses, in order: what they point at may be gone.
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

/// Proves what is dead in a valid core module, once the functions in `snipped` are traps.
///
/// # Errors
/// A [`Refusal`] for what the linker's relocations do not cover.
pub fn run(module: &[u8], snipped: &[u32]) -> Result<Sweep, Refusal> {
    with_proof(module, snipped, |proof| proof.sweep())
}

/// Why a function or data symbol is still there, as the chain from a root. `symbol` is a demangled or
/// linker name, or the end of one that begins after `::`.
///
/// # Errors
/// A [`Refusal`] as [`run`].
pub fn explain(module: &[u8], snipped: &[u32], symbol: &str) -> Result<Vec<Explanation>, Refusal> {
    with_proof(module, snipped, |proof| explain::run(proof, symbol))
}

/// The data symbols of a linked module: their bytes in the file, and their names for people. None where there
/// are no relocations, or none of these bytes.
pub fn data_names(module: &[u8]) -> Vec<(Range<usize>, String)> {
    let Ok(linked) = linked::read(module) else {
        return Vec::new();
    };
    let Ok(relocations) = relocations::read(&linked) else {
        return Vec::new();
    };
    let named = |symbol: &relocations::DataSymbol| {
        let name = symbol_names::vtable(&linked, &relocations, symbol);
        (symbol.start..symbol.end, name)
    };
    relocations.data.iter().map(named).collect()
}

/// Everything that the analysis found.
struct Proof<'a> {
    linked: &'a Linked<'a>,
    relocations: &'a Relocations,
    traps: &'a CertainTraps,
    state: &'a State<'a>,
    /// For each slot, whether a call through the table may reach it.
    called: &'a [bool],
    snipped: &'a [u32],
}

fn with_proof<T>(
    module: &[u8],
    snipped: &[u32],
    found: impl FnOnce(&Proof<'_>) -> T,
) -> Result<T, Refusal> {
    let linked = linked::read(module)?;
    let relocations = relocations::read(&linked)?;
    complete::check(&linked, &relocations)?;
    let bodies = certain_traps::bodies(&linked)?;
    let mut possible = vec![linked.table_is_open; linked.types.len()];
    for slot in &linked.slots {
        let ty = linked.functions[slot.function as usize];
        possible[linked.classes[ty as usize] as usize] = true;
    }
    loop {
        let traps = certain_traps::run(&linked, &bodies, snipped, &possible);
        let (state, called) = fixpoint(&linked, &relocations, &traps)?;
        // A class of calls that no needed slot answers traps from now on.
        let mut next = vec![state.table_is_open; possible.len()];
        for (slot, called) in linked.slots.iter().zip(&called) {
            let ty = linked.functions[slot.function as usize];
            next[linked.classes[ty as usize] as usize] |= *called;
        }
        let settled = next
            .iter()
            .zip(&possible)
            .all(|(next, before)| *next || !*before);
        if settled {
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

/// Follows what is needed from the roots until nothing is added. Besides, whether a call may reach each slot:
/// its number is needed, and live code calls a function of its type through the table.
fn fixpoint<'a>(
    linked: &'a Linked<'a>,
    relocations: &'a Relocations,
    traps: &'a CertainTraps,
) -> Result<(State<'a>, Vec<bool>), Refusal> {
    let mut state = State::new(linked, relocations, traps);
    for function in linked.entries.iter().chain(&relocations.kept) {
        state.mark_entry(*function, NONE);
    }
    for root in roots(linked, relocations) {
        match root {
            Target::Function(function) => state.mark_entry(function, NONE),
            Target::Data(symbol) => state.graph.mark(state.data(symbol), NONE),
            Target::Slot(slot) => state.graph.mark(state.slot(slot), NONE),
            Target::Nothing => {}
        }
    }
    let class_of = |slot: usize| {
        linked.classes[linked.functions[linked.slots[slot].function as usize] as usize] as usize
    };
    let mut called = vec![false; linked.slots.len()];
    let mut callers = vec![None; linked.types.len()];
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); linked.types.len()];
    let mut seen = 0;
    let mut opened = false;
    loop {
        while let Some((class, caller)) = state.indirect.get(seen).copied() {
            seen += 1;
            if callers[class as usize].is_none() {
                callers[class as usize] = Some(caller);
                for slot in std::mem::take(&mut waiting[class as usize]) {
                    called[slot] = true;
                    state.mark_entry(linked.slots[slot].function, state.slot(slot as u32));
                }
            }
        }
        if state.table_is_open && !opened {
            // Whoever sees the table may call anything in it.
            opened = true;
            called.fill(true);
            for (position, slot) in linked.slots.iter().enumerate() {
                let node = state.slot(position as u32);
                state.graph.mark(node, NONE);
                state.mark_entry(slot.function, node);
            }
        }
        let Some(node) = state.graph.next() else {
            return Ok((state, called));
        };
        match state.node(node) {
            Node::Function(function) => value_flow::scan(&mut state, function)?,
            Node::Data(symbol) => {
                let symbol = &relocations.data[symbol as usize];
                for reloc in within(&relocations.in_data, &(symbol.start..symbol.end)) {
                    match reloc.target {
                        Target::Data(to) => state.graph.mark(state.data(to), node),
                        Target::Slot(to) => state.graph.mark(state.slot(to), node),
                        Target::Function(_) | Target::Nothing => {}
                    }
                }
            }
            Node::Slot(slot) => {
                let slot = slot as usize;
                let class = class_of(slot);
                if callers[class].is_some() {
                    called[slot] = true;
                    state.mark_entry(linked.slots[slot].function, node);
                } else {
                    waiting[class].push(slot);
                }
            }
            Node::Value(_) => {}
        }
    }
}

/// What must stay whatever refers to it: symbols the linker was told to keep, those whose address the host
/// knows, those in segments that code walks over from end to end, and what words outside of every symbol
/// refer to.
fn roots(linked: &Linked<'_>, relocations: &Relocations) -> Vec<Target> {
    let mut roots = Vec::new();
    let known: Vec<usize> = linked
        .exported_addresses
        .iter()
        .filter_map(|address| {
            linked.segments.iter().find_map(|segment| {
                let offset = address.checked_sub(segment.address)? as usize;
                (offset < segment.range.len()).then_some(segment.range.start + offset)
            })
        })
        .collect();
    let walked: Vec<&Range<usize>> = linked
        .segments
        .iter()
        .filter(|segment| {
            let size = segment.range.len() as u32;
            let reaches = |at: &u32| at.wrapping_sub(segment.address) <= size;
            relocations.walked.iter().any(reaches)
        })
        .map(|segment| &segment.range)
        .collect();
    for (position, symbol) in relocations.data.iter().enumerate() {
        let is_known = known
            .iter()
            .any(|at| (symbol.start..symbol.end).contains(at));
        let is_walked = walked.iter().any(|range| range.contains(&symbol.start));
        if symbol.kept || is_known || is_walked {
            roots.push(Target::Data(position as u32));
        }
    }
    let covered = union(
        relocations
            .data
            .iter()
            .map(|symbol| symbol.start..symbol.end),
    );
    for reloc in &relocations.in_data {
        if !contains(&covered, reloc.at) {
            roots.push(reloc.target);
        }
    }
    roots
}

impl Proof<'_> {
    fn sweep(&self) -> Sweep {
        let graph = &self.state.graph;
        let mut sweep = Sweep {
            cuts: self
                .traps
                .cuts
                .iter()
                .filter(|cut| self.is_in_live_code(cut.start))
                .copied()
                .collect(),
            slots: (self.linked.slots.iter().zip(self.called))
                .filter(|(_, called)| !**called)
                .map(|(slot, _)| slot.number)
                .collect(),
            ..Sweep::default()
        };
        let unused = |(at, node): &(usize, u32)| (!graph.is_marked(*node)).then_some(*at);
        sweep.constants = self.state.constants.iter().filter_map(unused).collect();
        sweep.constants.sort_unstable();
        sweep.constants.dedup();
        for position in 0..self.linked.bodies.len() {
            let function = self.linked.imported + position as u32;
            let traps =
                self.traps.functions[function as usize] && !self.snipped.contains(&function);
            let needed = graph.is_marked(function);
            if !needed || traps {
                if needed {
                    sweep.traps.push(function);
                } else {
                    sweep.functions.push(function);
                }
                sweep.removed.push(Removed {
                    reason: if needed {
                        Reason::CertainTrap
                    } else {
                        Reason::Function
                    },
                    name: symbol_names::function(self.linked, self.relocations, function),
                    bytes: self.linked.bodies[position].len() as u64,
                });
            }
        }
        for cut in &sweep.cuts {
            let position = self
                .linked
                .bodies
                .partition_point(|body| body.end <= cut.start);
            sweep.removed.push(Removed {
                reason: Reason::BeforeTrap,
                name: symbol_names::function(
                    self.linked,
                    self.relocations,
                    self.linked.imported + position as u32,
                ),
                bytes: (cut.end - cut.start) as u64,
            });
        }
        self.dead_data(&mut sweep);
        sweep.removed.sort_by(|a, b| {
            (b.bytes.cmp(&a.bytes))
                .then_with(|| a.name.cmp(&b.name))
                .then(a.reason.cmp(&b.reason))
        });
        sweep
    }

    fn is_in_live_code(&self, at: usize) -> bool {
        let position = self.linked.bodies.partition_point(|body| body.end <= at);
        let function = self.linked.imported + position as u32;
        self.state.graph.is_marked(function) && !self.traps.functions[function as usize]
    }

    /// Bytes of dead symbols that no live symbol shares.
    fn dead_data(&self, sweep: &mut Sweep) {
        let needed = |position: usize| {
            let node = self.state.data(position as u32);
            self.state.graph.is_marked(node)
        };
        let symbols = || self.relocations.data.iter().enumerate();
        let live = union(
            symbols()
                .filter(|(position, _)| needed(*position))
                .map(|(_, symbol)| symbol.start..symbol.end),
        );
        let dead: Vec<_> = symbols()
            .filter(|(position, _)| !needed(*position))
            .collect();
        let mut ranges = Vec::new();
        let mut counted = HashSet::new();
        for (_, symbol) in &dead {
            let parts = without(&(symbol.start..symbol.end), &live);
            let bytes: usize = parts.iter().map(ExactSizeIterator::len).sum();
            let range = symbol.start..symbol.end;
            if bytes > 0 && counted.insert((range.start, range.end)) {
                let has_slots = within(&self.relocations.in_data, &range)
                    .iter()
                    .any(|reloc| matches!(reloc.target, Target::Slot(_)));
                sweep.removed.push(Removed {
                    reason: if has_slots {
                        Reason::Vtable
                    } else {
                        Reason::Data
                    },
                    name: if has_slots {
                        symbol_names::vtable(self.linked, self.relocations, symbol)
                    } else {
                        symbol_names::data(self.linked, symbol)
                    },
                    bytes: bytes as u64,
                });
            }
            ranges.extend(parts);
        }
        sweep.data = union(ranges.into_iter());
    }
}
