//! The reader of a core module: every section once, borrowed from the bytes. What its contents mean
//! is for whoever asks.
//!
//! What an engine reads has to be whole. Sections for tools are only found; of a broken name
//! section there are the names that can be read.

use super::constant;
use super::name_section;
use super::read_error::ReadError;
use super::sections;
use std::collections::HashMap;
use std::ops::Range;
use wasmparser::{
    BinaryReader, BinaryReaderError, CompositeInnerType, CustomSectionReader, Data, Element,
    Export, ExternalKind, FromReader, FuncType, FunctionBody, Global, Import, Imports, MemoryType,
    Parser, Payload, SectionLimited, SubType, Table, TableInit, TagType, TypeRef,
};

/// A core module's parts in file order. Ranges are byte offsets in [`Module::bytes`].
#[derive(Default)]
pub struct Module<'a> {
    /// All of it.
    pub bytes: &'a [u8],
    /// The id and the contents of every section.
    pub sections: Vec<(u8, Range<usize>)>,
    /// The custom sections.
    pub customs: Vec<CustomSectionReader<'a>>,
    /// The types.
    pub types: Vec<SubType>,
    /// The imports.
    pub imports: Vec<Import<'a>>,
    /// How many functions are imported.
    pub imported: u32,
    /// The type of each function, imported ones first.
    pub functions: Vec<u32>,
    /// The tables it defines.
    pub tables: Vec<Table<'a>>,
    /// The memories it defines.
    pub memories: Vec<MemoryType>,
    /// The tags it defines.
    pub tags: Vec<TagType>,
    /// The globals it defines.
    pub globals: Vec<Global<'a>>,
    /// The exports.
    pub exports: Vec<Export<'a>>,
    /// The start function.
    pub start: Option<u32>,
    /// The element segments.
    pub elements: Vec<Element<'a>>,
    /// The bodies of the functions it defines, their lengths left out.
    pub bodies: Vec<FunctionBody<'a>>,
    /// The data segments.
    pub data: Vec<Data<'a>>,
    /// Whether types stand in groups, as recursive ones do.
    pub has_type_groups: bool,
    /// Whether several imports share what is written of them.
    pub has_compact_imports: bool,
    /// Whether it says how many data segments there are before the code.
    pub has_data_count: bool,
}

/// What a module calls its own functions and its data segments, as it is written.
pub struct ItemNames<'a> {
    /// The name section is what the compiler said; an export's name is better than none.
    pub functions: Vec<Option<&'a str>>,
    /// By the name section alone.
    pub segments: Vec<Option<&'a str>>,
}

