//! wasm-opt `-Oz` to convergence on every core module, with the features the code itself uses. The
//! built-in Binaryen runs on whatever it can read, and what it cannot is carried past it where that
//! can be done (`carry`); a newer binary, where the caller found one, makes a second candidate, or
//! the only one. The smallest module by what is minimised is kept, the input among them: what was
//! compiled small stays small. Whether the file is, `decision` sees to. Where no optimiser can read
//! a module, it stays as it is and the note says why: everything else is still done.
//!
//! Names must not decide the bytes, and Binaryen, which reads them even where it is to write none,
//! orders some things by them. So every function goes in under its number, which is what Binaryen
//! calls one without a name; the numbers that come out say which is which, and go with the file for
//! `attribution`. What is kept has no names.

mod baggage;
mod carry;
mod edit;
mod fetch;
mod leave;
mod operation;

use crate::analyze::plan::SweepPlan;
use crate::config;
use crate::error::{Error, Result};
use crate::measure::sizes;
use crate::passes::compact::low_memory::{self, LowMemory};
use crate::passes::compact::second_road;
use crate::passes::{Job, Outcome, strip};
use crate::system::panics;
use crate::wasm::artifact::Artifact;
use crate::wasm::features::{self, Binaryen, Known};
use crate::wasm::layout::spare;
use crate::wasm::names;
use crate::wasm::{Module, ReadError};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;
use wasm_encoder::Section as _;
use wasm_opt::OptimizationOptions;

const PASS: &str = "optimize";
/// What the built-in optimiser is called in reports; the crate `wasm-opt` 0.116 is Binaryen 116.
pub const BUILT_IN: &str = "wasm-opt 116 (built in)";
/// What the input is called there, where nothing made it smaller.
pub const INPUT: &str = "the input";
/// What Binaryen calls the function that similar ones become, before the name of the first.
const MERGED: &str = "byn$mgfn-shared$";
/// Binaryen recurses over nested expressions: deep but valid input must not end the process.
const STACK_BYTES: usize = 512 << 20;

/// Optimises every core module. One that no optimiser here can read stays as it is, and the note
/// says so.
///
/// # Errors
/// [`Error::InvalidOutput`] where a module cannot be read, or what an optimiser makes is not valid.
pub fn run(job: &Job<'_>, artifact: Artifact) -> Result<Outcome> {
    let mut winners: Vec<&str> = Vec::new();
    let mut failures = BTreeSet::new();
    let mut low_memory = BTreeSet::new();
    let before = artifact.len();
    let mut known = Vec::new();
    let after = artifact.map_core(PASS, |ordinal, original| {
        let made = of_module(job, &artifact, ordinal, original)?;
        failures.extend(made.remark);
        low_memory.extend(made.low_memory);
        if let Some(by) = made.by.filter(|by| !winners.contains(by)) {
            winners.push(by);
        }
        known.push(made.names);
        Ok(made.bytes)
    })?;
    let mut notes = Vec::new();
    if !winners.is_empty() || failures.is_empty() {
        notes.push(format!("-Oz to convergence; kept: {}", winners.join(", ")));
        if after.len() * 100 > before * 95 {
            notes.push("less than 5% smaller".to_owned());
        }
    }
    notes.extend(
        low_memory
            .into_iter()
            .map(|low_memory| low_memory.to_string()),
    );
    notes.extend(failures);
    Ok(Outcome {
        artifact: after,
        note: notes.join("; "),
        kept: Some(if winners.is_empty() {
            "none".to_owned()
        } else {
            winners.join(", ")
        }),
        names: known,
        moved: Vec::new(),
        steps: Vec::new(),
    })
}

/// What became of a core module.
struct Made<'a> {
    bytes: Vec<u8>,
    names: names::Names,
    /// Whose result it is; none where no optimiser read it.
    by: Option<&'a str>,
    remark: Option<String>,
    /// Whether addresses below 1,024 are used, where that was asked.
    low_memory: Option<LowMemory>,
}

