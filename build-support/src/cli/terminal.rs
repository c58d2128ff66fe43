//! Where the command runs: the folder, and whether it may use colours.

use crate::system::files;
use crate::system::streams;
use serde::Serialize;
use std::io::Write as _;
use std::path::Path;

/// The current folder, for paths in messages; empty where it cannot be told.
pub fn here() -> std::path::PathBuf {
    std::env::current_dir().unwrap_or_default()
}

/// `file` for people: within the current folder, without it.
pub fn shown(file: &Path) -> &Path {
    file.strip_prefix(here()).unwrap_or(file)
}

/// Refuses `files` that would read standard input twice.
///
/// # Errors
/// Where more than one is `-`.
pub fn read_once<'a>(files: impl IntoIterator<Item = &'a Path>) -> anyhow::Result<()> {
    let streams = files.into_iter().filter(|file| files::is_stdin(file));
    let streams = streams.count();
    anyhow::ensure!(
        streams < 2,
        "standard input can be read once, and it is wanted {streams} times\n  help: name a file for all but one"
    );
    Ok(())
}

/// Whether one of the files to be written is standard output, which then has nothing else in it.
///
/// # Errors
/// Where two are one, or `json` is to go there, too.
pub fn written_once(outputs: &[&Path], json: bool) -> anyhow::Result<bool> {
    for (at, output) in outputs.iter().enumerate() {
        let both_there = |other: &Path| files::is_stdout(output) && files::is_stdout(other);
        anyhow::ensure!(
            !outputs[..at]
                .iter()
                .any(|other| other == output || both_there(other)),
            "two files are to be written to {}\n  help: name another for one of them",
            output.display()
        );
    }
    let taken = outputs.iter().any(|output| files::is_stdout(output));
    anyhow::ensure!(
        !(taken && json),
        "a file and the JSON of --json are both to go to standard output\n  help: name a file, or leave --json out"
    );
    Ok(taken)
}

/// Prints `value` as JSON where that is wanted, else the `text` of it.
///
/// # Errors
/// Where stdout is closed.
pub fn print(
    json: bool,
    value: &impl Serialize,
    text: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    let text = if json {
        serde_json::to_string_pretty(value)? + "\n"
    } else {
        text()
    };
    let mut stdout = streams::stdout();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// How many columns help has: those of the terminal, 80 where there is none, and 100 at most.
pub fn columns(of_stderr: bool) -> usize {
    let stream = if of_stderr {
        console::Term::stderr()
    } else {
        console::Term::stdout()
    };
    let columns = stream.size_checked().map_or(80, |(_, columns)| columns);
    usize::from(columns).clamp(40, 100)
}

/// Whether stderr takes colours.
pub fn colour_on_stderr() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Whether stdout takes colours.
pub fn colour_on_stdout() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}
