//! What Binaryen 116 cannot have of a module: read before it, and left behind.

use super::operation::Operation;
use crate::wasm::sections::{ELEMENT, EXPORT, IMPORT, MEMORY, TABLE};
use crate::wasm::{Module, ReadError, constant};
use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder::RefType;
use wasmparser::{
    ConstExpr, DataKind, Element, ElementItems, ElementKind, ExternalKind, MemoryType, Operator,
    TableType, TypeRef,
};

/// What is exported meanwhile, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// A table whose contents are not what Binaryen sees.
    Table(u32),
    /// A memory whose type is not.
    Memory(u32),
    /// A function that a segment refers to which Binaryen does not see.
    Function(u32),
    /// And a global.
    Global(u32),
}

/// A constant as it stands in such a segment.
#[derive(Debug, Clone, Copy)]
pub enum Constant {
    /// `ref.null`
    Null(RefType),
    /// `i32.const`
    I32(i32),
    /// `i64.const`
    I64(i64),
    /// `global.get`
    Global(u32),
    /// `ref.func`
    Function(u32),
}

/// An element segment that is left behind.
pub struct Segment {
    /// What its items are.
    pub ty: RefType,
    /// The hidden table it goes to, and where; none where it is passive.
    pub place: Option<(u32, Constant)>,
    /// The items.
    pub items: Vec<Constant>,
}

/// A table that is left behind.
pub struct Table<'a> {
    /// Its type.
    pub ty: TableType,
    /// Module and name, where it is imported.
    pub import: Option<(&'a str, &'a str)>,
}

/// All of it.
#[derive(Default)]
pub struct Baggage<'a> {
    /// The types of all tables.
    pub tables: Vec<TableType>,
    /// The types of all memories.
    pub memories: Vec<MemoryType>,
    /// The tables that are left behind, by number.
    pub hidden: BTreeMap<u32, Table<'a>>,
    /// The operations, each with its number.
    pub operations: BTreeMap<Operation, u32>,
    /// The element segments that are left behind, by number.
    pub segments: BTreeMap<u32, Segment>,
    /// What is exported meanwhile.
    pub kept: BTreeSet<Kept>,
    /// Whether the only memory is imported meanwhile: Binaryen drops zeros at the end of segments
    /// without looking whether they are in bounds, but not where they go to a memory of others.
    pub lends_memory: bool,
    /// What is left out, by the section's id and the position in it.
    pub without: BTreeMap<u8, BTreeSet<u32>>,
    /// Whether there is anything else that Binaryen reads only if it is written anew.
    rewrite: bool,
    /// What names begin with that are there meanwhile.
    pub marker: String,
}

impl<'a> Baggage<'a> {
    /// What Binaryen cannot have of `module`; none where something cannot be left behind.
    ///
    /// # Errors
    /// A [`ReadError`] where it cannot be read.
    pub fn of(module: &Module<'a>) -> Result<Option<Self>, ReadError> {
        let mut all = Baggage {
            rewrite: module.has_compact_imports,
            marker: marker(module),
            ..Baggage::default()
        };
        all.entities(module);
        for body in &module.bodies {
            let mut operators = body.get_operators_reader()?;
            while !operators.eof() {
                all.operator(&operators.read()?);
            }
        }
        if !all.data(module)? || !all.elements(module)? {
            return Ok(None);
        }
        let operations = all.operations.keys();
        let tables: Vec<_> = operations.flat_map(|o| o.tables()).collect();
        let tables = tables.into_iter().filter(|t| !all.hidden.contains_key(t));
        all.kept.extend(tables.map(Kept::Table));
        Ok(Some(all))
    }

