//! The tool as a target's linker: `linker = "build-support"` under `[target.<triple>]` in
//! `.cargo/config.toml`. Messages go to stderr, which rustc shows with its own error; there are
//! none where all is well.

use crate::cli::ended::{self, Ended};
use crate::cli::messages::Messages;
use crate::cli::verdict;
use crate::ops::linker::{self, Judged, Outcome};
use crate::system::calling;
use crate::system::streams;
use std::ffi::OsString;
use std::io::Write as _;
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
        Ok(Outcome::Shipped(judged)) => ended::exit(judge(&judged)),
        Err(error) => ended::exit(Err(error.into())),
    }
}

fn judge(judged: &Judged) -> anyhow::Result<Ended> {
    let ended = verdict::judge(&Messages::drawn(), &judged.config, &judged.shipped)?;
    if judged.lacks_lto && matches!(ended, Ended::OverBudget) {
        writeln!(
            streams::stderr(),
            "\nnote: the library is not only a cdylib, and cargo does not optimise across crates then (LTO);\n      \
             `cargo rustc --package {} --lib --crate-type cdylib …` links it as `{}` does",
            judged.config.package,
            calling::call("build")
        )?;
    }
    Ok(ended)
}

fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    // A linker that was killed has none.
    ExitCode::from(code.unwrap_or(2))
}
