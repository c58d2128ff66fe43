//! What the tests of the tool use, for those of the lab.

#[path = "../../../../tests/it/support/ended.rs"]
#[allow(dead_code)]
pub mod ended;
#[path = "../../../../tests/it/support/golden.rs"]
#[allow(dead_code)]
pub mod golden;
pub mod programs;
