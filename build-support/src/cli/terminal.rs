//! Where the command runs: the folder, and whether it may use colours.

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
    let mut stdout = anstream::stdout();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Whether stderr takes colours.
pub fn colour_on_stderr() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Whether stdout takes colours.
pub fn colour_on_stdout() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}