/// The smallest of what each optimiser makes of a core module, itself among them.
fn of_module<'a>(
    job: &Job<'a>,
    artifact: &Artifact,
    ordinal: usize,
    original: &[u8],
) -> Result<Made<'a>> {
    let module = without_stale_sections(original)?;
    let input = names_of(&module)?;
    let low_memory = low_memory(job, &module)?;
    let module = numbered(&module, &input)?;
    let features = features::run(&module, job.file)?;
    let mut best = (without_names(&module)?, INPUT, names_of(&module)?);
    // Only what is shipped is held to limits.
    let size = job.metric.minimized();
    let smallest = Cell::new((sizes::of(&best.0, size), best.0.len()));
    let mut candidates = 0;
    let mut consider = |candidate: Vec<u8>, by| -> Result<()> {
        artifact
            .validate(&candidate)
            .map_err(|fault| Error::InvalidOutput {
                pass: PASS,
                offset: Some(fault.offset),
                message: format!("{by}: {}", fault.message),
            })?;
        candidates += 1;
        let bytes = without_names(&candidate)?;
        let weight = (sizes::of(&bytes, size), bytes.len());
        let least = smallest.get();
        if weight.0 < least.0 && weight.1 <= least.1 {
            best = (bytes, by, names_of(&candidate)?);
            smallest.set(weight);
        }
        Ok(())
    };
    let refusal = match run_built_in(&module, &features, true)? {
        Ok(candidate) => consider(candidate, BUILT_IN).map(|()| None)?,
        Err(refusal) => Some(refusal),
    };
    if job.compact.is_some() && refusal.is_none() {
        let is_unused = matches!(low_memory, Some(LowMemory::Unused(_)));
        let least = || smallest.get().0;
        by_second_roads(job, &module, &features, is_unused, least, &mut consider)?;
    }
    let mut newer = None;
    if let Some((name, optimizer)) = job.second_optimizer {
        let names: Vec<_> = features.iter().map(|f| f.wasm_opt).collect();
        match optimizer(&module, &names) {
            Ok(candidate) => consider(candidate, name)?,
            // Where it is the only one, it may not know the module either; else it is broken.
            Err(Error::Process { .. }) if refusal.is_some() => newer = Some(name),
            Err(error) => return Err(error),
        }
    }
    let is_optimized = candidates > 0;
    let (mut bytes, by, names) = best;
    if !is_optimized {
        // The code is what it was, and what is said of it still holds.
        bytes = without_names(original)?;
    }
    Ok(Made {
        bytes,
        names: renamed(names, input, job.plans.get(ordinal)),
        by: is_optimized.then_some(by),
        remark: remark(refusal.as_ref(), newer, is_optimized),
        low_memory,
    })
}

/// What the second roads through the built-in optimiser make of a module, as long as they may still
/// lead to less than `least`.
fn by_second_roads<'a>(
    job: &Job<'a>,
    module: &[u8],
    features: &[Known],
    low_memory_unused: bool,
    least: impl Fn() -> u64,
    consider: &mut dyn FnMut(Vec<u8>, &'a str) -> Result<()>,
) -> Result<()> {
    let read = Module::read(module).map_err(ReadError::output(PASS))?;
    let largest = read.function_bytes().max().unwrap_or_default();
    let names = job.second_roads.as_ref();
    let is_tried = |name| names.is_none_or(|names| names.contains(name));
    for road in second_road::all(features, true, low_memory_unused, largest) {
        if !is_tried(road.name) {
            continue;
        }
        let Ok(first) = run_all(module, features, &road.first)? else {
            continue;
        };
        let reached = sizes::of(&without_names(&first)?, job.metric.minimized());
        if second_road::is_promising(reached, least())
            && let Ok(candidate) = run_all(&first, features, &[road.last])?
        {
            consider(candidate, road.name)?;
        }
    }
    Ok(())
}

/// The names that the numbers in `made` stand for.
fn renamed(mut made: names::Names, input: names::Names, plan: Option<&SweepPlan>) -> names::Names {
    for name in &mut made.functions {
        let number = name.take().and_then(|name| number(&name));
        *name = number.and_then(|number| input.functions.get(number)?.clone());
    }
    made.data = plan.map_or(input.data, |plan| plan.data.clone());
    made
}

/// The number in the name that Binaryen gives: what similar functions have in common is called
/// after the first of them.
fn number(name: &str) -> Option<usize> {
    let Some(first) = name.strip_prefix(MERGED) else {
        return name.parse().ok();
    };
    let end = first.find(|c: char| !c.is_ascii_digit());
    first[..end.unwrap_or(first.len())].parse().ok()
}

