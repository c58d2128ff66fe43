//! This workspace, copies of it for tests that change what must not be changed in place, and what
//! the machine must have.

use build_support::project::toolchain::{self, Apt};
use build_support::system::process;
use std::fs;
use std::path::{Path, PathBuf};

/// This workspace.
pub fn workspace() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().unwrap().to_owned()
}

/// The first of `names` on `PATH`. Where there is none, Debian's `package` is installed if that may
/// be: a fresh machine runs every test by the one command, as it builds by one.
pub fn program(names: &[&str], package: &str) -> PathBuf {
    let find = || names.iter().find_map(|name| process::on_path(name));
    if let Some(found) = find() {
        return found;
    }
    if toolchain::observe("wasm32-wasip1").apt == Apt::Ready {
        // Said by apt-get where it fails; whether it is there now is what counts.
        let _ = toolchain::install_packages(&[package]);
    }
    find().unwrap_or_else(|| {
        panic!(
            "{} is not on PATH; on Debian: apt-get install --no-install-recommends {package}",
            names[0]
        )
    })
}

/// A folder that stays between runs, so that what does not change is compiled once. The name is
/// nobody else's.
pub fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("scratch")
        .join(name)
}

/// Writes a file, unless it is there already: cargo goes by its time.
pub fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Copies the sources of `from`, leaving out what is made from them.
pub fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if name == "target" || name == ".git" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(name));
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            write(&to.join(name), &text);
        }
    }
}
