//! wasm-opt `-Oz` to convergence on every core module, with the features the code itself uses. The
//! built-in Binaryen always runs; a newer binary, where the caller found one, makes a second candidate.
//! The smallest file by the gated metric (raw) is kept, the input among them: what was compiled small
//! stays small.

use crate::analyze::features::{self, Known};
use crate::artifact::{self, Artifact};
use crate::error::{Error, Result};
use crate::pipeline::{Job, Outcome};
use std::path::Path;
use wasm_opt::OptimizationOptions;

const PASS: &str = "optimize";
/// What the built-in optimiser is called in reports; the crate `wasm-opt` 0.116 is Binaryen 116.
pub const BUILT_IN: &str = "wasm-opt 116 (built in)";
/// Binaryen recurses over nested expressions: deep but valid input must not end the process.
const STACK_BYTES: usize = 512 << 20;

/// A second optimiser: gets a module and its features by wasm-opt's names, gives the optimised module.
pub type Optimizer = dyn Fn(&[u8], &[&str]) -> Result<Vec<u8>>;

/// Optimises every core module.
///
/// # Errors
/// [`Error::Input`] where a module uses features Binaryen does not know, [`Error::Pass`] where an
/// optimiser fails.
pub fn run(job: &Job<'_>, artifact: Artifact) -> Result<Outcome> {
    let mut winners: Vec<&str> = Vec::new();
    let before = artifact.len();
    let after = artifact.map_core(PASS, |_, module| {
        let module = without_stale_sections(module)?;
        let features = features::run(&module, job.file)?;
        let mut best: (Vec<u8>, &str) = (module.clone(), "the input");
        let mut consider = |candidate: Vec<u8>, by| -> Result<()> {
            artifact::validate(&candidate).map_err(|fault| Error::InvalidOutput {
                pass: PASS,
                offset: Some(fault.offset),
                message: format!("{by}: {}", fault.message),
            })?;
            if candidate.len() < best.0.len() {
                best = (candidate, by);
            }
            Ok(())
        };
        consider(built_in(&module, &features)?, BUILT_IN)?;
        if let Some((name, optimizer)) = job.second_optimizer {
            let names: Vec<_> = features.iter().map(|f| f.name).collect();
            consider(optimizer(&module, &names)?, name)?;
        }
        if !winners.contains(&best.1) {
            winners.push(best.1);
        }
        Ok(best.0)
    })?;
    let mut note = format!("-Oz to convergence; kept: {}", winners.join(", "));
    if after.len() * 100 > before * 95 {
        note.push_str("; less than 5% smaller");
    }
    Ok(Outcome {
        artifact: after,
        note,
        kept: Some(winners.join(", ")),
    })
}

/// `target_features` would switch on features the code does not use, and the linker's account of
/// addresses is of other bytes by the time Binaryen is done.
///
/// # Errors
/// [`Error::InvalidOutput`] where the sections cannot be read.
pub fn without_stale_sections(module: &[u8]) -> Result<Vec<u8>> {
    super::strip::drop_customs(module, PASS, |name| {
        name == "target_features" || name == "linking" || name.starts_with("reloc.")
    })
}

/// The built-in optimiser alone, with nothing checked before or after: what the whole is compared with.
///
/// # Errors
/// [`Error::Pass`] with Binaryen's words.
pub fn built_in(module: &[u8], features: &[Known]) -> Result<Vec<u8>> {
    let failed = |message: String| Error::Pass {
        pass: PASS,
        message: format!("{BUILT_IN}: {message}"),
    };
    let folder = tempfile::tempdir().map_err(|e| failed(e.to_string()))?;
    let (input, output) = (
        folder.path().join("in.wasm"),
        folder.path().join("out.wasm"),
    );
    std::fs::write(&input, module).map_err(Error::io("writing", &input))?;
    let run = || {
        let mut options = OptimizationOptions::new_optimize_for_size_aggressively();
        options.mvp_features_only().set_converge();
        for feature in features {
            options.enable_feature(feature.binaryen);
        }
        options
            .run(&input, &output)
            .map_err(|error| describe(&error))
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, run)
            .map_err(|e| e.to_string())?
            .join()
            .map_err(|_| "it panicked".to_owned())?
    })
    .map_err(failed)?;
    read(&output)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(Error::io("reading", path))
}

/// The error with its causes: the outer text alone does not say what was wrong.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
