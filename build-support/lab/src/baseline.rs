//! What is measured of the agent and kept in `baseline.json`, beside what its gate holds. Here is
//! what it looks like; `parts` measures.

mod parts;

pub use parts::{Part, Tools, measure};

use crate::alloc_compare::{Allocator, Recommendation, Score, Weights};
use crate::native::Native;
use crate::startup::Startup;
use build_support::report::{Codecs, Sizes, Toolchain};
use build_support::wasm::artifact::FileKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was measured of a package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The package.
    pub package: String,
    /// What compressed sizes are made with.
    pub codecs: Codecs,
    /// Each target's files, by triple.
    pub targets: BTreeMap<String, Figures>,
    /// How long a start takes.
    pub startup: Startup,
    /// What the files take of memory, each once.
    pub memory: Vec<Memory>,
    /// The allocators, compared.
    pub allocators: Allocators,
    /// The native program.
    pub native: Native,
    /// What the sizes were before, the newest first: an entry for each time they changed.
    pub history: Vec<HistoryEntry>,
}

/// One target's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// What compiled and rewrote them.
    pub toolchain: Toolchain,
    /// What is shipped.
    pub kind: FileKind,
    /// The allocator in it.
    pub allocator: Allocator,
    /// The size after each stage, in bytes, the linked file first.
    pub stages: Vec<StageBytes>,
    /// The shipped file.
    pub sizes: Sizes,
    /// The same file pre-initialised.
    pub preinit: Sizes,
}

/// A stage of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageBytes {
    /// Its name.
    pub name: String,
    /// The size after it.
    pub bytes: u64,
}

/// What a file takes of memory, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// The target, and whether the file is pre-initialised.
    pub label: String,
    /// Linear memory it asks for, all memories together.
    pub initial: u64,
    /// Contents of its data segments.
    pub data: u64,
    /// The stack's size; absent where no global looks like a stack pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<u64>,
    /// Linear memory when `init` has taken the configuration.
    pub configured: u64,
    /// When the transcript has been played once.
    pub played: u64,
    /// When it has been played 100 times.
    pub repeated: u64,
}

/// The allocators, compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocators {
    /// The engine that counted instructions.
    pub engine: String,
    /// What each criterion counts for.
    pub weights: Weights,
    /// The best first.
    pub scores: Vec<Score>,
    /// What the rule makes of them.
    pub recommendation: Recommendation,
    /// The shipped file with each, by target.
    pub sizes: BTreeMap<String, BTreeMap<Allocator, Sizes>>,
}

/// Sizes that were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryEntry {
    /// The commit they were replaced after; empty outside of git.
    pub until: String,
    /// The shipped file of each target.
    pub targets: BTreeMap<String, Sizes>,
}

impl Allocators {
    /// With scores to four places: what was computed has more, which a reader of JSON need not give
    /// back to the last digit, and the file would change without reason.
    fn rounded(mut self) -> Self {
        for score in &mut self.scores {
            score.total = four_places(score.total);
            score.marks = score.marks.map(four_places);
        }
        self
    }
}

fn four_places(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

impl Baseline {
    /// The shipped file's sizes, by target.
    pub fn shipped(&self) -> BTreeMap<String, Sizes> {
        let sizes = |(target, figures): (&String, &Figures)| (target.clone(), figures.sizes);
        self.targets.iter().map(sizes).collect()
    }

    /// Puts what was shipped in `before` into the history, where that was something else; `commit`
    /// is the one that is checked out now.
    pub fn remember(&mut self, before: &Self, commit: &str) {
        self.history.clone_from(&before.history);
        if before.shipped() != self.shipped() {
            let entry = HistoryEntry {
                until: commit.to_owned(),
                targets: before.shipped(),
            };
            self.history.insert(0, entry);
        }
    }
}
