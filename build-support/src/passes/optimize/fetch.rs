//! An optimised module with its baggage again, and with nothing of what stood for it.

use super::baggage::{Baggage, Constant, Kept};
use super::edit::{Edit, GONE, Segment, lost};
use super::operation::{self, Numbers, Operation};
use crate::error::Result;
use crate::wasm::{Module, ReadError, sections};
use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder::reencode::{RoundtripReencoder, utils};
use wasm_encoder::{ConstExpr, Elements, EntityType, ExportKind, MemoryType, RefType, TableType};
use wasmparser::{BlockType, ExternalKind, Operator, TypeRef};

const PASS: &str = "optimize";

/// The optimised `module` with everything in it again that was kept from Binaryen of the one
/// `before`.
///
/// # Errors
/// Where it is not to be found again.
pub fn run(baggage: &Baggage<'_>, before: &Module<'_>, module: &Module<'_>) -> Result<Vec<u8>> {
    let mut edit = Edit::default();
    let calls = calls(baggage, module, &mut edit)?;
    let kept = kept(baggage, module, &mut edit);
    let mut tables = tables(baggage, before, module, &mut edit);
    let mut memories = BTreeMap::new();
    for (kept, index) in &kept {
        match *kept {
            Kept::Table(table) => {
                tables.insert(table, edit.tables[*index as usize]);
            }
            Kept::Memory(number) => {
                memories.insert(number, *index);
                let own = MemoryType::from(baggage.memories[number as usize]);
                edit.memories.insert(*index, own);
            }
            _ => {}
        }
    }
    if baggage.lends_memory {
        edit.new_memories
            .push(MemoryType::from(baggage.memories[0]));
    }
    let segments = segments(baggage, module, &calls, &kept, &tables, &mut edit)?;
    let types = types(before, module, &calls, &mut edit)?;
    let numbers = Numbers {
        tables: &tables,
        segments: &segments,
        types: &types,
        memories: &memories,
    };
    let mut back = BTreeMap::new();
    for (call, operation) in &calls {
        back.insert(*call, operation.written(&numbers).ok_or_else(lost)?);
    }
    edit.replace = Some(Box::new(move |operator| {
        let (call, form) = match operator {
            Operator::Call { function_index } => (function_index, 0),
            Operator::ReturnCall { function_index } => (function_index, 1),
            _ => return None,
        };
        back.get(call).map(|forms| forms[form].clone())
    }));
    edit.run(module.bytes)
}

/// The operations that are still called, by the function that stands for each. Its import goes.
fn calls(
    baggage: &Baggage<'_>,
    module: &Module<'_>,
    edit: &mut Edit<'_>,
) -> Result<BTreeMap<u32, Operation>> {
    let operations: BTreeMap<u32, Operation> =
        baggage.operations.iter().map(|(o, n)| (*n, *o)).collect();
    let mut calls = BTreeMap::new();
    for (import, position) in module.imports.iter().zip(0..) {
        let is_function = matches!(import.ty, TypeRef::Func(_));
        let is_marker = import.module == baggage.marker;
        if is_marker && is_function {
            let number = import.name.parse().ok();
            let operation = number.and_then(|number: u32| operations.get(&number));
            calls.insert(edit.functions.len() as u32, *operation.ok_or_else(lost)?);
        }
        if is_marker {
            let imports = edit.without.entry(sections::IMPORT).or_default();
            imports.insert(position);
        }
        if is_function && is_marker {
            edit.functions.push(GONE);
        } else if is_function {
            let new = edit.functions.len() - calls.len();
            edit.functions.push(new as u32);
        }
    }
    let gone = calls.len() as u32;
    let own = module.imported..module.functions.len() as u32;
    edit.functions.extend(own.map(|function| function - gone));
    Ok(calls)
}

/// Where everything is now that was exported meanwhile. The exports go.
fn kept(baggage: &Baggage<'_>, module: &Module<'_>, edit: &mut Edit<'_>) -> BTreeMap<Kept, u32> {
    let all: Vec<_> = baggage.kept.iter().collect();
    let mut kept = BTreeMap::new();
    for (export, position) in module.exports.iter().zip(0..) {
        let number = export.name.strip_prefix(&*baggage.marker);
        let number = number.and_then(|number| number.parse::<usize>().ok());
        if let Some(found) = number.and_then(|number| all.get(number)) {
            kept.insert(**found, export.index);
            let exports = edit.without.entry(sections::EXPORT).or_default();
            exports.insert(position);
        }
    }
    kept
}

/// Hidden tables come back behind the others, their exports at the places they had. Gives their
/// numbers.
fn tables(
    baggage: &Baggage<'_>,
    before: &Module<'_>,
    module: &Module<'_>,
    edit: &mut Edit<'_>,
) -> BTreeMap<u32, u32> {
    let imports = module.imports.iter();
    let imported = imports.filter(|import| matches!(import.ty, TypeRef::Table(_)));
    let imported = imported.count() as u32;
    let hidden = baggage.hidden.values();
    let added = hidden.filter(|table| table.import.is_some()).count() as u32;
    let own = module.tables.len() as u32;
    let all = 0..imported + own;
    edit.tables = all
        .map(|table| {
            if table < imported {
                table
            } else {
                table + added
            }
        })
        .collect();
    let (mut next_imported, mut next) = (imported, imported + added + own);
    let mut tables = BTreeMap::new();
    for (number, hidden) in &baggage.hidden {
        let ty = table(hidden.ty);
        let next = if let Some((from, name)) = hidden.import {
            let import = (from.to_owned(), name.to_owned(), EntityType::Table(ty));
            edit.imports.push(import);
            &mut next_imported
        } else {
            edit.new_tables.push(ty);
            &mut next
        };
        tables.insert(*number, *next);
        let exports = before.exports.iter().enumerate();
        let exports = exports.filter(|(_, e)| e.kind == ExternalKind::Table && e.index == *number);
        let exports =
            exports.map(|(place, e)| (place, (e.name.to_owned(), ExportKind::Table, *next)));
        edit.exports_back.extend(exports);
        *next += 1;
    }
    tables
}

