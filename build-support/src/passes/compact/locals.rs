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
use model::{Model, Token};
use std::collections::BTreeMap;
use std::ops::Range;
use wasmparser::ValType;

/// How often the functions are gone through.
const SWEEPS: usize = 3;
/// How often a function is, before the next one: its locals stand beside each other.
const ROUNDS: usize = 2;
/// How often pairs are tried.
const TRIALS: usize = 6;
/// The numbers of one byte. A local never gets a longer or a shorter one.
const SHORT_NUMBERS: u32 = 128;

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
        model.add(&function.tokens, &function.uses, |local| {
            function.number(local)
        });
    }
    let mut by_uses: Vec<usize> = (0..functions.len()).collect();
    by_uses.sort_by_key(|function| functions[*function].uses.len());
    for _ in 0..SWEEPS {
        let mut swapped = false;
        for number in &by_uses {
            let function = &mut functions[*number];
            if !function.groups.is_empty() {
                model.take(&function.tokens, &function.uses, |local| {
                    function.number(local)
                });
                for _ in 0..ROUNDS {
                    swapped |= function.improve(&model);
                }
                model.add(&function.tokens, &function.uses, |local| {
                    function.number(local)
                });
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
    /// The present number of each local that is used.
    numbers: BTreeMap<u32, u32>,
    /// The numbers that may change places: of one type and length, and no parameters.
    groups: Vec<Vec<u32>>,
}

impl Function {
    fn new(body: &code::Body<'_>, parameters: u32) -> Self {
        let tokens: Vec<_> = body.operators.iter().map(Token::new).collect();
        let is_use = |at: &u32| matches!(tokens[*at as usize], Token::Local { .. });
        let uses: Vec<u32> = (0..tokens.len() as u32).filter(is_use).collect();
        let numbers = uses.iter().filter_map(|at| match tokens[*at as usize] {
            Token::Local { local, .. } => Some((local, local)),
            Token::Other(_) => None,
        });
        let numbers = numbers.collect();
        let mut groups = Vec::<(ValType, Vec<u32>)>::new();
        let mut next = parameters;
        for (count, ty) in &body.locals {
            let run: Range<u32> = next..(next + count).min(SHORT_NUMBERS);
            next += count;
            match groups.iter_mut().find(|(known, _)| known == ty) {
                Some((_, group)) => group.extend(run),
                None => groups.push((*ty, run.collect())),
            }
        }
        let groups = groups.into_iter().map(|(_, group)| group);
        Self {
            uses,
            numbers,
            groups: groups.filter(|group| group.len() > 1).collect(),
            tokens,
        }
    }

    fn number(&self, local: u32) -> u32 {
        self.numbers.get(&local).copied().unwrap_or(local)
    }

    /// Gives locals of a group other numbers where the model likes them better.
    fn improve(&mut self, model: &Model) -> bool {
        let mut swapped = false;
        for group in 0..self.groups.len() {
            let slots = self.groups[group].clone();
            let members: Vec<u32> = self.members(&slots);
            if members.is_empty() {
                continue;
            }
            let costs = self.costs(model, &members, &slots);
            // What no local has stands for locals that are not used: they cost nothing anywhere.
            let mut holder: Vec<Option<usize>> = slots
                .iter()
                .map(|slot| {
                    members
                        .iter()
                        .position(|local| self.number(*local) == *slot)
                })
                .collect();
            swapped |= swap(&mut holder, &costs);
            for (slot, member) in slots.iter().zip(holder) {
                if let Some(member) = member {
                    self.numbers.insert(members[member], *slot);
                }
            }
        }
        swapped
    }

    /// The used locals that have a number of `slots`.
    fn members(&self, slots: &[u32]) -> Vec<u32> {
        let used = self.numbers.iter();
        used.filter(|(_, number)| slots.binary_search(number).is_ok())
            .map(|(local, _)| *local)
            .collect()
    }

    /// What each member costs with each slot for a number.
    fn costs(&self, model: &Model, members: &[u32], slots: &[u32]) -> Vec<Vec<u64>> {
        let mut costs = vec![vec![0; slots.len()]; members.len()];
        for at in &self.uses {
            if let Token::Local { local, .. } = self.tokens[*at as usize]
                && let Ok(member) = members.binary_search(&local)
            {
                let expected = model.expected(&self.tokens, *at, |local| self.number(local));
                for (cost, slot) in costs[member].iter_mut().zip(slots) {
                    *cost += expected.cost(*slot);
                }
            }
        }
        costs
    }
}

/// Swaps pairs as long as that costs less.
fn swap(holder: &mut [Option<usize>], costs: &[Vec<u64>]) -> bool {
    let cost = |member: Option<usize>, slot: usize| member.map_or(0, |member| costs[member][slot]);
    let mut any = false;
    for _ in 0..TRIALS {
        let mut swapped = false;
        for one in 0..holder.len() {
            for other in one + 1..holder.len() {
                let (a, b) = (holder[one], holder[other]);
                if cost(a, other) + cost(b, one) < cost(a, one) + cost(b, other) {
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
