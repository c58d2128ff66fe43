//! Where an agent's stack is. Between two calls nothing on it is in use, and what calls left behind would otherwise be
//! kept as if it were state.

use wasmparser::{ConstExpr, DataKind, Operator, Parser, Payload, ValType};

/// The end of the stack, where the stack pointer stands when nothing runs: an address, and the bytes below it are the
/// stack. None where that is not certain: there must be one memory, one changing number to be the stack pointer, and
/// no data below it (the linker's layout with the stack first).
pub fn end(modules: &[Vec<u8>]) -> Option<u32> {
    let mut ends = modules.iter().filter_map(|module| of(module).transpose());
    match (ends.next(), ends.next()) {
        (Some(Ok(end)), None) => Some(end),
        _ => None,
    }
}

/// A module without memory has no say: `Ok(None)`. `Err` where it has one, and where the stack is cannot be told.
fn of(module: &[u8]) -> Result<Option<u32>, ()> {
    let mut memories = 0;
    let mut pointers = Vec::new();
    let mut lowest_data = u32::MAX;
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(|_| ())? {
            Payload::MemorySection(section) => memories = section.count(),
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global.map_err(|_| ())?;
                    if global.ty.mutable {
                        let is_address = global.ty.content_type == ValType::I32;
                        pointers.push(constant(&global.init_expr).filter(|_| is_address));
                    }
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    if let DataKind::Active { offset_expr, .. } = data.map_err(|_| ())?.kind {
                        lowest_data = lowest_data.min(constant(&offset_expr).ok_or(())?);
                    }
                }
            }
            _ => {}
        }
    }
    match (memories, pointers.as_slice()) {
        (0, _) => Ok(None),
        (1, [Some(end)]) if *end <= lowest_data => Ok(Some(*end)),
        _ => Err(()),
    }
}

fn constant(expression: &ConstExpr<'_>) -> Option<u32> {
    match expression.get_operators_reader().read().ok()? {
        Operator::I32Const { value } => Some(value.cast_unsigned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::end;

    fn of(modules: &[&str]) -> Option<u32> {
        let modules: Vec<_> = modules
            .iter()
            .map(|wat| wat::parse_str(wat).unwrap())
            .collect();
        end(&modules)
    }

    const STACK_FIRST: &str =
        r#"(module (memory 1) (global (mut i32) (i32.const 4096)) (data (i32.const 4096) "x"))"#;

    #[test]
    fn the_stack_is_below_all_data() {
        assert_eq!(of(&[STACK_FIRST]), Some(4096));
        assert_eq!(of(&["(module)", STACK_FIRST]), Some(4096));
    }

    /// Protects state that is not the stack from being taken for it.
    #[test]
    fn what_is_uncertain_is_no_stack() {
        let data_below = STACK_FIRST.replace("(data (i32.const 4096)", "(data (i32.const 4095)");
        let two_numbers =
            STACK_FIRST.replace("(memory 1)", "(memory 1) (global (mut i32) (i32.const 8))");
        let wide = "(module (memory 1) (global (mut i64) (i64.const 4096)))";
        for module in [&data_below, &two_numbers, wide, "(module (memory 1))"] {
            assert_eq!(of(&[module]), None, "{module}");
        }
        assert_eq!(of(&[STACK_FIRST, STACK_FIRST]), None);
        assert_eq!(of(&[STACK_FIRST, "(module (memory 1))"]), None);
        assert_eq!(of(&["(module)"]), None);
    }
}
