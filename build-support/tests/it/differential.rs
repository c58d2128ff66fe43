//! Generated programs, run before and after the passes: same results, same effects, same traps.
//!
//! Four generators: wasm-smith's modules for the passes that need no relocations; relocatable
//! objects, which the linker makes into files with relocations, for corners that compilers rarely
//! visit; Rust programs; and modules that repeat themselves, for compaction. What is compared, and
//! what a pass may change, says `compare`; how to run more, or one again, `campaign`.

mod campaign;
mod check;
mod compacted;
mod compare;
mod kept;
mod objects;
mod refusals;
mod repetitive;
mod runner;
mod rust;
mod rust_expression;
mod rust_feature;
mod rust_program;
mod smith;
mod variants;
mod wrong;

use crate::generated::object_link;
use campaign::Tally;
use wrong::Mistake;

/// Programs of each generator that once behaved differently. They run always, whatever the seeds.
const REGRESSIONS_SMITH: &[u64] = &[];
const REGRESSIONS_OBJECTS: &[u64] = &[];
const REGRESSIONS_RUST: &[u64] = &[];

/// Protects the passes that need no relocations.
#[test]
fn smith() {
    let engine = runner::engine();
    let run = |seed| self::smith::run(&engine, seed);
    let tally = campaign::run("smith", 500, REGRESSIONS_SMITH, run);
    says_something(&tally, 4);
    if campaign::only().is_none() {
        assert!(tally.carried * 4 > tally.programs, "{tally}");
    }
}

/// Protects the passes that go by the linker's relocations, in corners where compilers rarely lead.
#[test]
fn objects() {
    let engine = runner::engine();
    let linker = object_link::linker();
    let run = |seed| self::objects::run(&engine, &linker, seed);
    let tally = campaign::run("objects", 1_700, REGRESSIONS_OBJECTS, run);
    says_something(&tally, 2);
    sweeps_something(&tally);
}

/// Protects what compilers write: traits, statics, matches, strings, and panics of every kind.
#[test]
fn rust() {
    let engine = runner::engine();
    let compiler = self::rust::Compiler::find();
    let run = |seed| self::rust::run(&engine, &compiler, seed);
    let tally = campaign::run("rust", 400, REGRESSIONS_RUST, run);
    says_something(&tally, 2);
    sweeps_something(&tally);
}

/// Protects all of the above from seeing nothing: what a wrong sweep would do, done on purpose to
/// what the calls need, is seen, of every kind. A call may get by another function that does alike,
/// or stop before.
#[test]
fn mistakes_are_seen() {
    let engine = runner::engine();
    let linker = object_link::linker();
    let mut missed = Vec::new();
    for mistake in Mistake::ALL {
        let (mut done, mut noticed) = (0, 0);
        for seed in 0..40 {
            let linked = object_link::link(&linker, seed).unwrap();
            let (more, seen) = wrong::seen(&engine, &linked, seed, mistake).unwrap();
            (done, noticed) = (done + more, noticed + seen);
        }
        let line = format!("{mistake:?}: {noticed} of {done} seen");
        eprintln!("{line}");
        if noticed * 10 < done * 9 || noticed < 10 {
            missed.push(line);
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

/// A campaign whose calls all trap, or whose programs are all refused, would agree with anything:
/// at least one call in `part` must return, four programs of five must be taken, and almost all
/// must end.
fn says_something(tally: &Tally, part: u64) {
    if campaign::only().is_none() {
        assert!(tally.returned * part >= tally.calls, "{tally}");
        assert!(tally.refused * 5 <= tally.programs, "{tally}");
        assert!(tally.endless * 50 <= tally.programs, "{tally}");
    }
}

/// And a sweep that finds nothing dead could not be wrong.
fn sweeps_something(tally: &Tally) {
    if campaign::only().is_none() {
        assert!(tally.panicked * 10 >= tally.calls, "{tally}");
        assert!(
            tally.dead.iter().all(|dead| *dead > tally.programs / 4),
            "{tally}"
        );
    }
}
