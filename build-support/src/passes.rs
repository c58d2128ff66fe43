//! The rewriting steps, one module each with one entry function; [`pipeline`] runs them.
//!
//! A pass takes bytes and gives bytes. It never prints, reads the environment or starts a process.

pub mod build_id;
pub mod compact;
pub mod componentize;
pub mod decision;
pub mod optimize;
pub mod origin;
pub mod pipeline;
pub mod snip;
pub mod steps;
pub mod strip;
pub mod sweep;

pub use crate::config::{Compact, LowMemory, Outline};

use crate::analyze::plan::SweepPlan;
use crate::error::Result;
use crate::passes::origin::Rewritten;
use crate::passes::steps::Steps;
use crate::report::Metric;
use crate::wasm::artifact::Artifact;
use crate::wasm::names::Names;
use std::path::Path;

/// One rewriting step.
#[derive(Clone, Copy)]
pub struct Pass {
    /// Its name in reports.
    pub name: &'static str,
    /// Which roads it is on.
    pub part: Part,
    /// What it does.
    pub run: fn(&Job<'_>, Artifact) -> Result<Outcome>,
}

/// What a pass is for: [`decision`] compares files that were made without one kind or another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It takes out what the plan says is not needed.
    Reduce,
    /// It makes the same program smaller.
    Shrink,
    /// Every file goes through it.
    Finish,
}

/// What the passes may know.
pub struct Job<'a> {
    /// The input, for messages.
    pub file: &'a Path,
    /// What to do with each core module, in file order.
    pub plans: Vec<SweepPlan>,
    /// Whether a core module is to become a component.
    pub wants_component: bool,
    /// By what files are compared where one is kept.
    pub metric: Metric,
    /// A newer optimiser, by name.
    pub second_optimizer: Option<(&'a str, &'a Optimizer)>,
    /// Whether panic entry points were looked for, which a report tells from finding none.
    pub snips: bool,
    /// Whether what is dead is to show where it is used after all: 0xAA for data, a trap for a
    /// slot.
    pub poison: bool,
    /// Whether the file gets an id of what it is made of.
    pub build_id: bool,
    /// How it is compacted, if it is.
    pub compact: Option<Compact>,
    /// The names of the second roads through the optimiser that are tried; all, where nothing is
    /// said.
    pub second_roads: Option<String>,
}

/// A second optimiser: gets a module and its features by wasm-opt's names, gives the optimised
/// module, with the names of its functions.
pub type Optimizer = dyn Fn(&[u8], &[&str]) -> Result<Vec<u8>>;

impl<'a> Job<'a> {
    /// What is in `plans` done to `file`, and nothing besides.
    pub fn new(file: &'a Path, plans: Vec<SweepPlan>) -> Self {
        Self {
            file,
            plans,
            wants_component: false,
            metric: Metric::default(),
            second_optimizer: None,
            snips: false,
            poison: false,
            build_id: false,
            compact: None,
            second_roads: None,
        }
    }
}

/// What a pass made.
pub struct Outcome {
    /// The file after it.
    pub artifact: Artifact,
    /// One line on what it did.
    pub note: String,
    /// The optimiser whose result was kept, from the pass that has one.
    pub kept: Option<String>,
    /// The names of modules as the pass left them, where it takes names out.
    pub names: Vec<Names>,
    /// Where the functions of modules come from, where the pass moved them.
    pub moved: Vec<Moved>,
    /// What core modules were between the steps of the pass, where it has some.
    pub steps: Vec<Steps>,
}

/// Where the functions of a module come from.
pub struct Moved {
    /// The contents of its code section before the pass.
    pub code: Vec<u8>,
    /// The module after it.
    pub made: Rewritten,
}

impl Outcome {
    /// The file after a pass, or the one before it where there was nothing to do.
    pub fn new(artifact: Artifact, note: impl Into<String>) -> Self {
        Self {
            artifact,
            note: note.into(),
            kept: None,
            names: Vec::new(),
            moved: Vec::new(),
            steps: Vec::new(),
        }
    }
}
