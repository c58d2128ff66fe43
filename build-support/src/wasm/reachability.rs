//! Which functions nothing can call: dead code that link-time optimisation and the passes should
//! have removed (FR-06). Roots are the exports, the start function and whatever a table, a global
//! or a `ref.func` names; edges are direct calls.

use crate::wasm::call_graph::calls;
use crate::wasm::{Module, ReadError, constant};
use std::collections::BTreeSet;

/// The indices of the defined functions of a core module that no root reaches, in order.
///
/// # Errors
/// A [`ReadError`] where a body or an initial value cannot be read.
pub fn unreachable(module: &Module<'_>) -> Result<Vec<u32>, ReadError> {
    let mut next = module.entries()?;
    for element in &module.elements {
        next.extend(constant::in_element(element)?);
    }
    let mut reached = BTreeSet::new();
    while let Some(function) = next.pop() {
        if reached.insert(function)
            && let Some(body) = module.body(function)
        {
            next.extend(calls(body)?.functions);
        }
    }
    let defined = module.imported..module.imported + module.bodies.len() as u32;
    Ok(defined
        .filter(|function| !reached.contains(function))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::unreachable;
    use crate::wasm::Module;

    /// Protects the claim that nothing prunable is left: every way to be called counts, and only
    /// those.
    #[test]
    fn every_kind_of_root_and_edge() {
        let module = wat::parse_str(
            r#"(module
                (import "env" "f" (func))
                (table 2 funcref)
                (elem (i32.const 0) $in_table)
                (global funcref (ref.func $in_global))
                (start $start)
                (func $exported (export "e") (call $called))
                (func $called (drop (ref.func $referred)))
                (func $referred)
                (func $in_table)
                (func $in_global)
                (func $start)
                (func $dead (call $only_from_dead))
                (func $only_from_dead (call $dead))
                (elem declare func $referred))"#,
        )
        .unwrap();
        let module = Module::read(&module).unwrap();
        assert_eq!(unreachable(&module).unwrap(), [7, 8]);
    }
}
