//! Locals of one type are renumbered within each function, so that the number that comes next is
//! the one that mostly comes there in the rest of the module. Nothing else changes, not even a
//! length; compressors find more that is alike.
//!
//! Whole numbers only: the same bytes on every machine.

mod model;

use crate::error::Result;
use crate::passes::compact::code;
use crate::passes::compact::rewrite::{Edit, PASS};
use crate::passes::origin::Rewritten;
use crate::wasm::{Module, ReadError};
use model::{Expected, Model, Token};
use std::ops::Range;
use wasmparser::ValType;

/// How often the functions are gone through.
const SWEEPS: usize = 3;
/// How often a function is, before the next one: its locals stand beside each other.
const ROUNDS: usize = 2;
/// How often pairs are tried.
const TRIALS: usize = 6;
/// Renumbers the locals of every function.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read or written.
pub fn run(module: &[u8]) -> Result<Rewritten> {
    let module = Module::read(module).map_err(ReadError::output(PASS))?;
    let mut edit = Edit::new(&module).map_err(ReadError::output(PASS))?;
    let mut functions: Vec<_> = (module.imported..)
        .zip(&edit.bodies)
        .map(|(index, body)| {
            let parameters = module.signature(index).map_or(0, |ty| ty.params().len());
            Function::new(body, parameters as u32)
        })
        .collect();
    renumber(&mut functions);
    for (body, function) in edit.bodies.iter_mut().zip(&functions) {
        for local in body.operators.iter_mut().filter_map(code::local_mut) {
            *local = function.number(*local);
        }
    }
    edit.write()
}

fn renumber(functions: &mut [Function]) {
    let mut model = Model::default();
    for function in &*functions {
        model.add(&function.tokens, &function.uses, &function.numbers);
    }
    let mut by_uses: Vec<usize> = (0..functions.len()).collect();
    by_uses.sort_by_key(|function| functions[*function].uses.len());
    for _ in 0..SWEEPS {
        let mut swapped = false;
        for number in &by_uses {
            let function = &mut functions[*number];
            if !function.groups.is_empty() {
                model.take(&function.tokens, &function.uses, &function.numbers);
                for _ in 0..ROUNDS {
                    if !function.improve(&model) {
                        break;
                    }
                    swapped = true;
                }
                model.add(&function.tokens, &function.uses, &function.numbers);
            }
        }
        if !swapped {
            return;
        }
    }
}

/// What is to be known of a function.
struct Function {
    tokens: Vec<Token>,
    /// Where in `tokens` a local is used.
    uses: Vec<u32>,
    /// The locals that are used, in ascending order: tokens have their place among them.
    used: Vec<u32>,
    /// The present number of each of them.
    numbers: Vec<u32>,
    groups: Vec<Group>,
}

/// Numbers that may change places: of one type and length, and no parameters.
struct Group {
    /// The numbers.
    slots: Vec<u32>,
    /// The used locals that have one of them, by their place among all that are used.
    members: Vec<u32>,
}

impl Function {
    fn new(body: &code::Body<'_>, parameters: u32) -> Self {
        let mut used: Vec<u32> = body.operators.iter().filter_map(code::local).collect();
        used.sort_unstable();
        used.dedup();
        let place = |local: u32| used.binary_search(&local).unwrap_or_default() as u32;
        let operators = body.operators.iter();
        let tokens: Vec<_> = operators
            .map(|operator| Token::new(operator, place))
            .collect();
        let is_use = |at: &u32| matches!(tokens[*at as usize], Token::Local { .. });
        let uses: Vec<u32> = (0..tokens.len() as u32).filter(is_use).collect();
        let mut slots = Vec::<(ValType, Vec<u32>)>::new();
        let mut next = parameters;
        for (count, ty) in &body.locals {
            let run: Range<u32> = next..(next + count).min(model::SHORT_NUMBERS);
            next += count;
            match slots.iter_mut().find(|(known, _)| known == ty) {
                Some((_, slots)) => slots.extend(run),
                None => slots.push((*ty, run.collect())),
            }
        }
        let groups = slots.into_iter().map(|(_, slots)| {
            let members = (0u32..).zip(&used);
            let members = members.filter(|(_, local)| slots.binary_search(local).is_ok());
            Group {
                members: members.map(|(place, _)| place).collect(),
                slots,
            }
        });
        let can_change = |group: &Group| group.slots.len() > 1 && !group.members.is_empty();
        Self {
            groups: groups.filter(can_change).collect(),
            numbers: used.clone(),
            used,
            uses,
            tokens,
        }
    }

