//! Code that stands in several places becomes a function of its own, with the locals and constants
//! that differ for parameters. What leaves the function it stands in is never part of it.
//!
//! No inliner may run after it, and the native stack is deeper by a frame.

pub mod carry_out;
pub mod choice;
pub mod flow;
pub mod hot;
pub mod liveness;
pub mod piece;
pub mod places;
pub mod repeats;

pub use crate::passes::Outline;

use crate::error::Result;
use crate::passes::compact::order;
use crate::passes::compact::rewrite::{Edit, PASS};
use crate::passes::origin::{Origin, Rewritten};
use crate::wasm::{Module, ReadError};
use piece::Piece;
use places::Places;
use wasmparser::Operator;

/// How often what is left is gone through.
const ROUNDS: usize = 3;

/// Outlines, as long as that saves something, at most three times.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read or written.
pub fn run(module: &[u8], outline: Outline) -> Result<Rewritten> {
    let mut done = Rewritten::untouched(module.to_vec()).map_err(ReadError::output(PASS))?;
    let mut found = find(&done.bytes, outline)?;
    for _ in 0..ROUNDS {
        if found.pieces.is_empty() {
            break;
        }
        let next = write(&done.bytes, &found.places, &found.pieces)?;
        found = find_again(&next, outline)?;
        done = done.then(next);
    }
    Ok(done)
}

/// What is to become functions.
pub struct Found {
    /// The module's operators.
    pub places: Places,
    /// What was chosen.
    pub pieces: Vec<Piece>,
}

/// Finds it.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read.
pub fn find(module: &[u8], outline: Outline) -> Result<Found> {
    search(module, outline, None)
}

/// Finds what there is only since code was outlined last: a piece of what was is known already.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read.
pub fn find_again(last: &Rewritten, outline: Outline) -> Result<Found> {
    let origins = last.origins.iter();
    let outlined: Vec<bool> = origins
        .map(|origin| matches!(origin, Origin::Outlined(_)))
        .collect();
    search(&last.bytes, outline, Some(&outlined))
}

/// Finds pieces; where it is said which functions are new, those of them and of their calls.
fn search(module: &[u8], outline: Outline, new: Option<&[bool]>) -> Result<Found> {
    let module = Module::read(module).map_err(ReadError::output(PASS))?;
    let edit = Edit::new(&module).map_err(ReadError::output(PASS))?;
    let flows = flow::run(&module).map_err(ReadError::output(PASS))?;
    let places = Places::new(&edit.bodies, flows);
    let hot = match outline {
        Outline::Cold => hot::run(&module, &edit.bodies)?,
        _ => Vec::new(),
    };
    let may_begin = |start: u32| match outline {
        Outline::Off => false,
        Outline::All => true,
        Outline::OutsideLoops => places.all[start as usize].before.loops == 0,
        Outline::Cold => {
            places.all[start as usize].before.loops == 0 && !hot[places.function(start)]
        }
    };
    let calls = choice::Calls {
        displaced: i64::from(order::displaced(&module, &edit)?),
        types: edit.signatures(),
    };
    let fresh = new.map(|new| {
        let bodies = edit.bodies.iter().zip(new);
        repeats::Fresh::new(bodies.flat_map(|(body, is_new)| {
            let is_call = |operator: &Operator<'_>| match operator {
                Operator::Call { function_index } => {
                    let position = function_index.checked_sub(module.imported);
                    position.is_some_and(|position| new[position as usize])
                }
                _ => false,
            };
            let operators = body.operators.iter();
            // Behind each function stands one more place.
            operators
                .map(move |operator| *is_new || is_call(operator))
                .chain([false])
        }))
    });
    let candidates = repeats::run(&places, &calls, fresh.as_ref(), may_begin);
    let pieces = choice::run(candidates, &places, calls);
    Ok(Found { places, pieces })
}

/// Writes the module with some of the pieces that were found in it, those functions first that are
/// used most.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read or written.
pub fn write(module: &[u8], places: &Places, pieces: &[Piece]) -> Result<Rewritten> {
    let module = Module::read(module).map_err(ReadError::output(PASS))?;
    let mut edit = Edit::new(&module).map_err(ReadError::output(PASS))?;
    let defined = module.functions.iter().skip(module.imported as usize);
    let parameters = defined.map(|ty| module.function_type(*ty).map_or(0, |ty| ty.params().len()));
    let parameters: Vec<usize> = parameters.collect();
    carry_out::run(&mut edit, places, pieces, &parameters);
    order::sort_by_use(&module, &mut edit)?;
    edit.write()
}

