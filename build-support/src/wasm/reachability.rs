//! Which functions nothing can call: dead code that link-time optimisation and the passes should have
//! removed (FR-06). Roots are the exports, the start function and whatever a table, a global or a
//! `ref.func` names; edges are direct calls.

use crate::wasm::artifact::Fault;
use std::collections::BTreeSet;
use wasmparser::{ConstExpr, ElementItems, ExternalKind, Operator, Parser, Payload, TypeRef};

/// The indices of the defined functions of a valid core module that no root reaches, in order.
///
/// # Errors
/// A [`Fault`] where a section cannot be read.
pub fn unreachable(module: &[u8]) -> Result<Vec<u32>, Fault> {
    let mut imported = 0_u32;
    let mut roots = BTreeSet::new();
    let mut calls: Vec<Vec<u32>> = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let function = matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                    imported += u32::from(function);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.kind == ExternalKind::Func {
                        roots.insert(export.index);
                    }
                }
            }
            Payload::StartSection { func, .. } => {
                roots.insert(func);
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    named(&global?.init_expr, &mut roots)?;
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    if let wasmparser::TableInit::Expr(expression) = table?.init {
                        named(&expression, &mut roots)?;
                    }
                }
            }
            Payload::ElementSection(section) => {
                for element in section {
                    match element?.items {
                        ElementItems::Functions(functions) => {
                            for function in functions {
                                roots.insert(function?);
                            }
                        }
                        ElementItems::Expressions(_, expressions) => {
                            for expression in expressions {
                                named(&expression?, &mut roots)?;
                            }
                        }
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                let mut called = Vec::new();
                for operator in body.get_operators_reader()? {
                    match operator? {
                        Operator::Call { function_index }
                        | Operator::ReturnCall { function_index }
                        | Operator::RefFunc { function_index } => called.push(function_index),
                        _ => {}
                    }
                }
                calls.push(called);
            }
            _ => {}
        }
    }
    let mut reached = BTreeSet::new();
    let mut next: Vec<u32> = roots.into_iter().collect();
    while let Some(function) = next.pop() {
        if reached.insert(function) {
            let body = function
                .checked_sub(imported)
                .and_then(|i| calls.get(i as usize));
            next.extend(body.into_iter().flatten());
        }
    }
    let defined = imported..imported + calls.len() as u32;
    Ok(defined
        .filter(|function| !reached.contains(function))
        .collect())
}

/// Adds the functions a constant expression names.
fn named(expression: &ConstExpr<'_>, functions: &mut BTreeSet<u32>) -> Result<(), Fault> {
    for operator in expression.get_operators_reader() {
        if let Operator::RefFunc { function_index } = operator? {
            functions.insert(function_index);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::unreachable;

    /// Protects the claim that nothing prunable is left: every way to be called counts, and only those.
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
        assert_eq!(unreachable(&module).unwrap(), [7, 8]);
    }
}
