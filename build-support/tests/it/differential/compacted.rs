//! What `compact` makes of generated programs, step by step and all together.

use super::campaign::{self, Tally};
use super::compare::{self, Traps};
use super::runner::{self, Call, End, Run};
use super::{repetitive, smith};
use crate::generated::random::Random;
use build_support::passes::compact::outline::piece::{self, Piece};
use build_support::passes::compact::outline::places::{Kind, Places};
use build_support::passes::compact::outline::{self, Found, Outline};
use build_support::passes::compact::{constants, locals, order};
use build_support::passes::{Compact, Job, LowMemory, pipeline};
use build_support::wasm::artifact::Artifact;
use std::path::Path;
use wasmtime::{Engine, Trap};

/// Programs that once behaved differently.
const REGRESSIONS: &[u64] = &[];
const REGRESSIONS_SMITH: &[u64] = &[];

/// Protects what a program does from every step of the compaction, by itself and after the others.
#[test]
fn compacted() {
    let engine = runner::engine();
    let repetitive = |seed| {
        let mut random = Random::new(seed);
        let module = repetitive::generate(&mut random);
        run(&engine, seed, &module, &mut random)
    };
    let tally = campaign::run("compacted", 2_000, REGRESSIONS, repetitive);
    if campaign::only().is_none() {
        assert!(tally.returned * 2 >= tally.calls, "{tally}");
        assert!(tally.endless * 10 <= tally.programs, "{tally}");
        // More programs than not have pieces that became functions.
        assert!(tally.dead[0] > tally.programs, "{tally}");
    }
}

/// Protects the same for every operator that engines know: what is not followed is left alone.
#[test]
fn compacted_smith() {
    let engine = runner::engine();
    let smith = |seed| {
        let mut random = Random::new(seed);
        let module = smith::module(&engine, &mut random)?;
        run(&engine, seed, &module, &mut random)
    };
    let tally = campaign::run("compacted_smith", 1_000, REGRESSIONS_SMITH, smith);
    if campaign::only().is_none() {
        assert!(tally.returned * 4 >= tally.calls, "{tally}");
        assert!(tally.endless * 10 <= tally.programs, "{tally}");
        // What is random seldom repeats itself.
        assert!(tally.dead[0] * 10 > tally.programs, "{tally}");
    }
}

fn run(engine: &Engine, seed: u64, module: &[u8], random: &mut Random) -> Result<Tally, String> {
    let program = runner::compile(engine, module)?;
    let calls = runner::workload(&program, seed);
    let before = runner::run(&program, &calls)?;
    // A helper takes an instruction and a frame of its own: where such a call ends, it may not.
    let endless = |end: &End| matches!(end, End::Trapped(Trap::OutOfFuel | Trap::StackOverflow));
    if before.calls.iter().any(|seen| endless(&seen.end)) {
        return Ok(Tally {
            endless: 1,
            ..Tally::of(&before, 0)
        });
    }
    let mut tally = Tally::of(&before, 0);
    for (name, made) in variants(module, random)? {
        tally.variants += 1;
        // The optimiser takes one kind of trap for as good as another.
        let traps = match name.as_str() {
            "the whole road" => Traps::AnyKind,
            _ => Traps::SameKind,
        };
        same(engine, &calls, &before, &made, traps).map_err(|what| {
            let files = [("before.wasm", module), ("after.wasm", &made)];
            let kept = campaign::keep("compacted", seed, &files);
            format!("{name}: {what}\n  {kept}")
        })?;
    }
    let found = outline::find(module, Outline::All).map_err(|e| e.to_string())?;
    tally.dead[0] = found.pieces.len() as u64;
    Ok(tally)
}

fn same(
    engine: &Engine,
    calls: &[Call],
    before: &Run,
    made: &[u8],
    traps: Traps,
) -> Result<(), String> {
    // The engine validates it, with the proposals that the generator has.
    let program = runner::compile(engine, made)?;
    let after = runner::run(&program, calls)?;
    compare::run(calls, before, &after, traps)
}

/// One step, and everything in a row.
fn variants(module: &[u8], random: &mut Random) -> Result<Vec<(String, Vec<u8>)>, String> {
    type Step = fn(&[u8]) -> build_support::Result<Vec<u8>>;
    let steps: &[(&str, Step)] = &[
        ("constants", |module| Ok(constants::run(module)?.bytes)),
        ("locals", |module| Ok(locals::run(module)?.bytes)),
        ("by use", |module| Ok(order::by_use(module)?.bytes)),
        ("by likeness", |module| {
            Ok(order::by_likeness(module, &other_end)?.bytes)
        }),
        ("cold", |module| {
            Ok(outline::run(module, Outline::Cold)?.bytes)
        }),
        ("outside loops", |module| {
            Ok(outline::run(module, Outline::OutsideLoops)?.bytes)
        }),
        (
            "all",
            |module| Ok(outline::run(module, Outline::All)?.bytes),
        ),
    ];
    let (name, step) = random.pick(steps);
    let by_itself = step(module).map_err(|error| format!("{name}: {error}"))?;
    if step(module).map_err(|error| error.to_string())? != by_itself {
        return Err(format!("{name}: another run gives other bytes"));
    }
    let mut all = module.to_vec();
    for name in [
        "constants",
        "all",
        "by use",
        "locals",
        "by likeness",
        "locals",
    ] {
        let (_, step) = steps
            .iter()
            .find(|(known, _)| *known == name)
            .expect("it is there");
        all = step(&all).map_err(|error| format!("{name}: {error}"))?;
    }
    let mut made = vec![
        ((*name).to_owned(), by_itself),
        ("in a row".to_owned(), all),
    ];
    if random.chance(5) {
        made.push(("the whole road".to_owned(), whole_road(module)?));
    }
    Ok(made)
}

