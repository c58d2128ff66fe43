//! Files that are damaged, cut off or made to hurt, given to every subcommand that reads one, as a
//! process: it ends with an answer or an error (0, 1 or 2), never with a panic, a signal or not at
//! all; it takes no more memory than 20 times its input besides what a whole file takes; and where
//! it fails it leaves nothing behind.
//!
//! It is a program of its own, because what this process has in memory counts for those it starts
//! (`child`).
//!
//! The corpus is fixed: the same cases in every run of the tests. As a fuzz target (`cargo make
//! fuzz`):
//!
//! - `MUTATIONS=N`: N cases instead of [`CASES`], and one valid mutant for 100 of them instead of
//!   [`VALID`], if that is more.
//! - `MUTATIONS_FROM=S`: from seed S on instead of 0.
//! - `MUTATIONS_SEED=S`: this one alone; its files are kept whatever comes of it.
#![cfg(feature = "tool")]

mod bombs;
mod case;
mod child;
mod corpus;
#[path = "../generated/mod.rs"]
#[allow(dead_code)] // What the other tests use of it.
mod generated;
mod text;
mod valid;
mod wasm;

use case::{Case, Expected, Outcome};
use corpus::Corpus;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

/// Cases of the fixed corpus.
const CASES: u64 = 1_500;

/// Mutants of it that are still valid, and how many others there may be before the next.
const VALID: u64 = 100;
const MOST_INVALID: u64 = 1_000;

/// The files to begin from, made once.
static CORPUS: LazyLock<Corpus> = LazyLock::new(Corpus::make);

/// Where so many are run, each is the next of many minutes: a line says how far it is.
const STRIDE: u64 = 5_000;

/// After so many failures it ends: they mostly have one cause.
const ENOUGH: usize = 10;

/// Runs each of `0..count` on all cores; says what came of them by subcommand and exit code.
fn all(what: &str, count: u64, run: impl Fn(u64) -> Result<Outcome, String> + Sync) {
    let next = AtomicU64::new(0);
    let ended = Mutex::new(BTreeMap::<&str, ([u64; 3], Duration)>::new());
    let failures = Mutex::new(Vec::new());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count || failures.lock().unwrap().len() >= ENOUGH {
                break;
            }
            if number > 0 && number.is_multiple_of(STRIDE) {
                let _ = writeln!(std::io::stderr(), "{what}: {number} of {count}");
            }
            match run(number) {
                Ok(outcome) => {
                    let mut ended = ended.lock().unwrap();
                    let (codes, processor) = ended.entry(outcome.label).or_default();
                    codes[outcome.code as usize] += 1;
                    *processor += outcome.processor;
                }
                Err(what) => failures.lock().unwrap().push(what),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let ended = ended.into_inner().unwrap();
    let table: Vec<_> = ended
        .iter()
        .map(|(command, ([well, over, failed], processor))| {
            let seconds = processor.as_secs_f64();
            format!("  {command}: {well} / {over} / {failed}, {seconds:.1} s of processor time")
        })
        .collect();
    // Not `eprintln`, which is heard only where a test fails: what was run is to be seen in every
    // log.
    let _ = writeln!(
        std::io::stderr(),
        "{what}: {count} cases; exit codes 0 / 1 / 2 by subcommand:\n{}",
        table.join("\n")
    );
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let codes = ended.values().flat_map(|(codes, _)| codes);
    assert_eq!(codes.sum::<u64>(), count);
    // What this process has counts for those it starts: more, and they would be judged by its
    // memory.
    let own = child::own_peak();
    assert!(own < case::FLOOR, "{own} bytes in this process");
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => panic!("{variable}={text} is no number"),
    }
}

/// Protects everybody who gives the tool a file that is not what it should be.
#[test]
fn damaged_files_end_in_an_answer_or_an_error() {
    let only = number("MUTATIONS_SEED");
    let first = only.or(number("MUTATIONS_FROM")).unwrap_or(0);
    let count = only.map_or(number("MUTATIONS").unwrap_or(CASES), |_| 1);
    all("mutations", count, |number| {
        Case::damaged(&CORPUS, first + number).check(Expected::Anything, only.is_some())
    });
}

/// Protects everybody whose file no compiler wrote: what is damaged and valid all the same is
/// optimised, the result is valid, and its exports are those it had.
#[test]
fn damaged_files_that_are_valid_keep_their_exports() {
    let only = number("MUTATIONS_SEED");
    let first = only.or(number("MUTATIONS_FROM")).unwrap_or(0);
    let wanted = only.map_or(
        number("MUTATIONS").unwrap_or(0).div_ceil(100).max(VALID),
        |_| 1,
    );
    let next = AtomicU64::new(first);
    all("valid mutants", wanted, |_| {
        // Few mutants are valid, and fewer than are wanted would be seen.
        for _ in 0..MOST_INVALID {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if let Some(mutant) = valid::mutant(&CORPUS, seed) {
                return valid::check(&mutant, seed);
            }
        }
        Err(format!("{MOST_INVALID} mutants in a row are not valid"))
    });
}

/// Protects the fixed points that random damage does not find: what is valid and made to cost
/// memory, time or stack.
#[test]
fn files_that_are_made_to_hurt_end_as_well() {
    let cases = bombs::cases(&CORPUS);
    all("bombs", cases.len() as u64, |number| {
        cases[number as usize].check(Expected::Anything, false)
    });
}

/// Protects the two tests above from running something that always fails for another reason:
/// undamaged, every subcommand does its work.
#[test]
fn undamaged_files_do_well() {
    let cases = Case::undamaged(&CORPUS);
    all("undamaged", cases.len() as u64, |number| {
        cases[number as usize].check(Expected::Success, false)
    });
}
