//! The agent as the command leaves it, for whoever wants to look at it: built once, and kept
//! between runs as any build is.

use super::ended::well;
use super::workspace::{scratch, workspace};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The files of a build. They are everybody's: nobody may write to them.
pub struct Built {
    pub report: PathBuf,
    pub shipped: PathBuf,
    pub linked: PathBuf,
    pub symbols: PathBuf,
}

/// The agent for `target`.
pub fn built(target: &str) -> Built {
    built_with(target, &[])
}

/// The same with more arguments.
pub fn built_with(target: &str, more: &[&str]) -> Built {
    static BUILT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = scratch("agent").join(format!("{target}{}", more.concat()));
    if !built.contains(&folder) {
        let out = folder.to_str().unwrap();
        let args = ["build", "--target", target, "--out-dir", out];
        well(&workspace(), &[&args, more].concat());
        built.insert(folder.clone());
    }
    Built {
        report: folder.join("report.json"),
        shipped: folder.join("clawft_wasm.wasm"),
        linked: folder.join("clawft_wasm.linked.wasm"),
        symbols: folder.join("clawft_wasm.symbols.json"),
    }
}
