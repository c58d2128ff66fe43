//! What a core module says about its memory before it runs: limits, data, globals, tables, and
//! where the stack is. Read from the bytes as they are; what the memory becomes when it runs is
//! `measure::memory`'s business.

mod parts;
pub mod spare;
mod stack;

pub use parts::{Global, Initial, Memory, Segment, Table, ZERO_RUN};
pub use stack::{FoundBy, Place, Stack};

use crate::wasm::{Module, ReadError, constant};
use serde::{Deserialize, Serialize};
use wasmparser::{
    ConstExpr, Data, DataKind, Element, ElementItems, ElementKind, MemoryType, Operator, TableType,
    TypeRef,
};

/// Log2 of a page's size where a memory does not say another.
const PAGE: u32 = 16;

/// The name of the global that says where the heap begins, where the linker left it.
const HEAP_BASE: &str = "__heap_base";

/// What a module says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Memories, imported ones first.
    pub memories: Vec<Memory>,
    /// Data segments in order.
    pub segments: Vec<Segment>,
    /// Tables, imported ones first.
    pub tables: Vec<Table>,
    /// Globals, imported ones first.
    pub globals: Vec<Global>,
    /// The stack in memory; none where no global looks like a stack pointer.
    pub stack: Option<Stack>,
    /// Where the data that is in segments ends, as an address; none without any. What the linker
    /// keeps free behind it for data that begins as zero is not in the file.
    pub data_end: Option<u64>,
    /// Where the heap begins, as an address; none where no global says so, which is the rule.
    pub heap_base: Option<u64>,
}

impl Layout {
    /// The contents of all data segments, in bytes.
    pub fn data_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }
}

/// Reads it of a core module.
///
/// # Errors
/// A [`ReadError`] where an initial value cannot be read.
pub fn read(module: &Module<'_>) -> Result<Layout, ReadError> {
    let mut layout = Layout::default();
    for import in &module.imports {
        imported(&mut layout, import.ty);
    }
    let own = module.memories.iter().map(|ty| memory(ty, false));
    layout.memories.extend(own);
    let own = module.tables.iter().map(|own| table(&own.ty, false));
    layout.tables.extend(own);
    for global in &module.globals {
        let initial = initial(&global.init_expr)?;
        push_global(&mut layout, global.ty, Some(initial));
    }
    let names = module.global_names(layout.globals.len());
    for (global, name) in layout.globals.iter_mut().zip(names) {
        global.name = name.map(str::to_owned);
    }
    for element in &module.elements {
        fill(&mut layout.tables, element);
    }
    let segments = module.data.iter().map(segment);
    layout.segments = segments.collect::<Result<_, _>>()?;
    let ends = layout.segments.iter().filter_map(|s| s.addresses.as_ref());
    layout.data_end = ends.map(|addresses| addresses.end).max();
    let named = |global: &&Global| global.name.as_deref() == Some(HEAP_BASE);
    let heap_base = layout.globals.iter().find(named);
    layout.heap_base = heap_base.and_then(|global| global.initial.as_ref()?.address());
    layout.stack = stack::find(&layout.memories, &layout.segments, &layout.globals);
    Ok(layout)
}

fn imported(layout: &mut Layout, ty: TypeRef) {
    match ty {
        TypeRef::Memory(ty) => layout.memories.push(memory(&ty, true)),
        TypeRef::Table(ty) => layout.tables.push(table(&ty, true)),
        TypeRef::Global(ty) => push_global(layout, ty, None),
        TypeRef::Func(_) | TypeRef::FuncExact(_) | TypeRef::Tag(_) => {}
    }
}

fn memory(ty: &MemoryType, imported: bool) -> Memory {
    Memory {
        imported,
        page_bytes: 1 << ty.page_size_log2.unwrap_or(PAGE),
        initial_pages: ty.initial,
        maximum_pages: ty.maximum,
    }
}

fn table(ty: &TableType, imported: bool) -> Table {
    Table {
        imported,
        initial: ty.initial,
        maximum: ty.maximum,
        filled: 0,
    }
}

fn push_global(layout: &mut Layout, ty: wasmparser::GlobalType, initial: Option<Initial>) {
    layout.globals.push(Global {
        index: layout.globals.len() as u32,
        name: None,
        ty: ty.content_type.to_string(),
        mutable: ty.mutable,
        initial,
    });
}

/// Counts what an element segment puts into a table.
fn fill(tables: &mut [Table], element: &Element<'_>) {
    let ElementKind::Active { table_index, .. } = element.kind else {
        return;
    };
    let count = match &element.items {
        ElementItems::Functions(items) => items.count(),
        ElementItems::Expressions(_, items) => items.count(),
    };
    if let Some(table) = tables.get_mut(table_index.unwrap_or(0) as usize) {
        table.filled += u64::from(count);
    }
}

