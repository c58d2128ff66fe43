//! Writes a module with other bodies, more functions and globals, and in another order. Every
//! operator and section that wasmparser reads is written again by wasm-encoder, which knows of each
//! number in them what it counts; both are of one version, so that none is unknown.

use crate::error::{Error, Result};
use crate::passes::compact::code::Body;
use crate::passes::origin::{Origin, Rewritten};
use crate::wasm::{Module, ReadError, sections};
use std::collections::HashSet;
use std::convert::Infallible;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{CodeSection, ConstExpr, FunctionSection, GlobalSection, SectionId};
use wasmparser::{
    BinaryReader, CodeSectionReader, CompositeInnerType, FuncType, FunctionSectionReader, Parser,
    TypeRef, TypeSectionReader, ValType,
};

/// The name of all this in errors.
pub const PASS: &str = "compact";

/// What a module is to become.
pub struct Edit<'m, 'a> {
    module: &'m Module<'a>,
    /// The functions that the module defines, then those that are added.
    pub bodies: Vec<Body<'a>>,
    /// The types of those that are added, and of what they are pieces.
    pub added: Vec<(u32, Origin)>,
    /// The types that are added.
    pub types: Vec<FuncType>,
    /// The immutable globals that are added.
    pub globals: Vec<(ValType, ConstExpr)>,
    /// Positions in `bodies`, in the order in which they are written.
    pub order: Vec<u32>,
    /// The numbers of the types that the module has and of those that are added, in the order in
    /// which they are written; empty where they stay as they are, as they must unless
    /// [`Edit::may_order_types`].
    pub type_order: Vec<u32>,
    /// Positions among the globals that the module defines, in the same way; they must stay where
    /// one is made of another.
    pub global_order: Vec<u32>,
    /// Whether every type is a function's, by itself: one of a group, or with subtypes, is not the
    /// same as another of its form.
    plain_types: bool,
}

impl<'m, 'a> Edit<'m, 'a> {
    /// The module as it is.
    ///
    /// # Errors
    /// A [`ReadError`] where a body is not whole.
    pub fn new(module: &'m Module<'a>) -> Result<Self, ReadError> {
        let bodies = super::code::bodies(module)?;
        Ok(Self {
            module,
            order: (0..bodies.len() as u32).collect(),
            bodies,
            added: Vec::new(),
            types: Vec::new(),
            globals: Vec::new(),
            type_order: Vec::new(),
            global_order: Vec::new(),
            plain_types: has_plain_types(module)?,
        })
    }

    /// The type that a function has, among those there are or as a new one.
    pub fn function_type(&mut self, ty: &FuncType) -> u32 {
        let count = self.module.types.len() as u32;
        let same = |index: &u32| self.module.function_type(*index) == Some(ty);
        let known = (0..count).find(|index| self.plain_types && same(index));
        let added = || self.types.iter().position(|added| added == ty);
        known
            .or_else(|| added().map(|position| count + position as u32))
            .unwrap_or_else(|| {
                self.types.push(ty.clone());
                count + self.types.len() as u32 - 1
            })
    }

    /// Whether types may change places: one that speaks of another must stand behind it.
    pub fn may_order_types(&self) -> bool {
        let of_module = self.module.types.iter();
        let of_module = of_module.filter_map(|ty| match &ty.composite_type.inner {
            CompositeInnerType::Func(ty) => Some(ty),
            _ => None,
        });
        let mut values = of_module
            .chain(&self.types)
            .flat_map(|ty| ty.params().iter().chain(ty.results()));
        let concrete = |ty: &ValType| match ty {
            ValType::Ref(reference) => {
                !matches!(reference.heap_type(), wasmparser::HeapType::Abstract { .. })
            }
            _ => false,
        };
        self.plain_types && !values.any(concrete)
    }

    /// The parameters and results of the types that a function can be given.
    pub fn signatures(&self) -> HashSet<(Vec<ValType>, Vec<ValType>)> {
        let count = if self.plain_types {
            self.module.types.len()
        } else {
            0
        };
        let types = (0..count as u32).filter_map(|ty| self.module.function_type(ty));
        types
            .map(|ty| (ty.params().to_vec(), ty.results().to_vec()))
            .collect()
    }

    /// The number of the function at a position in `bodies`, in the order that there was.
    pub fn index(&self, position: u32) -> u32 {
        self.module.imported + position
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`Error::Pass`] where something in the module cannot be written.
    pub fn write(self) -> Result<Rewritten> {
        let imports = self.module.imports.iter();
        let is_global = |import: &&wasmparser::Import<'_>| matches!(import.ty, TypeRef::Global(_));
        let mut writer = Writer {
            edit: &self,
            functions: places(&self.order),
            types: places(&self.type_order),
            globals: places(&self.global_order),
            imported_globals: imports.filter(is_global).count() as u32,
            wrote_globals: false,
        };
        let mut written = wasm_encoder::Module::new();
        writer
            .parse_core_module(&mut written, Parser::new(0), self.module.bytes)
            .map_err(|error| Error::pass(PASS, format!("the module cannot be written: {error}")))?;
        let defined = self.module.bodies.len() as u32;
        let origins = self.order.iter().map(|old| match old.checked_sub(defined) {
            Some(added) => self.added[added as usize].1.clone(),
            None => Origin::Kept(*old),
        });
        Ok(Rewritten {
            origins: origins.collect(),
            bytes: written.finish(),
        })
    }
}

/// Where each of what is put in `order` comes to stand.
fn places(order: &[u32]) -> Vec<u32> {
    let mut places = vec![0; order.len()];
    for (new, old) in order.iter().enumerate() {
        places[*old as usize] = new as u32;
    }
    places
}

