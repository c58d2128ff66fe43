//! The files to compare with the linked one: what the passes make of it.

use super::compare::Traps;
use build_support::analyze::plan::SweepPlan;
use build_support::analyze::sweep::Sweep;
use build_support::config::{Compact, Config, LowMemory, Outline, SweepRules};
use build_support::passes::Job;
use build_support::passes::pipeline::{self, PASSES};
use build_support::wasm::artifact::Artifact;
use std::fmt::Display;
use std::path::Path;

/// What was made of a linked file.
pub struct Variant {
    /// How.
    pub name: &'static str,
    /// Whether wasm-opt has been at it, which takes one kind of trap for as good as another.
    pub traps: Traps,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Which files to make, besides the swept and the poisoned one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Snipped and not swept.
    pub unswept: bool,
    /// Through all passes.
    pub whole: bool,
    /// With compaction among them.
    pub compact: bool,
}

/// What came of a linked file.
pub struct Variants {
    /// The files.
    pub files: Vec<Variant>,
    /// Why the sweep does not take it, if it does not.
    pub refusal: Option<String>,
    /// How many functions, table slots, bytes of data and pieces of code were dead.
    pub dead: [u64; 4],
}

/// All of it.
pub const COMPACT: Compact = Compact {
    outline: Outline::All,
    low_memory: LowMemory::Auto,
};

/// The first pass that needs no relocations, and takes most of the time.
const OPTIMIZE: &str = "optimize";

/// Makes them.
///
/// # Errors
/// With the words of a pass that fails; a refusal of the sweep is no failure.
pub fn of(linked: &[u8], wanted: Wanted) -> Result<Variants, String> {
    let mut made = Variants {
        files: Vec::new(),
        refusal: None,
        dead: [0; 4],
    };
    if wanted.unswept {
        let rules = rules(false);
        let (unswept, _) = run(&rules, plans(&rules, linked)?, linked, false)?;
        made.files
            .push(variant("snipped", Traps::SameKind, unswept));
    }
    let mut rules = rules(true);
    rules.compact = wanted.compact.then_some(COMPACT);
    let mut plans = self::plans(&rules, linked);
    match &plans {
        Err(what) if what.contains("it cannot be swept: ") => {
            made.refusal = Some(what.clone());
            rules.sweep.enabled = false;
            plans = self::plans(&rules, linked);
        }
        _ => {}
    }
    let plans = plans?;
    let unswept = plans.iter().find_map(|plan| plan.unswept.clone());
    made.refusal = made.refusal.or(unswept);
    if let Some(sweep) = plans.iter().find_map(|plan| plan.sweep.as_ref()) {
        let bytes: usize = sweep.data.iter().map(ExactSizeIterator::len).sum();
        made.dead = [
            sweep.functions.len(),
            sweep.slots.len(),
            bytes,
            sweep.cuts.len(),
        ]
        .map(|count| count as u64);
    }
    let (swept, whole) = run(&rules, plans.clone(), linked, wanted.whole)?;
    made.files.push(variant("swept", Traps::SameKind, swept));
    if let Some((whole, _)) = whole {
        made.files.push(variant("whole", Traps::AnyKind, whole));
    }
    if made.refusal.is_none() {
        rules.sweep.poison = true;
        let (poisoned, _) = run(&rules, plans, linked, false)?;
        made.files
            .push(variant("poisoned", Traps::SameKind, poisoned));
    }
    Ok(made)
}

/// The file with poison, after `spoil` has changed what is to be swept; none where it did not, or
/// where the sweep refuses.
pub fn wrong(
    linked: &[u8],
    spoil: impl FnOnce(&mut Sweep) -> bool,
) -> Result<Option<Vec<u8>>, String> {
    let mut rules = rules(true);
    let Ok(mut plans) = plans(&rules, linked) else {
        return Ok(None);
    };
    let sweep = plans.iter_mut().find_map(|plan| plan.sweep.as_mut());
    if !spoil(sweep.expect("it was asked for")) {
        return Ok(None);
    }
    rules.sweep.poison = true;
    run(&rules, plans, linked, false).map(|(poisoned, _)| Some(poisoned))
}

/// A module that no linker made, through all passes but the sweep; and whether it was optimised.
pub fn unlinked(config: &Config, module: &[u8]) -> Result<(Vec<Variant>, bool), String> {
    let (snipped, whole) = run(config, plans(config, module)?, module, true)?;
    let (whole, notes) = whole.expect("it was asked for");
    let variants = vec![
        variant("snipped", Traps::SameKind, snipped),
        variant("whole", Traps::AnyKind, whole),
    ];
    Ok((variants, !notes.contains("not optimised")))
}

fn variant(name: &'static str, traps: Traps, bytes: Vec<u8>) -> Variant {
    Variant { name, traps, bytes }
}

/// Everything is snipped that is in a package.
fn rules(sweep: bool) -> Config {
    let mut config = Config::without_package("generated");
    config.snip.enabled = true;
    config.sweep = SweepRules {
        enabled: sweep,
        poison: false,
    };
    config
}

fn file() -> &'static Path {
    Path::new("generated.wasm")
}

fn plans(config: &Config, linked: &[u8]) -> Result<Vec<SweepPlan>, String> {
    let artifact = Artifact::new(linked.to_vec(), file()).map_err(words("read"))?;
    let analysis = pipeline::analyze(&config.snip, config.sweep.enabled, file(), &artifact)
        .map_err(words("analyze"))?;
    Ok(analysis.plans)
}

/// A file that went through all passes, and what they say.
type Whole = (Vec<u8>, String);

/// Runs the passes as the pipeline does; gives the file before wasm-opt, and the one after the
/// last with what the passes say.
fn run(
    config: &Config,
    plans: Vec<SweepPlan>,
    linked: &[u8],
    whole: bool,
) -> Result<(Vec<u8>, Option<Whole>), String> {
    let job = Job {
        poison: config.sweep.poison,
        compact: config.compact,
        ..Job::new(file(), plans)
    };
    let mut artifact = Artifact::new(linked.to_vec(), file()).map_err(words("read"))?;
    let (mut before, mut notes) = (None, String::new());
    for pass in PASSES {
        if pass.name == OPTIMIZE {
            before = Some(artifact.bytes().to_vec());
            if !whole {
                break;
            }
        }
        let outcome = (pass.run)(&job, artifact).map_err(words(pass.name))?;
        artifact = outcome.artifact;
        notes.push_str(&outcome.note);
    }
    let before = before.expect("the pass is in the table");
    Ok((before, whole.then(|| (artifact.bytes().to_vec(), notes))))
}

fn words<E: Display>(what: &'static str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}