    /// Whether Binaryen can have all of it.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
            && self.hidden.is_empty()
            && self.kept.is_empty()
            && !self.lends_memory
            && !self.rewrite
    }

    /// The operation of an operator that Binaryen does not know.
    pub fn operation(&self, operator: &Operator<'_>) -> Option<Operation> {
        Operation::of(operator, &|table| self.hidden.contains_key(&table))
    }

    fn entities(&mut self, module: &Module<'a>) {
        for (import, position) in module.imports.iter().zip(0..) {
            match import.ty {
                TypeRef::Table(ty) => {
                    let import = Some((import.module, import.name));
                    self.table(ty, import, IMPORT, position);
                }
                TypeRef::Memory(ty) => self.memories.push(ty),
                _ => {}
            }
        }
        for (own, position) in module.tables.iter().zip(0..) {
            self.table(own.ty, None, TABLE, position);
        }
        self.memories.extend(&module.memories);
        for (export, position) in module.exports.iter().zip(0..) {
            if export.kind == ExternalKind::Table && self.hidden.contains_key(&export.index) {
                self.leave_out(EXPORT, position);
            }
        }
        let memories = self.memories.iter().zip(0..);
        let odd = memories.filter(|(ty, _)| ty.page_size_log2.is_some());
        self.kept
            .extend(odd.map(|(_, number)| Kept::Memory(number)));
    }

    fn table(
        &mut self,
        ty: TableType,
        import: Option<(&'a str, &'a str)>,
        section: u8,
        position: u32,
    ) {
        if ty.table64 {
            let number = self.tables.len() as u32;
            self.hidden.insert(number, Table { ty, import });
            self.leave_out(section, position);
        }
        self.tables.push(ty);
    }

    fn leave_out(&mut self, section: u8, position: u32) {
        self.without.entry(section).or_default().insert(position);
    }

    fn operator(&mut self, operator: &Operator<'_>) {
        if let Some(operation) = self.operation(operator) {
            let next = self.operations.len() as u32;
            self.operations.entry(operation).or_insert(next);
            if let Operation::Discard(memory) = operation {
                self.kept.insert(Kept::Memory(memory));
            }
        } else if let Operator::TableGrow { table } = operator {
            // To Binaryen a slot that is not there at first never is.
            self.kept.insert(Kept::Table(*table));
        }
    }

    /// What Binaryen would make of data segments. Gives whether it can have them.
    fn data(&mut self, module: &Module<'_>) -> Result<bool, ReadError> {
        let own = self.memories.len() - module.memories.len();
        // By their starts, without overlaps.
        let mut taken: BTreeMap<u128, u128> = BTreeMap::new();
        let mut empty: BTreeSet<u128> = BTreeSet::new();
        for segment in &module.data {
            let DataKind::Active {
                memory_index,
                offset_expr,
            } = &segment.kind
            else {
                continue;
            };
            let Some(ty) = self.memories.get(*memory_index as usize) else {
                return Ok(false);
            };
            let bytes = u128::from(ty.initial) << ty.page_size_log2.unwrap_or(16);
            let place = place(offset_expr, segment.data.len(), bytes)?;
            // The one is dropped, the other refused.
            let length = segment.data.len();
            let is_own = *memory_index as usize >= own;
            let is_too_long = is_own && self.memories.len() > 1 && length as u128 > bytes;
            if place.is_none() && (length == 0 || is_too_long) {
                return Ok(false);
            }
            let overlaps = |(start, end): (u128, u128)| {
                let before = taken.range(..end).next_back();
                let is_inside = match start == end {
                    true => empty.contains(&start),
                    false => empty.range(start + 1..end).next().is_some(),
                };
                is_inside || before.is_some_and(|(_, other)| start < *other)
            };
            if place.is_none_or(overlaps) && is_own {
                self.kept.insert(Kept::Memory(*memory_index));
                self.lends_memory |= self.memories.len() == 1;
            }
            match place {
                Some((start, end)) if start == end => drop(empty.insert(start)),
                place => taken.extend(place),
            }
        }
        if self.lends_memory {
            self.leave_out(MEMORY, 0);
        }
        Ok(true)
    }

    fn elements(&mut self, module: &Module<'_>) -> Result<bool, ReadError> {
        let used: BTreeSet<_> = self.operations.keys().filter_map(|o| o.segment()).collect();
        for (element, number) in module.elements.iter().zip(0..) {
            let (table, offset) = match &element.kind {
                ElementKind::Active {
                    table_index,
                    offset_expr,
                } => (Some(table_index.unwrap_or(0)), Some(offset_expr)),
                _ => (None, None),
            };
            if let (Some(table), Some(offset)) = (table, offset)
                && !self.hidden.contains_key(&table)
            {
                // Once it is in the table nothing is left of it.
                self.empty(element, number, &used);
                let initial = self.tables.get(table as usize).map_or(0, |ty| ty.initial);
                let count = items(element);
                if place(offset, count, u128::from(initial))?.is_none() {
                    self.kept.insert(Kept::Table(table));
                    if count == 0 {
                        return Ok(false);
                    }
                }
                continue;
            }
            self.leave_out(ELEMENT, number);
            self.rewrite = true;
            if matches!(element.kind, ElementKind::Declared)
                || table.is_none() && !used.contains(&number)
            {
                self.empty(element, number, &used);
                continue;
            }
            let offset = offset.map(constant).transpose()?.flatten();
            let items = constants(element)?;
            let (Some(ty), Some(items), true) =
                (ty(element), items, table.is_some() == offset.is_some())
            else {
                return Ok(false);
            };
            for item in items.iter().chain(&offset) {
                match item {
                    Constant::Function(function) => {
                        self.kept.insert(Kept::Function(*function));
                    }
                    Constant::Global(global) => {
                        self.kept.insert(Kept::Global(*global));
                    }
                    _ => {}
                }
            }
            let place = table.zip(offset);
            self.segments.insert(number, Segment { ty, place, items });
        }
        Ok(true)
    }
}

