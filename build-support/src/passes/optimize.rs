//! wasm-opt `-Oz` to convergence on every core module, with the features the code itself uses. The
//! built-in Binaryen always runs; a newer binary, where the caller found one, makes a second
//! candidate. The smallest module by what is minimised is kept, the input among them: what was
//! compiled small stays small. Whether the file is, `decision` sees to.
//!
//! Names must not decide the bytes, and Binaryen, which reads them even where it is to write none,
//! orders some things by them. So every function goes in under its number, which is what Binaryen
//! calls one without a name; the numbers that come out say which is which, and go with the file for
//! `attribution`. What is kept has no names.

use crate::error::{Error, Result};
use crate::measure::sizes;
use crate::passes::compact::{low_memory, second_road};
use crate::passes::{Job, LowMemory, Outcome};
use crate::wasm::artifact::{self, Artifact};
use crate::wasm::features::{self, Known};
use crate::wasm::names;
use crate::wasm::{Module, ReadError};
use std::path::Path;
use wasm_encoder::Section as _;
use wasm_opt::OptimizationOptions;

const PASS: &str = "optimize";
/// What the built-in optimiser is called in reports; the crate `wasm-opt` 0.116 is Binaryen 116.
pub const BUILT_IN: &str = "wasm-opt 116 (built in)";
/// What the input is called there, where nothing made it smaller.
pub const INPUT: &str = "the input";
/// Binaryen recurses over nested expressions: deep but valid input must not end the process.
const STACK_BYTES: usize = 512 << 20;

/// Optimises every core module.
///
/// # Errors
/// [`Error::Input`] where a module uses features Binaryen does not know, [`Error::Pass`] where an
/// optimiser fails.
pub fn run(job: &Job<'_>, artifact: Artifact) -> Result<Outcome> {
    let mut winners: Vec<&str> = Vec::new();
    let before = artifact.len();
    let mut known = Vec::new();
    let after = artifact.map_core(PASS, |ordinal, module| {
        let module = without_stale_sections(module)?;
        let input = names_of(&module)?;
        let low_memory_unused = is_low_memory_unused(job, &module)?;
        let module = numbered(&module, &input)?;
        let features = features::run(&module, job.file)?;
        let mut best = (without_names(&module)?, INPUT, names_of(&module)?);
        // Only what is shipped is held to limits.
        let size = job.metric.minimized();
        let mut smallest = (sizes::of(&best.0, size), best.0.len());
        let mut consider = |candidate: Vec<u8>, by| -> Result<()> {
            artifact::validate(&candidate).map_err(|fault| Error::InvalidOutput {
                pass: PASS,
                offset: Some(fault.offset),
                message: format!("{by}: {}", fault.message),
            })?;
            let bytes = without_names(&candidate)?;
            let weight = (sizes::of(&bytes, size), bytes.len());
            if weight.0 < smallest.0 && weight.1 <= smallest.1 {
                best = (bytes, by, names_of(&candidate)?);
                smallest = weight;
            }
            Ok(())
        };
        consider(run_built_in(&module, &features, true)?, BUILT_IN)?;
        if job.compact.is_some() {
            for road in second_road::all(&features, true, low_memory_unused) {
                consider(in_a_row(&module, &road.runs)?, road.name)?;
            }
        }
        if let Some((name, optimizer)) = job.second_optimizer {
            let names: Vec<_> = features.iter().map(|f| f.name).collect();
            consider(optimizer(&module, &names)?, name)?;
        }
        if !winners.contains(&best.1) {
            winners.push(best.1);
        }
        let (bytes, _, mut names) = best;
        for name in &mut names.functions {
            let number = name.take().and_then(|name| name.parse::<usize>().ok());
            *name = number.and_then(|number| input.functions.get(number)?.clone());
        }
        let plan = job.plans.get(ordinal);
        names.data = plan.map_or(input.data, |plan| plan.data.clone());
        known.push(names);
        Ok(bytes)
    })?;
    let mut note = format!("-Oz to convergence; kept: {}", winners.join(", "));
    if after.len() * 100 > before * 95 {
        note.push_str("; less than 5% smaller");
    }
    Ok(Outcome {
        artifact: after,
        note,
        kept: Some(winners.join(", ")),
        names: known,
        moved: Vec::new(),
    })
}

/// `target_features` would switch on features the code does not use, and the linker's
/// relocations are of other bytes by the time Binaryen is done.
///
/// # Errors
/// [`Error::InvalidOutput`] where the sections cannot be read.
pub fn without_stale_sections(module: &[u8]) -> Result<Vec<u8>> {
    super::strip::drop_customs(module, PASS, |name| {
        name == "target_features" || name == "linking" || name.starts_with("reloc.")
    })
}

fn names_of(module: &[u8]) -> Result<names::Names> {
    Module::read(module)
        .and_then(|module| names::read(&module))
        .map_err(ReadError::output(PASS))
}

fn without_names(module: &[u8]) -> Result<Vec<u8>> {
    super::strip::drop_customs(module, PASS, |name| name == "name")
}

/// The module with the number of each function for a name, counted without imports as Binaryen
/// does. Debug information goes: to keep it right would cost Binaryen its best passes, and it is
/// not shipped.
fn numbered(module: &[u8], names: &names::Names) -> Result<Vec<u8>> {
    let mut module = super::strip::drop_customs(module, PASS, |name| {
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
/// [`Error::Pass`] with Binaryen's words.
pub fn built_in(module: &[u8], features: &[Known]) -> Result<Vec<u8>> {
    run_built_in(module, features, false)
}

/// Whether the addresses below 1,024 are: by the layout, or on the word of whoever asks.
fn is_low_memory_unused(job: &Job<'_>, module: &[u8]) -> Result<bool> {
    Ok(match job.compact.map(|compact| compact.low_memory) {
        Some(LowMemory::Unused) => true,
        Some(LowMemory::Auto) => {
            let derived = Module::read(module).and_then(|module| low_memory::run(&module, 0));
            let derived = derived.map_err(ReadError::output(PASS))?;
            matches!(derived, low_memory::LowMemory::Unused(_))
        }
        Some(LowMemory::Used) | None => false,
    })
}

fn in_a_row(module: &[u8], runs: &[OptimizationOptions]) -> Result<Vec<u8>> {
    let mut module = module.to_vec();
    for options in runs {
        module = run_options(&module, options)?;
    }
    Ok(module)
}

fn run_built_in(module: &[u8], features: &[Known], with_names: bool) -> Result<Vec<u8>> {
    let mut options = OptimizationOptions::new_optimize_for_size_aggressively();
    options.mvp_features_only().set_converge();
    options.debug_info(with_names);
    for feature in features {
        options.enable_feature(feature.binaryen);
    }
    run_options(module, &options)
}

fn run_options(module: &[u8], options: &OptimizationOptions) -> Result<Vec<u8>> {
    in_folder(module, |input, output| {
        std::thread::scope(|scope| {
            std::thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, || options.run(input, output))?
                .join()
                .map_err(|_| anyhow::anyhow!("it panicked"))?
                .map_err(anyhow::Error::from)
        })
        // With the causes: the outer text alone does not say what was wrong.
        .map_err(|error| Error::pass(PASS, format!("{BUILT_IN}: {error:#}")))
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
