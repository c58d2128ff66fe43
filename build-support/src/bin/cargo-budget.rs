//! The name by which cargo finds `cargo budget`. It becomes the program `build-support` beside it,
//! and uses nothing of the library, so that what has Binaryen and wasmtime in it is there once.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

const PROGRAM: &str = "build-support";

fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    // Cargo gives the subcommand's name as the first argument; called by itself there is none.
    if arguments.first().is_none_or(|first| first != "budget") {
        arguments.insert(0, "budget".into());
    }
    match hand_over(arguments) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

fn hand_over(arguments: Vec<OsString>) -> Result<ExitCode, String> {
    let own = std::env::current_exe().map_err(|why| format!("where is this program? {why}"))?;
    // A link has no company.
    let own = own.canonicalize().unwrap_or(own);
    let program = own.with_file_name(format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        return Err(format!(
            "{} starts the program `{PROGRAM}` beside it, and there is none\n  \
             help: install both, with `cargo install --locked` and without --bin",
            own.display()
        ));
    }
    #[allow(clippy::disallowed_methods)] // The module that the lint points at is in the library.
    let mut command = Command::new(&program);
    become_it(command.args(arguments)).map_err(|why| format!("{}: {why}", program.display()))
}

#[cfg(unix)]
fn become_it(command: &mut Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> std::io::Result<ExitCode> {
    let code = command.status()?.code();
    let code = code.and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(2)))
}
