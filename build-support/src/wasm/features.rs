//! Which wasm features the code really uses, found in one pass over its types and operators. The
//! `target_features` section is not trusted, strippers drop it. Nothing is validated here: what is
//! not a valid module has not come so far.

use crate::error::Result;
use crate::wasm::{Module, ReadError};
use std::path::Path;
use wasmparser::{
    AbstractHeapType, BlockType, CompositeInnerType, ConstExpr, DataKind, ElementItems,
    ElementKind, ExternalKind, GlobalType, HeapType, MemoryType, Operator, RefType, SubType,
    TableInit, TableType, TagType, TypeRef, ValType, WasmFeatures, WasmFeaturesInflated,
};

/// A feature that a report can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// What reports call it.
    pub name: &'static str,
    /// The proposal in the `--enable-…` flags of wasm-opt.
    pub wasm_opt: &'static str,
    /// What the Binaryen that is built in makes of it.
    pub binaryen: Binaryen,
}

impl Known {
    /// Switches it on for Binaryen 116.
    pub fn enable(&self, options: &mut wasm_opt::OptimizationOptions) {
        options.enable_feature(match self.binaryen {
            Binaryen::Knows(feature) => feature,
            // What is called in its place may give several values.
            _ => wasm_opt::Feature::Multivalue,
        });
    }
}

/// What Binaryen 116 makes of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binaryen {
    /// It knows it in its standard form.
    Knows(wasm_opt::Feature),
    /// It does not, and what it does not know can be kept from it; see `passes::optimize`.
    Carried,
    /// It does not: garbage collection, function references and exceptions changed after it, and
    /// where addresses have 64 bits it adds an offset to one and forgets that the sum may overflow.
    Refuses,
}

/// What was found.
struct Used {
    flags: WasmFeaturesInflated,
    /// Tags, and what throws them: the same in both proposals for exceptions.
    tags: bool,
    table64: bool,
    block_parameters: bool,
}

/// A row for each: its name, wasm-opt's, what shows it, Binaryen.
macro_rules! known {
    ($($name:literal $wasm_opt:literal $used:expr, $binaryen:expr;)*) => {
        /// Every feature, in the order of reports.
        pub const KNOWN: &[Known] =
            &[$(Known { name: $name, wasm_opt: $wasm_opt, binaryen: $binaryen }),*];
        const IS_USED: &[fn(&Used) -> bool] = &[$($used),*];
    };
}

use Binaryen::{Carried, Knows, Refuses};
use wasm_opt::Feature;

known! {
    "mutable-globals" "mutable-globals" |u| u.flags.mutable_global, Knows(Feature::MutableGlobals);
    "nontrapping-float-to-int" "nontrapping-float-to-int" |u| u.flags.saturating_float_to_int,
        Knows(Feature::TruncSat);
    "sign-ext" "sign-ext" |u| u.flags.sign_extension, Knows(Feature::SignExt);
    "multivalue" "multivalue" |u| u.flags.multi_value, Knows(Feature::Multivalue);
    "bulk-memory" "bulk-memory" |u| u.flags.bulk_memory, Knows(Feature::BulkMemory);
    "reference-types" "reference-types" |u| u.flags.reference_types,
        Knows(Feature::ReferenceTypes);
    "relaxed-simd" "relaxed-simd" |u| u.flags.relaxed_simd, Knows(Feature::RelaxedSimd);
    "simd" "simd" |u| u.flags.simd, Knows(Feature::Simd);
    "threads" "threads" |u| u.flags.threads, Knows(Feature::Atomics);
    "tail-call" "tail-call" |u| u.flags.tail_call, Knows(Feature::TailCall);
    "extended-const" "extended-const" |u| u.flags.extended_const, Knows(Feature::ExtendedConst);
    "multimemory" "multimemory" |u| u.flags.multi_memory, Knows(Feature::MultiMemory);
    "memory64" "memory64" |u| u.flags.memory64, Refuses;
    "exception-handling" "exception-handling"
        |u| u.tags && !u.flags.exceptions && !u.flags.legacy_exceptions,
        Knows(Feature::ExceptionHandling);
    "exceptions (legacy)" "exception-handling" |u| u.flags.legacy_exceptions,
        Knows(Feature::ExceptionHandling);
    "exceptions (standard)" "exception-handling" |u| u.flags.exceptions, Refuses;
    "64-bit tables" "memory64" |u| u.table64, Carried;
    "custom page sizes" "custom-page-sizes" |u| u.flags.custom_page_sizes, Carried;
    "wide arithmetic" "wide-arithmetic" |u| u.flags.wide_arithmetic, Carried;
    "memory control" "memory-control" |u| u.flags.memory_control, Carried;
    "compact imports" "compact-imports" |u| u.flags.compact_imports, Carried;
    "block parameters" "multivalue" |u| u.block_parameters, Refuses;
    "function references" "gc" |u| u.flags.function_references, Refuses;
    "garbage collection" "gc" |u| u.flags.gc, Refuses;
    "custom descriptors" "custom-descriptors" |u| u.flags.custom_descriptors, Refuses;
    "multibyte array access" "multibyte" |u| u.flags.multibyte_array_access, Refuses;
    "stack switching" "stack-switching" |u| u.flags.stack_switching, Refuses;
    "shared-everything threads" "shared-everything" |u| u.flags.shared_everything_threads, Refuses;
    "acquire-release atomics" "acquire-release-atomics" |u| u.flags.acquire_release_atomics, Refuses;
}