impl<'a> Module<'a> {
    /// Reads a valid core module.
    ///
    /// # Errors
    /// A [`ReadError`] where a section that an engine reads is not whole.
    pub fn read(bytes: &'a [u8]) -> Result<Self, ReadError> {
        let mut module = Module {
            bytes,
            ..Module::default()
        };
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            if let Some((id, range)) = payload.as_section() {
                module.sections.push((id, as_usize(&range)));
            }
            module.add(payload)?;
        }
        let imports = module.imports.iter().filter_map(|import| match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => Some(ty),
            _ => None,
        });
        let imports: Vec<u32> = imports.collect();
        module.imported = imports.len() as u32;
        module.functions.splice(..0, imports);
        Ok(module)
    }

    fn add(&mut self, payload: Payload<'a>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::TypeSection(groups) => {
                for group in groups {
                    let group = group?;
                    self.has_type_groups |= group.is_explicit_rec_group();
                    self.types.extend(group.into_types());
                }
            }
            Payload::ImportSection(section) => {
                for imports in section.clone() {
                    self.has_compact_imports |= !matches!(imports?, Imports::Single(..));
                }
                for import in section.into_imports() {
                    self.imports.push(import?);
                }
            }
            Payload::FunctionSection(section) => extend(&mut self.functions, section)?,
            Payload::TableSection(section) => extend(&mut self.tables, section)?,
            Payload::MemorySection(section) => extend(&mut self.memories, section)?,
            Payload::TagSection(section) => extend(&mut self.tags, section)?,
            Payload::GlobalSection(section) => extend(&mut self.globals, section)?,
            Payload::ExportSection(section) => extend(&mut self.exports, section)?,
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(section) => extend(&mut self.elements, section)?,
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::DataSection(section) => extend(&mut self.data, section)?,
            Payload::DataCountSection { .. } => self.has_data_count = true,
            Payload::CustomSection(section) => self.customs.push(section),
            _ => {}
        }
        Ok(())
    }

    /// The contents of the section `id`, and its number among the sections; nothing where it is not
    /// there.
    pub fn section(&self, id: u8) -> (Range<usize>, u32) {
        let mut numbered = self.sections.iter().zip(0..);
        let found = numbered.find(|((section, _), _)| *section == id);
        found.map_or((0..0, 0), |((_, range), number)| (range.clone(), number))
    }

    /// The contents of the code section.
    pub fn code(&self) -> &'a [u8] {
        &self.bytes[self.section(sections::CODE).0]
    }

    /// What type a function has.
    pub fn signature(&self, function: u32) -> Option<&FuncType> {
        self.function_type(*self.functions.get(function as usize)?)
    }

    /// A type, if it is a function's.
    pub fn function_type(&self, ty: u32) -> Option<&FuncType> {
        match &self.types.get(ty as usize)?.composite_type.inner {
            CompositeInnerType::Func(ty) => Some(ty),
            _ => None,
        }
    }

    /// The body of a function, if it is defined here.
    pub fn body(&self, function: u32) -> Option<&FunctionBody<'a>> {
        let position = function.checked_sub(self.imported)?;
        self.bodies.get(position as usize)
    }

    /// The functions that can be entered from outside: exported ones, the start function, those
    /// that globals and tables hold from the start; what element segments put into tables left out.
    ///
    /// # Errors
    /// As [`Module::held_by_values`].
    pub fn entries(&self) -> Result<Vec<u32>, ReadError> {
        let mut entries = self.held_by_values()?;
        entries.extend(self.exported_functions().map(|export| export.index));
        entries.extend(self.start);
        Ok(entries)
    }

    /// The exports that are functions.
    pub fn exported_functions(&self) -> impl Iterator<Item = &Export<'a>> {
        let exports = self.exports.iter();
        exports.filter(|e| matches!(e.kind, ExternalKind::Func | ExternalKind::FuncExact))
    }

    /// The functions it imports, as `module.field`.
    pub fn import_names(&self) -> Vec<String> {
        let functions = self
            .imports
            .iter()
            .filter(|import| matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
        functions
            .map(|import| format!("{}.{}", import.module, import.name))
            .collect()
    }

    /// Whether it is a relocatable object that no linker has read yet: with a linker's symbols, and
    /// without anything that can be entered from outside, which only a linker makes.
    pub fn is_object(&self) -> bool {
        let mut customs = self.customs.iter();
        self.exports.is_empty()
            && self.start.is_none()
            && customs.any(|custom| custom.name() == "linking")
    }

    /// Whether others see a table of it, or give it one.
    pub fn shares_table(&self) -> bool {
        let (mut imports, mut exports) = (self.imports.iter(), self.exports.iter());
        imports.any(|import| matches!(import.ty, TypeRef::Table(_)))
            || exports.any(|export| export.kind == ExternalKind::Table)
    }

    /// For each type the first one that is the same: what calls through a table compare.
    pub fn type_classes(&self) -> Vec<u32> {
        let mut seen = HashMap::new();
        let classes =
            self.types
                .iter()
                .zip(0..)
                .map(|(ty, index)| match &ty.composite_type.inner {
                    CompositeInnerType::Func(ty) => *seen.entry(ty).or_insert(index),
                    _ => index,
                });
        classes.collect()
    }

    /// How many bytes each function it defines takes, its length in front counted as it is written.
    pub fn function_bytes(&self) -> impl Iterator<Item = u64> {
        let (range, _) = self.section(sections::CODE);
        let mut code = BinaryReader::new(&self.bytes[range.clone()], range.start as u64);
        // How many there are stands before the first.
        let _ = code.read_var_u32();
        let mut end = code.original_position();
        self.bodies.iter().map(move |body| {
            let start = std::mem::replace(&mut end, body.range().end);
            end - start
        })
    }

    /// The functions that globals and tables hold from the start.
    ///
    /// # Errors
    /// A [`ReadError`] where an initial value is not whole.
    pub fn held_by_values(&self) -> Result<Vec<u32>, ReadError> {
        let tables = self.tables.iter().filter_map(|table| match &table.init {
            TableInit::Expr(expression) => Some(expression),
            TableInit::RefNull => None,
        });
        let globals = self.globals.iter().map(|global| &global.init_expr);
        let mut held = Vec::new();
        for expression in tables.chain(globals) {
            held.extend(constant::functions(expression)?);
        }
        Ok(held)
    }

    /// What it calls its own functions and its data segments, as far as that can be read.
    pub fn names(&self) -> ItemNames<'a> {
        let mut functions = vec![None; self.bodies.len()];
        let mut segments = vec![None; self.data.len()];
        self.name_by_exports(ExternalKind::Func, self.imported, &mut functions);
        let named = name_section::read(&self.customs);
        for (index, called) in named.functions {
            name(index, called, self.imported, &mut functions);
        }
        for (index, called) in named.data {
            name(index, called, 0, &mut segments);
        }
        ItemNames {
            functions,
            segments,
        }
    }

    /// What it calls its first `count` globals, imported ones counted; as with functions.
    pub fn global_names(&self, count: usize) -> Vec<Option<&'a str>> {
        let mut globals = vec![None; count];
        self.name_by_exports(ExternalKind::Global, 0, &mut globals);
        for (index, called) in name_section::read(&self.customs).globals {
            name(index, called, 0, &mut globals);
        }
        globals
    }

    fn name_by_exports(&self, kind: ExternalKind, first: u32, names: &mut [Option<&'a str>]) {
        for export in self.exports.iter().filter(|export| export.kind == kind) {
            name(export.index, export.name, first, names);
        }
    }
}

