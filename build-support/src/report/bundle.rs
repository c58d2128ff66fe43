//! What is in a bundle and what it weighs, as plain data: the table of the audit and the figures
//! that have limits.

use crate::report::{LimitRecord, Sizes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the layouts of `audit.json` and of [`Report`].
pub const SCHEMA: u32 = 1;

/// A row of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What it is about.
    pub name: String,
    /// By example.
    pub cells: BTreeMap<String, Cell>,
}

/// What was found of an example.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Whether what is there can do it: `yes`, `no`, or how.
    pub built: String,
    /// What of it is switched on in the example.
    pub bundle: String,
    /// Where that was found.
    pub evidence: String,
    /// Whether the manifest says that it is there.
    pub claimed: bool,
    /// Whether it was found.
    pub found: bool,
}

impl Cell {
    /// Whether more is said than there is.
    pub fn is_false(&self) -> bool {
        self.claimed && !self.found
    }
}

/// A bundle that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Where it is, or would be.
    pub folder: String,
    /// The id of its contents.
    pub build: String,
    /// Whether it was there already, with these contents.
    pub unchanged: bool,
    /// Its files, compressed forms not counted, by path.
    pub files: BTreeMap<String, Sizes>,
    /// What all of them take, each in the form that is served.
    pub sizes: Sizes,
    /// What each example takes over the network before it answers, in the manifest's order.
    pub first_answer: Vec<FirstAnswer>,
    /// The limits in force.
    pub limits: Vec<LimitRecord>,
    /// The audit.
    pub rows: Vec<Row>,
}

/// What an example takes before it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstAnswer {
    /// Its name.
    pub example: String,
    /// In bytes.
    pub sizes: Sizes,
    /// The files, by path.
    pub files: Vec<String>,
}
