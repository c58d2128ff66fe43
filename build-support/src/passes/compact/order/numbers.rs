//! Types and globals by use. There are seldom so many that it counts: below 129 they stay where they
//! are.

use super::{SHORT_NUMBERS, classes};
use crate::passes::compact::rewrite::Edit;
use crate::wasm::Module;
use wasmparser::{BlockType, ExternalKind, Operator, TypeRef};

/// The order of the types that a module has and that an edit adds; empty where they stay.
pub fn of_types(module: &Module<'_>, edit: &Edit<'_, '_>) -> Vec<u32> {
    let count = module.types.len() + edit.types.len();
    if count <= SHORT_NUMBERS[0] as usize || !edit.may_order_types() {
        return Vec::new();
    }
    let of_functions = module.functions.iter().copied();
    let of_added = edit.added.iter().map(|(ty, _)| *ty);
    let operators = edit.bodies.iter().flat_map(|body| &body.operators);
    let named = operators.filter_map(|operator| match operator {
        Operator::CallIndirect { type_index, .. }
        | Operator::ReturnCallIndirect { type_index, .. } => Some(*type_index),
        Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
            match blockty {
                BlockType::FuncType(ty) => Some(*ty),
                _ => None,
            }
        }
        _ => None,
    });
    by_use(count, 0, of_functions.chain(of_added).chain(named))
}

/// The order of the globals that a module defines; empty where they stay, as they do where one is
/// made of another.
pub fn of_globals(module: &Module<'_>, edit: &Edit<'_, '_>) -> Vec<u32> {
    let imports = module.imports.iter();
    let imported = imports.filter(|import| matches!(import.ty, TypeRef::Global(_)));
    let imported = imported.count() as u32;
    let count = module.globals.len();
    let is_of_another = |global: &wasmparser::Global<'_>| {
        let mut operators = global.init_expr.get_operators_reader().into_iter();
        operators.any(|operator| {
            matches!(operator, Ok(Operator::GlobalGet { global_index }) if global_index >= imported)
        })
    };
    if imported as usize + count <= SHORT_NUMBERS[0] as usize
        || module.globals.iter().any(is_of_another)
    {
        return Vec::new();
    }
    let operators = edit.bodies.iter().flat_map(|body| &body.operators);
    let named = operators.filter_map(|operator| match operator {
        Operator::GlobalGet { global_index } | Operator::GlobalSet { global_index } => {
            Some(*global_index)
        }
        _ => None,
    });
    let exported = module.exports.iter();
    let exported = exported.filter(|export| export.kind == ExternalKind::Global);
    by_use(count, imported, named.chain(exported.map(|e| e.index)))
}

/// The order of `count` things whose numbers begin at `first`, by how often each is named.
fn by_use(count: usize, first: u32, named: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut uses = vec![0; count];
    for position in named.filter_map(|number| number.checked_sub(first)) {
        uses[position as usize] += 1;
    }
    classes(&uses, first).concat()
}

#[cfg(test)]
mod tests {
    use crate::passes::compact::order;
    use crate::wasm::artifact;

    /// A module with 140 types and 140 globals, of which the last are used a hundred times each; a
    /// global is made of another where that is asked for.
    fn module(is_of_another: bool) -> Vec<u8> {
        let params = |n: usize| {
            let types = (0..8).map(|bit| ["i32 ", "i64 "][n >> bit & 1]);
            types.collect::<String>()
        };
        let types: String = (0..140)
            .map(|n| format!("(type (func (param {})))", params(n)))
            .collect();
        let globals: String = (1..140)
            .map(|n| format!("(global i32 (i32.const {n}))"))
            .collect();
        let last = match is_of_another {
            true => "(global i32 (global.get 0))",
            false => "(global i32 (i32.const 139))",
        };
        let reads = "global.get 139 drop ".repeat(100);
        let arguments: String = (0..8)
            .map(|bit| ["i32.const 1 ", "i64.const 1 "][139 >> bit & 1])
            .collect();
        let calls = format!("{arguments} i32.const 0 call_indirect (type 139) ").repeat(100);
        wat::parse_str(format!(
            "(module {types} (import \"a\" \"b\" (func (type 3))) (table 1 funcref) {globals} {last}
               (export \"g\" (global 139))
               (func (export \"f\") {reads} {calls}))"
        ))
        .unwrap()
    }

    /// Protects the numbers: what is used most gets a short one, wherever it is named.
    #[test]
    fn types_and_globals_used_most_get_short_numbers() {
        let before = module(false);
        let made = order::by_use(&before).unwrap().bytes;
        artifact::validate(&made).unwrap();
        // A byte for each use of either, for the export, and for the type of the function, which
        // was the last.
        assert_eq!(before.len() - made.len(), 100 + 100 + 1 + 1);
        let text = wasmprinter::print_bytes(&made).unwrap();
        assert!(text.contains("i32.const 139)"), "{text}");
        assert_eq!(order::by_use(&made).unwrap().bytes, made);
    }

    /// Protects globals whose values are those of others: they must stand behind them.
    #[test]
    fn globals_that_are_made_of_others_stay() {
        let before = module(true);
        let made = order::by_use(&before).unwrap().bytes;
        artifact::validate(&made).unwrap();
        assert_eq!(before.len() - made.len(), 100 + 1);
    }
}