/// The features `module` uses, in the order of [`KNOWN`].
///
/// # Errors
/// [`Error::Input`](crate::Error::Input) with the offset where it cannot be read.
pub fn run(module: &[u8], file: &Path) -> Result<Vec<Known>> {
    let help = "the file is damaged or cut short: build it again";
    let module = Module::read(module).and_then(|module| of(&module));
    module.map_err(ReadError::input(file, help))
}

/// As [`run`], of a module that has been read.
///
/// # Errors
/// A [`ReadError`] where code or a constant cannot be read.
pub fn of(module: &Module<'_>) -> Result<Vec<Known>, ReadError> {
    let mut used = Used {
        flags: WasmFeatures::empty().inflate(),
        tags: false,
        table64: false,
        block_parameters: false,
    };
    used.types(module);
    used.entities(module);
    used.segments(module)?;
    for body in &module.bodies {
        for locals in body.get_locals_reader()? {
            used.value(locals?.1);
        }
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            used.operator(module, &operators.read()?);
        }
    }
    let known = KNOWN.iter().zip(IS_USED);
    let known = known.filter(|(_, is_used)| is_used(&used));
    Ok(known.map(|(known, _)| *known).collect())
}

impl Used {
    fn types(&mut self, module: &Module<'_>) {
        let flags = &mut self.flags;
        flags.compact_imports |= module.has_compact_imports;
        flags.gc |= module.has_type_groups;
        for ty in &module.types {
            self.sub_type(ty);
        }
    }

    fn sub_type(&mut self, ty: &SubType) {
        let composite = &ty.composite_type;
        let flags = &mut self.flags;
        flags.gc |= !ty.is_final || !ty.supertype_idxs.is_empty();
        flags.shared_everything_threads |= composite.shared;
        flags.custom_descriptors |=
            composite.descriptor_idx.is_some() || composite.describes_idx.is_some();
        match &composite.inner {
            CompositeInnerType::Func(ty) => {
                flags.multi_value |= ty.results().len() > 1;
                for ty in ty.params().iter().chain(ty.results()) {
                    self.value(*ty);
                }
            }
            CompositeInnerType::Cont(_) => flags.stack_switching = true,
            _ => flags.gc = true,
        }
    }

    fn entities(&mut self, module: &Module<'_>) {
        let (mut memories, mut tables) = (module.memories.len(), module.tables.len());
        let mut globals = Vec::new();
        for import in &module.imports {
            match import.ty {
                TypeRef::Memory(ty) => {
                    memories += 1;
                    self.memory(&ty);
                }
                TypeRef::Table(ty) => {
                    tables += 1;
                    self.table(&ty);
                }
                TypeRef::Global(ty) => {
                    self.flags.mutable_global |= ty.mutable;
                    globals.push(ty);
                }
                TypeRef::Tag(ty) => self.tag(module, &ty),
                TypeRef::FuncExact(_) => self.flags.custom_descriptors = true,
                TypeRef::Func(_) => {}
            }
        }
        module.memories.iter().for_each(|ty| self.memory(ty));
        module.tables.iter().for_each(|own| self.table(&own.ty));
        module.tags.iter().for_each(|ty| self.tag(module, ty));
        globals.extend(module.globals.iter().map(|own| own.ty));
        globals.iter().for_each(|ty| self.global(ty));
        self.flags.multi_memory |= memories > 1;
        self.flags.reference_types |= tables > 1;
        for export in &module.exports {
            let exported = globals.get(export.index as usize);
            self.flags.mutable_global |=
                export.kind == ExternalKind::Global && exported.is_some_and(|ty| ty.mutable);
        }
    }

    fn memory(&mut self, ty: &MemoryType) {
        self.flags.memory64 |= ty.memory64;
        self.flags.threads |= ty.shared;
        self.flags.custom_page_sizes |= ty.page_size_log2.is_some();
    }

    fn table(&mut self, ty: &TableType) {
        self.table64 |= ty.table64;
        self.flags.shared_everything_threads |= ty.shared;
        // The first proposal that lets a table hold anything else.
        if ty.element_type != RefType::FUNCREF {
            self.reference(ty.element_type);
        }
    }

    fn global(&mut self, ty: &GlobalType) {
        self.flags.shared_everything_threads |= ty.shared;
        self.value(ty.content_type);
    }

