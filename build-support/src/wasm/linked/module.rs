//! A linked core module, taken apart as far as the sweep needs: where bodies and data stand in the file,
//! what the table holds, and what is visible from outside.

use super::refusal::Refusal;
use crate::wasm::module::{as_usize, contents};
use crate::wasm::sections::{CODE, DATA};
use crate::wasm::{Module, ReadError, constant};
use std::ops::Range;
use wasmparser::{
    CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FuncType,
    KnownCustom, Operator, RelocSectionReader, TypeRef,
};

/// A module's parts. Ranges are byte offsets in the file.
#[derive(Default)]
pub struct Linked<'a> {
    /// The whole file.
    pub bytes: &'a [u8],
    /// The types.
    pub types: Vec<FuncType>,
    /// For each type, the first one that is the same: calls through the table compare these.
    pub classes: Vec<u32>,
    /// The type of each function, imports first.
    pub functions: Vec<u32>,
    /// How many functions are imported.
    pub imported: u32,
    /// The body of each defined function, its length left out.
    pub bodies: Vec<Range<usize>>,
    /// The contents of the code section and its number among the sections.
    pub code: (Range<usize>, u32),
    /// The contents of the data section and its number among the sections.
    pub data: (Range<usize>, u32),
    /// The data segments.
    pub segments: Vec<Segment>,
    /// What table 0 holds at the start, by slot.
    pub slots: Vec<Slot>,
    /// The functions of segments that only declare them.
    pub declared: Vec<Vec<u32>>,
    /// Whether the host can reach the table, or code may change it.
    pub table_is_open: bool,
    /// Functions that can be entered from outside: exports, the start function, and what a segment or
    /// global that is no part of table 0's contents refers to.
    pub entries: Vec<u32>,
    /// The names of exported functions.
    pub exports: Vec<(u32, &'a str)>,
    /// The value of each global, where it is a 32-bit constant from the start.
    pub globals: Vec<Option<u32>>,
    /// The values of exported 32-bit globals: addresses that the host knows.
    pub exported_addresses: Vec<u32>,
    /// Whether a memory is shared.
    pub shared_memory: bool,
    /// The section `linking`.
    pub linking: Option<wasmparser::LinkingSectionReader<'a>>,
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
pub fn read(bytes: &[u8]) -> Result<Linked<'_>, Refusal> {
    let module = Module::read(bytes)?;
    if module
        .customs
        .iter()
        .any(|custom| custom.name() == "dylink.0")
    {
        return Err(Refusal::PositionIndependent("it has a `dylink.0` section"));
    }
    let mut linked = Linked {
        bytes,
        types: types(&module)?,
        classes: module.type_classes(),
        imported: module.imported,
        bodies: module
            .bodies
            .iter()
            .map(|body| as_usize(&body.range()))
            .collect(),
        code: module.section(CODE),
        data: module.section(DATA),
        table_is_open: module.shares_table(),
        ..Linked::default()
    };
    let memories = memories(&module)?;
    linked.read_globals(&module)?;
    linked.read_entries(&module)?;
    linked.read_elements(&module)?;
    linked.segments = segments(&module)?;
    linked.read_customs(&module)?;
    if memories > 1 {
        return Err(Refusal::Unsupported("there is more than one memory".into()));
    }
    linked.functions = module.functions;
    Ok(linked)
}

/// How many memories there are.
fn memories(module: &Module<'_>) -> Result<usize, Refusal> {
    let imported = module.imports.iter().filter_map(|import| match &import.ty {
        TypeRef::Memory(ty) => Some(ty),
        _ => None,
    });
    let all: Vec<_> = imported.chain(&module.memories).collect();
    for ty in &all {
        if ty.shared {
            return Err(Refusal::SharedMemory);
        }
        if ty.memory64 {
            return Err(Refusal::Unsupported("the memory is 64-bit".into()));
        }
    }
    Ok(all.len())
}

