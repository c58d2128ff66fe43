//! A newer wasm-opt than the one built in, where the machine has one: in `WASM_OPT`, or on `PATH`.
//! Its result is a second candidate for `passes::optimize`; a broken one is an error, not a
//! silence.

use crate::error::{Error, Result};
use crate::passes::{Optimizer, optimize};
use crate::system::process;
use std::path::{Path, PathBuf};

/// The version of the built-in Binaryen; an older or equal one has nothing to add.
const BUILT_IN_VERSION: u32 = 116;

/// A wasm-opt that was found; nothing has been run yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    path: PathBuf,
}

/// A wasm-opt that is worth running.
pub struct Newer {
    /// What reports call it, e.g. `wasm-opt 132`.
    pub name: String,
    /// Runs it.
    pub run: Box<Optimizer>,
}

/// Looks in `WASM_OPT`, then on `PATH`. An empty `WASM_OPT` switches the search off.
pub fn find() -> Option<Found> {
    if let Some(path) = std::env::var_os("WASM_OPT") {
        return (!path.is_empty()).then(|| Found { path: path.into() });
    }
    process::on_path("wasm-opt").map(|path| Found { path })
}

impl Found {
    /// What changes when the program does: its path, size and time of change.
    ///
    /// # Errors
    /// [`Error::Io`] where `WASM_OPT` names no file.
    pub fn identity(&self) -> Result<String> {
        let about = std::fs::metadata(&self.path)
            .map_err(Error::io("looking for wasm-opt at", &self.path))?;
        Ok(format!(
            "{} {} {:?}",
            self.path.display(),
            about.len(),
            about.modified().ok()
        ))
    }

    /// Asks for its version; `None` where it is no newer than the built-in one.
    ///
    /// # Errors
    /// [`Error::Process`] where it cannot be run, [`Error::Toolchain`] where it does not say a
    /// version.
    pub fn optimizer(&self) -> Result<Option<Newer>> {
        let output = process::capture(&self.path, &["--version"])?;
        let version = version(&output).ok_or_else(|| {
            Error::toolchain(
                format!(
                    "{} is no wasm-opt: it does not tell its version, but: {}",
                    self.path.display(),
                    output.lines().next().unwrap_or_default()
                ),
                "set WASM_OPT to a working wasm-opt, or to nothing to use the built-in one alone",
            )
        })?;
        let path = self.path.clone();
        Ok((version > BUILT_IN_VERSION).then(|| Newer {
            name: format!("wasm-opt {version}"),
            run: Box::new(move |module, features| optimize(&path, module, features)),
        }))
    }
}

fn optimize(path: &Path, module: &[u8], features: &[&str]) -> Result<Vec<u8>> {
    optimize::in_folder(module, |input, output| {
        // It says what it needs besides, and does not take it for granted.
        let besides = features
            .contains(&"gc")
            .then_some("--enable-reference-types");
        let mut command = process::command(path);
        command
            // With the names of functions.
            .args(["-Oz", "--converge", "--mvp-features", "-g"])
            .args(features.iter().map(|name| format!("--enable-{name}")))
            .args(besides)
            .arg(input)
            .arg("-o")
            .arg(output);
        process::output(&mut command).map(|_| ())
    })
}

/// `wasm-opt version 132 (version_132)` → 132.
fn version(output: &str) -> Option<u32> {
    // Other programs have versions, too.
    let words = output.strip_prefix("wasm-opt ")?.split_whitespace();
    words
        .skip_while(|word| *word != "version")
        .nth(1)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    /// Protects the choice between the built-in and a found optimiser.
    #[test]
    fn versions_are_read() {
        assert_eq!(
            super::version("wasm-opt version 132 (version_132)"),
            Some(132)
        );
        assert_eq!(super::version("wasm-opt version 116"), Some(116));
        assert_eq!(super::version("command not found"), None);
        let cat = "cat (GNU coreutils) 9.1\nLicense GPLv3+: GNU GPL version 3 or later";
        assert_eq!(super::version(cat), None);
    }
}
