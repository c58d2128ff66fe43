//! A newer wasm-opt than the one built in, where the machine has one: in `WASM_OPT`, or on `PATH`. Its
//! result is a second candidate for `passes::optimize`; a broken one is an error, not a silence.

use crate::error::{Error, Result};
use crate::passes::Optimizer;
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
    /// [`Error::Process`] where it cannot be run, [`Error::Toolchain`] where it does not say a version.
    pub fn optimizer(&self) -> Result<Option<Newer>> {
        let said = process::capture(&self.path, &["--version"])?;
        let version = version(&said).ok_or_else(|| Error::Toolchain {
            message: format!("{} does not tell its version: {said}", self.path.display()),
            help: "set WASM_OPT to a working wasm-opt, or to nothing to use the built-in one alone"
                .to_owned(),
        })?;
        let path = self.path.clone();
        Ok((version > BUILT_IN_VERSION).then(|| Newer {
            name: format!("wasm-opt {version}"),
            run: Box::new(move |module, features| optimize(&path, module, features)),
        }))
    }
}

fn optimize(path: &Path, module: &[u8], features: &[&str]) -> Result<Vec<u8>> {
    let failed = Error::io("making a folder for", path);
    let folder = tempfile::tempdir().map_err(failed)?;
    let (input, output) = (
        folder.path().join("in.wasm"),
        folder.path().join("out.wasm"),
    );
    std::fs::write(&input, module).map_err(Error::io("writing", &input))?;
    let mut args = vec![
        "-Oz".to_owned(),
        "--converge".to_owned(),
        "--mvp-features".to_owned(),
        // With the names of functions.
        "-g".to_owned(),
    ];
    args.extend(features.iter().map(|feature| format!("--enable-{feature}")));
    args.extend([
        input.display().to_string(),
        "-o".to_owned(),
        output.display().to_string(),
    ]);
    process::capture(path, &args)?;
    std::fs::read(&output).map_err(Error::io("reading", &output))
}

/// `wasm-opt version 132 (version_132)` → 132.
fn version(said: &str) -> Option<u32> {
    said.split_whitespace()
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
    }
}
