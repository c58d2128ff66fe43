//! The memories, data segments, tables and globals of a module, as it says they begin.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// From this length on a run of zeros in a segment is counted, in bytes: to leave it out costs
/// another segment's header, about half of that.
pub const ZERO_RUN: usize = 16;

/// A memory's limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Whether somebody else gives it.
    pub imported: bool,
    /// In bytes; 65,536 where the module does not say otherwise.
    pub page_bytes: u64,
    /// Pages at the start.
    pub initial_pages: u64,
    /// Pages at most; none where it may grow as far as addresses reach.
    pub maximum_pages: Option<u64>,
}

/// A data segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The addresses it fills; none where it is passive, or its place is not a constant.
    pub addresses: Option<Range<u64>>,
    /// Its contents, in bytes.
    pub bytes: u64,
    /// How many of them are in runs of [`ZERO_RUN`] zeros or more.
    pub zeros: u64,
}

/// A table's limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Whether somebody else gives it.
    pub imported: bool,
    /// Slots at the start.
    pub initial: u64,
    /// Slots at most; none without a limit.
    pub maximum: Option<u64>,
    /// How many slots segments fill at the start.
    pub filled: u64,
}

/// A global.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Global {
    /// Its index.
    pub index: u32,
    /// What the name section or an export calls it; none in a stripped file.
    pub name: Option<String>,
    /// Its type, e.g. `i32`.
    pub ty: String,
    /// Whether it can change.
    pub mutable: bool,
    /// What it begins as; none where it is imported.
    pub initial: Option<Initial>,
}

/// What a global begins as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Initial {
    /// A whole number; one of 32 bits without a sign, because it is an address as a rule.
    Number(i64),
    /// Anything else, as instructions.
    Expression(String),
}

impl Initial {
    /// It as an address.
    pub fn address(&self) -> Option<u64> {
        match self {
            Self::Number(number) => u64::try_from(*number).ok(),
            Self::Expression(_) => None,
        }
    }
}
