//! A core module written anew, with parts of it left out, added, numbered otherwise or replaced.
//! What is to be changed and why, `carry` says.

use crate::error::Error;
use crate::wasm::{artifact, sections};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    ImportSection, Instruction, MemorySection, MemoryType, Module, NameSection, SectionId,
    TableSection, TableType, TypeSection, ValType,
};
use wasmparser::Operator;

const PASS: &str = "optimize";

/// The error for a part that is not where it must be.
pub fn lost() -> Error {
    Error::pass(PASS, "what was kept from Binaryen is not to be found again")
}

/// A function that is referred to although it is not there any more.
pub const GONE: u32 = u32::MAX;

/// An element segment that is added.
pub struct Segment {
    /// The table it goes to at the start, and where; none for a passive one.
    pub place: Option<(u32, ConstExpr)>,
    /// What it holds.
    pub items: Elements<'static>,
}

/// What an operator becomes; none where it stays.
pub type Replace<'a> = dyn Fn(&Operator<'_>) -> Option<Vec<Instruction<'static>>> + 'a;

/// The changes. Parts are left out by their position in their section.
#[derive(Default)]
pub struct Edit<'a> {
    /// The new number of each function.
    pub functions: Vec<u32>,
    /// The new number of each table.
    pub tables: Vec<u32>,
    /// The new number of each type; as they are where there are none.
    pub numbers_of_types: Vec<u32>,
    /// The types of memories that get another, by number.
    pub memories: BTreeMap<u32, MemoryType>,
    /// What is left out, by its section's id.
    pub without: BTreeMap<u8, BTreeSet<u32>>,
    /// Added types, parameters and results.
    pub types: Vec<(Vec<ValType>, Vec<ValType>)>,
    /// Added imports.
    pub imports: Vec<(String, String, EntityType)>,
    /// Added tables.
    pub new_tables: Vec<TableType>,
    /// Added memories.
    pub new_memories: Vec<MemoryType>,
    /// Added exports.
    pub exports: Vec<(String, ExportKind, u32)>,
    /// Exports that come back, by their place among all there are then.
    pub exports_back: BTreeMap<usize, (String, ExportKind, u32)>,
    /// Added element segments.
    pub elements: Vec<Segment>,
    /// What operators become.
    pub replace: Option<Box<Replace<'a>>>,
    /// The sections that the module has, and those that were added.
    pub written: BTreeSet<u8>,
    /// How many memories were seen.
    pub memories_seen: u32,
}

type Result<T, E = reencode::Error> = std::result::Result<T, E>;

impl Edit<'_> {
    /// Writes `module` anew.
    ///
    /// # Errors
    /// Where the module cannot be read.
    pub fn run(mut self, module: &[u8]) -> crate::Result<Vec<u8>> {
        for section in sections::read(module).flatten() {
            self.written.insert(section.id);
        }
        let mut made = Module::new();
        self.parse_core_module(&mut made, wasmparser::Parser::new(0), module)
            .map_err(|error| Error::pass(PASS, format!("it cannot be written anew: {error}")))?;
        // What everything was taken out of goes, too.
        artifact::rebuild(&made.finish(), PASS, |id, section| {
            let is_empty = section == [0] && id != sections::CUSTOM;
            Ok((!is_empty).then(|| section.to_vec()))
        })
    }

    fn keeps(&self, section: SectionId, position: usize) -> bool {
        let without = self.without.get(&(section as u8));
        without.is_none_or(|without| !without.contains(&(position as u32)))
    }

    fn memory(&mut self, ty: wasmparser::MemoryType) -> MemoryType {
        let number = self.memories_seen;
        self.memories_seen += 1;
        let other = self.memories.get(&number).copied();
        other.unwrap_or_else(|| MemoryType::from(ty))
    }

    fn add_types(&self, types: &mut TypeSection) {
        for (parameters, results) in &self.types {
            let (parameters, results) = (parameters.iter().copied(), results.iter().copied());
            types.ty().function(parameters, results);
        }
    }

    fn add_imports(&self, imports: &mut ImportSection) {
        for (module, name, ty) in &self.imports {
            imports.import(module, name, *ty);
        }
    }

    fn add_tables(&self, tables: &mut TableSection) {
        self.new_tables.iter().for_each(|ty| {
            tables.table(*ty);
        });
    }

    fn add_memories(&self, memories: &mut MemorySection) {
        self.new_memories.iter().for_each(|ty| {
            memories.memory(*ty);
        });
    }

    /// Those that come back at `place` and right behind it; gives the place after them.
    fn exports_back(&self, exports: &mut ExportSection, mut place: usize) -> usize {
        while let Some((name, kind, index)) = self.exports_back.get(&place) {
            exports.export(name, *kind, *index);
            place += 1;
        }
        place
    }

    fn add_exports(&self, exports: &mut ExportSection) {
        for (name, kind, index) in &self.exports {
            exports.export(name, *kind, *index);
        }
    }

    fn add_all_exports(&self, exports: &mut ExportSection) {
        self.exports_back(exports, 0);
        self.add_exports(exports);
    }

    fn add_elements(&self, elements: &mut ElementSection) {
        for segment in &self.elements {
            let items = segment.items.clone();
            match &segment.place {
                Some((table, offset)) => elements.active(Some(*table), offset, items),
                None => elements.passive(items),
            };
        }
    }

    /// Writes the section `id`, which the module itself does not have.
    fn add_section(&self, module: &mut Module, id: SectionId) {
        macro_rules! add {
            ($section:ident, $add:ident) => {{
                let mut section = $section::new();
                self.$add(&mut section);
                if !section.is_empty() {
                    module.section(&section);
                }
            }};
        }
        match id {
            SectionId::Type => add!(TypeSection, add_types),
            SectionId::Import => add!(ImportSection, add_imports),
            SectionId::Table => add!(TableSection, add_tables),
            SectionId::Memory => add!(MemorySection, add_memories),
            SectionId::Export => add!(ExportSection, add_all_exports),
            SectionId::Element => add!(ElementSection, add_elements),
            _ => {}
        }
    }
}

