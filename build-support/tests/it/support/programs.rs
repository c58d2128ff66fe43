//! The programs under test.

/// The command `build-support`.
pub const TOOL: &str = env!("CARGO_BIN_EXE_build-support");

/// The command for other projects.
pub const CARGO_BUDGET: &str = env!("CARGO_BIN_EXE_cargo-budget");

/// How many cases of the command line there are at least.
pub const CASES: usize = 25;