/// Element segments come back where an operation still refers to them, or they fill a hidden table.
/// Gives their numbers.
fn segments(
    baggage: &Baggage<'_>,
    module: &Module<'_>,
    calls: &BTreeMap<u32, Operation>,
    kept: &BTreeMap<Kept, u32>,
    tables: &BTreeMap<u32, u32>,
    edit: &mut Edit<'_>,
) -> Result<BTreeMap<u32, u32>> {
    let mut numbers = BTreeMap::new();
    for (number, segment) in &baggage.segments {
        let mut used = calls.values().filter_map(|operation| operation.segment());
        if segment.place.is_none() && !used.any(|used| used == *number) {
            continue;
        }
        let written = |constant: Constant| {
            Some(match constant {
                Constant::Null(ty) => ConstExpr::ref_null(ty.heap_type),
                Constant::I32(value) => ConstExpr::i32_const(value),
                Constant::I64(value) => ConstExpr::i64_const(value),
                Constant::Global(global) => {
                    ConstExpr::global_get(*kept.get(&Kept::Global(global))?)
                }
                Constant::Function(function) => {
                    let function = *kept.get(&Kept::Function(function))?;
                    ConstExpr::ref_func(edit.functions[function as usize])
                }
            })
        };
        let function = |constant: &Constant| match constant {
            Constant::Function(function) => {
                let function = *kept.get(&Kept::Function(*function))?;
                Some(edit.functions[function as usize])
            }
            _ => None,
        };
        let functions: Option<Vec<u32>> = segment.items.iter().map(function).collect();
        let items = match functions {
            Some(functions) if segment.ty == RefType::FUNCREF => {
                Elements::Functions(functions.into())
            }
            _ => {
                let items = segment.items.iter().map(|item| written(*item));
                let items: Option<Vec<_>> = items.collect();
                Elements::Expressions(segment.ty, items.ok_or_else(lost)?.into())
            }
        };
        let place = match segment.place {
            Some((table, offset)) => {
                let table = *tables.get(&table).ok_or_else(lost)?;
                Some((table, written(offset).ok_or_else(lost)?))
            }
            None => None,
        };
        let next = module.elements.len() + edit.elements.len();
        numbers.insert(*number, next as u32);
        edit.elements.push(Segment { place, items });
    }
    Ok(numbers)
}

/// The types of calls through hidden tables: those that are there, or new ones. Gives their
/// numbers. The types that only calls in the place of operators had go.
fn types(
    before: &Module<'_>,
    module: &Module<'_>,
    calls: &BTreeMap<u32, Operation>,
    edit: &mut Edit<'_>,
) -> Result<BTreeMap<u32, u32>> {
    let used = used_types(module, calls).map_err(ReadError::output(PASS))?;
    let mut next = 0..;
    let all = 0..module.types.len() as u32;
    for ty in all.clone() {
        let number = if used.contains(&ty) {
            next.next()
        } else {
            None
        };
        if number.is_none() {
            let types = edit.without.entry(sections::TYPE).or_default();
            types.insert(ty);
        }
        edit.numbers_of_types.push(number.unwrap_or(GONE));
    }
    let mut numbers = BTreeMap::new();
    for operation in calls.values() {
        let Operation::Call(_, number) = operation else {
            continue;
        };
        let Some(ty) = before.function_type(*number) else {
            continue;
        };
        let mut there = all.clone().filter(|other| used.contains(other));
        let there = there.find(|other| module.function_type(*other) == Some(ty));
        let new = match there {
            Some(there) => edit.numbers_of_types[there as usize],
            None => {
                edit.types.push(operation::plain(ty).ok_or_else(lost)?);
                next.next().unwrap_or(GONE)
            }
        };
        numbers.insert(*number, new);
    }
    Ok(numbers)
}

/// The types that the module would still need without its `calls`.
fn used_types(
    module: &Module<'_>,
    calls: &BTreeMap<u32, Operation>,
) -> Result<BTreeSet<u32>, ReadError> {
    let functions = module.functions.iter().zip(0..);
    let functions = functions.filter(|(_, function)| !calls.contains_key(function));
    let mut used: BTreeSet<u32> = functions.map(|(ty, _)| *ty).collect();
    let imported = module.imports.iter().filter_map(|import| match import.ty {
        TypeRef::Tag(ty) => Some(ty.func_type_idx),
        _ => None,
    });
    used.extend(imported);
    used.extend(module.tags.iter().map(|ty| ty.func_type_idx));
    for body in &module.bodies {
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            used.extend(match operators.read()? {
                Operator::Block { blockty }
                | Operator::Loop { blockty }
                | Operator::If { blockty }
                | Operator::Try { blockty } => match blockty {
                    BlockType::FuncType(ty) => Some(ty),
                    _ => None,
                },
                Operator::CallIndirect { type_index, .. }
                | Operator::ReturnCallIndirect { type_index, .. } => Some(type_index),
                _ => None,
            });
        }
    }
    Ok(used)
}

fn table(ty: wasmparser::TableType) -> TableType {
    utils::table_type(&mut RoundtripReencoder, ty).unwrap_or(TableType {
        element_type: RefType::FUNCREF,
        table64: ty.table64,
        minimum: ty.initial,
        maximum: ty.maximum,
        shared: ty.shared,
    })
}