    /// What a tag carries is caught as several values at once.
    fn tag(&mut self, module: &Module<'_>, ty: &TagType) {
        self.tags = true;
        let ty = module.function_type(ty.func_type_idx);
        self.flags.multi_value |= ty.is_some_and(|ty| ty.params().len() > 1);
    }

    fn segments(&mut self, module: &Module<'_>) -> Result<(), ReadError> {
        let imports = module.imports.iter();
        let imported = imports.filter(|import| matches!(import.ty, TypeRef::Global(_)));
        let imported = imported.count() as u32;
        for table in &module.tables {
            if let TableInit::Expr(value) = &table.init {
                self.flags.function_references = true;
                self.constant(module, imported, value)?;
            }
        }
        for global in &module.globals {
            self.constant(module, imported, &global.init_expr)?;
        }
        for element in &module.elements {
            match &element.kind {
                ElementKind::Active { offset_expr, .. } => {
                    self.constant(module, imported, offset_expr)?;
                }
                _ => self.flags.bulk_memory = true,
            }
            if let ElementItems::Expressions(ty, items) = &element.items {
                self.reference(*ty);
                for item in items.clone() {
                    self.constant(module, imported, &item?)?;
                }
            }
        }
        self.flags.bulk_memory |= module.has_data_count;
        for data in &module.data {
            match &data.kind {
                DataKind::Active { offset_expr, .. } => {
                    self.constant(module, imported, offset_expr)?;
                }
                DataKind::Passive => self.flags.bulk_memory = true,
            }
        }
        Ok(())
    }

    /// A constant expression; `imported` globals are those it could always refer to.
    fn constant(
        &mut self,
        module: &Module<'_>,
        imported: u32,
        value: &ConstExpr<'_>,
    ) -> Result<(), ReadError> {
        for operator in value.get_operators_reader() {
            match operator? {
                Operator::I32Add
                | Operator::I32Sub
                | Operator::I32Mul
                | Operator::I64Add
                | Operator::I64Sub
                | Operator::I64Mul => self.flags.extended_const = true,
                Operator::GlobalGet { global_index } => self.flags.gc |= global_index >= imported,
                operator => self.operator(module, &operator),
            }
        }
        Ok(())
    }

    fn value(&mut self, ty: ValType) {
        match ty {
            ValType::V128 => self.flags.simd = true,
            ValType::Ref(ty) => self.reference(ty),
            _ => {}
        }
    }

    fn reference(&mut self, ty: RefType) {
        let flags = &mut self.flags;
        flags.reference_types = true;
        flags.function_references |= !ty.is_nullable();
        match ty.heap_type() {
            HeapType::Abstract { shared, ty } => {
                flags.shared_everything_threads |= shared;
                match ty {
                    AbstractHeapType::Func | AbstractHeapType::Extern => {}
                    AbstractHeapType::Exn | AbstractHeapType::NoExn => flags.exceptions = true,
                    AbstractHeapType::Cont | AbstractHeapType::NoCont => {
                        flags.stack_switching = true;
                    }
                    _ => flags.gc = true,
                }
            }
            HeapType::Concrete(_) => flags.function_references = true,
            HeapType::Exact(_) => flags.custom_descriptors = true,
        }
    }

    fn block(&mut self, module: &Module<'_>, ty: BlockType) {
        match ty {
            BlockType::Empty => {}
            BlockType::Type(ty) => self.value(ty),
            BlockType::FuncType(ty) => {
                self.flags.multi_value = true;
                let ty = module.function_type(ty);
                self.block_parameters |= ty.is_none_or(|ty| !ty.params().is_empty());
            }
        }
    }

    fn operator(&mut self, module: &Module<'_>, operator: &Operator<'_>) {
        match operator {
            Operator::Block { blockty }
            | Operator::Loop { blockty }
            | Operator::If { blockty }
            | Operator::Try { blockty } => self.block(module, *blockty),
            Operator::TryTable { try_table } => self.block(module, try_table.ty),
            Operator::RefNull { hty } => {
                self.reference(RefType::new(true, *hty).unwrap_or(RefType::ANYREF));
            }
            Operator::TypedSelect { ty } => self.value(*ty),
            Operator::Throw { .. } => {
                self.tags = true;
                return;
            }
            Operator::CallIndirect { table_index, .. } if *table_index > 0 => {
                self.flags.reference_types = true;
            }
            _ => {}
        }
        self.proposal(operator);
    }

    /// The proposal that an operator comes from.
    fn proposal(&mut self, operator: &Operator<'_>) {
        let flags = &mut self.flags;
        macro_rules! used {
            ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident $arity:tt)*) => {
                match operator {
                    $(Operator::$op { $($($arg: _),*)? } => used!(one $proposal),)*
                    _ => {}
                }
            };
            (one mvp) => { {} };
            (one $proposal:ident) => { flags.$proposal = true };
        }
        wasmparser::for_each_operator!(used);
    }
}