/// Why the built-in optimiser does not take a module.
enum Refusal {
    /// The features it does not know.
    Features(String),
    /// Something else, which another may know.
    Other(&'static str),
}

/// What a report says where an optimiser did not do its work; `newer` is one that failed.
fn remark(refusal: Option<&Refusal>, newer: Option<&str>, is_optimized: bool) -> Option<String> {
    let failed = newer.map(|name| format!("{name} fails on it"));
    match refusal {
        Some(refusal) if !is_optimized => {
            let (why, does) = match refusal {
                Refusal::Features(names) => (names.as_str(), "does"),
                Refusal::Other(why) => (*why, "may do"),
            };
            let advice = format!("a newer wasm-opt {does} it: npm install -g binaryen");
            Some(format!(
                "not optimised: {why}; {}",
                failed.unwrap_or(advice)
            ))
        }
        _ => failed,
    }
}

/// `target_features` would switch on features the code does not use; the linker's relocations, and
/// what is said of single operators (branch hints), are of other bytes by the time Binaryen is
/// done.
///
/// # Errors
/// [`Error::InvalidOutput`] where the sections cannot be read.
pub fn without_stale_sections(module: &[u8]) -> Result<Vec<u8>> {
    strip::drop_customs(module, PASS, |name| {
        name == "target_features" || strip::is_of_code(name)
    })
}

fn names_of(module: &[u8]) -> Result<names::Names> {
    Module::read(module)
        .and_then(|module| names::read(&module))
        .map_err(ReadError::output(PASS))
}

fn without_names(module: &[u8]) -> Result<Vec<u8>> {
    strip::drop_customs(module, PASS, |name| name == "name")
}

/// The module with the number of each function for a name, counted without imports as Binaryen
/// does. Debug information goes: to keep it right would cost Binaryen its best passes, and it is
/// not shipped.
fn numbered(module: &[u8], names: &names::Names) -> Result<Vec<u8>> {
    let mut module = strip::drop_customs(module, PASS, |name| {
        name == "name" || name.starts_with(".debug_")
    })?;
    let mut functions = wasm_encoder::NameMap::new();
    for position in 0..names.functions.len() as u32 {
        functions.append(names.imported + position, &position.to_string());
    }
    let mut section = wasm_encoder::NameSection::new();
    section.functions(&functions);
    section.append_to(&mut module);
    Ok(module)
}

/// The built-in optimiser alone, with nothing checked before or after: what the whole is compared
/// with.
///
/// # Errors
/// [`Error::Pass`] where it cannot read the module.
pub fn built_in(module: &[u8], features: &[Known]) -> Result<Vec<u8>> {
    run_built_in(&without_names(module)?, features, false)?.map_err(|refusal| {
        let why = match &refusal {
            Refusal::Features(names) => names,
            Refusal::Other(why) => *why,
        };
        Error::pass(PASS, format!("{BUILT_IN} does not take it: {why}"))
    })
}

/// Whether the addresses below 1,024 are used: by the layout, or on the word of whoever asks;
/// nothing where nobody does.
fn low_memory(job: &Job<'_>, module: &[u8]) -> Result<Option<LowMemory>> {
    Ok(match job.compact.map(|compact| compact.low_memory) {
        Some(config::LowMemory::Unused) => Some(LowMemory::Unused("on somebody's word")),
        Some(config::LowMemory::Auto) => {
            let spare = spare::read(module);
            let derived = Module::read(module).and_then(|module| low_memory::run(&module, spare));
            Some(derived.map_err(ReadError::output(PASS))?)
        }
        Some(config::LowMemory::Used) | None => None,
    })
}

type Refused = std::result::Result<Vec<u8>, Refusal>;

fn run_built_in(module: &[u8], features: &[Known], with_names: bool) -> Result<Refused> {
    let mut options = OptimizationOptions::new_optimize_for_size_aggressively();
    options.mvp_features_only().set_converge();
    options.debug_info(with_names);
    for feature in features {
        feature.enable(&mut options);
    }
    run_all(module, features, &[options])
}

/// Runs the built-in optimiser with each of `runs` in turn, on what it can read of `module`.
fn run_all(module: &[u8], features: &[Known], runs: &[OptimizationOptions]) -> Result<Refused> {
    let refused = features.iter().filter(|f| f.binaryen == Binaryen::Refuses);
    let refused: Vec<_> = refused.map(|feature| feature.name).collect();
    if !refused.is_empty() {
        return Ok(Err(Refusal::Features(refused.join(", "))));
    }
    let run = |module: &[u8], options: &OptimizationOptions| {
        in_folder(module, |input, output| {
            panics::contain(STACK_BYTES, || options.run(input, output))
                .map_err(Error::io("starting a thread for", Path::new(PASS)))?
                .and_then(std::result::Result::ok)
                .ok_or_else(|| Error::pass(BUILT_IN, "it cannot read it"))
        })
    };
    let optimized = carry::run(module, |module| {
        let mut module = module.to_vec();
        for options in runs {
            module = run(&module, options)?;
        }
        Ok(module)
    });
    Ok(match optimized {
        Ok(Some(optimized)) => Ok(optimized),
        Ok(None) => Err(Refusal::Other("a segment is out of bounds")),
        Err(Error::Pass { pass: BUILT_IN, .. }) => {
            Err(Refusal::Other("the built-in wasm-opt 116 cannot read it"))
        }
        Err(error) => return Err(error),
    })
}

/// Gives `optimizer` a file with `module`, in a folder that goes afterwards, and the path to write
/// to; gives what is there then.
///
/// # Errors
/// [`Error::Io`] where a file cannot be written or read, and the `optimizer`'s own.
pub fn in_folder(
    module: &[u8],
    optimizer: impl FnOnce(&Path, &Path) -> Result<()>,
) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir().map_err(Error::io("making a folder for", Path::new(PASS)))?;
    let [input, output] = ["in.wasm", "out.wasm"].map(|name| folder.path().join(name));
    std::fs::write(&input, module).map_err(Error::io("writing", &input))?;
    optimizer(&input, &output)?;
    std::fs::read(&output).map_err(Error::io("reading", &output))
}

#[cfg(test)]
mod tests {
    use super::number;

    /// Protects the crates that merged functions are counted to.
    #[test]
    fn merged_functions_are_called_after_the_first() {
        assert_eq!(number("17"), Some(17));
        assert_eq!(number("byn$mgfn-shared$17"), Some(17));
        assert_eq!(number("byn$mgfn-shared$17_1"), Some(17));
        assert_eq!(number("byn$fpcast-emu"), None);
    }
}