    fn number(&self, local: u32) -> u32 {
        match self.used.binary_search(&local) {
            Ok(place) => self.numbers[place],
            Err(_) => local,
        }
    }

    /// Gives locals of a group other numbers where the model likes them better.
    fn improve(&mut self, model: &Model) -> bool {
        let mut swapped = false;
        for Group { slots, members } in &self.groups {
            let likings = self.likings(model, members, slots);
            // What no local has stands for locals that are not used: they like all the same.
            let mut holder = vec![None; slots.len()];
            for (member, place) in members.iter().enumerate() {
                if let Ok(slot) = slots.binary_search(&self.numbers[*place as usize]) {
                    holder[slot] = Some(member);
                }
            }
            swapped |= swap(&mut holder, &likings);
            for (slot, member) in slots.iter().zip(holder) {
                if let Some(member) = member {
                    self.numbers[members[member] as usize] = *slot;
                }
            }
        }
        swapped
    }

    /// How many bits each member saves with each slot for a number, beside one never seen there.
    fn likings(&self, model: &Model, members: &[u32], slots: &[u32]) -> Vec<Vec<u64>> {
        let mut likings = vec![vec![0; slots.len()]; members.len()];
        let mut expected = Expected::default();
        for at in &self.uses {
            if let Token::Local { place, .. } = self.tokens[*at as usize]
                && let Ok(member) = members.binary_search(&place)
            {
                model.expect(&mut expected, &self.tokens, *at, &self.numbers);
                for (number, bits) in expected.drain() {
                    if let Ok(slot) = slots.binary_search(&number) {
                        likings[member][slot] += bits;
                    }
                }
            }
        }
        likings
    }
}

/// Swaps pairs as long as more is saved.
fn swap(holder: &mut [Option<usize>], likings: &[Vec<u64>]) -> bool {
    let saved = |member: Option<usize>, slot: usize| member.map_or(0, |m| likings[m][slot]);
    let mut any = false;
    for _ in 0..TRIALS {
        let mut swapped = false;
        for one in 0..holder.len() {
            for other in one + 1..holder.len() {
                let (a, b) = (holder[one], holder[other]);
                if saved(a, other) + saved(b, one) > saved(a, one) + saved(b, other) {
                    holder.swap(one, other);
                    swapped = true;
                }
            }
        }
        any |= swapped;
        if !swapped {
            break;
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use crate::wasm::artifact;

    /// Protects the aim: functions that differ in the numbers of their locals alone become the
    /// same, and their lengths and parameters stay.
    #[test]
    fn functions_that_are_alike_become_the_same() {
        let body = |a: u32, b: u32, c: u32| {
            format!(
                "(func (param i32) (local i32 i32 i64 i32)
                   local.get 0 i32.load local.set {a} local.get {a} i32.const 1 i32.add local.tee {b}
                   i32.load8_u local.set {c} local.get 0 local.get {b} i32.store
                   local.get {a} local.get {c} i32.store i64.const 1 local.set 3)"
            )
        };
        let text = [body(1, 2, 4), body(1, 2, 4), body(4, 1, 2), body(2, 4, 1)].concat();
        let before = wat::parse_str(format!("(module (memory 1) {text})")).unwrap();
        let after = super::run(&before).unwrap().bytes;
        artifact::validate(&after).unwrap();
        assert_eq!(before.len(), after.len());
        let module = crate::wasm::Module::read(&after).unwrap();
        let bodies: Vec<_> = module.bodies.iter().map(|body| body.as_bytes()).collect();
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:x?}");
        let before = crate::wasm::Module::read(&before).unwrap();
        assert_eq!(before.bodies[0].as_bytes(), bodies[0]);
    }
}
