//! How large the stack in linear memory is. No section says it. But the stack pointer begins at the
//! stack's end, and the linker (lld) makes it the first global it defines; where the stack is put
//! first (`--stack-first`, rustc's rule), it reaches from address 0 to there, so that the number in
//! the global is its size.

use super::parts::{Global, Memory, Segment};
use serde::{Deserialize, Serialize};

/// The linker's name of the global.
const POINTER: &str = "__stack_pointer";

/// The stack in linear memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// The index of the global that is its pointer.
    pub global: u32,
    /// How that was found.
    pub found_by: FoundBy,
    /// Where the stack begins to grow down, as an address.
    pub top: u64,
    /// Where it is.
    pub place: Place,
    /// Its size in bytes. Behind the data, that is at most: what begins as zero lies between.
    pub bytes: u64,
}

/// How the stack pointer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoundBy {
    /// By the linker's name.
    Name,
    /// In a file without names: it is the first global that changes and begins as an address.
    FirstMutable,
}

/// Where the stack is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// From address 0 on, before all data: running over it traps.
    First,
    /// Behind data: running over it overwrites that.
    BehindData,
}

/// The stack of a module with these parts.
pub fn find(memories: &[Memory], segments: &[Segment], globals: &[Global]) -> Option<Stack> {
    let has_pages = memories.first()?.initial_pages > 0;
    let (global, top, found_by) = pointer(globals).filter(|_| has_pages)?;
    let below = segments
        .iter()
        .filter_map(|segment| segment.addresses.as_ref())
        .filter(|addresses| addresses.start < top && !addresses.is_empty());
    let (place, bottom) = match below.map(|addresses| addresses.end).max() {
        None => (Place::First, 0),
        Some(end) => (Place::BehindData, end.min(top)),
    };
    Some(Stack {
        global,
        found_by,
        top,
        place,
        bytes: top - bottom,
    })
}

fn pointer(globals: &[Global]) -> Option<(u32, u64, FoundBy)> {
    let named = |global: &&Global| global.name.as_deref() == Some(POINTER);
    let mutable = |global: &&Global| global.mutable && global.initial.is_some();
    let named = globals.iter().find(named).map(|g| (g, FoundBy::Name));
    let first = globals.iter().find(mutable);
    let first = first.map(|g| (g, FoundBy::FirstMutable));
    named
        .into_iter()
        .chain(first)
        .find_map(|(global, found_by)| {
            let top = global.initial.as_ref()?.address()?;
            (global.mutable && top > 0).then_some((global.index, top, found_by))
        })
}

#[cfg(test)]
mod tests {
    use super::{FoundBy, Place};
    use crate::wasm::Module;
    use crate::wasm::layout::read;

    #[track_caller]
    fn check(body: &str, expected: Option<(u32, FoundBy, Place, u64)>) {
        let text = format!("(module (memory 2) {body})");
        let bytes = wat::parse_str(text).unwrap();
        let stack = read(&Module::read(&bytes).unwrap()).unwrap().stack;
        let found = stack.map(|s| (s.global, s.found_by, s.place, s.bytes));
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn the_pointer_is_found_and_says_the_size() {
        let named = "(global i32 (i32.const 8)) (global (mut i32) (i32.const 99))
            (global $__stack_pointer (mut i32) (i32.const 1024)) (data (i32.const 1024) \"a\")";
        check(named, Some((2, FoundBy::Name, Place::First, 1024)));
        let stripped = "(global i32 (i32.const 8)) (global (mut i32) (i32.const 1024))
            (global (mut i32) (i32.const 99))";
        check(
            stripped,
            Some((1, FoundBy::FirstMutable, Place::First, 1024)),
        );
        let behind = "(global (mut i32) (i32.const 5000)) (data (i32.const 1000) \"abcd\")
            (data (i32.const 6000) \"e\")";
        check(
            behind,
            Some((0, FoundBy::FirstMutable, Place::BehindData, 3996)),
        );
    }

    /// Protects against a stack that is made up.
    #[test]
    fn nothing_is_made_up() {
        check("", None);
        check("(global i32 (i32.const 1024))", None);
        check("(global (mut i32) (i32.const 0))", None);
        check("(global (mut f32) (f32.const 1))", None);
    }
}
