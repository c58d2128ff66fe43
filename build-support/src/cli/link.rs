//! The tool as a target's linker: `linker = "build-support"` under `[target.<triple>]` in `.cargo/config.toml`. What is
//! said goes to stderr, which rustc shows with its own error; nothing is said where all is well.

use build_support::linker::{self, Outcome};
use std::ffi::OsString;
use std::process::{ExitCode, ExitStatus};

/// The command line, if it is rustc that calls.
pub fn call() -> Option<Vec<OsString>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    linker::is_call(&arguments).then_some(arguments)
}

/// Links. The exit code is the real linker's where that failed, else as of every command.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    match linker::run(arguments) {
        Ok(Outcome::Linked(status)) => code(status),
        Ok(Outcome::Shipped(of)) => super::exit(super::judge(&of.0, &of.1)),
        Err(error) => super::exit(Err(error.into())),
    }
}

fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    // A linker that was killed has none.
    ExitCode::from(code.unwrap_or(2))
}