fn has_plain_types(module: &Module<'_>) -> Result<bool, ReadError> {
    let (range, _) = module.section(sections::TYPE);
    if range.is_empty() {
        return Ok(true);
    }
    let reader = BinaryReader::new(&module.bytes[range.clone()], range.start as u64);
    for group in TypeSectionReader::new(reader)? {
        let group = group?;
        let in_group = group.is_explicit_rec_group();
        let is_plain = |ty: wasmparser::SubType| {
            let is_function = matches!(ty.composite_type.inner, CompositeInnerType::Func(_));
            is_function && ty.is_final && ty.supertype_idxs.is_empty() && !ty.composite_type.shared
        };
        if in_group || !group.into_types().all(is_plain) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The words of a library's error are of no help to anybody without the one beneath.
type Written<T = ()> = Result<T, reencode::Error<Infallible>>;

struct Writer<'e, 'm, 'a> {
    edit: &'e Edit<'m, 'a>,
    /// The new position of each function that is defined.
    functions: Vec<u32>,
    /// The same of each type, and of each global that is defined; nothing where they stay.
    types: Vec<u32>,
    globals: Vec<u32>,
    imported_globals: u32,
    wrote_globals: bool,
}

impl Writer<'_, '_, '_> {
    fn add_globals(&mut self, section: &mut GlobalSection) -> Written {
        self.wrote_globals = true;
        for (ty, value) in &self.edit.globals {
            let ty = wasm_encoder::GlobalType {
                val_type: self.val_type(*ty)?,
                mutable: false,
                shared: false,
            };
            section.global(ty, value);
        }
        Ok(())
    }
}

impl Reencode for Writer<'_, '_, '_> {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Written<u32> {
        let imported = self.edit.module.imported;
        Ok(match function.checked_sub(imported) {
            Some(position) => imported + self.functions[position as usize],
            None => function,
        })
    }

    fn type_index(&mut self, ty: u32) -> Written<u32> {
        Ok(self.types.get(ty as usize).copied().unwrap_or(ty))
    }

    fn global_index(&mut self, global: u32) -> Written<u32> {
        let place = global.checked_sub(self.imported_globals);
        let place = place.and_then(|position| self.globals.get(position as usize));
        Ok(place.map_or(global, |place| self.imported_globals + place))
    }

    fn parse_type_section(
        &mut self,
        types: &mut wasm_encoder::TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Written {
        let edit = self.edit;
        if edit.type_order.is_empty() {
            reencode::utils::parse_type_section(self, types, section)?;
            for ty in &edit.types {
                let ty = self.func_type(ty.clone())?;
                types.ty().func_type(&ty);
            }
            return Ok(());
        }
        // Where they may change places each is a function's.
        let numbers = 0..edit.module.types.len() as u32;
        let of_module = numbers.filter_map(|number| edit.module.function_type(number));
        let all: Vec<_> = of_module.chain(&edit.types).collect();
        for number in &edit.type_order {
            let ty = self.func_type(all[*number as usize].clone())?;
            types.ty().func_type(&ty);
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        _: FunctionSectionReader<'_>,
    ) -> Written {
        let edit = self.edit;
        let defined = edit.module.bodies.len();
        for old in &edit.order {
            let old = *old as usize;
            let ty = match old.checked_sub(defined) {
                Some(added) => edit.added[added].0,
                None => edit.module.functions[edit.module.imported as usize + old],
            };
            functions.function(self.type_index(ty)?);
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Written {
        let all = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for position in 0..all.len() {
            let order = &self.edit.global_order;
            let from = order.get(position).map_or(position, |from| *from as usize);
            reencode::utils::parse_global(self, globals, all[from].clone())?;
        }
        self.add_globals(globals)
    }

    /// A module without globals gets them where they belong; the functions that use them are
    /// written behind that.
    fn intersperse_section_hook(
        &mut self,
        module: &mut wasm_encoder::Module,
        _: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Written {
        let is_behind = matches!(
            before,
            Some(
                SectionId::Export
                    | SectionId::Start
                    | SectionId::Element
                    | SectionId::DataCount
                    | SectionId::Code
            )
        );
        if is_behind && !self.wrote_globals && !self.edit.globals.is_empty() {
            let mut section = GlobalSection::new();
            self.add_globals(&mut section)?;
            module.section(&section);
        }
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, _: CodeSectionReader<'_>) -> Written {
        let edit = self.edit;
        for old in &edit.order {
            let body = &edit.bodies[*old as usize];
            let locals: Written<Vec<_>> = body
                .locals
                .iter()
                .map(|(count, ty)| Ok((*count, self.val_type(*ty)?)))
                .collect();
            let mut function = wasm_encoder::Function::new(locals?);
            for operator in &body.operators {
                function.instruction(&self.instruction(operator.clone())?);
            }
            code.function(&function);
        }
        Ok(())
    }

    /// What speaks of places in the code, or counts functions, is of another module now.
    fn parse_custom_section(
        &mut self,
        module: &mut wasm_encoder::Module,
        section: wasmparser::CustomSectionReader<'_>,
    ) -> Written {
        let name = section.name();
        let speaks_of_code = matches!(name, "name" | "linking" | "sourceMappingURL")
            || ["reloc.", ".debug_", "metadata.code."]
                .iter()
                .any(|start| name.starts_with(start));
        if !speaks_of_code {
            module.section(&wasm_encoder::CustomSection {
                name: name.into(),
                data: section.data().into(),
            });
        }
        Ok(())
    }
}
