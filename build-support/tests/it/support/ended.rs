//! The tool as a process: its call, and how it ended.

use super::programs::TOOL;
use build_support::system::process;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A program as from a user's shell, in `folder`: without colours, and with no other optimiser than
/// the tool's own, for goldens must not depend on what the machine has.
pub fn command(program: impl AsRef<Path>, folder: &Path) -> Command {
    let mut command = process::cargo(program.as_ref());
    command
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("CARGO_TERM_COLOR", "never")
        .env("WASM_OPT", "");
    command
}

/// The tool in `folder`.
pub fn tool(folder: &Path, args: &[&str]) -> Command {
    let mut command = command(TOOL, folder);
    command.args(args);
    command
}

/// How a process ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
}

impl Ended {
    /// Runs it to its end.
    #[track_caller]
    pub fn of(command: &mut Command) -> Self {
        let done = command.output();
        Self::from(done.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// The same with `input` on its standard input.
    pub fn of_input(command: &mut Command, input: &[u8]) -> Self {
        let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = streams.stderr(Stdio::piped()).spawn().unwrap();
        // One that refuses at once does not read it.
        let _ = child.stdin.take().unwrap().write_all(input);
        Self::from(child.wait_with_output().unwrap())
    }

    /// It ended with that code.
    #[track_caller]
    pub fn with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.all());
        self
    }

    /// Both streams.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl From<Output> for Ended {
    #[track_caller]
    fn from(done: Output) -> Self {
        // Messages name the program by the path it was called by, which is this machine's.
        let text = |bytes| {
            let text = String::from_utf8(bytes).expect("it writes UTF-8");
            text.replace(TOOL, "build-support")
        };
        Self {
            code: done.status.code().expect("no signal ended it"),
            stdout: text(done.stdout),
            stderr: text(done.stderr),
        }
    }
}

/// What the tool says in `folder`, if it ends well.
#[track_caller]
pub fn well(folder: &Path, args: &[&str]) -> String {
    Ended::of(&mut tool(folder, args)).with(0).stdout
}

/// Both streams, if it ended with that code.
#[track_caller]
pub fn said(ended: &Ended, code: i32) -> String {
    assert_eq!(ended.code, code, "{}", ended.all());
    ended.all()
}
