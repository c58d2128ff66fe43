//! What each step of `compact` gives by itself and after those before it, in all three sizes: what
//! is looked at before a step is changed.

use build_support::error::Result;
use build_support::measure::sizes;
use build_support::passes::compact::outline::Outline;
use build_support::passes::compact::{constants, locals, order, outline};
use build_support::passes::strip;
use build_support::report::Sizes;
use build_support::wasm::artifact::Artifact;
use std::path::Path;

/// The sizes of a file after a step.
pub struct Row {
    /// The file.
    pub file: String,
    /// The step.
    pub step: &'static str,
    /// What the file is then.
    pub sizes: Sizes,
}

/// One step, on the bytes of a core module.
type Step = fn(&[u8]) -> Result<Vec<u8>>;

/// The steps, each with the ones whose result it goes on from.
const STEPS: &[(&str, &[Step])] = &[
    ("input", &[]),
    ("locals", &[renumbered]),
    ("order", &[alike]),
    ("locals and order", &[renumbered, alike, renumbered]),
    ("constants", &[shared, used]),
    ("cold", &[cold, used]),
    ("outside loops", &[outside_loops, used]),
    ("all", &[everywhere, used]),
    ("constants, cold", &[shared, cold, used]),
    (
        "constants, cold, locals and order",
        &[shared, cold, used, renumbered, alike, renumbered],
    ),
    (
        "constants, all, locals and order",
        &[shared, everywhere, used, renumbered, alike, renumbered],
    ),
];

fn renumbered(module: &[u8]) -> Result<Vec<u8>> {
    Ok(locals::run(module)?.bytes)
}

fn alike(module: &[u8]) -> Result<Vec<u8>> {
    Ok(order::by_likeness(module, &|bytes| sizes::run(bytes).gzip)?.bytes)
}

fn used(module: &[u8]) -> Result<Vec<u8>> {
    Ok(order::by_use(module)?.bytes)
}

fn shared(module: &[u8]) -> Result<Vec<u8>> {
    Ok(constants::run(module)?.bytes)
}

fn cold(module: &[u8]) -> Result<Vec<u8>> {
    Ok(outline::run(module, Outline::Cold)?.bytes)
}

fn outside_loops(module: &[u8]) -> Result<Vec<u8>> {
    Ok(outline::run(module, Outline::OutsideLoops)?.bytes)
}

fn everywhere(module: &[u8]) -> Result<Vec<u8>> {
    Ok(outline::run(module, Outline::All)?.bytes)
}

/// Takes the core modules of a file through the steps.
///
/// # Errors
/// Where the file cannot be read, and a step's own.
pub fn measure(file: &Path) -> Result<Vec<Row>> {
    let artifact = Artifact::read(file)?;
    let artifact = artifact.map_core("strip", |_, module| {
        strip::drop_customs(module, "strip", |name| {
            name == "name" || name == "producers" || name == "target_features"
        })
    })?;
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut rows = Vec::new();
    for (step, all) in STEPS {
        let made = artifact.map_core("compact", |_, module| {
            let mut module = module.to_vec();
            for step in *all {
                module = step(&module)?;
            }
            Ok(module)
        })?;
        rows.push(Row {
            file: name.clone(),
            step,
            sizes: sizes::run(made.bytes()),
        });
    }
    Ok(rows)
}
