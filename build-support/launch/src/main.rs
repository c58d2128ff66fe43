//! `launch PROGRAM ARGUMENTS…`: builds a program of this repository with cargo's own progress, says
//! beforehand what that is going to take where it was never built, and becomes it. The aliases in
//! `.cargo/config.toml` start this, for `cargo run --quiet` of the tool itself would say nothing
//! while Binaryen and wasmtime are built. It has no dependencies, so that it is there at once.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Told to the program: the names of the aliases are those to name.
const BY_ALIAS: &str = "BUILD_SUPPORT_BY_ALIAS";

/// Processor time of a first build, in minutes: `cargo build -p build-support` in a new target
/// folder.
const FIRST_BUILD: usize = 14;

/// What cargo tells the programs it starts, and the cargo within must not take for its own.
const FROM_OUTER_CARGO: [&str; 4] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_",
];

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(name) = arguments.next() else {
        return fail("name a program of this workspace");
    };
    let folder = match std::env::current_exe() {
        Ok(own) => own.parent().map_or_else(PathBuf::new, Path::to_owned),
        Err(why) => return fail(&format!("where is this program? {why}")),
    };
    let mut file = name.clone();
    file.push(std::env::consts::EXE_SUFFIX);
    let program = folder.join(file);
    let is_new = !program.is_file();
    if is_new {
        announce(&name.to_string_lossy());
    }
    let mut build = cargo();
    build.args(["build", "--package"]).arg(&name);
    // A log has no use for the line that says that nothing was to be done.
    if !is_new && !std::io::stderr().is_terminal() {
        build.arg("--quiet");
    }
    match build.status() {
        Ok(status) if status.success() => become_it(&program, arguments.collect()),
        // Cargo has said why.
        Ok(_) => ExitCode::from(2),
        Err(why) => fail(&format!("cargo could not be started: {why}")),
    }
}

/// Says what is going to happen.
fn announce(name: &str) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let minutes = FIRST_BUILD.div_ceil(cores);
    eprintln!(
        "first run: building {name} with Binaryen (C++) and wasmtime in it, about {minutes} min on {cores} cores, once;\n\
         then what was asked for. `cargo doctor` says afterwards what this machine has and lacks"
    );
}

#[allow(clippy::disallowed_methods)] // The module that the lint points at is what is built here.
fn command(program: &std::ffi::OsStr) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if FROM_OUTER_CARGO
            .iter()
            .any(|prefix| name_text.starts_with(prefix))
        {
            command.env_remove(&name);
        }
    }
    command
}

fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    command(&cargo)
}

#[cfg(unix)]
fn become_it(program: &Path, arguments: Vec<OsString>) -> ExitCode {
    use std::os::unix::process::CommandExt as _;
    let why = command(program.as_os_str())
        .args(arguments)
        .env(BY_ALIAS, "1")
        .exec();
    fail(&format!("{}: {why}", program.display()))
}

#[cfg(not(unix))]
fn become_it(program: &Path, arguments: Vec<OsString>) -> ExitCode {
    let mut command = command(program.as_os_str());
    match command.args(arguments).env(BY_ALIAS, "1").status() {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            ExitCode::from(code.unwrap_or(2))
        }
        Err(why) => fail(&format!("{}: {why}", program.display())),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(2)
}
