//! What the tests have in common.

pub mod agent;
pub mod ended;
pub mod golden;
pub mod programs;
pub mod project;
pub mod report;
pub mod run;
pub mod sysroot;
pub mod workspace;
