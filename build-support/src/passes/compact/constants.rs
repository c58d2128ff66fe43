//! Constants that are long and written often become immutable globals, each of which is two bytes
//! wherever it is used.

use crate::error::Result;
use crate::passes::compact::code;
use crate::passes::compact::rewrite::{Edit, PASS};
use crate::passes::origin::Rewritten;
use crate::wasm::{Module, ReadError};
use std::collections::HashMap;
use wasm_encoder::ConstExpr;
use wasmparser::{Operator, TypeRef, ValType};

/// Bytes of a constant from which on it is looked at.
const SHORTEST: u64 = 3;
/// What must be saved by a global.
const WORTH: u64 = 3;
/// A global: its type, whether it changes, the end of its value.
const FRAME: u64 = 3;
/// `global.get` and a number of one byte.
const USE: u64 = 2;
/// The globals whose numbers have one byte.
const SHORT_NUMBERS: usize = 128;

/// Makes globals of constants where that saves bytes.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read or written.
pub fn run(module: &[u8]) -> Result<Rewritten> {
    let module = Module::read(module).map_err(ReadError::output(PASS))?;
    let mut edit = Edit::new(&module).map_err(ReadError::output(PASS))?;
    let imported = module.imports.iter();
    let imported = imported.filter(|import| matches!(import.ty, TypeRef::Global(_)));
    let first = imported.count() + module.globals.len();
    let taken = worth(&edit, SHORT_NUMBERS.saturating_sub(first));
    let mut numbers = HashMap::new();
    for (bytes, ty) in taken {
        edit.globals.push((ty, ConstExpr::raw(bytes.clone())));
        numbers.insert(bytes, (first + numbers.len()) as u32);
    }
    for operator in edit.bodies.iter_mut().flat_map(|body| &mut body.operators) {
        if let Some((bytes, _)) = constant(operator)
            && let Some(global_index) = numbers.get(&bytes).copied()
        {
            *operator = Operator::GlobalGet { global_index };
        }
    }
    edit.write()
}

/// The constants that save something, the best first, at most `room` of them.
fn worth(edit: &Edit<'_, '_>, room: usize) -> Vec<(Vec<u8>, ValType)> {
    let mut uses = HashMap::<Vec<u8>, (ValType, u64)>::new();
    for operator in edit.bodies.iter().flat_map(|body| &body.operators) {
        if let Some((bytes, ty)) = constant(operator) {
            uses.entry(bytes).or_insert((ty, 0)).1 += 1;
        }
    }
    let saved = |bytes: &[u8], uses: u64| {
        let bytes = bytes.len() as u64;
        (uses * (bytes - USE)).saturating_sub(FRAME + bytes)
    };
    let mut worth: Vec<_> = uses
        .into_iter()
        .map(|(bytes, (ty, uses))| (saved(&bytes, uses), bytes, ty))
        .filter(|(saved, ..)| *saved >= WORTH)
        .collect();
    worth.sort_by(|a, b| (b.0, &a.1).cmp(&(a.0, &b.1)));
    worth.truncate(room);
    worth
        .into_iter()
        .map(|(_, bytes, ty)| (bytes, ty))
        .collect()
}

/// A constant that is not short, as it is written, and its type.
fn constant(operator: &Operator<'_>) -> Option<(Vec<u8>, ValType)> {
    let ty = match operator {
        Operator::I32Const { .. } => ValType::I32,
        Operator::I64Const { .. } => ValType::I64,
        Operator::F32Const { .. } => ValType::F32,
        Operator::F64Const { .. } => ValType::F64,
        Operator::V128Const { .. } => ValType::V128,
        _ => return None,
    };
    let mut bytes = Vec::new();
    code::encode(operator, &mut bytes);
    (bytes.len() as u64 >= SHORTEST).then_some((bytes, ty))
}

#[cfg(test)]
mod tests {
    use crate::wasm::artifact;

    fn run(text: &str) -> (usize, String) {
        let before = wat::parse_str(text).unwrap();
        let after = super::run(&before).unwrap().bytes;
        artifact::validate(&after).unwrap();
        let text = wasmprinter::print_bytes(&after).unwrap();
        (before.len() - after.len(), text)
    }

    /// Protects the sum: a constant that is long and common is written once, and no other.
    #[test]
    fn long_and_common_ones_become_globals() {
        let long = "i64.const 0x123456789 drop ".repeat(4);
        let rare = "i64.const 0x987654321 drop i32.const 5 drop ";
        let (saved, text) = run(&format!(
            "(module (func {long} {rare}) (func (export \"f\")))"
        ));
        // Four times six bytes of seven become two, the value and its frame of three are added,
        // and the section.
        assert_eq!(saved, 4 * 4 - 6 - 3 - 3);
        assert!(
            text.contains("(global (;0;) i64 i64.const 4886718345)"),
            "{text}"
        );
        assert_eq!(text.matches("global.get 0").count(), 4);
        assert!(text.contains("i64.const 40926266145") && text.contains("i32.const 5"));
    }

    /// Protects modules with globals of their own, imported ones first.
    #[test]
    fn new_globals_stand_behind_those_there_are() {
        let long = "f64.const 0.1 drop ".repeat(3);
        let (_, text) = run(&format!(
            "(module (import \"a\" \"b\" (global i32)) (global (mut i32) (i32.const 7))
               (func global.get 0 global.set 1 {long}))"
        ));
        assert_eq!(text.matches("global.get 2").count(), 3, "{text}");
        assert!(text.contains("global.set 1"));
    }
}
