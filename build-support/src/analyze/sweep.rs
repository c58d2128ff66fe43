//! What the linker's account of addresses proves dead once panic entry points are snipped: functions, data,
//! table slots, and the code before a certain trap. Made on the linked bytes; `passes::sweep` carries it out.
//!
//! In order: [`linked`] takes the file apart, [`relocations`] reads and checks the relocations, [`complete`]
//! makes sure nothing is missing from them, [`certain_traps`] finds the code that is certain to trap, and [`value_flow`]
//! follows addresses through the rest, from the roots on, in the [`graph`] of what is needed. That is
//! repeated until nothing changes. Where anything is not accounted for, a [`Refusal`] says so.

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

use certain_traps::{Cut, Doom};
use graph::NONE;
use linked::Linked;
use ranges::{contains, union, within, without};
use relocations::{Account, Target};
use state::{Thing, World};
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
    pub gone: Vec<Gone>,
}

/// Something that is dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
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
/// A [`Refusal`] for what the linker's account does not cover.
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

/// The data symbols of a linked module: their bytes in the file, and their names for people. None where the
/// linker's account is not there, or not of these bytes.
pub fn data_names(module: &[u8]) -> Vec<(Range<usize>, String)> {
    let Ok(linked) = linked::read(module) else {
        return Vec::new();
    };
    let Ok(account) = relocations::read(&linked) else {
        return Vec::new();
    };
    let named = |symbol: &relocations::DataSymbol| {
        let name = symbol_names::vtable(&linked, &account, symbol);
        (symbol.start..symbol.end, name)
    };
    account.data.iter().map(named).collect()
}

/// Everything that the analysis found.
struct Proof<'a> {
    linked: &'a Linked<'a>,
    account: &'a Account,
    doom: &'a Doom,
    world: &'a World<'a>,
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
    let account = relocations::read(&linked)?;
    complete::check(&linked, &account)?;
    let bodies = certain_traps::bodies(&linked)?;
    let mut possible = vec![linked.table_is_open; linked.types.len()];
    for slot in &linked.slots {
        let ty = linked.functions[slot.function as usize];
        possible[linked.classes[ty as usize] as usize] = true;
    }
    loop {
        let doom = certain_traps::run(&linked, &bodies, snipped, &possible);
        let (world, called) = settle(&linked, &account, &doom)?;
        // A class of calls that no needed slot answers traps from now on.
        let mut next = vec![world.table_is_open; possible.len()];
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
                account: &account,
                doom: &doom,
                world: &world,
                called: &called,
                snipped,
            }));
        }
        possible = next;
    }
}

/// Follows what is needed from the roots until nothing is added. Besides, whether a call may reach each slot:
/// its number is needed, and live code calls a function of its type through the table.
fn settle<'a>(
    linked: &'a Linked<'a>,
    account: &'a Account,
    doom: &'a Doom,
) -> Result<(World<'a>, Vec<bool>), Refusal> {
    let mut world = World::new(linked, account, doom);
    for function in linked.entries.iter().chain(&account.kept) {
        world.enter(*function, NONE);
    }
    for root in roots(linked, account) {
        match root {
            Target::Function(function) => world.enter(function, NONE),
            Target::Data(symbol) => world.graph.need(world.data(symbol), NONE),
            Target::Slot(slot) => world.graph.need(world.slot(slot), NONE),
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
        while let Some((class, caller)) = world.indirect.get(seen).copied() {
            seen += 1;
            if callers[class as usize].is_none() {
                callers[class as usize] = Some(caller);
                for slot in std::mem::take(&mut waiting[class as usize]) {
                    called[slot] = true;
                    world.enter(linked.slots[slot].function, world.slot(slot as u32));
                }
            }
        }
        if world.table_is_open && !opened {
            // Whoever sees the table may call anything in it.
            opened = true;
            called.fill(true);
            for (position, slot) in linked.slots.iter().enumerate() {
                let node = world.slot(position as u32);
                world.graph.need(node, NONE);
                world.enter(slot.function, node);
            }
        }
        let Some(node) = world.graph.next() else {
            return Ok((world, called));
        };
        match world.thing(node) {
            Thing::Function(function) => value_flow::scan(&mut world, function)?,
            Thing::Data(symbol) => {
                let symbol = &account.data[symbol as usize];
                for reloc in within(&account.in_data, &(symbol.start..symbol.end)) {
                    match reloc.target {
                        Target::Data(to) => world.graph.need(world.data(to), node),
                        Target::Slot(to) => world.graph.need(world.slot(to), node),
                        Target::Function(_) | Target::Nothing => {}
                    }
                }
            }
            Thing::Slot(slot) => {
                let slot = slot as usize;
                let class = class_of(slot);
                if callers[class].is_some() {
                    called[slot] = true;
                    world.enter(linked.slots[slot].function, node);
                } else {
                    waiting[class].push(slot);
                }
            }
            Thing::Value(_) => {}
        }
    }
}

/// What must stay whatever refers to it: symbols the linker was told to keep, those whose address the host
/// knows, those in segments that code walks over from end to end, and what words outside of every symbol
/// refer to.
fn roots(linked: &Linked<'_>, account: &Account) -> Vec<Target> {
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
            account.walked.iter().any(reaches)
        })
        .map(|segment| &segment.range)
        .collect();
    for (position, symbol) in account.data.iter().enumerate() {
        let is_known = known
            .iter()
            .any(|at| (symbol.start..symbol.end).contains(at));
        let is_walked = walked.iter().any(|range| range.contains(&symbol.start));
        if symbol.kept || is_known || is_walked {
            roots.push(Target::Data(position as u32));
        }
    }
    let covered = union(account.data.iter().map(|symbol| symbol.start..symbol.end));
    for reloc in &account.in_data {
        if !contains(&covered, reloc.at) {
            roots.push(reloc.target);
        }
    }
    roots
}