/// What the command makes of it: the optimiser and its other roads come before.
fn whole_road(module: &[u8]) -> Result<Vec<u8>, String> {
    let file = Path::new("generated.wasm");
    let artifact = Artifact::new(module.to_vec(), file).map_err(|error| error.to_string())?;
    let job = Job {
        compact: Some(Compact {
            outline: Outline::All,
            low_memory: LowMemory::Auto,
        }),
        ..Job::new(file, Vec::new())
    };
    let product = pipeline::run(&job, artifact, &mut |_| {}).map_err(|error| error.to_string())?;
    Ok(product.artifact.bytes().to_vec())
}

/// A size that any other order may have less of.
fn other_end(module: &[u8]) -> u64 {
    let digest = module
        .iter()
        .fold(1u64, |sum, byte| sum.wrapping_mul(31) + u64::from(*byte));
    digest % 1_000
}

/// What could be wrong with outlining.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    /// Two parameters of one type change places at a site.
    Swapped,
    /// A local is taken for dead.
    Liveness,
    /// A local goes by the number of another.
    Renamed,
    /// The piece has a way out in it.
    WayOut,
}

/// How many campaigns each mistake is made in.
const CAMPAIGNS: u64 = 50;
/// The programs of each with room for the mistake: one may throw away what it computes.
const PROGRAMS: u64 = 8;

/// Protects the test above from seeing nothing: what is wrong on purpose is seen, in few programs
/// already.
#[test]
fn wrong_pieces_are_seen() {
    let engine = runner::engine();
    for mistake in [
        Mistake::Swapped,
        Mistake::Liveness,
        Mistake::Renamed,
        Mistake::WayOut,
    ] {
        for campaign in 0..CAMPAIGNS {
            let seeds = (0..).map(|number| number * CAMPAIGNS + campaign);
            let mut spoiled = seeds.filter_map(|seed| spoiled(&engine, seed, mistake).transpose());
            let mut tried = spoiled.by_ref().take(PROGRAMS as usize);
            let seen = tried.any(Result::unwrap);
            assert!(seen, "{mistake:?} is not seen in campaign {campaign}");
        }
    }
}

/// Whether a mistake in the program of `seed` is seen; nothing where there is no room for it.
fn spoiled(engine: &Engine, seed: u64, mistake: Mistake) -> Result<Option<bool>, String> {
    let mut random = Random::new(seed);
    let module = repetitive::generate(&mut random);
    let mut found = outline::find(&module, Outline::All).map_err(|e| e.to_string())?;
    if spoil(&mut found, mistake) == 0 {
        return Ok(None);
    }
    let made = outline::write(&module, &found.places, &found.pieces)
        .map_err(|e| e.to_string())?
        .bytes;
    if wasmtime::Module::validate(engine, &made).is_err() {
        return Ok(Some(true));
    }
    let program = runner::compile(engine, &module)?;
    let calls = runner::workload(&program, seed);
    let before = runner::run(&program, &calls)?;
    let seen = same(engine, &calls, &before, &made, Traps::SameKind);
    Ok(Some(seen.is_err()))
}

/// Makes a mistake wherever there is room for it, and says in how many places.
fn spoil(found: &mut Found, mistake: Mistake) -> usize {
    if mistake == Mistake::WayOut {
        found.pieces = ways_out(&found.places);
        return found.pieces.len();
    }
    let mut places = 0;
    for piece in &mut found.pieces {
        let spoiled = match mistake {
            Mistake::Swapped => swap(piece),
            Mistake::Liveness => !std::mem::take(&mut piece.roles.results).is_empty(),
            _ => rename(piece),
        };
        places += if spoiled { piece.sites.len() } else { 0 };
    }
    places
}

fn swap(piece: &mut Piece) -> bool {
    let roles = &piece.roles;
    let pairs = roles.parameters.windows(2);
    let mut pairs = pairs.filter(|pair| roles.types[pair[0]] == roles.types[pair[1]]);
    let Some(pair) = pairs.next().map(|pair| [pair[0], pair[1]]) else {
        return false;
    };
    for locals in &mut piece.locals {
        locals.swap(pair[0], pair[1]);
    }
    true
}

/// What a piece gives goes into the local that it also reads.
fn rename(piece: &mut Piece) -> bool {
    let roles = &piece.roles;
    let Some(result) = roles.results.first().copied() else {
        return false;
    };
    let same = |other: &usize| *other != result && roles.types[*other] == roles.types[result];
    let Some(other) = (0..roles.types.len()).find(same) else {
        return false;
    };
    for locals in &mut piece.locals {
        locals[result] = locals[other];
    }
    true
}

/// Conditions with the branch that goes by them: in a function of its own it only leaves that.
fn ways_out(places: &Places) -> Vec<Piece> {
    let all = (0u32..).zip(&places.all);
    let branches = all.filter(|(_, place)| place.kind == Kind::Branch(0));
    branches.filter_map(|(at, _)| way_out(places, at)).collect()
}

fn way_out(places: &Places, at: u32) -> Option<Piece> {
    let branch = &places.all[at as usize];
    let function = places.function(at);
    // Where the condition begins.
    let start = (places.first[function]..at)
        .rev()
        .find(|start| places.all[*start as usize].before.height == branch.before.low)?;
    let roles = piece::roles(places, function, start, at + 1)?;
    (branch.before.reachable && roles.results.is_empty()).then(|| Piece {
        sites: vec![start],
        locals: vec![piece::locals(&places.all, start, at + 1)],
        length: at + 1 - start,
        roles,
        operands: Vec::new(),
        value: None,
        constants: Vec::new(),
    })
}
