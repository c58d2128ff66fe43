//! A linked core module, taken apart as far as the sweep needs: where bodies and data stand in the
//! file, what the table holds, and what is visible from outside.

use super::refusal::Refusal;
use crate::wasm::module::contents;
use crate::wasm::{Module, ReadError, constant};
use std::ops::Range;
use wasmparser::{
    CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FuncType,
    KnownCustom, LinkingSectionReader, Operator, RelocSectionReader, SubType, TypeRef,
};

/// A module with what the sweep asks of it. Ranges are byte offsets in the file.
pub struct LinkedModule<'a> {
    /// As it was read.
    pub module: &'a Module<'a>,
    /// For each type, the first one that is the same: calls through the table compare these.
    pub classes: Vec<u32>,
    /// The data segments.
    pub segments: Vec<Segment>,
    /// What table 0 holds at the start, by slot.
    pub slots: Vec<Slot>,
    /// The functions of segments that only declare them.
    pub declared: Vec<Vec<u32>>,
    /// Whether the host can reach the table, or code may change it.
    pub table_is_open: bool,
    /// Functions that can be entered from outside: exports, the start function, and what a segment
    /// or global that is no part of table 0's contents refers to.
    pub entries: Vec<u32>,
    /// The value of each global, where it is a 32-bit constant from the start.
    pub globals: Vec<Option<u32>>,
    /// The values of exported 32-bit globals: addresses that the host knows.
    pub exported_addresses: Vec<u32>,
    /// The section `linking`.
    pub linking: Option<LinkingSectionReader<'a>>,
    /// The relocation sections of code and data.
    pub relocations: Vec<RelocSectionReader<'a>>,
}

/// An active data segment.
pub struct Segment {
    /// Where it goes in memory.
    pub address: u32,
    /// Its contents in the file.
    pub range: Range<usize>,
}

/// An entry of the table.
#[derive(Clone, Copy)]
pub struct Slot {
    /// Its number: what a function pointer holds.
    pub number: u32,
    /// The function in it.
    pub function: u32,
}

/// Takes a valid core module apart.
///
/// # Errors
/// A [`Refusal`] for what the sweep does not cover: passive segments, more than one memory, 64-bit
/// memory, dynamic linking.
pub fn read<'a>(module: &'a Module<'a>) -> Result<LinkedModule<'a>, Refusal> {
    let mut customs = module.customs.iter();
    if customs.any(|custom| custom.name() == "dylink.0") {
        return Err(Refusal::PositionIndependent("it has a `dylink.0` section"));
    }
    if !module.types.iter().all(is_plain_function) {
        return Err(Refusal::Unsupported(
            "it has types of the garbage collection proposal".into(),
        ));
    }
    check_memories(module)?;
    let mut linked = LinkedModule {
        module,
        classes: module.type_classes(),
        segments: segments(module)?,
        slots: Vec::new(),
        declared: Vec::new(),
        table_is_open: module.shares_table(),
        entries: module.entries()?,
        globals: globals(module)?,
        exported_addresses: Vec::new(),
        linking: None,
        relocations: Vec::new(),
    };
    let exports = module.exports.iter();
    let exported = exports.filter(|export| export.kind == ExternalKind::Global);
    linked.exported_addresses = exported
        .filter_map(|export| *linked.globals.get(export.index as usize)?)
        .collect();
    linked.read_elements()?;
    linked.read_customs()?;
    Ok(linked)
}

fn is_plain_function(ty: &SubType) -> bool {
    matches!(ty.composite_type.inner, CompositeInnerType::Func(_)) && ty.supertype_idxs.is_empty()
}

fn check_memories(module: &Module<'_>) -> Result<(), Refusal> {
    let imported = module.imports.iter().filter_map(|import| match &import.ty {
        TypeRef::Memory(ty) => Some(ty),
        _ => None,
    });
    let all: Vec<_> = imported.chain(&module.memories).collect();
    if all.iter().any(|ty| ty.shared) {
        return Err(Refusal::SharedMemory);
    }
    let unsupported = if all.iter().any(|ty| ty.memory64) {
        "the memory is 64-bit"
    } else if all.len() > 1 {
        "there is more than one memory"
    } else {
        return Ok(());
    };
    Err(Refusal::Unsupported(unsupported.into()))
}

fn globals(module: &Module<'_>) -> Result<Vec<Option<u32>>, Refusal> {
    let imports = module.imports.iter();
    let imported = imports.filter(|import| matches!(import.ty, TypeRef::Global(_)));
    let own = module.globals.iter();
    let own = own.map(|global| i32_value(&global.init_expr));
    imported.map(|_| Ok(None)).chain(own).collect()
}

fn segments(module: &Module<'_>) -> Result<Vec<Segment>, Refusal> {
    let segments = module.data.iter().map(|segment| {
        let DataKind::Active { offset_expr, .. } = &segment.kind else {
            return Err(Refusal::Unsupported(
                "a data segment is passive: its contents are copied by code".into(),
            ));
        };
        let address = i32_value(offset_expr)?.ok_or(Refusal::PositionIndependent(
            "a data segment has no fixed address",
        ))?;
        Ok(Segment {
            address,
            range: contents(segment),
        })
    });
    segments.collect()
}

impl LinkedModule<'_> {
    /// A type that a call through the table names.
    pub fn function_type(&self, ty: u32) -> &FuncType {
        let ty = self.module.function_type(ty);
        ty.expect("others are refused")
    }

    /// The signature of a function.
    pub fn signature(&self, function: u32) -> &FuncType {
        self.function_type(self.module.functions[function as usize])
    }

    /// The position in [`LinkedModule::slots`] of a slot by its number.
    pub fn slot(&self, number: u32) -> Option<usize> {
        self.slots.binary_search_by_key(&number, |s| s.number).ok()
    }

    fn read_elements(&mut self) -> Result<(), Refusal> {
        for element in &self.module.elements {
            let functions = constant::in_element(element)?;
            let is_expressions = matches!(element.items, ElementItems::Expressions(..));
            match &element.kind {
                ElementKind::Active {
                    table_index: None | Some(0),
                    offset_expr,
                } if !is_expressions => {
                    let first = i32_value(offset_expr)?.ok_or(Refusal::PositionIndependent(
                        "the table's contents have no fixed place",
                    ))?;
                    let slots = functions.into_iter().enumerate().map(|(i, function)| Slot {
                        number: first.wrapping_add(i as u32),
                        function,
                    });
                    self.slots.extend(slots);
                }
                ElementKind::Declared if !is_expressions => self.declared.push(functions),
                _ => {
                    self.table_is_open = true;
                    self.entries.extend(functions);
                }
            }
        }
        self.slots.sort_by_key(|slot| slot.number);
        Ok(())
    }

    fn read_customs(&mut self) -> Result<(), Refusal> {
        for custom in &self.module.customs {
            match custom.as_known() {
                KnownCustom::Linking(linking) => self.linking = Some(linking),
                KnownCustom::Reloc(reloc) => self.relocations.push(reloc),
                // A section of that name which cannot be read is not one that is missing.
                KnownCustom::Unknown if custom.name() == "linking" => {
                    return Err(Refusal::Broken(ReadError {
                        offset: custom.data_offset(),
                        message: "the section `linking` cannot be read".into(),
                    }));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The value of `i32.const` alone.
fn i32_value(expression: &ConstExpr<'_>) -> Result<Option<u32>, Refusal> {
    Ok(match constant::lone(expression)? {
        Some(Operator::I32Const { value }) => Some(value as u32),
        _ => None,
    })
}