impl Proof<'_> {
    fn sweep(&self) -> Sweep {
        let graph = &self.world.graph;
        let mut sweep = Sweep {
            cuts: self
                .doom
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
        let unused = |(at, node): &(usize, u32)| (!graph.is_needed(*node)).then_some(*at);
        sweep.constants = self.world.constants.iter().filter_map(unused).collect();
        sweep.constants.sort_unstable();
        sweep.constants.dedup();
        for position in 0..self.linked.bodies.len() {
            let function = self.linked.imported + position as u32;
            let traps = self.doom.traps[function as usize] && !self.snipped.contains(&function);
            let needed = graph.is_needed(function);
            if !needed || traps {
                if needed {
                    sweep.traps.push(function);
                } else {
                    sweep.functions.push(function);
                }
                sweep.gone.push(Gone {
                    reason: if needed {
                        Reason::CertainTrap
                    } else {
                        Reason::Function
                    },
                    name: symbol_names::function(self.linked, self.account, function),
                    bytes: self.linked.bodies[position].len() as u64,
                });
            }
        }
        for cut in &sweep.cuts {
            let position = self
                .linked
                .bodies
                .partition_point(|body| body.end <= cut.start);
            sweep.gone.push(Gone {
                reason: Reason::BeforeTrap,
                name: symbol_names::function(
                    self.linked,
                    self.account,
                    self.linked.imported + position as u32,
                ),
                bytes: (cut.end - cut.start) as u64,
            });
        }
        self.dead_data(&mut sweep);
        sweep.gone.sort_by(|a, b| {
            (b.bytes.cmp(&a.bytes))
                .then_with(|| a.name.cmp(&b.name))
                .then(a.reason.cmp(&b.reason))
        });
        sweep
    }

    fn is_in_live_code(&self, at: usize) -> bool {
        let position = self.linked.bodies.partition_point(|body| body.end <= at);
        let function = self.linked.imported + position as u32;
        self.world.graph.is_needed(function) && !self.doom.traps[function as usize]
    }

    /// Bytes of dead symbols that no live symbol shares.
    fn dead_data(&self, sweep: &mut Sweep) {
        let needed = |position: usize| {
            let node = self.world.data(position as u32);
            self.world.graph.is_needed(node)
        };
        let symbols = || self.account.data.iter().enumerate();
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
                let has_slots = within(&self.account.in_data, &range)
                    .iter()
                    .any(|reloc| matches!(reloc.target, Target::Slot(_)));
                sweep.gone.push(Gone {
                    reason: if has_slots {
                        Reason::Vtable
                    } else {
                        Reason::Data
                    },
                    name: if has_slots {
                        symbol_names::vtable(self.linked, self.account, symbol)
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
