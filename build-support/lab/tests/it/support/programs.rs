//! The program under test.

/// The lab's command.
pub const TOOL: &str = env!("CARGO_BIN_EXE_lab");

/// How many cases of the command line there are at least.
pub const CASES: usize = 4;