/// The sections that something may be added to, and those behind them, in the order of a module.
const ORDER: [SectionId; 13] = [
    SectionId::Type,
    SectionId::Import,
    SectionId::Function,
    SectionId::Table,
    SectionId::Memory,
    SectionId::Tag,
    SectionId::Global,
    SectionId::Export,
    SectionId::Start,
    SectionId::Element,
    SectionId::DataCount,
    SectionId::Code,
    SectionId::Data,
];

impl Reencode for Edit<'_> {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32> {
        Ok(self
            .functions
            .get(function as usize)
            .copied()
            .unwrap_or(GONE))
    }

    fn table_index(&mut self, table: u32) -> Result<u32> {
        Ok(self.tables.get(table as usize).copied().unwrap_or(GONE))
    }

    fn type_index(&mut self, ty: u32) -> Result<u32> {
        Ok(self
            .numbers_of_types
            .get(ty as usize)
            .copied()
            .unwrap_or(ty))
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<()> {
        for id in ORDER {
            if before == Some(id) {
                break;
            }
            if self.written.insert(id as u8) {
                self.add_section(module, id);
            }
        }
        Ok(())
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<()> {
        // Where a type is left out there are none in groups.
        for (position, group) in section.into_iter().enumerate() {
            if self.keeps(SectionId::Type, position) {
                utils::parse_recursive_type_group(self, types.ty(), group?)?;
            }
        }
        self.add_types(types);
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<()> {
        for (position, import) in section.into_imports().enumerate() {
            let import = import?;
            let ty = match import.ty {
                wasmparser::TypeRef::Memory(ty) => EntityType::Memory(self.memory(ty)),
                ty => self.entity_type(ty)?,
            };
            if self.keeps(SectionId::Import, position) {
                imports.import(import.module, import.name, ty);
            }
        }
        self.add_imports(imports);
        Ok(())
    }

    fn parse_table_section(
        &mut self,
        tables: &mut TableSection,
        section: wasmparser::TableSectionReader<'_>,
    ) -> Result<()> {
        for (position, table) in section.into_iter().enumerate() {
            let table = table?;
            if self.keeps(SectionId::Table, position) {
                self.parse_table(tables, table)?;
            }
        }
        self.add_tables(tables);
        Ok(())
    }

    fn parse_memory_section(
        &mut self,
        memories: &mut MemorySection,
        section: wasmparser::MemorySectionReader<'_>,
    ) -> Result<()> {
        for (position, ty) in section.into_iter().enumerate() {
            let ty = self.memory(ty?);
            if self.keeps(SectionId::Memory, position) {
                memories.memory(ty);
            }
        }
        self.add_memories(memories);
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<()> {
        let mut place = 0;
        for (position, export) in section.into_iter().enumerate() {
            let export = export?;
            if self.keeps(SectionId::Export, position) {
                place = self.exports_back(exports, place) + 1;
                self.parse_export(exports, export)?;
            }
        }
        self.exports_back(exports, place);
        self.add_exports(exports);
        Ok(())
    }

    fn parse_element_section(
        &mut self,
        elements: &mut ElementSection,
        section: wasmparser::ElementSectionReader<'_>,
    ) -> Result<()> {
        for (position, element) in section.into_iter().enumerate() {
            let element = element?;
            if self.keeps(SectionId::Element, position) {
                self.parse_element(elements, element)?;
            }
        }
        self.add_elements(elements);
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Result<()> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let operator = operators.read()?;
            let others = self.replace.as_ref().and_then(|by| by(&operator));
            match others {
                Some(others) => others.iter().for_each(|other| {
                    function.instruction(other);
                }),
                None => {
                    function.instruction(&self.instruction(operator)?);
                }
            }
        }
        code.function(&function);
        Ok(())
    }

    /// Names of functions and of data, which are what is asked for.
    fn custom_name_section(
        &mut self,
        section: wasmparser::NameSectionReader<'_>,
    ) -> Result<NameSection> {
        let mut names = NameSection::new();
        for subsection in section {
            match subsection? {
                wasmparser::Name::Function(map) => {
                    let mut functions = wasm_encoder::NameMap::new();
                    for naming in map {
                        let naming = naming?;
                        let function = self.function_index(naming.index)?;
                        if function != GONE {
                            functions.append(function, naming.name);
                        }
                    }
                    names.functions(&functions);
                }
                data @ wasmparser::Name::Data(_) => {
                    self.parse_custom_name_subsection(&mut names, data)?;
                }
                _ => {}
            }
        }
        Ok(names)
    }
}
