//! What a run found, as plain data. The modules below turn it into text and JSON; nothing here decides
//! anything (`gate` does) and nothing here prints.

pub mod allocators;
pub mod diagnostic;
pub mod html;
pub mod json;
pub mod markdown;
pub mod text;
pub mod units;
pub mod view;

use crate::attribution::Attribution;
use serde::{Deserialize, Serialize};

/// The version of the JSON layout in `report.json`; raised when a field changes meaning or goes.
pub const SCHEMA: u32 = 2;

/// One run of the pipeline over one artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The package's name, or the file's stem where no package is known.
    pub package: String,
    /// The target triple, or `unknown` for a file built elsewhere.
    pub target: String,
    /// What kind of file was shipped.
    pub kind: Kind,
    /// What compiled and rewrote it.
    pub toolchain: Toolchain,
    /// Every stage in the order it ran, the first being the linked input.
    pub stages: Vec<Stage>,
    /// The shipped file's sizes in bytes.
    pub sizes: Sizes,
    /// The limits that were in force.
    pub budget: BudgetRecord,
    /// The gate's decision.
    pub verdict: VerdictRecord,
    /// The functions whose bodies were replaced by a trap, largest first.
    pub snipped: Vec<Snipped>,
    /// What was proved dead and removed, by reason; empty where nothing was swept.
    #[serde(default)]
    pub swept: Vec<Swept>,
    /// Who takes the room in the shipped file, to the byte.
    pub attribution: Attribution,
    /// The wasm features the code uses, by their proposal's name.
    pub features: Vec<String>,
    /// Functions that nothing can call, by file; both counts are 0 where dead code elimination is whole.
    pub prunable: Prunable,
}

/// Functions that no export, start function, table or reference reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prunable {
    /// Names of those in the linked file, which link-time optimisation should have dropped.
    pub linked: Vec<String>,
    /// How many of them are in the shipped file, which has no names.
    pub shipped: u64,
}

/// What kind of wasm file something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A core module.
    Core,
    /// A component.
    Component,
}

/// The versions that decide the bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolchain {
    /// `rustc -V`, empty where nothing was compiled.
    pub rustc: String,
    /// Where the standard library came from, e.g. `installed` or `built from sources`.
    pub std: String,
    /// The optimiser whose result was kept, e.g. `wasm-opt 116 (built in)`.
    pub wasm_opt: String,
    /// This tool's version.
    pub build_support: String,
}

/// One stage of the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// The pass's name.
    pub name: String,
    /// Size after it, in bytes.
    pub bytes: u64,
    /// Wall time it took, in milliseconds.
    pub millis: f64,
    /// One line on what it did.
    pub note: String,
}

/// Sizes of the shipped file in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// As it is.
    pub raw: u64,
    /// `gzip -9`, made by zlib's deflate at level 9 (a 10-byte header without name or time, an 8-byte trailer).
    pub gzip: u64,
    /// `brotli -q 11` with the default window of 22 bits.
    pub brotli: u64,
}

/// The limits in force, in bytes; none where a measure is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetRecord {
    /// Limit on [`Sizes::raw`].
    pub raw: Option<u64>,
    /// Limit on [`Sizes::gzip`].
    pub gzip: Option<u64>,
    /// Limit on [`Sizes::brotli`].
    pub brotli: Option<u64>,
}

/// The gate's decision as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictRecord {
    /// Whether every limit holds.
    pub within: bool,
    /// The limits that do not hold.
    pub exceeded: Vec<Exceeded>,
}

/// One limit that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exceeded {
    /// `raw`, `gzip` or `brotli`.
    pub measure: String,
    /// What was measured, in bytes.
    pub actual: u64,
    /// What is allowed, in bytes.
    pub limit: u64,
}

/// A function whose body was replaced by a trap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snipped {
    /// Demangled name.
    pub function: String,
    /// The rule that chose it, e.g. `core::panicking` or `deny list`.
    pub family: String,
    /// Size of the body in the linked file, in bytes.
    pub bytes: u64,
}

/// What was removed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// The reason, e.g. `unreachable function`.
    pub reason: String,
    /// Size of all of it in the linked file, in bytes.
    pub bytes: u64,
    /// Each piece, largest first. Code before a panic is listed under its function.
    pub pieces: Vec<Piece>,
}

/// A function or data symbol, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Demangled name.
    pub name: String,
    /// What of it was removed, in bytes of the linked file.
    pub bytes: u64,
}
