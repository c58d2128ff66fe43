//! What is used most gets the short numbers. Of types and globals there are seldom so many that it
//! counts: below 129 they stay where they are.

use crate::passes::compact::rewrite::Edit;
use crate::wasm::Module;
use wasmparser::{BlockType, ExternalKind, Operator, TypeRef};

/// What is below these has numbers of one byte, and of two.
pub const SHORT_NUMBERS: [u32; 2] = [128, 16_384];

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

/// Things by the length of the number that they are worth, each class in its old order. `uses` are
/// those of each, `first` is the number of the first.
pub fn classes(uses: &[u32], first: u32) -> Vec<Vec<u32>> {
    let mut by_use: Vec<u32> = (0..uses.len() as u32).collect();
    by_use.sort_by_key(|thing| std::cmp::Reverse(uses[*thing as usize]));
    let mut classes = Vec::new();
    let mut rest = by_use.as_slice();
    let mut taken = first;
    for end in SHORT_NUMBERS {
        let room = (end.saturating_sub(taken) as usize).min(rest.len());
        let (class, others) = rest.split_at(room);
        classes.push(class.to_vec());
        (rest, taken) = (others, taken.max(end));
    }
    classes.push(rest.to_vec());
    for class in &mut classes {
        class.sort_unstable();
    }
    classes.retain(|class| !class.is_empty());
    classes
}
