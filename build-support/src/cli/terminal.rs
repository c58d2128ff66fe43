//! Where the command runs: the folder, and whether it may use colours.

/// The current folder, for paths in messages; empty where it cannot be told.
pub fn here() -> std::path::PathBuf {
    std::env::current_dir().unwrap_or_default()
}

/// Whether stderr takes colours.
pub fn colour_on_stderr() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Whether stdout takes colours.
pub fn colour_on_stdout() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}
