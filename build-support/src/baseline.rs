//! `baseline.json`, the committed record at the root of a workspace, written by this tool alone:
//! the sizes of each package and target that growth is counted from, and what was measured of an
//! agent. [`file`] reads and writes it, [`merge_base`] finds the one that a change is compared
//! with. Whether a change against it is good is not decided here.

pub mod file;
pub mod merge_base;
mod older;
pub mod place;
