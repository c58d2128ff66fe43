//! What the times must stay below, in one place. They are held against the median up to the
//! instance: the quantiles beyond it tell as much of the machine as of the file. A figure that
//! misses stands as it is, and is marked.

use super::{Mode, Startup};
use serde::Serialize;

/// A time that a mode must stay below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Target {
    /// The requirement (SPEC, section 2).
    pub id: &'static str,
    /// What it is about.
    pub mode: Mode,
    /// In microseconds.
    pub below_us: u64,
    /// What missing it means.
    pub weight: Weight,
}

/// What missing a target means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// `--check` fails.
    Required,
    /// It is marked, no more.
    Aim,
}

/// All of them.
pub const TARGETS: [Target; 6] = [
    required("NFR-03", Mode::ColdCranelift, 5_000),
    required("NFR-03", Mode::ColdWinch, 5_000),
    required("FR-09", Mode::PrecompiledFile, 1_000),
    required("FR-09", Mode::Precompiled, 1_000),
    required("NFR-04", Mode::Warm, 1_000),
    Target {
        weight: Weight::Aim,
        ..required("FR-09", Mode::Warm, 50)
    },
];

/// A target that a file misses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Miss {
    /// The file's label.
    pub label: String,
    /// The target.
    #[serde(flatten)]
    pub target: Target,
    /// What it is, in nanoseconds.
    pub actual_ns: u64,
}

const fn required(id: &'static str, mode: Mode, below_us: u64) -> Target {
    Target {
        id,
        mode,
        below_us,
        weight: Weight::Required,
    }
}

/// Every target that is missed, file by file.
pub fn missed(startup: &Startup) -> Vec<Miss> {
    let mut missed = Vec::new();
    for file in &startup.files {
        for mode in &file.modes {
            let actual_ns = mode.times.instance.median_ns;
            let over = TARGETS
                .iter()
                .filter(|target| target.mode == mode.mode && actual_ns >= target.below_us * 1_000);
            missed.extend(over.map(|target| Miss {
                label: file.label.clone(),
                target: *target,
                actual_ns,
            }));
        }
    }
    missed
}
