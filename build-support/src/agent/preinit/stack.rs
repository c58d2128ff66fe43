//! Where an agent's stack is. Between two calls nothing on it is in use, and what calls left behind
//! would otherwise be kept as if it were state.

use crate::wasm::layout::Layout;

/// The end of the stack, where the stack pointer stands when nothing runs: an address, and the
/// bytes below it are the stack. None where that is not certain: there must be one memory, one
/// changing number to be the stack pointer, and no data below it (the linker's layout with the
/// stack first).
pub fn end(modules: &[Layout]) -> Option<u32> {
    let mut with_memory = modules.iter().filter(|module| !module.memories.is_empty());
    let (Some(module), None) = (with_memory.next(), with_memory.next()) else {
        return None;
    };
    let mut changing = module.globals.iter().filter(|global| global.mutable);
    let (Some(pointer), None) = (changing.next(), changing.next()) else {
        return None;
    };
    let end = pointer.initial.as_ref()?.address()?;
    let is_address = module.memories.len() == 1 && pointer.ty == "i32";
    // Where a segment goes is not always known; then it may be below.
    let above =
        |place: Option<&std::ops::Range<u64>>| place.is_some_and(|place| place.start >= end);
    let data_above = module
        .segments
        .iter()
        .all(|segment| above(segment.addresses.as_ref()));
    u32::try_from(end).ok().filter(|_| is_address && data_above)
}

#[cfg(test)]
mod tests {
    use super::end;
    use crate::wasm::Module;
    use crate::wasm::layout;

    fn of(modules: &[&str]) -> Option<u32> {
        let modules: Vec<_> = modules
            .iter()
            .map(|wat| {
                let bytes = wat::parse_str(wat).unwrap();
                layout::read(&Module::read(&bytes).unwrap()).unwrap()
            })
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
        let passive = STACK_FIRST.replace("(data (i32.const 4096)", "(data");
        for module in [
            &data_below,
            &two_numbers,
            &passive,
            wide,
            "(module (memory 1))",
        ] {
            assert_eq!(of(&[module]), None, "{module}");
        }
        assert_eq!(of(&[STACK_FIRST, STACK_FIRST]), None);
        assert_eq!(of(&[STACK_FIRST, "(module (memory 1))"]), None);
        assert_eq!(of(&["(module)"]), None);
    }
}
