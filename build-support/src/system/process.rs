//! The one place where processes are started. What they are for is decided elsewhere; here is how
//! they are run, what of the surrounding cargo's environment they must not see, and how a failure
//! is told.

use crate::error::{Error, Result};
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// How much of a failed process's stderr an error keeps, in bytes, counted from the end.
const TAIL: usize = 4_000;

/// What cargo and rustup tell the programs and build scripts they start about themselves. An inner
/// cargo would take it for the user's request.
const FROM_OUTER_CARGO: [&str; 16] = [
    "CARGO",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_MAKEFLAGS",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
    "MAKEFLAGS",
    "MFLAGS",
    "OUT_DIR",
    "RUSTC_LINKER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUST_RECURSION_COUNT",
];

/// And the same by their beginnings.
const FROM_OUTER_CARGO_PREFIXES: [&str; 5] = [
    "CARGO_BIN_EXE_",
    "CARGO_CFG_",
    "CARGO_FEATURE_",
    "CARGO_PKG_",
    "DEP_",
];

/// A command that runs `program`, with this process's environment.
#[allow(clippy::disallowed_methods)] // This is the module that the lint points at.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// A command that runs `cargo` as from the user's shell: without what a surrounding `cargo run`,
/// `cargo test` or build script has set. What the user set (`RUSTFLAGS`, `CARGO_HOME`,
/// `CARGO_NET_*`, `RUSTUP_TOOLCHAIN` …) stays.
pub fn cargo(program: impl AsRef<OsStr>) -> Command {
    let mut command = command(program);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_from_outer_cargo) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether a surrounding cargo sets the variable `name` for what it starts.
pub fn is_from_outer_cargo(name: &str) -> bool {
    FROM_OUTER_CARGO.contains(&name)
        || FROM_OUTER_CARGO_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// Runs `program` with `args` and gives what it wrote to stdout.
///
/// # Errors
/// [`Error::Process`] where it cannot be started, fails, or writes what is not UTF-8.
pub fn capture(program: &Path, args: &[impl AsRef<OsStr>]) -> Result<String> {
    output(command(program).args(args))
}

/// Runs `command` to its end and gives what it wrote to stdout.
///
/// # Errors
/// As [`capture`]; the error holds the end of its stderr.
pub fn output(command: &mut Command) -> Result<String> {
    text(command.stdin(Stdio::null()), &[0])
}

/// Runs `command` with the file `input` as its stdin, and gives what it wrote to stdout. It may end
/// with 1 as well as with 0: that is an answer.
///
/// # Errors
/// As [`output`].
pub fn output_or_no(command: &mut Command, input: std::fs::File) -> Result<String> {
    text(command.stdin(input), &[0, 1])
}

fn text(command: &mut Command, answers: &[i32]) -> Result<String> {
    let done = command.output().map_err(|why| failed(command, why, &[]))?;
    if !done
        .status
        .code()
        .is_some_and(|code| answers.contains(&code))
    {
        return Err(failed(command, done.status, &done.stderr));
    }
    String::from_utf8(done.stdout).map_err(|_| failed(command, "its output is not UTF-8", &[]))
}

/// Runs `command` with all it writes going to this process's stderr.
///
/// # Errors
/// [`Error::Process`] where it cannot be started or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = status(command.stdin(Stdio::null()).stdout(std::io::stderr()))?;
    succeeded(command, status)
}

/// Runs `command` with this process's input, output and errors, and gives how it ended.
///
/// # Errors
/// [`Error::Process`] where it cannot be started.
pub fn status(command: &mut Command) -> Result<ExitStatus> {
    command.status().map_err(|why| failed(command, why, &[]))
}

/// Runs `command` with its stderr going to this process's, and hands each line of its stdout to
/// `take`.
///
/// # Errors
/// [`Error::Process`] as [`run`]; otherwise the first error of `take`, after the process has ended.
pub fn lines(command: &mut Command, mut take: impl FnMut(&str) -> Result<()>) -> Result<()> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|why| failed(command, why, &[]))?;
    let stdout = child.stdout.take().map(BufReader::new);
    let mut taken = Ok(());
    // Read to the end whatever happens: a full pipe would keep the process from ending.
    for line in stdout.into_iter().flat_map(BufReader::lines) {
        match line {
            Ok(line) if taken.is_ok() => taken = take(&line),
            Ok(_) => {}
            Err(why) => {
                taken = Err(failed(command, why, &[]));
                break;
            }
        }
    }
    let status = child.wait().map_err(|why| failed(command, why, &[]))?;
    succeeded(command, status).and(taken)
}

fn succeeded(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        Ok(())
    } else {
        Err(failed(command, status, &[]))
    }
}

/// The error of a `command` that could not be started or failed.
fn failed(command: &Command, status: impl ToString, stderr: &[u8]) -> Error {
    let start = stderr.len().saturating_sub(TAIL);
    Error::Process {
        command: line(command),
        status: status.to_string(),
        stderr: String::from_utf8_lossy(&stderr[start..]).trim().to_owned(),
    }
}

/// The command line, each argument with white space in quotes.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|word| {
        let word = word.to_string_lossy();
        if word.contains(char::is_whitespace) {
            format!("'{word}'")
        } else {
            word.into_owned()
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// The first program of that name on `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).find_map(|folder| in_folder(&folder, name))
}

/// The program of that name in `folder`, if it is there; a shell passes by a file that cannot be
/// executed, too.
pub fn in_folder(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let about = std::fs::metadata(&path).ok()?;
    (about.is_file() && is_executable(&about)).then_some(path)
}

#[cfg(unix)]
fn is_executable(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects the user's own settings from being scrubbed along with cargo's.
    #[test]
    fn only_what_cargo_sets_is_scrubbed() {
        for name in [
            "CARGO",
            "CARGO_PKG_NAME",
            "CARGO_FEATURE_STD",
            "OUT_DIR",
            "CARGO_MAKEFLAGS",
        ] {
            assert!(is_from_outer_cargo(name), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
            "CARGO_TERM_COLOR",
            "PATH",
        ] {
            assert!(!is_from_outer_cargo(name), "{name}");
        }
    }

    /// Protects the message: it must name the command, how it ended and its messages.
    #[test]
    #[cfg(unix)]
    fn a_failure_names_the_command_and_quotes_it() {
        let error = output(command("sh").args(["-c", "echo broken >&2; exit 3"]))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "`sh -c 'echo broken >&2; exit 3'` failed (exit status: 3):\nbroken"
        );
        let error = capture(Path::new("no-such-program"), &["x"])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("`no-such-program x` failed (No such file"),
            "{error}"
        );
    }

    /// Protects against a deadlock and against losing the first error of the reader.
    #[test]
    #[cfg(unix)]
    fn lines_are_read_to_the_end() {
        let mut seen = 0;
        let stop = |_: &str| {
            seen += 1;
            Err(Error::toolchain("stop", "go"))
        };
        let error = lines(command("sh").args(["-c", "yes | head -n 100000"]), stop).unwrap_err();
        assert_eq!((error.to_string().as_str(), seen), ("stop\n  help: go", 1));
    }
}
