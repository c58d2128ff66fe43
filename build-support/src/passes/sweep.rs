//! Carries out what `analyze::sweep` proved: cuts code that is certain to trap, empties dead
//! functions, zeroes dead data, clears dead table slots. First of the passes, and in place: every
//! function, type and global keeps its index, so that the plan holds for snip, which comes next.
//! wasm-opt then drops what is empty.
//!
//! A poison build shows a wrong proof: dead data is filled with 0xAA, unused addresses become
//! 0xAAAAAAAA, dead functions divide by zero, dead slots convert a number that is none. A right one
//! behaves as before.

use crate::analyze::sweep::Sweep;
use crate::error::{Error, Result};
use crate::passes::{Job, Outcome, strip};
use crate::wasm::artifact::{self, Artifact};
use crate::wasm::linked::module::{self, LinkedModule};
use crate::wasm::module::as_usize;
use crate::wasm::sections::{self, CODE, DATA, ELEMENT, FUNCTION};
use crate::wasm::{Module, ReadError};
use std::collections::BTreeMap;
use std::ops::Range;
use wasm_encoder::{CodeSection, ConstExpr, Elements, Encode as _};

const PASS: &str = "sweep";
/// What dead data is filled with in a poison build.
const POISON: u8 = 0xAA;
/// A gap of so many slots is cheaper as a new segment's header than filled.
const WORTH_A_SEGMENT: u32 = 6;

/// Sweeps each core module by its plan.
///
/// # Errors
/// [`Error::Pass`] where the plan is of other bytes.
pub fn run(job: &Job<'_>, artifact: Artifact) -> Result<Outcome> {
    let sweeps = || job.plans.iter().filter_map(|plan| plan.sweep.as_ref());
    let unswept = job.plans.iter().find_map(|plan| plan.unswept.as_ref());
    let unswept = unswept.map(|why| format!("not swept: {why}"));
    if sweeps().next().is_none() {
        let note = unswept.unwrap_or_else(|| "off".to_owned());
        return Ok(Outcome::new(artifact, note));
    }
    let poison = job.poison;
    let swept = artifact.map_core(PASS, |ordinal, module| {
        let plan = job.plans.get(ordinal);
        match plan.and_then(|plan| Some((plan, plan.sweep.as_ref()?))) {
            Some((plan, sweep)) => rewrite(module, sweep, &plan.snipped(), poison),
            None => Ok(module.to_vec()),
        }
    })?;
    let bytes: usize = sweeps()
        .flat_map(|sweep| &sweep.data)
        .map(ExactSizeIterator::len)
        .sum();
    let mut note = format!(
        "dead: {} functions, {} slots, {bytes} bytes of data; {} cuts; relocations dropped",
        sweeps().map(|sweep| sweep.functions.len()).sum::<usize>(),
        sweeps().map(|sweep| sweep.slots.len()).sum::<usize>(),
        sweeps().map(|sweep| sweep.cuts.len()).sum::<usize>(),
    );
    note.extend(unswept.map(|why| format!("; {why}")));
    if poison {
        note.insert_str(0, "POISONED; ");
    }
    Ok(Outcome::new(swept, note))
}

fn rewrite(bytes: &[u8], sweep: &Sweep, snipped: &[u32], poison: bool) -> Result<Vec<u8>> {
    let module = Module::read(bytes).map_err(ReadError::output(PASS))?;
    let linked = module::read(&module).map_err(|refusal| Error::pass(PASS, refusal.to_string()))?;
    let edit = Edit::new(&linked, sweep, snipped, poison);
    let swept = artifact::rebuild(bytes, PASS, |id, section| {
        Ok(Some(match id {
            FUNCTION => edit.functions(section),
            ELEMENT => edit.elements(section),
            CODE => edit.code(),
            DATA => edit.data(section),
            _ => section.to_vec(),
        }))
    })?;
    strip::drop_customs(&swept, PASS, strip::is_of_code)
}

/// The changes to one module.
struct Edit<'a> {
    linked: &'a LinkedModule<'a>,
    sweep: &'a Sweep,
    poison: bool,
    /// What the table holds afterwards, by slot.
    slots: BTreeMap<u32, u32>,
    /// The types of functions added behind the others, which trap in a poison build's dead slots.
    added: Vec<u32>,
}

