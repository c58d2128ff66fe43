//! A linked core module, taken apart as far as the sweep needs: where bodies and data stand in the file,
//! what the table holds, and what is visible from outside.

use super::refusal::Refusal;
use std::collections::HashMap;
use std::ops::Range;
use wasmparser::{
    CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FuncType,
    KnownCustom, Operator, Parser, Payload, RelocSectionReader, TypeRef,
};

/// A module's parts. Ranges are byte offsets in the file.
#[derive(Default)]
pub struct Linked<'a> {
    /// The whole file.
    pub bytes: &'a [u8],
    /// The function types; a placeholder without parameters stands for types that are none.
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
    let mut linked = Linked {
        bytes,
        ..Linked::default()
    };
    let mut section = 0;
    let mut memories = 0;
    let mut exported_globals = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        match &payload {
            Payload::TypeSection(types) => linked.read_types(types.clone())?,
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    match import?.ty {
                        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => linked.functions.push(ty),
                        TypeRef::Memory(ty) => {
                            memories += 1;
                            linked.memory(&ty)?;
                        }
                        TypeRef::Table(_) => linked.table_is_open = true,
                        TypeRef::Global(_) => linked.globals.push(None),
                        TypeRef::Tag(_) => {}
                    }
                }
                linked.imported = linked.functions.len() as u32;
            }
            Payload::FunctionSection(types) => {
                for ty in types.clone() {
                    linked.functions.push(ty?);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    memories += 1;
                    linked.memory(&memory?)?;
                }
            }
            Payload::GlobalSection(section) => {
                for global in section.clone() {
                    let global = global?;
                    linked.names_functions(&global.init_expr)?;
                    linked.globals.push(constant(&global.init_expr)?);
                }
            }
            Payload::TableSection(section) => {
                for table in section.clone() {
                    if let wasmparser::TableInit::Expr(expression) = &table?.init {
                        linked.names_functions(expression)?;
                    }
                }
            }
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    let export = export?;
                    match export.kind {
                        ExternalKind::Func | ExternalKind::FuncExact => {
                            linked.entries.push(export.index);
                            linked.exports.push((export.index, export.name));
                        }
                        ExternalKind::Table => linked.table_is_open = true,
                        ExternalKind::Global => exported_globals.push(export.index),
                        ExternalKind::Memory | ExternalKind::Tag => {}
                    }
                }
            }
            Payload::StartSection { func, .. } => linked.entries.push(*func),
            Payload::ElementSection(elements) => linked.read_elements(elements.clone())?,
            Payload::CodeSectionStart {
                unchecked_range, ..
            } => linked.code = (range(unchecked_range), section),
            Payload::CodeSectionEntry(body) => linked.bodies.push(range(&body.range())),
            Payload::DataSection(data) => {
                linked.data = (range(&data.range()), section);
                linked.read_data(data.clone())?;
            }
            Payload::CustomSection(custom) => match custom.as_known() {
                KnownCustom::Linking(linking) => linked.linking = Some(linking),
                KnownCustom::Reloc(reloc) => linked.relocations.push(reloc),
                KnownCustom::Dylink0(_) => {
                    return Err(Refusal::PositionIndependent("it has a `dylink.0` section"));
                }
                // A section of that name which cannot be read is not one that is missing.
                KnownCustom::Unknown if custom.name() == "linking" => {
                    return Err(Refusal::Broken {
                        offset: custom.data_offset(),
                        message: "the section `linking` cannot be read".into(),
                    });
                }
                _ => {}
            },
            _ => {}
        }
        let counts = !matches!(
            payload,
            Payload::Version { .. } | Payload::CodeSectionEntry(_) | Payload::End(_)
        );
        section += u32::from(counts);
    }
    if memories > 1 {
        return Err(Refusal::Unsupported("there is more than one memory".into()));
    }
    let values = exported_globals
        .iter()
        .filter_map(|index| *linked.globals.get(*index as usize)?);
    linked.exported_addresses = values.collect();
    linked.slots.sort_by_key(|slot| slot.number);
    Ok(linked)
}

impl Linked<'_> {
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

    fn read_types(&mut self, types: wasmparser::TypeSectionReader<'_>) -> Result<(), Refusal> {
        let mut seen: HashMap<FuncType, u32> = HashMap::new();
        for group in types {
            for ty in group?.into_types() {
                let index = self.types.len() as u32;
                let ty = match ty.composite_type.inner {
                    CompositeInnerType::Func(function) if ty.supertype_idxs.is_empty() => function,
                    _ => {
                        return Err(Refusal::Unsupported(
                            "it has types of the garbage collection proposal".into(),
                        ));
                    }
                };
                self.classes.push(*seen.entry(ty.clone()).or_insert(index));
                self.types.push(ty);
            }
        }
        Ok(())
    }

    fn memory(&mut self, ty: &wasmparser::MemoryType) -> Result<(), Refusal> {
        if ty.shared {
            return Err(Refusal::SharedMemory);
        }
        if ty.memory64 {
            return Err(Refusal::Unsupported("the memory is 64-bit".into()));
        }
        Ok(())
    }

    fn read_elements(
        &mut self,
        elements: wasmparser::ElementSectionReader<'_>,
    ) -> Result<(), Refusal> {
        for element in elements {
            let element = element?;
            let functions = match element.items {
                ElementItems::Functions(functions) => {
                    functions.into_iter().collect::<Result<Vec<_>, _>>()?
                }
                ElementItems::Expressions(_, expressions) => {
                    for expression in expressions {
                        self.names_functions(&expression?)?;
                    }
                    self.table_is_open = true;
                    continue;
                }
            };
            match element.kind {
                ElementKind::Active {
                    table_index: None | Some(0),
                    offset_expr,
                } => {
                    let first = constant(&offset_expr)?.ok_or(Refusal::PositionIndependent(
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
        Ok(())
    }

    fn read_data(&mut self, data: wasmparser::DataSectionReader<'_>) -> Result<(), Refusal> {
        for segment in data {
            let segment = segment?;
            let DataKind::Active { offset_expr, .. } = &segment.kind else {
                return Err(Refusal::Unsupported(
                    "a data segment is passive: its contents are copied by code".into(),
                ));
            };
            let address = constant(offset_expr)?.ok_or(Refusal::PositionIndependent(
                "a data segment has no fixed address",
            ))?;
            let end = segment.range.end as usize;
            self.segments.push(Segment {
                address,
                range: end - segment.data.len()..end,
            });
        }
        Ok(())
    }

    fn names_functions(&mut self, expression: &ConstExpr<'_>) -> Result<(), Refusal> {
        for operator in expression.get_operators_reader() {
            if let Operator::RefFunc { function_index } = operator? {
                self.entries.push(function_index);
            }
        }
        Ok(())
    }
}

/// The value of `i32.const` alone.
fn constant(expression: &ConstExpr<'_>) -> Result<Option<u32>, Refusal> {
    let mut reader = expression.get_operators_reader();
    let first = reader.read()?;
    let last = reader.read()?;
    Ok(match (first, last) {
        (Operator::I32Const { value }, Operator::End) => Some(value as u32),
        _ => None,
    })
}

fn range(range: &Range<u64>) -> Range<usize> {
    range.start as usize..range.end as usize
}
