//! Modules by wasm-smith, for the passes that need no relocations: snip by the deny list, wasm-opt,
//! strip.
//!
//! What snip is to give is made here a second time, by other means: the function's bytes are
//! overwritten.

use super::campaign::{self, Tally};
use super::compare;
use super::runner::{self, End};
use super::variants;
use super::wrong::{self, Parts};
use crate::generated::random::Random;
use arbitrary::Unstructured;
use build_support::config::Config;
use build_support::wasm::features::{self, Binaryen, Known};
use std::path::Path;
use wasmparser::{ExternalKind, Operator, Parser, Payload};
use wasmtime::Engine;

/// How much of a seed's bytes wasm-smith may spend; it decides the modules' size.
const BYTES: usize = 2_500;

/// Makes the module of `seed` and compares what the passes make of it.
pub fn run(engine: &Engine, seed: u64) -> Result<Tally, String> {
    let mut random = Random::new(seed);
    let module = module(engine, &mut random)?;
    let denied = match random.chance(50) {
        true => denied(&module, &mut random),
        false => None,
    };
    let mut config = Config::without_package("generated");
    config.compact = random.chance(50).then_some(variants::COMPACT);
    let mut expected = module.clone();
    if let Some((index, name)) = denied {
        let parts = Parts::of(&module);
        let body = &parts.bodies[(index - parts.imported) as usize];
        // An empty function has no byte to overwrite.
        if wrong::trap(&mut expected, body) {
            config.snip.enabled = true;
            config.snip.deny = vec![name];
        }
    }
    let program = runner::compile(engine, &expected)?;
    let calls = runner::workload(&program, seed);
    let before = runner::run(&program, &calls)?;
    let (variants, is_optimized) = variants::unlinked(&config, &module)
        .map_err(|what| fail(seed, what, &expected, &module))?;
    for variant in &variants {
        runner::compile(engine, &variant.bytes)
            .and_then(|program| runner::run(&program, &calls))
            .and_then(|after| compare::run(&calls, &before, &after, variant.traps))
            .map_err(|what| {
                let what = format!("{}: {what}", variant.name);
                fail(seed, what, &expected, &variant.bytes)
            })?;
    }
    // Blocks with parameters, which no compiler writes, are left to a newer optimiser.
    let mut tally = Tally::of(&before, variants.len());
    tally.refused = u64::from(!is_optimized);
    tally.carried = u64::from(is_optimized && is_carried(&module));
    Ok(tally)
}

fn fail(seed: u64, what: String, expected: &[u8], made: &[u8]) -> String {
    let files = [("expected.wasm", expected), ("made.wasm", made)];
    format!("{what}\n  {}", campaign::keep("smith", seed, &files))
}

/// A module that ends, with the features that the tool knows, and whose results are the same
/// everywhere.
pub fn module(engine: &Engine, random: &mut Random) -> Result<Vec<u8>, String> {
    // The engine is built without references to the host's objects, and of a module that cannot be
    // instantiated there is nothing to see.
    loop {
        let module = any_module(random)?;
        if wasmtime::Module::validate(engine, &module).is_err() {
            continue;
        }
        let program = runner::compile(engine, &module)?;
        let calls = runner::workload(&program, 0);
        let first = runner::run(&program, &calls[..calls.len().min(1)])?;
        if first
            .calls
            .iter()
            .all(|seen| !matches!(seen.end, End::Impossible(_)))
        {
            return Ok(module);
        }
    }
}

/// Whether Binaryen 116 does not know some of it, and gets the rest nevertheless.
fn is_carried(module: &[u8]) -> bool {
    let features = features::run(module, Path::new("generated.wasm")).unwrap();
    let carried = |feature: &Known| feature.binaryen == Binaryen::Carried;
    let payloads = Parser::new(0).parse_all(module);
    let bodies = payloads.filter_map(|payload| match payload.unwrap() {
        Payload::CodeSectionEntry(body) => Some(body),
        _ => None,
    });
    let mut operators = bodies.flat_map(|body| body.get_operators_reader().unwrap());
    features.iter().any(carried)
        || operators.any(|operator| {
            matches!(
                operator.unwrap(),
                Operator::TableFill { .. }
                    | Operator::TableCopy { .. }
                    | Operator::TableInit { .. }
                    | Operator::ElemDrop { .. }
            )
        })
}

fn any_module(random: &mut Random) -> Result<Vec<u8>, String> {
    let config = wasm_smith::Config {
        available_imports: Some(
            wat::parse_str(
                r#"(module
                    (import "env" "log" (func (param i32)))
                    (import "env" "ask" (func (result i32)))
                    (import "env" "mix" (func (param i64 f64) (result i64))))"#,
            )
            .expect("the imports are valid"),
        ),
        min_funcs: 3,
        max_funcs: 20,
        max_instructions: 150,
        min_memories: 1,
        max_memories: 1,
        max_memory32_bytes: 1 << 18,
        max_tables: 2,
        export_everything: true,
        canonicalize_nans: true,
        allow_start_export: true,
        bulk_memory_enabled: random.chance(40),
        reference_types_enabled: random.chance(40),
        multi_value_enabled: random.chance(10),
        saturating_float_to_int_enabled: true,
        sign_extension_ops_enabled: true,
        simd_enabled: random.chance(30),
        tail_call_enabled: random.chance(20),
        extended_const_enabled: random.chance(20),
        relaxed_simd_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        compact_imports_enabled: false,
        memory64_enabled: random.chance(15),
        max_memory64_bytes: 1 << 18,
        memory_max_size_required: true,
        threads_enabled: false,
        custom_page_sizes_enabled: random.chance(20),
        wide_arithmetic_enabled: random.chance(20),
        shared_everything_threads_enabled: false,
        custom_descriptors_enabled: false,
        ..wasm_smith::Config::default()
    };
    let bytes = random.bytes(BYTES);
    let mut module = wasm_smith::Module::new(config, &mut Unstructured::new(&bytes))
        .map_err(|error| format!("wasm-smith: {error}"))?;
    module
        .ensure_termination(1_000)
        .map_err(|error| format!("wasm-smith: {error}"))?;
    Ok(module.to_bytes())
}

/// A function that is exported, for only an export names the functions of such a module.
fn denied(module: &[u8], random: &mut Random) -> Option<(u32, String)> {
    let imported = Parts::of(module).imported;
    let mut exported = std::collections::BTreeMap::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Ok(Payload::ExportSection(section)) = payload {
            for export in section.into_iter().flatten() {
                // The last export gives the name.
                if export.kind == ExternalKind::Func && export.index >= imported {
                    exported.insert(export.index, export.name.to_owned());
                }
            }
        }
    }
    let exported: Vec<_> = exported.into_iter().collect();
    (!exported.is_empty()).then(|| random.pick(&exported).clone())
}