fn segment(data: &Data<'_>) -> Result<Segment, ReadError> {
    let start = match &data.kind {
        DataKind::Active { offset_expr, .. } => initial(offset_expr)?.address(),
        DataKind::Passive => None,
    };
    let bytes = data.data.len() as u64;
    Ok(Segment {
        addresses: start.map(|start| start..start.saturating_add(bytes)),
        bytes,
        zeros: zeros(data.data),
    })
}

/// A constant expression's number, or its instructions.
fn initial(expression: &ConstExpr<'_>) -> Result<Initial, ReadError> {
    match constant::lone(expression)? {
        Some(Operator::I32Const { value }) => Ok(Initial::Number(i64::from(value as u32))),
        Some(Operator::I64Const { value }) => Ok(Initial::Number(value)),
        _ => {
            let mut text = Vec::new();
            for operator in expression.get_operators_reader() {
                match operator? {
                    Operator::End => {}
                    operator => text.push(format!("{operator:?}")),
                }
            }
            Ok(Initial::Expression(text.join(", ")))
        }
    }
}

/// How many bytes are in runs of [`ZERO_RUN`] zeros or more.
fn zeros(data: &[u8]) -> u64 {
    let runs = data.split(|byte| *byte != 0).map(<[u8]>::len);
    let long = runs.filter(|run| *run >= ZERO_RUN);
    long.sum::<usize>() as u64
}

#[cfg(test)]
mod tests {
    use super::{FoundBy, Initial, Layout, Memory, Place, Table, read};
    use crate::wasm::Module;

    fn layout(text: &str) -> Layout {
        let bytes = wat::parse_str(text).unwrap();
        read(&Module::read(&bytes).unwrap()).unwrap()
    }

    /// Every figure of a module made by hand.
    #[test]
    fn a_module_is_read_to_the_byte() {
        let layout = layout(
            r#"(module
                (import "env" "base" (global i32))
                (import "env" "shared" (memory 1))
                (memory 3 7)
                (table 5 9 funcref)
                (global $__stack_pointer (mut i32) (i32.const 4096))
                (global $__heap_base (export "heap") i32 (i32.const 9000))
                (global f32 (f32.const 1.5))
                (func $f)
                (elem (i32.const 1) $f $f)
                (elem declare func $f)
                (data (i32.const 4096) "\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\02\00\00")
                (data (memory 1) (i32.const 8000) "xyz")
                (data "passive"))"#,
        );
        let memory = |imported, initial_pages, maximum_pages| Memory {
            imported,
            page_bytes: 65_536,
            initial_pages,
            maximum_pages,
        };
        assert_eq!(
            layout.memories,
            [memory(true, 1, None), memory(false, 3, Some(7))]
        );
        assert_eq!(
            layout.tables,
            [Table {
                imported: false,
                initial: 5,
                maximum: Some(9),
                filled: 2
            }]
        );
        let segments: Vec<_> = layout.segments.iter().map(|s| (s.bytes, s.zeros)).collect();
        assert_eq!(segments, [(20, 16), (3, 0), (7, 0)]);
        assert_eq!(layout.segments[1].addresses, Some(8_000..8_003));
        assert_eq!(layout.segments[2].addresses, None);
        assert_eq!((layout.data_bytes(), layout.data_end), (30, Some(8_003)));
        let globals: Vec<_> = layout
            .globals
            .iter()
            .map(|g| (g.index, g.name.as_deref(), g.ty.as_str(), g.mutable))
            .collect();
        assert_eq!(
            globals,
            [
                (0, None, "i32", false),
                (1, Some("__stack_pointer"), "i32", true),
                (2, Some("__heap_base"), "i32", false),
                (3, None, "f32", false)
            ]
        );
        assert_eq!(layout.globals[0].initial, None);
        assert!(
            matches!(&layout.globals[3].initial, Some(Initial::Expression(text)) if text.contains("F32Const"))
        );
        assert_eq!(layout.heap_base, Some(9_000));
        let stack = layout.stack.unwrap();
        assert_eq!(
            (stack.found_by, stack.place, stack.bytes),
            (FoundBy::Name, Place::First, 4_096)
        );
    }

    #[test]
    fn a_module_without_memory_has_nothing() {
        assert_eq!(layout("(module)"), Layout::default());
    }

    /// Protects addresses above 2 GiB, which are negative as 32-bit numbers.
    #[test]
    fn addresses_have_no_sign() {
        let text = "(module (memory 65536) (data (i32.const 0xfffffff0) \"abc\"))";
        assert_eq!(layout(text).data_end, Some(0xffff_fff3));
    }
}