fn types(module: &Module<'_>) -> Result<Vec<FuncType>, Refusal> {
    let functions = module
        .types
        .iter()
        .map(|ty| match &ty.composite_type.inner {
            CompositeInnerType::Func(function) if ty.supertype_idxs.is_empty() => {
                Ok(function.clone())
            }
            _ => Err(Refusal::Unsupported(
                "it has types of the garbage collection proposal".into(),
            )),
        });
    functions.collect()
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

impl<'a> Linked<'a> {
    /// Whether a function is defined here, and its position among those.
    pub fn defined(&self, function: u32) -> Option<usize> {
        let position = function.checked_sub(self.imported)? as usize;
        (position < self.bodies.len()).then_some(position)
    }

    /// The signature of a function.
    pub fn signature(&self, function: u32) -> &FuncType {
        &self.types[self.functions[function as usize] as usize]
    }

    /// The position in [`Linked::slots`] of a slot by its number.
    pub fn slot(&self, number: u32) -> Option<usize> {
        self.slots.binary_search_by_key(&number, |s| s.number).ok()
    }

    fn read_globals(&mut self, module: &Module<'a>) -> Result<(), Refusal> {
        let imports = module.imports.iter();
        let imported = imports.filter(|import| matches!(import.ty, TypeRef::Global(_)));
        self.globals = imported.map(|_| None).collect();
        for global in &module.globals {
            self.globals.push(i32_value(&global.init_expr)?);
        }
        let exports = module.exports.iter();
        let exported = exports.filter(|export| export.kind == ExternalKind::Global);
        self.exported_addresses = exported
            .filter_map(|export| *self.globals.get(export.index as usize)?)
            .collect();
        Ok(())
    }

    fn read_entries(&mut self, module: &Module<'a>) -> Result<(), Refusal> {
        self.entries = module.held_by_values()?;
        for export in &module.exports {
            if matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact) {
                self.entries.push(export.index);
                self.exports.push((export.index, export.name));
            }
        }
        self.entries.extend(module.start);
        Ok(())
    }

    fn read_elements(&mut self, module: &Module<'a>) -> Result<(), Refusal> {
        for element in &module.elements {
            let functions = constant::in_element(element)?;
            match &element.kind {
                _ if matches!(element.items, ElementItems::Expressions(..)) => {
                    self.table_is_open = true;
                    self.entries.extend(functions);
                }
                ElementKind::Active {
                    table_index: None | Some(0),
                    offset_expr,
                } => {
                    let first = i32_value(offset_expr)?.ok_or(Refusal::PositionIndependent(
                        "the table's contents have no fixed place",
                    ))?;
                    let slots = functions.into_iter().enumerate().map(|(i, function)| Slot {
                        number: first.wrapping_add(i as u32),
                        function,
                    });
                    self.slots.extend(slots);
                }
                ElementKind::Declared => self.declared.push(functions),
                ElementKind::Active { .. } | ElementKind::Passive => {
                    self.table_is_open = true;
                    self.entries.extend(functions);
                }
            }
        }
        self.slots.sort_by_key(|slot| slot.number);
        Ok(())
    }

    fn read_customs(&mut self, module: &Module<'a>) -> Result<(), Refusal> {
        for custom in &module.customs {
            match custom.as_known() {
                KnownCustom::Linking(linking) => self.linking = Some(linking),
                KnownCustom::Reloc(reloc) => self.relocations.push(reloc),
                // A section of that name which cannot be read is not one that is missing.
                KnownCustom::Unknown if custom.name() == "linking" => {
                    return Err(Refusal::Broken {
                        offset: custom.data_offset(),
                        message: "the section `linking` cannot be read".into(),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        Refusal::Broken {
            offset: error.offset,
            message: error.message,
        }
    }
}

/// The value of `i32.const` alone.
fn i32_value(expression: &ConstExpr<'_>) -> Result<Option<u32>, Refusal> {
    Ok(match constant::lone(expression)? {
        Some(Operator::I32Const { value }) => Some(value as u32),
        _ => None,
    })
}
