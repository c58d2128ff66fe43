//! What a run found, as plain data. The modules below turn it into text and JSON; nothing here
//! decides anything (`gate` does) and nothing here prints.

pub mod bundle;
pub mod json;
mod metric;
pub mod names;
#[cfg(test)]
pub(crate) mod sample;
mod sizes;
pub mod subject;
pub mod units;
mod verdict;

pub use metric::Metric;
pub use sizes::{Size, Sizes};
pub use verdict::{
    BaseRecord, BaselineRecord, Because, Difference, Exceeded, Judged, LimitRecord, Raise,
    SizeRecord, Unit, VerdictRecord,
};

use crate::attribution::Attribution;
#[cfg(test)]
use crate::attribution::{self, Row};
use crate::wasm::artifact::FileKind;
use serde::{Deserialize, Serialize};

/// The version of the JSON layout in `report.json`; raised when a field changes meaning or goes.
pub const SCHEMA: u32 = 3;

/// One run of the pipeline over one artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "report.json"))]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The package's name, or the file's stem where no package is known.
    pub package: String,
    /// What its files beside this report are called, up to the first dot; empty where it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// The target triple, or `unknown` for a file built elsewhere.
    pub target: String,
    /// What kind of file was shipped.
    pub kind: FileKind,
    /// What compiled and rewrote it.
    pub toolchain: Toolchain,
    /// Every stage in the order it ran, the first being the linked input.
    pub stages: Vec<Stage>,
    /// The shipped file's sizes in bytes.
    pub sizes: Sizes,
    /// What compressed sizes are made with.
    pub codecs: Codecs,
    /// What else is measured of the shipped file.
    pub figures: Figures,
    /// The limits in force, sizes first.
    pub budget: Vec<LimitRecord>,
    /// What it was compared with; absent where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineRecord>,
    /// The gate's decision.
    pub verdict: VerdictRecord,
    /// The functions whose bodies were replaced by a trap, largest first.
    pub snipped: Vec<Snipped>,
    /// What was proved dead and removed, by reason; empty where nothing was swept.
    #[serde(default)]
    pub swept: Vec<Swept>,
    /// The size of the shipped file by name, to the byte.
    pub attribution: Attribution,
    /// The wasm features the code uses, by their proposal's name.
    pub features: Vec<String>,
    /// Functions that nothing can call, by file; both counts are 0 where dead code elimination is
    /// whole.
    pub prunable: Prunable,
}

impl Report {
    /// What its files are called; as the package is, where it was written before it said so.
    pub fn stem(&self) -> String {
        match self.file.as_str() {
            "" => self.package.replace('-', "_"),
            file => file.to_owned(),
        }
    }
}

/// Functions that no export, start function, table or reference reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Prunable {
    /// Names of those in the linked file, which link-time optimisation should have dropped.
    pub linked: Vec<String>,
    /// How many of them are in the shipped file, which has no names.
    pub shipped: u64,
}

/// The versions that decide the bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Stage {
    /// The pass's name.
    pub name: String,
    /// Size after it, in bytes.
    pub bytes: u64,
    /// Wall time it took, in milliseconds.
    pub millis: f64,
    /// One line on what it did.
    pub note: String,
    /// What each of its steps gave, where it has some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

/// What a step of a stage gave: the sizes of the core modules, each by itself, taken together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Step {
    /// The step's name.
    pub name: String,
    /// Before it, in bytes.
    pub before: Sizes,
    /// After it, in bytes.
    pub after: Sizes,
}

/// Codec, version and level of each compressed size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Codecs {
    /// Of [`Sizes::gzip`].
    pub gzip: String,
    /// Of [`Sizes::brotli`].
    pub brotli: String,
}

/// What else is measured of a shipped file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Figures {
    /// Functions with a body, in all its core modules.
    pub functions: u64,
    /// Linear memory that its core modules have at the start, in bytes; what they import is
    /// somebody else's.
    pub memory: u64,
    /// Instructions until there is an instance; absent where no limit asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<u64>,
}

/// A function whose body was replaced by a trap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Piece {
    /// Demangled name.
    pub name: String,
    /// What of it was removed, in bytes of the linked file.
    pub bytes: u64,
}
