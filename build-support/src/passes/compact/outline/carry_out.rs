//! Makes the functions that were chosen, and calls of their sites.

use super::piece::{self, Piece};
use super::places::Places;
use crate::passes::compact::code::{self, Body};
use crate::passes::compact::rewrite::Edit;
use crate::passes::origin::Origin;
use std::collections::BTreeMap;
use wasmparser::{FuncType, Operator, ValType};

/// What stands in a function's place from one operator to another.
struct Call<'a> {
    from: usize,
    to: usize,
    operators: Vec<Operator<'a>>,
}

/// Adds a function for each piece, and calls it. A piece whose sites are not the same is left
/// alone: hashes have found them.
pub fn run(edit: &mut Edit<'_, '_>, places: &Places, pieces: &[Piece], parameters: &[usize]) {
    let mut calls = BTreeMap::<usize, Vec<Call<'_>>>::new();
    for piece in pieces {
        if !is_one(edit, places, piece) {
            continue;
        }
        let ty = FuncType::new(piece.parameter_types(places), piece.result_types());
        let ty = edit.function_type(&ty);
        let position = edit.bodies.len() as u32;
        let mut origin = BTreeMap::new();
        for (site, locals) in piece.sites.iter().zip(&piece.locals) {
            let function = places.function(*site);
            *origin.entry(function as u32).or_insert(0) += 1;
            let from = (*site - places.first[function]) as usize;
            let body = &edit.bodies[function];
            calls.entry(function).or_default().push(Call {
                from,
                to: from + piece.length as usize,
                operators: call(piece, locals, &body.operators[from..], edit.index(position)),
            });
        }
        let body = function(edit, places, piece);
        edit.order.push(position);
        edit.bodies.push(body);
        edit.added.push((ty, Origin::Outlined(origin)));
    }
    for (function, mut calls) in calls {
        calls.sort_by_key(|call| call.from);
        let body = &mut edit.bodies[function];
        let mut operators = Vec::with_capacity(body.operators.len());
        let mut at = 0;
        for call in calls {
            operators.extend_from_slice(&body.operators[at..call.from]);
            operators.extend(call.operators);
            at = call.to;
        }
        operators.extend_from_slice(&body.operators[at..]);
        body.operators = operators;
        tidy(body, parameters[function]);
    }
}

/// Whether all its sites are the same but for what is passed on.
fn is_one(edit: &Edit<'_, '_>, places: &Places, piece: &Piece) -> bool {
    let operators = |site: u32| {
        let function = places.function(site);
        let from = (site - places.first[function]) as usize;
        &edit.bodies[function].operators[from..from + piece.length as usize]
    };
    let first = piece.sites[0];
    let order = piece::locals(&places.all, first, first + piece.length);
    let passed: Vec<u32> = piece.constants.concat();
    piece.sites.iter().all(|site| {
        let locals = piece::locals(&places.all, *site, site + piece.length);
        let number = |all: &[u32], operator: &Operator<'_>| {
            let local = code::local(operator);
            local.and_then(|local| all.iter().position(|known| *known == local))
        };
        let same = |(at, (one, other)): (u32, (&Operator<'_>, &Operator<'_>))| {
            let is_same = match number(&order, one) {
                Some(local) => {
                    std::mem::discriminant(one) == std::mem::discriminant(other)
                        && number(&locals, other) == Some(local)
                }
                None => one == other,
            };
            let is_passed = passed.contains(&at)
                && std::mem::discriminant(one) == std::mem::discriminant(other);
            is_same || is_passed
        };
        (0..)
            .zip(operators(first).iter().zip(operators(*site)))
            .all(same)
    })
}

/// What a site becomes: the locals and constants that are needed, the call, the locals that are
/// written.
fn call<'a>(
    piece: &Piece,
    locals: &[u32],
    site: &[Operator<'a>],
    function_index: u32,
) -> Vec<Operator<'a>> {
    let mut operators = Vec::new();
    for number in &piece.roles.parameters {
        let local_index = locals[*number];
        operators.push(Operator::LocalGet { local_index });
    }
    for column in &piece.constants {
        operators.push(site[column[0] as usize].clone());
    }
    operators.push(Operator::Call { function_index });
    for number in piece.roles.results.iter().rev() {
        let local_index = locals[*number];
        operators.push(Operator::LocalSet { local_index });
    }
    operators
}

