//! Whether a module still has something to do when it is started. In a snapshot it has been done.

use wasmparser::{ExternalKind, Operator, Parser, Payload, TypeRef};

/// What a WASI reactor is started with: it runs the constructors.
pub const INITIALIZE: &str = "_initialize";

/// Whether the [`INITIALIZE`] of any module does anything at all. One that cannot be read counts.
pub fn any(modules: &[Vec<u8>]) -> bool {
    modules.iter().any(|module| !idle(module).unwrap_or(false))
}

/// Whether the module exports no such function, or an empty one.
fn idle(module: &[u8]) -> wasmparser::Result<bool> {
    let mut imported = 0;
    let mut initialize = None;
    let mut body = 0;
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.name == INITIALIZE && export.kind == ExternalKind::Func {
                        initialize = Some(export.index);
                    }
                }
            }
            Payload::CodeSectionEntry(code) => {
                if initialize == Some(imported + body) {
                    let first = code.get_operators_reader()?.read()?;
                    return Ok(matches!(first, Operator::End));
                }
                body += 1;
            }
            _ => {}
        }
    }
    // Not exported, or an import handed on.
    Ok(initialize.is_none())
}

#[cfg(test)]
mod tests {
    use super::any;

    fn of(wat: &str) -> bool {
        any(&[wat::parse_str(wat).unwrap()])
    }

    #[test]
    fn only_an_empty_start_is_none() {
        assert!(!of(
            r#"(module (import "a" "b" (func)) (func (export "x") unreachable) (func (export "_initialize")))"#
        ));
        assert!(!of("(module (func unreachable))"));
        assert!(of(
            r#"(module (func) (func (export "_initialize") call 0))"#
        ));
        assert!(of(
            r#"(module (import "a" "b" (func)) (export "_initialize" (func 0)))"#
        ));
        assert!(any(&[b"no module".to_vec()]));
    }
}
