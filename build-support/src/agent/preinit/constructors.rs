//! Whether a module still has something to do when it is started. In a snapshot it has been done.

use crate::wasm::{Module, ReadError};
use wasmparser::{ExternalKind, Operator};

/// What a WASI reactor is started with: it runs the constructors.
pub const INITIALIZE: &str = "_initialize";

/// Whether the [`INITIALIZE`] of any module does anything at all. One that cannot be read counts.
pub fn any<'a>(mut modules: impl Iterator<Item = &'a [u8]>) -> bool {
    modules.any(|module| !is_idle(module).unwrap_or(false))
}

/// Whether the module exports no such function, or an empty one.
fn is_idle(module: &[u8]) -> Result<bool, ReadError> {
    let module = Module::read(module)?;
    let mut exports = module.exports.iter();
    let export =
        exports.find(|export| export.name == INITIALIZE && export.kind == ExternalKind::Func);
    let Some(export) = export else {
        return Ok(true);
    };
    match module.body(export.index) {
        Some(body) => Ok(matches!(
            body.get_operators_reader()?.read()?,
            Operator::End
        )),
        // An import handed on.
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::any;

    fn has_constructors(wat: &str) -> bool {
        any([&wat::parse_str(wat).unwrap()[..]].into_iter())
    }

    #[test]
    fn only_an_empty_start_is_none() {
        assert!(!has_constructors(
            r#"(module (import "a" "b" (func)) (func (export "x") unreachable) (func (export "_initialize")))"#
        ));
        assert!(!has_constructors("(module (func unreachable))"));
        assert!(has_constructors(
            r#"(module (func) (func (export "_initialize") call 0))"#
        ));
        assert!(has_constructors(
            r#"(module (import "a" "b" (func)) (export "_initialize" (func 0)))"#
        ));
        assert!(any([&b"no module"[..]].into_iter()));
    }
}