impl Baggage<'_> {
    /// In place of a segment of which nothing is left when code runs, where code refers to it.
    fn empty(&mut self, element: &Element<'_>, number: u32, used: &BTreeSet<u32>) {
        if let (true, Some(ty)) = (used.contains(&number), ty(element)) {
            let empty = Segment {
                ty,
                place: None,
                items: Vec::new(),
            };
            self.segments.insert(number, empty);
        }
    }
}

/// What no import or export of the module begins with.
fn marker(module: &Module<'_>) -> String {
    let mut marker = "carried:".to_owned();
    let imports = module.imports.iter().map(|import| import.module);
    let exports = module.exports.iter().map(|export| export.name);
    let names: Vec<_> = imports.chain(exports).collect();
    while names.iter().any(|name| name.starts_with(&marker)) {
        marker.push(':');
    }
    marker
}

/// The start and the end of a segment of `length`, where it is certain to be below `limit`.
fn place(
    offset: &ConstExpr<'_>,
    length: usize,
    limit: u128,
) -> Result<Option<(u128, u128)>, ReadError> {
    let start = match constant::lone(offset)? {
        Some(Operator::I32Const { value }) => u128::from(value as u32),
        Some(Operator::I64Const { value }) => u128::from(value as u64),
        _ => return Ok(None),
    };
    let end = start + length as u128;
    Ok((end <= limit).then_some((start, end)))
}

fn constant(expression: &ConstExpr<'_>) -> Result<Option<Constant>, ReadError> {
    Ok(match constant::lone(expression)? {
        Some(Operator::RefNull { hty }) => {
            let ty = wasmparser::RefType::new(true, hty);
            ty.and_then(|ty| RefType::try_from(ty).ok())
                .map(Constant::Null)
        }
        Some(Operator::I32Const { value }) => Some(Constant::I32(value)),
        Some(Operator::I64Const { value }) => Some(Constant::I64(value)),
        Some(Operator::GlobalGet { global_index }) => Some(Constant::Global(global_index)),
        Some(Operator::RefFunc { function_index }) => Some(Constant::Function(function_index)),
        _ => None,
    })
}

fn constants(element: &Element<'_>) -> Result<Option<Vec<Constant>>, ReadError> {
    match &element.items {
        ElementItems::Functions(functions) => {
            let functions = functions.clone().into_iter();
            let functions = functions.map(|function| function.map(Constant::Function));
            Ok(Some(functions.collect::<Result<_, _>>()?))
        }
        ElementItems::Expressions(_, items) => {
            let items = items.clone().into_iter();
            items.map(|item| constant(&item?)).collect()
        }
    }
}

fn ty(element: &Element<'_>) -> Option<RefType> {
    match &element.items {
        ElementItems::Functions(_) => Some(RefType::FUNCREF),
        ElementItems::Expressions(ty, _) => RefType::try_from(*ty).ok(),
    }
}

fn items(element: &Element<'_>) -> usize {
    match &element.items {
        ElementItems::Functions(items) => items.count() as usize,
        ElementItems::Expressions(_, items) => items.count() as usize,
    }
}
