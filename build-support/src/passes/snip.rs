//! Replaces the body of every function in the plan by `unreachable`: the panic still traps, at the
//! same place, but nothing formats its message any more. The plan's indices are those of the linked
//! bytes, which the sweep before it keeps. What nothing calls any more goes at once; the rest is
//! left to wasm-opt.

use crate::analyze::plan::SweepPlan;
use crate::error::{Error, Result};
use crate::passes::{Job, Outcome};
use crate::wasm::artifact::Artifact;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use walrus::{FunctionBuilder, FunctionId, Module, ModuleConfig};

const PASS: &str = "snip";

/// What is said of a file in which nothing can be found.
pub const NO_NAMES: &str =
    "the file has no names to find panics by; snip the linked file, before it is stripped";

/// Snips what the plan of each core module names.
///
/// # Errors
/// [`Error::Pass`] where walrus cannot read a module or the plan does not fit it.
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
    let mut had_relocations = false;
    let artifact = artifact.map_core(PASS, |ordinal, module| match job.plans.get(ordinal) {
        Some(plan) if !plan.snip.is_empty() => rewrite(module, plan, &mut had_relocations),
        _ => Ok(module.to_vec()),
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
    Ok(Outcome::new(artifact, note))
}

fn rewrite(bytes: &[u8], plan: &SweepPlan, had_relocations: &mut bool) -> Result<Vec<u8>> {
    let ids: Arc<Mutex<BTreeMap<u32, FunctionId>>> = Arc::default();
    let sink = Arc::clone(&ids);
    let wanted = plan.snipped();
    let mut config = ModuleConfig::new();
    config
        .generate_producers_section(false)
        .on_parse(move |_, indices| {
            let mut sink = sink.lock().expect("the parser runs on this thread");
            for index in &wanted {
                sink.insert(*index, indices.get_func(*index)?);
            }
            Ok(())
        });
    let mut module = Module::from_buffer_with_config(bytes, &config)
        .map_err(|error| Error::pass(PASS, format!("{error:#}")))?;
    drop(config);

    for (index, id) in ids.lock().expect("the parser is done").iter() {
        trap(&mut module, *id).ok_or_else(|| {
            Error::pass(
                PASS,
                format!("function {index} is imported; the plan is of other bytes"),
            )
        })?;
    }
    // The addresses the linker wrote down are those of the bytes before; nothing may trust them
    // now.
    let stale: Vec<_> = module
        .customs
        .iter()
        .filter(|(_, section)| section.name() == "linking" || section.name().starts_with("reloc."))
        .map(|(id, _)| id)
        .collect();
    *had_relocations |= !stale.is_empty();
    for id in stale {
        module.customs.delete(id);
    }
    walrus::passes::gc::run(&mut module);
    Ok(module.emit_wasm())
}

fn trap(module: &mut Module, id: FunctionId) -> Option<()> {
    let ty = module.funcs.get(id).ty();
    let name = module.funcs.get(id).name.clone();
    let (params, results) = module.types.params_results(ty);
    let (params, results) = (params.to_vec(), results.to_vec());
    let args = params.iter().map(|ty| module.locals.add(*ty)).collect();
    let mut body = FunctionBuilder::new(&mut module.types, &params, &results);
    if let Some(name) = name {
        body.name(name);
    }
    body.func_body().unreachable();
    match &mut module.funcs.get_mut(id).kind {
        walrus::FunctionKind::Local(local) => *local = body.local_func(args),
        _ => return None,
    }
    Some(())
}