/// The function: the operators of the first site, with locals of its own.
fn function<'a>(edit: &Edit<'_, 'a>, places: &Places, piece: &Piece) -> Body<'a> {
    let operands = piece.operands.len();
    let taken = operands + piece.roles.parameters.len();
    let all = taken + piece.constants.len();
    let mut numbers = vec![0; piece.roles.types.len()];
    for (place, number) in piece.roles.parameters.iter().enumerate() {
        numbers[*number] = (operands + place) as u32;
    }
    let parameters = &piece.roles.parameters;
    let mut own: Vec<usize> = (0..numbers.len())
        .filter(|n| !parameters.contains(n))
        .collect();
    own.sort_by_key(|number| (piece.roles.types[*number], *number));
    let mut locals = Vec::<(u32, ValType)>::new();
    for (place, number) in own.iter().enumerate() {
        numbers[*number] = (all + place) as u32;
        let ty = piece.roles.types[*number];
        match locals.last_mut() {
            Some((count, last)) if *last == ty => *count += 1,
            _ => locals.push((1, ty)),
        }
    }
    let first = piece.sites[0];
    let function = places.function(first);
    let from = (first - places.first[function]) as usize;
    let site = &edit.bodies[function].operators[from..from + piece.length as usize];
    let order = piece::locals(&places.all, first, first + piece.length);
    let get = |local_index: u32| Operator::LocalGet { local_index };
    let mut operators: Vec<_> = (0..operands as u32).map(get).collect();
    for (at, operator) in (0u32..).zip(site) {
        let column = piece
            .constants
            .iter()
            .position(|column| column.contains(&at));
        let mut operator = match column {
            Some(column) => {
                operators.push(get((taken + column) as u32));
                continue;
            }
            None => operator.clone(),
        };
        if let Some(local) = code::local_mut(&mut operator)
            && let Some(number) = order.iter().position(|known| known == local)
        {
            *local = numbers[number];
        }
        operators.push(operator);
    }
    operators.extend(
        piece
            .roles
            .results
            .iter()
            .map(|number| get(numbers[*number])),
    );
    operators.push(Operator::End);
    let mut body = Body { locals, operators };
    tidy(&mut body, all);
    body
}

/// Writing a local and reading it at once is one operator; a local that nothing reads then needs
/// not be written, and one that nothing names is none.
fn tidy(body: &mut Body<'_>, parameters: usize) {
    let mut operators: Vec<Operator<'_>> = Vec::with_capacity(body.operators.len());
    for operator in std::mem::take(&mut body.operators) {
        match (operators.last(), &operator) {
            (
                Some(Operator::LocalSet {
                    local_index: written,
                }),
                Operator::LocalGet { local_index },
            ) if written == local_index => {
                let local_index = *local_index;
                operators.pop();
                operators.push(Operator::LocalTee { local_index });
            }
            _ => operators.push(operator),
        }
    }
    let mut types = Vec::new();
    for (count, ty) in &body.locals {
        types.extend(std::iter::repeat_n(*ty, *count as usize));
    }
    let mut is_read = vec![false; parameters + types.len()];
    for operator in &operators {
        if let Operator::LocalGet { local_index } = operator {
            is_read[*local_index as usize] = true;
        }
    }
    operators.retain(|operator| match operator {
        Operator::LocalTee { local_index } => is_read[*local_index as usize],
        _ => true,
    });
    let mut is_named = vec![false; parameters + types.len()];
    for local in operators.iter().filter_map(code::local) {
        is_named[local as usize] = true;
    }
    let mut numbers: Vec<u32> = (0..is_named.len() as u32).collect();
    body.locals.clear();
    for (ty, is_named) in types.into_iter().zip(&is_named[parameters..]) {
        if *is_named {
            match body.locals.last_mut() {
                Some((count, last)) if *last == ty => *count += 1,
                _ => body.locals.push((1, ty)),
            }
        }
    }
    let mut next = parameters as u32;
    for (number, is_named) in numbers.iter_mut().zip(&is_named).skip(parameters) {
        *number = next;
        next += u32::from(*is_named);
    }
    for local in operators.iter_mut().filter_map(code::local_mut) {
        *local = numbers[*local as usize];
    }
    body.operators = operators;
}
