//! What a row is filled in from, and the names of files that every bundle has.

use super::inspect::Module;
use super::script::Scripts;
use crate::ops::bundle::manifest::Example;
use crate::report::bundle::FirstAnswer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where the plain module is in a bundle.
pub const PLAIN: &str = "agent.wasm";
/// Where the plan is.
pub const PLAN: &str = "plan.json";
/// Where a visit begins.
pub const PAGE: &str = "index.html";
/// What works without a page.
pub const SERVICE_WORKER: &str = "service-worker.js";

/// What the package says of its agent, which no file tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The export that takes the configuration.
    pub init: String,
    /// The exports that a turn is driven by.
    pub steps: Vec<String>,
    /// Modules of the page by the option, or the host call, that has them loaded.
    pub loads: BTreeMap<String, Vec<String>>,
}

/// An example with what was found of it.
pub struct Case<'a> {
    /// It.
    pub example: &'a Example,
    /// Whether it is shown first.
    pub is_default: bool,
    /// The module that it runs; none where it is not there.
    pub module: Option<&'a Module>,
    /// The module that nothing was run of.
    pub plain: Option<&'a Module>,
    /// The scripts beside the plan.
    pub scripts: &'a Scripts,
    /// Those of the root.
    pub root: &'a Scripts,
    /// What the package says.
    pub about: &'a About,
    /// What it takes before it answers.
    pub first: &'a FirstAnswer,
}
