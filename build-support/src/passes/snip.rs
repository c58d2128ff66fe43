//! Replaces the body of every function in the plan by `unreachable`: the panic still traps, at the
//! same place, but nothing formats its message any more. The plan's indices are those of the linked
//! bytes, which the sweep before it keeps. What nothing calls any more goes at once; the rest is
//! left to wasm-opt.
//!
//! The bodies are replaced in the bytes, whatever else is in them; only what is not called any more
//! goes by walrus, and stays where walrus does not know a proposal.

use crate::analyze::plan::SweepPlan;
use crate::error::{Error, Result};
use crate::passes::{Job, Outcome, strip};
use crate::wasm::artifact::{self, Artifact};
use crate::wasm::sections::CODE;
use crate::wasm::{Module, ReadError, name_section};
use std::collections::BTreeMap;
use wasm_encoder::{Encode as _, NameMap, NameSection, Section as _};

const PASS: &str = "snip";

/// What is said of a file in which nothing can be found.
pub const NO_NAMES: &str =
    "the file has no names to find panics by; snip the linked file, before it is stripped";

/// Snips what the plan of each core module names.
///
/// # Errors
/// [`Error::Pass`] where the plan does not fit a module.
pub fn run(job: &Job<'_>, artifact: Artifact) -> Result<Outcome> {
    let count: usize = job.plans.iter().map(|plan| plan.snip.len()).sum();
    if count == 0 {
        let note = match job.plans.iter().all(|plan| plan.unnamed) {
            _ if !job.snips => "off",
            true => NO_NAMES,
            false => "no panic entry point found",
        };
        return Ok(Outcome::new(artifact, note));
    }
    let (mut had_relocations, mut all_collected) = (false, true);
    let artifact = artifact.map_core(PASS, |ordinal, module| {
        let Some(plan) = job.plans.get(ordinal).filter(|plan| !plan.snip.is_empty()) else {
            return Ok(module.to_vec());
        };
        let trapping = rewrite(module, plan)?;
        let plain = strip::drop_customs(&trapping, PASS, strip::is_of_code)?;
        had_relocations |= plain.len() < trapping.len();
        let collected =
            collect(&with_clean_names(&plain)?).filter(|module| artifact.validate(module).is_ok());
        all_collected &= collected.is_some();
        Ok(collected.unwrap_or(plain))
    })?;
    let functions = if count == 1 {
        "function traps"
    } else {
        "functions trap"
    };
    let mut note = format!("{count} {functions} without a message");
    if had_relocations {
        note.push_str("; relocations dropped");
    }
    if !all_collected {
        note.push_str("; what they called is left: walrus cannot read it");
    }
    Ok(Outcome::new(artifact, note))
}

/// A body without locals: `unreachable`.
const TRAPS: &[u8] = &[0, 0x00, 0x0b];

fn rewrite(bytes: &[u8], plan: &SweepPlan) -> Result<Vec<u8>> {
    let module = Module::read(bytes).map_err(ReadError::output(PASS))?;
    let snipped = plan.snipped();
    if let Some(index) = snipped.iter().find(|index| module.body(**index).is_none()) {
        let message = format!("function {index} is imported; the plan is of other bytes");
        return Err(Error::pass(PASS, message));
    }
    artifact::rebuild(bytes, PASS, |id, section| {
        if id != CODE {
            return Ok(Some(section.to_vec()));
        }
        let mut code = Vec::with_capacity(section.len());
        module.bodies.len().encode(&mut code);
        for (body, index) in module.bodies.iter().zip(module.imported..) {
            let is_snipped = snipped.binary_search(&index).is_ok();
            let body = if is_snipped { TRAPS } else { body.as_bytes() };
            body.encode(&mut code);
        }
        Ok(Some(code))
    })
}

/// The module with a name section that walrus can read, as it leaves out what comes after a fault.
fn with_clean_names(bytes: &[u8]) -> Result<Vec<u8>> {
    let module = Module::read(bytes).map_err(ReadError::output(PASS))?;
    let named = name_section::read(&module.customs);
    if named.fault.is_none() {
        return Ok(bytes.to_vec());
    }
    let map = |names: Vec<(u32, &str)>| {
        let mut map = NameMap::new();
        for (index, name) in names.into_iter().collect::<BTreeMap<_, _>>() {
            map.append(index, name);
        }
        map
    };
    let mut names = NameSection::new();
    names.functions(&map(named.functions));
    names.globals(&map(named.globals));
    names.data(&map(named.data));
    let mut clean = strip::drop_customs(bytes, PASS, |name| name == name_section::SECTION)?;
    names.append_to(&mut clean);
    Ok(clean)
}

/// The module without what nothing calls; none where walrus cannot read it.
fn collect(module: &[u8]) -> Option<Vec<u8>> {
    let mut config = walrus::ModuleConfig::new();
    config
        .generate_producers_section(false)
        .legacy_exceptions(true);
    let mut module = walrus::Module::from_buffer_with_config(module, &config).ok()?;
    walrus::passes::gc::run(&mut module);
    Some(module.emit_wasm())
}
