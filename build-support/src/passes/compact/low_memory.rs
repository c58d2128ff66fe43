//! Whether the addresses below 1,024 are used: Binaryen may fold a small constant into the offset
//! of an access where they are not (`--low-memory-unused`). It is only wrong where such an address
//! is reached by a sum that wraps.

use crate::wasm::layout::{self, FoundBy, Place};
use crate::wasm::{Module, ReadError};
use std::fmt;
use wasmparser::{DataKind, TypeRef};

/// The addresses below it are those in question (Binaryen, `PassOptions::LowMemoryBound`).
pub const BOUND: u64 = 1_024;

/// What the layout of a module says of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LowMemory {
    /// Nothing is there, and why.
    Unused(&'static str),
    /// Something may be, and why.
    Used(&'static str),
}

impl fmt::Display for LowMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unused(why) => write!(f, "low memory unused: {why}"),
            Self::Used(why) => write!(f, "low memory used: {why}"),
        }
    }
}

/// Says it of a module as the linker left it, whose stack is `spare` bytes larger than the program
/// needs.
///
/// # Errors
/// A [`ReadError`] where the layout cannot be read.
pub fn run(module: &Module<'_>, spare: u64) -> Result<LowMemory, ReadError> {
    let is_memory = |ty| matches!(ty, TypeRef::Memory(_));
    if module.imports.iter().any(|import| is_memory(import.ty)) {
        return Ok(LowMemory::Used("others share its memory"));
    }
    if module.memories.len() != 1 {
        return Ok(LowMemory::Used("it has not one memory"));
    }
    let is_passive = |kind: &DataKind<'_>| matches!(kind, DataKind::Passive);
    if module.data.iter().any(|segment| is_passive(&segment.kind)) {
        return Ok(LowMemory::Used("data is placed when it runs"));
    }
    let layout = layout::read(module)?;
    let above = |segment: &layout::Segment| {
        let addresses = segment.addresses.as_ref();
        addresses.is_some_and(|addresses| addresses.start >= BOUND)
    };
    if !layout.segments.iter().all(above) {
        return Ok(LowMemory::Used("data begins below 1,024"));
    }
    let Some(stack) = layout.stack else {
        return Ok(LowMemory::Used("it has no stack pointer"));
    };
    // A guess is no proof.
    if stack.found_by != FoundBy::Name {
        return Ok(LowMemory::Used("its stack pointer has no name"));
    }
    Ok(match stack.place {
        Place::BehindData => {
            LowMemory::Unused("data begins at 1,024 or above, and the stack is above it")
        }
        Place::First if spare >= BOUND && stack.bytes > BOUND => {
            LowMemory::Unused("the last 1,024 bytes of the stack are spare")
        }
        Place::First => LowMemory::Used("the stack reaches down to 0"),
    })
}

#[cfg(test)]
mod tests {
    use super::{LowMemory, run};
    use crate::wasm::Module;

    fn of(parts: &str, spare: u64) -> Result<&'static str, &'static str> {
        let bytes = wat::parse_str(format!("(module {parts})")).unwrap();
        match run(&Module::read(&bytes).unwrap(), spare).unwrap() {
            LowMemory::Unused(why) => Ok(why),
            LowMemory::Used(why) => Err(why),
        }
    }

    /// Protects programs from an assumption that does not hold: only the linker's own layout gives
    /// the right.
    #[test]
    fn the_layout_gives_the_right() {
        let stack = "(global $__stack_pointer (mut i32) (i32.const 66560))";
        let data = "(data (i32.const 1024) \"a\")";
        let memory = "(memory 2)";
        assert!(of(&format!("{memory} {stack} {data}"), 0).is_ok());
        for (parts, why) in [
            (
                format!("{memory} {stack} (data (i32.const 1023) \"a\")"),
                "data begins below 1,024",
            ),
            (
                format!("{memory} {stack} {data} (data \"p\")"),
                "data is placed when it runs",
            ),
            (
                format!("(import \"a\" \"b\" (memory 2)) {stack} {data}"),
                "others share its memory",
            ),
            (
                format!("{memory} {memory} {stack} {data}"),
                "it has not one memory",
            ),
            (
                format!("{stack} {data}").replace(data, ""),
                "it has not one memory",
            ),
            (format!("{memory} {data}"), "it has no stack pointer"),
            (
                format!("{memory} (global (mut i32) (i32.const 66560)) {data}"),
                "its stack pointer has no name",
            ),
            (format!("{memory} {stack}"), "the stack reaches down to 0"),
        ] {
            assert_eq!(of(&parts, 0), Err(why), "{parts}");
        }
        let first = format!("{memory} {stack} (data (i32.const 66560) \"a\")");
        assert_eq!(of(&first, 0), Err("the stack reaches down to 0"));
        assert!(of(&first, 1_024).is_ok() && of(&first, 1_023).is_err());
    }
}
