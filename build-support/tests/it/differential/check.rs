//! A linked program and what the passes make of it: do they behave the same?

use super::campaign::{self, Tally};
use super::compare;
use super::runner::{self, End};
use super::variants::{self, Wanted};
use wasmtime::{Engine, Trap};

/// What to make of the program of `seed`: wasm-opt takes longest, so that only some go there. One
/// that is looked at alone goes everywhere.
pub fn wanted(seed: u64) -> Wanted {
    let alone = campaign::only().is_some();
    Wanted {
        unswept: alone || seed % 4 == 1,
        whole: alone || seed % 4 == 2,
        compact: seed % 8 == 2,
    }
}

/// Runs `linked` and everything the passes make of it.
///
/// # Errors
/// The first difference, with the place of the files.
pub fn run(
    engine: &Engine,
    kind: &str,
    seed: u64,
    linked: &[u8],
    wanted: Wanted,
) -> Result<Tally, String> {
    let mut files: Vec<(String, Vec<u8>)> = vec![("linked".to_owned(), linked.to_vec())];
    let outcome = compare_all(engine, seed, linked, wanted, &mut files);
    if outcome.is_err() || campaign::only().is_some() {
        let named: Vec<(String, &[u8])> = files
            .iter()
            .map(|(name, bytes)| (format!("{name}.wasm"), &**bytes))
            .collect();
        let named: Vec<(&str, &[u8])> = named.iter().map(|(n, b)| (&**n, *b)).collect();
        let place = campaign::keep(kind, seed, &named);
        return outcome.map_err(|what| format!("{what}\n  {place}"));
    }
    outcome
}

fn compare_all(
    engine: &Engine,
    seed: u64,
    linked: &[u8],
    wanted: Wanted,
    files: &mut Vec<(String, Vec<u8>)>,
) -> Result<Tally, String> {
    let program = runner::compile(engine, linked)?;
    let calls = runner::workload(&program, seed);
    let before = runner::run(&program, &calls)?;
    // How far such a program gets depends on how much the passes have left of it.
    let endless = |end: &End| matches!(end, End::Trapped(Trap::OutOfFuel | Trap::StackOverflow));
    if before.calls.iter().any(|seen| endless(&seen.end)) {
        return Ok(Tally {
            programs: 1,
            endless: 1,
            ..Tally::default()
        });
    }
    let variants = variants::of(linked, wanted)?;
    let mut tally = Tally::of(&before, variants.files.len());
    tally.dead = variants.dead;
    if let Some(refusal) = variants.refusal {
        if campaign::only().is_some() {
            eprintln!("{refusal}");
        }
        tally.refused = 1;
    }
    for variant in variants.files {
        let after = runner::compile(engine, &variant.bytes)
            .and_then(|program| runner::run(&program, &calls));
        files.push((variant.name.to_owned(), variant.bytes));
        compare::run(&calls, &before, &after?, variant.traps)
            .map_err(|what| format!("{}: {what}", variant.name))?;
    }
    Ok(tally)
}