/// The custom sections of a file at any depth, as far as it can be read.
pub fn customs(file: &[u8]) -> impl Iterator<Item = CustomSectionReader<'_>> {
    let payloads = Parser::new(0).parse_all(file).map_while(Result::ok);
    payloads.filter_map(|payload| match payload {
        Payload::CustomSection(section) => Some(section),
        _ => None,
    })
}

/// Where the contents of a data segment are in the module.
pub fn contents(segment: &Data<'_>) -> Range<usize> {
    let end = segment.range.end as usize;
    end - segment.data.len()..end
}

/// A range that wasmparser gives, for use with the bytes it was given.
pub fn as_usize(range: &Range<u64>) -> Range<usize> {
    range.start as usize..range.end as usize
}

fn extend<'a, T: FromReader<'a>>(
    all: &mut Vec<T>,
    section: SectionLimited<'a, T>,
) -> Result<(), BinaryReaderError> {
    for item in section {
        all.push(item?);
    }
    Ok(())
}

fn name<'a>(index: u32, called: &'a str, first: u32, names: &mut [Option<&'a str>]) {
    let position = index.checked_sub(first).map(|position| position as usize);
    if let Some(name) = position.and_then(|position| names.get_mut(position)) {
        *name = Some(called);
    }
}

#[cfg(test)]
mod tests {
    use super::Module;

    /// Protects sums over files whose numbers are longer than they need be.
    #[test]
    fn lengths_are_counted_as_they_are_written() {
        let types = [1, 4, 1, 0x60, 0, 0];
        let functions = [3, 2, 1, 0];
        let code = [10, 6, 0x81, 0, 0x82, 0, 0, 0x0b];
        let bytes = [b"\0asm\x01\0\0\0", &types[..], &functions, &code].concat();
        let module = Module::read(&bytes).unwrap();
        assert_eq!(module.code(), &code[2..]);
        assert_eq!(module.function_bytes().collect::<Vec<_>>(), [4]);
    }
}
