//! A module without its baggage: what Binaryen 116 gets.

use super::baggage::{Baggage, Kept};
use super::edit::{self, Edit, GONE};
use crate::error::Result;
use crate::wasm::Module;
use wasm_encoder::{EntityType, ExportKind, Instruction, MemoryType};
use wasmparser::Operator;

/// The name under which a memory is imported meanwhile.
const MEMORY: &str = "memory";

/// The module as Binaryen gets it.
///
/// # Errors
/// Where it cannot be read.
pub fn run(baggage: &Baggage<'_>, module: &Module<'_>) -> Result<Vec<u8>> {
    let added = baggage.operations.len() as u32;
    let functions = 0..module.functions.len() as u32;
    let mut visible = 0..;
    let mut edit = Edit {
        functions: functions
            .map(|f| if f < module.imported { f } else { f + added })
            .collect(),
        tables: (0..baggage.tables.len() as u32)
            .map(|table| match baggage.hidden.contains_key(&table) {
                true => GONE,
                false => visible.next().unwrap_or(GONE),
            })
            .collect(),
        without: baggage.without.clone(),
        ..Edit::default()
    };
    let mut operations: Vec<_> = baggage.operations.iter().collect();
    operations.sort_by_key(|(_, number)| **number);
    for (operation, number) in operations {
        let signature = operation.signature(module, &baggage.tables, &baggage.memories);
        edit.types.push(signature.ok_or_else(edit::lost)?);
        let ty = EntityType::Function(module.types.len() as u32 + number);
        let import = (baggage.marker.clone(), number.to_string(), ty);
        edit.imports.push(import);
    }
    for (ty, number) in baggage.memories.iter().zip(0..) {
        if let Some(plain) = with_plain_pages(ty) {
            edit.memories.insert(number, plain);
        }
    }
    if baggage.lends_memory {
        let ty = &baggage.memories[0];
        let ty = with_plain_pages(ty).unwrap_or_else(|| MemoryType::from(*ty));
        let import = (
            baggage.marker.clone(),
            MEMORY.into(),
            EntityType::Memory(ty),
        );
        edit.imports.push(import);
    }
    for (kept, number) in baggage.kept.iter().zip(0..) {
        let (kind, index) = match *kept {
            Kept::Table(table) => (ExportKind::Table, edit.tables[table as usize]),
            Kept::Memory(memory) => (ExportKind::Memory, memory),
            Kept::Function(f) => (ExportKind::Func, edit.functions[f as usize]),
            Kept::Global(global) => (ExportKind::Global, global),
        };
        let name = format!("{}{number}", baggage.marker);
        edit.exports.push((name, kind, index));
    }
    edit.replace = Some(Box::new(|operator| {
        let call = baggage.operations.get(&baggage.operation(operator)?)?;
        let call = module.imported + call;
        Some(vec![match operator {
            Operator::ReturnCallIndirect { .. } => Instruction::ReturnCall(call),
            _ => Instruction::Call(call),
        }])
    }));
    edit.run(module.bytes)
}

/// The type of a memory whose pages have another size, with the usual ones: at first as many as it
/// takes, for Binaryen looks whether segments fit.
fn with_plain_pages(ty: &wasmparser::MemoryType) -> Option<MemoryType> {
    let log2 = ty.page_size_log2?;
    let most: u128 = if ty.memory64 { 1 << 48 } else { 1 << 16 };
    let pages = |count: u64| (u128::from(count) << log2).div_ceil(1 << 16).min(most) as u64;
    Some(MemoryType {
        minimum: pages(ty.initial),
        maximum: ty.shared.then_some(most as u64),
        page_size_log2: None,
        ..MemoryType::from(*ty)
    })
}