impl<'a> Edit<'a> {
    fn new(
        linked: &'a LinkedModule<'a>,
        sweep: &'a Sweep,
        snipped: &[u32],
        poison: bool,
    ) -> Edit<'a> {
        let mut slots: BTreeMap<u32, u32> = linked
            .slots
            .iter()
            .map(|s| (s.number, s.function))
            .collect();
        let mut added = Vec::new();
        for number in &sweep.slots {
            let Some(function) = slots.get_mut(number) else {
                continue;
            };
            if poison {
                let ty = linked.module.functions[*function as usize];
                let position = added.iter().position(|added| *added == ty);
                let position = position.unwrap_or_else(|| {
                    added.push(ty);
                    added.len() - 1
                });
                *function = (linked.module.functions.len() + position) as u32;
            } else {
                slots.remove(number);
            }
        }
        if !poison {
            let trap = sweep.functions.iter().chain(&sweep.traps).chain(snipped);
            fill(&mut slots, linked, trap.copied().min());
        }
        Edit {
            linked,
            sweep,
            poison,
            slots,
            added,
        }
    }

    fn functions(&self, section: &[u8]) -> Vec<u8> {
        if self.added.is_empty() {
            return section.to_vec();
        }
        let mut functions = wasm_encoder::FunctionSection::new();
        let defined = &self.linked.module.functions[self.linked.module.imported as usize..];
        for ty in defined.iter().chain(&self.added) {
            functions.function(*ty);
        }
        sections::contents(&functions)
    }

    fn elements(&self, section: &[u8]) -> Vec<u8> {
        if self.sweep.slots.is_empty() {
            return section.to_vec();
        }
        // Where a slot is dead every segment is either of table 0 or declares functions: else
        // whoever sees the table could call anything in it.
        let mut elements = wasm_encoder::ElementSection::new();
        for (first, functions) in runs(&self.slots) {
            let offset = ConstExpr::i32_const(first as i32);
            elements.active(None, &offset, Elements::Functions(functions.into()));
        }
        for functions in &self.linked.declared {
            elements.declared(Elements::Functions(functions.as_slice().into()));
        }
        sections::contents(&elements)
    }

    fn code(&self) -> Vec<u8> {
        let mut code = CodeSection::new();
        let module = self.linked.module;
        for (function, body) in (module.imported..).zip(&module.bodies) {
            if self.sweep.functions.binary_search(&function).is_ok() {
                code.raw(if self.poison { DIVIDES_BY_ZERO } else { TRAPS });
            } else if self.sweep.traps.binary_search(&function).is_ok() {
                code.raw(TRAPS);
            } else {
                code.raw(&self.body(&as_usize(&body.range())));
            }
        }
        for _ in &self.added {
            code.raw(CONVERTS_NAN);
        }
        sections::contents(&code)
    }

    /// A body without what is certain to trap, and with its unused addresses replaced.
    fn body(&self, range: &Range<usize>) -> Vec<u8> {
        let bytes = self.linked.module.bytes;
        let cuts = &self.sweep.cuts;
        let constants = &self.sweep.constants;
        let mut cut = cuts.partition_point(|cut| cut.start < range.start);
        let mut constant = constants.partition_point(|at| *at < range.start);
        let mut body = Vec::with_capacity(range.len());
        let mut at = range.start;
        loop {
            let next_cut = cuts.get(cut).filter(|cut| cut.start < range.end);
            let next_constant = constants.get(constant).filter(|at| **at < range.end);
            match (next_cut, next_constant) {
                (Some(found), constant_at) if constant_at.is_none_or(|c| *c >= found.start) => {
                    body.extend_from_slice(&bytes[at..found.start]);
                    body.push(UNREACHABLE);
                    at = found.end;
                    cut += 1;
                    // Nothing within the cut is left to be changed.
                    constant = constants.partition_point(|constant| *constant < at);
                }
                (_, Some(found)) => {
                    body.extend_from_slice(&bytes[at..*found]);
                    let value = i32::from_le_bytes([POISON; 4]);
                    body.push(I32_CONST);
                    if self.poison { value } else { 0 }.encode(&mut body);
                    at = found + 1 + PADDED;
                    constant += 1;
                }
                (_, None) => {
                    body.extend_from_slice(&bytes[at..range.end]);
                    return body;
                }
            }
        }
    }

    fn data(&self, section: &[u8]) -> Vec<u8> {
        let start = self.linked.module.section(DATA).0.start;
        let mut data = section.to_vec();
        for range in &self.sweep.data {
            let fill = if self.poison { POISON } else { 0 };
            data[range.start - start..range.end - start].fill(fill);
        }
        data
    }
}

/// The operators `unreachable` and `i32.const` (core specification, binary format).
const UNREACHABLE: u8 = 0x00;
const I32_CONST: u8 = 0x41;
/// How many bytes the linker gives to a number that it fills in.
const PADDED: usize = 5;
/// Bodies without locals: `unreachable`; `1 / 0`; `i32.trunc_f32_s` of a number that is none.
const TRAPS: &[u8] = &[0, UNREACHABLE, 0x0b];
const DIVIDES_BY_ZERO: &[u8] = &[0, 0x41, 1, 0x41, 0, 0x6d, 0x1a, UNREACHABLE, 0x0b];
const CONVERTS_NAN: &[u8] = &[0, 0x43, 0, 0, 0xc0, 0x7f, 0xa8, 0x1a, UNREACHABLE, 0x0b];

/// Fills short gaps between slots with a function that traps; without one, with what was there.
fn fill(slots: &mut BTreeMap<u32, u32>, linked: &LinkedModule<'_>, trap: Option<u32>) {
    let numbers: Vec<u32> = slots.keys().copied().collect();
    for pair in numbers.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        if after - before <= WORTH_A_SEGMENT {
            for number in before + 1..after {
                if let Some(slot) = linked.slot(number) {
                    let function = trap.unwrap_or(linked.slots[slot].function);
                    slots.insert(number, function);
                }
            }
        }
    }
}

/// The slots as runs without gaps, each with its first number.
fn runs(slots: &BTreeMap<u32, u32>) -> Vec<(u32, Vec<u32>)> {
    let mut runs: Vec<(u32, Vec<u32>)> = Vec::new();
    for (number, function) in slots {
        match runs.last_mut() {
            Some((first, functions)) if *first + functions.len() as u32 == *number => {
                functions.push(*function);
            }
            _ => runs.push((*number, vec![*function])),
        }
    }
    runs
}
