//! What a file was judged by and what came of it, as plain data: the limits in force, the baseline
//! it was compared with, and the gate's decision. `gate` fills it in.

use crate::attribution::diff::Diff;
use crate::report::sizes::Sizes;
use serde::{Deserialize, Serialize};

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Functions, crates.
    Count,
    /// Instructions that were executed, as wasmtime's fuel counts them.
    Instructions,
}

/// A limit in force, and the figure it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LimitRecord {
    /// What it is on: `raw`, `gzip`, `brotli`, `functions`, `crates`, `memory`, `start`, `crate
    /// <name>` or `section <name>`.
    pub measure: String,
    /// What both figures count.
    pub unit: Unit,
    /// The most that is allowed.
    pub limit: u64,
    /// What was measured.
    pub actual: u64,
}

/// The gate's decision as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VerdictRecord {
    /// Whether everything holds.
    pub within: bool,
    /// What does not hold.
    pub exceeded: Vec<Exceeded>,
}

/// A figure that is too high.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Exceeded {
    /// As in [`LimitRecord::measure`].
    pub measure: String,
    /// What both figures count.
    pub unit: Unit,
    /// What was measured.
    pub actual: u64,
    /// The most that is allowed.
    pub limit: u64,
    /// What allows no more.
    pub because: Because,
}

/// What a figure was too high for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Because {
    /// A limit of the manifest.
    Limit,
    /// What the baseline has, and its tolerance.
    Ratchet,
    /// All growth since the last deliberate raise.
    Drift,
}

/// The baseline that a file was compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BaselineRecord {
    /// Whose baseline it is, e.g. `the merge base with origin/main` or `the working tree`.
    pub from: String,
    /// The commit it is of; absent for the working tree's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What the change began with, where it has changed the baseline itself: `changes` are since
    /// then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseRecord>,
    /// What made the baseline's file otherwise than this one; where there is anything, growth is
    /// not judged.
    pub toolchain: Vec<Difference>,
    /// Each size beside the baseline's.
    #[serde(rename = "held")]
    pub sizes: Vec<SizeRecord>,
    /// Raises that came with this change.
    pub raises: Vec<Raise>,
    /// What changed since the file of the base, or else of the baseline, by each grouping; absent
    /// where the two are of one size throughout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Diff>,
}

/// What a change began with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BaseRecord {
    /// Whose baseline it is, e.g. `the merge base with origin/main`.
    pub from: String,
    /// The commit it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Its sizes, in bytes.
    pub sizes: Sizes,
}

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Difference {
    /// What, e.g. `rustc`.
    pub what: String,
    /// As the baseline has it.
    pub before: String,
    /// As it is now.
    pub after: String,
}

/// A size beside the baseline's, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SizeRecord {
    /// `raw`, `gzip` or `brotli`.
    pub measure: String,
    /// What was measured.
    pub actual: u64,
    /// What the baseline has.
    #[serde(rename = "held")]
    pub baseline: u64,
    /// How much more is tolerated.
    pub tolerance: u64,
    /// What drift is counted from: the lowest baseline since the last deliberate raise.
    pub anchor: u64,
    /// From the anchor to what was measured; negative where it is smaller.
    pub drift: i64,
    /// How much drift is tolerated.
    pub drift_limit: u64,
    /// Whether growth of this size was judged, and if not why.
    pub judged: Judged,
}

/// Whether growth was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Judged {
    /// It was.
    Yes,
    /// It was not: another toolchain made the baseline's file.
    Toolchain,
    /// It was not: another codec made the baseline's compressed size.
    Codec,
}

/// A deliberate raise of the baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Raise {
    /// The commit that was checked out when it was made; empty outside of git.
    pub commit: String,
    /// Why, in the words of whoever made it.
    pub reason: String,
    /// The baseline before.
    pub from: Sizes,
    /// The baseline since.
    pub to: Sizes,
    /// The fingerprint of the toolchain whose files were measured, where it was raised by as much
    /// as the entry of that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<String>,
}
