//! Goldens: files that say what is given, and are looked at when it changes.

use std::fs;
use std::path::{Path, PathBuf};

/// A file or folder beside the tests.
pub fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it")
        .join(name)
}

/// Whether the goldens are being written anew: `BLESS` is in the environment.
pub fn blessing() -> bool {
    std::env::var_os("BLESS").is_some()
}

/// `actual` is what `file` holds; with `BLESS` it is made so.
#[track_caller]
pub fn golden(file: &Path, actual: &str) {
    if let Err(difference) = compare(file, actual) {
        panic!("{difference}");
    }
}

/// The same for whoever has several to compare before it fails.
///
/// # Errors
/// Both texts, where they differ.
pub fn compare(file: &Path, actual: &str) -> Result<(), String> {
    if blessing() {
        fs::write(file, actual).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    if expected == actual {
        return Ok(());
    }
    Err(format!(
        "{} differs; BLESS=1 rewrites it\n--- expected\n{expected}\n+++ actual\n{actual}",
        file.display()
    ))
}
