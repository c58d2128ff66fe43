//! What Binaryen does not do, on what it made: step by step, each a function of a core module's
//! bytes that says where the functions of the new module come from. Whoever asks says what counts;
//! nothing that does is larger afterwards.
//!
//! A step keeps what a module does: results, memory, traps, the order of what is called outside.

pub mod code;
pub mod constants;
pub mod hash;
pub mod locals;
pub mod low_memory;
pub mod names;
pub mod order;
pub mod outline;
pub mod rewrite;
pub mod road;
pub mod second_road;
pub mod weight;

use crate::error::Result;
use crate::measure::sizes;
use crate::passes::steps::Steps;
use crate::passes::{Job, Moved, Outcome};
use crate::report::{self, Sizes, units};
use crate::wasm::artifact::Artifact;
use crate::wasm::{Module, ReadError};
use rewrite::PASS;
use std::collections::BTreeMap;
use weight::{Scales, Weight};

/// Compacts every core module.
///
/// # Errors
/// [`Error`](crate::Error) where a module cannot be read or written.
pub fn run(job: &Job<'_>, artifact: Artifact) -> Result<Outcome> {
    let Some(compact) = job.compact else {
        return Ok(Outcome::new(artifact, "not asked for"));
    };
    let metric = &job.metric;
    let scales = Scales {
        minimized: metric.minimized(),
        exact: &|module| Weight(sizes::weights(metric, module)),
        near: &|module| Weight(sizes::near_weights(metric, module)),
    };
    let mut moved = Vec::new();
    let mut steps = Vec::new();
    let mut gave = BTreeMap::<&str, u64>::new();
    let after = artifact.map_core(PASS, |_, module| {
        let code = Module::read(module).map_err(ReadError::output(PASS))?;
        let code = code.code().to_vec();
        let made = road::run(module, compact.outline, &scales)?;
        let mut before = module.len() as u64;
        for step in &made.steps {
            let after = step.module.len() as u64;
            *gave.entry(step.name).or_default() += before - after;
            before = after;
        }
        steps.push(Steps {
            first: module.to_vec(),
            all: made.steps,
        });
        let bytes = made.rewritten.bytes.clone();
        moved.push(Moved {
            code,
            made: made.rewritten,
        });
        Ok(bytes)
    })?;
    let mut note: Vec<_> = gave
        .into_iter()
        .filter(|(_, bytes)| *bytes > 0)
        .map(|(step, bytes)| format!("{step} {}", units::bytes(bytes)))
        .collect();
    if note.is_empty() {
        note.push("nothing gets smaller by it".to_owned());
    }
    Ok(Outcome {
        moved,
        steps,
        ..Outcome::new(after, note.join(", "))
    })
}

/// What the steps gave, those of all modules taken together; nothing where a module is so large
/// that compressing it again and again would take too long.
pub fn gave(modules: &[Steps]) -> Vec<report::Step> {
    let mut all = Vec::<report::Step>::new();
    for Steps { first, all: steps } in modules {
        let mut states = vec![first.as_slice()];
        states.extend(steps.iter().map(|step| step.module.as_slice()));
        let sizes = road::at_once(&states, |module| sizes::soon(module));
        let sizes: Option<Vec<Sizes>> = sizes.into_iter().collect();
        let Some(sizes) = sizes else {
            return Vec::new();
        };
        for (step, sizes) in steps.iter().zip(sizes.windows(2)) {
            let add = |one: Sizes, other: Sizes| Sizes {
                raw: one.raw + other.raw,
                gzip: one.gzip + other.gzip,
                brotli: one.brotli + other.brotli,
            };
            match all.iter_mut().find(|known| known.name == step.name) {
                Some(known) => {
                    known.before = add(known.before, sizes[0]);
                    known.after = add(known.after, sizes[1]);
                }
                None => all.push(report::Step {
                    name: step.name.to_owned(),
                    before: sizes[0],
                    after: sizes[1],
                }),
            }
        }
    }
    all
}

/// Shortens the names by which the core modules of a component find each other, where that makes it
/// smaller. For the end: whoever makes a component looks for them.
///
/// # Errors
/// [`Error`](crate::Error) where sections cannot be read.
pub fn shorten(job: &Job<'_>, artifact: Artifact) -> Result<Outcome> {
    if job.compact.is_none() {
        return Ok(Outcome::new(artifact, "not asked for"));
    }
    let shortened = names::run(artifact.clone())?;
    let [before, after] = [&artifact, &shortened].map(|file| sizes::run(file.bytes()));
    if job.metric.prefers(&after, &before) {
        let note = "names of core modules inside the component";
        return Ok(Outcome::new(shortened, note));
    }
    Ok(Outcome::new(
        artifact,
        "no component, or its names are known outside",
    ))
}