#[cfg(test)]
mod tests {
    use super::{Origin, Outline, find, run};
    use crate::wasm::artifact;

    /// Three functions with the same code; `parts` stand before them.
    fn module(parts: &str, code: &str) -> Vec<u8> {
        let function = format!("(func (param i32 i32) (local v128 i64 funcref) {code})");
        wat::parse_str(format!("(module {parts} {})", function.repeat(3))).unwrap()
    }

    /// What stands before the functions and in them, and whether it is outlined.
    const PROPOSALS: &[(&str, &str, &str, bool)] = &[
        ("plain", "", "", true),
        (
            "simd",
            "(memory 1)",
            "local.get 0 i32x4.splat local.get 1 i32x4.splat i32x4.mul local.tee 2
                i8x16.popcnt local.set 2 local.get 0 local.get 2 v128.store",
            true,
        ),
        (
            "several memories",
            "(memory 1) (memory 1)",
            "local.get 0 i32.load 1 drop",
            true,
        ),
        (
            "64-bit memory",
            "(memory i64 1)",
            "local.get 0 i64.extend_i32_u i32.load drop",
            true,
        ),
        (
            "references",
            "(table 2 funcref)",
            "local.get 0 table.get local.tee 4 ref.is_null drop
                local.get 1 local.get 4 table.set",
            true,
        ),
        (
            "bulk memory",
            "(memory 1)",
            "local.get 0 i32.const 1 i32.const 2 memory.fill",
            true,
        ),
        (
            "atomics",
            "(memory 1)",
            "local.get 0 i32.const 1 i32.atomic.rmw.add drop",
            true,
        ),
        (
            "tail calls",
            "",
            "local.get 0 if local.get 0 local.get 1 return_call $log end",
            true,
        ),
        (
            "several values",
            "",
            "block (result i32 i32) i32.const 1 i32.const 2 end drop drop",
            true,
        ),
        (
            "exceptions",
            "(tag $t)",
            "block $l try_table (catch_all $l) end end",
            false,
        ),
        (
            "garbage collection",
            "(type $s (struct))",
            "struct.new $s drop",
            false,
        ),
    ];

    /// Protects modules of every proposal: what is followed is outlined, the rest is left alone.
    #[test]
    fn proposals_are_handled_or_left_alone() {
        let numbers =
            "local.get 0 i32.const 12345 i32.xor i32.const 777 i32.mul local.get 1 i32.rotl
            i32.const 5 i32.add local.set 0 local.get 0 i32.const 999 i32.and local.set 1
            local.get 0 local.get 1 call $log";
        let log = "(import \"env\" \"log\" (func $log (param i32 i32)))";
        let with = |code: &str| format!("{code} {numbers}");
        for (name, parts, code, outlined) in PROPOSALS {
            let before = module(&format!("{log} {parts}"), &with(code));
            let made = run(&before, Outline::All).unwrap();
            artifact::validate(&made.bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
            let new = made
                .origins
                .iter()
                .filter(|origin| matches!(origin, Origin::Outlined(_)));
            assert_eq!(new.count() > 0, *outlined, "{name}");
            assert_eq!(made.bytes.len() < before.len(), *outlined, "{name}");
            if !*outlined {
                assert_eq!(made.bytes, before, "{name}");
            }
        }
    }

    /// Protects the speed of what runs often: where code may become a function is asked for.
    #[test]
    fn loops_are_spared() {
        let code = "local.get 0 i32.const 12345 i32.xor i32.const 777 i32.mul local.get 1 i32.rotl
            i32.const 5 i32.add local.set 0";
        let in_loops = module("", &format!("loop {code} local.get 0 br_if 0 return end"));
        let called = wat::parse_str(format!(
            "(module (func $a (param i32 i32) {code}) (func $b (param i32 i32) {code})
               (func $c (param i32 i32) {code})
               (func loop i32.const 1 i32.const 2 call $a i32.const 1 i32.const 2 call $b br 0 end))"
        ))
        .unwrap();
        let pieces = |module: &[u8], outline| find(module, outline).unwrap().pieces.len();
        let all = [
            Outline::Off,
            Outline::Cold,
            Outline::OutsideLoops,
            Outline::All,
        ];
        assert_eq!(all.map(|outline| pieces(&in_loops, outline)), [0, 0, 0, 1]);
        assert_eq!(all.map(|outline| pieces(&called, outline)), [0, 0, 1, 1]);
    }
}
