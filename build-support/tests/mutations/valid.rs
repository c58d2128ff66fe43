//! Damage that leaves a module valid: the optimiser has to take what no compiler writes, and what
//! it makes is valid and is seen from outside as before.

use crate::case::Outcome;
use crate::child;
use crate::corpus::{Corpus, Pool};
use crate::generated::random::Random;
use crate::wasm;
use build_support::wasm::Module;
use build_support::wasm::artifact::Artifact;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// The damaged file of `seed`, where it is valid, and no object that a linker has still to read.
pub fn mutant(corpus: &Corpus, seed: u64) -> Option<Vec<u8>> {
    let mut random = Random::new(seed);
    let pool = *random.pick(&[Pool::Small, Pool::Linked, Pool::Newer, Pool::Newer]);
    let whole = corpus.file(pool, &mut random);
    let damaged = wasm::damage(&whole, corpus, &mut random);
    let artifact = Artifact::new(damaged.clone(), Path::new("in.wasm")).ok()?;
    let mut modules = artifact.core_modules();
    let is_object = |module| Module::read(module).is_ok_and(|module| module.is_object());
    (damaged != whole && !modules.any(is_object)).then_some(damaged)
}

/// Optimises it; gives what is wrong with what comes of it.
pub fn check(mutant: &[u8], seed: u64) -> Result<Outcome, String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    fs::write(folder.path().join("in.wasm"), mutant).map_err(|e| e.to_string())?;
    let arguments = ["optimize", "in.wasm", "-o", "out.wasm", "--snip"].map(OsString::from);
    let outcome = child::run(folder.path(), &arguments)
        .and_then(|ended| compare(&ended, mutant, folder.path()));
    outcome.map_err(|what| {
        format!(
            "seed {seed}: {what}\n  files in {}\n  again: MUTATIONS_SEED={seed} cargo test -p build-support --test mutations valid",
            folder.keep().display()
        )
    })
}

fn compare(ended: &child::Ended, mutant: &[u8], folder: &Path) -> Result<Outcome, String> {
    if ended.code != Some(0) {
        return Err(format!("exit code {:?}: {}", ended.code, ended.stderr));
    }
    // Nobody speaks but the tool.
    let mut lines = ended.stderr.lines();
    if let Some(line) = lines.find(|line| !line.starts_with("warning: in.wasm: ") && !is_note(line))
    {
        return Err(format!("it says `{line}`"));
    }
    let made = folder.join("out.wasm");
    let made = Artifact::read(&made).map_err(|error| error.to_string())?;
    let given = Artifact::new(mutant.to_vec(), Path::new("in.wasm"));
    let (before, after) = (exports(&given.map_err(|e| e.to_string())?), exports(&made));
    if before != after {
        return Err(format!("exports {before:?} became {after:?}"));
    }
    Ok(Outcome {
        label: "optimize",
        code: 0,
        processor: ended.processor,
    })
}

/// What is said of a file that wasm-bindgen has still to read.
fn is_note(line: &str) -> bool {
    line.starts_with("note: this is what wasm-bindgen reads") || line.starts_with("      ")
}

/// What each core module exports: name and kind.
fn exports(artifact: &Artifact) -> Vec<Vec<(String, wasmparser::ExternalKind)>> {
    let modules = artifact.modules().expect("it is valid");
    let exports = modules.iter().map(|module| {
        let exports = module.exports.iter();
        exports
            .map(|export| (export.name.to_owned(), export.kind))
            .collect()
    });
    exports.collect()
}
