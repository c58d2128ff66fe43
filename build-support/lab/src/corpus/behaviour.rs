//! What a package does with its file and with others in its place: a script uses its JavaScript API
//! on real input, in node, and prints what came of it.

use super::files::{Fetched, File};
use build_support::error::{Error, Result};
use build_support::system::process;
use build_support::wasm::artifact::Artifact;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// What came of comparing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// It does what it did.
    Same,
    /// It does not, or fails.
    Differs,
    /// There is no script for it.
    None,
}

/// Whether the package of `file` does with each of `made` what it does with its own.
///
/// # Errors
/// [`Error::Process`] where its own file does not work, which says nothing about others.
pub fn compare(fetched: &Fetched, file: &File, made: &[Artifact]) -> Result<Check> {
    let Some(script) = file.script else {
        return Ok(Check::None);
    };
    let work = fetched.scratch().join(file.name.replace('/', "-"));
    fs::create_dir_all(&work).map_err(Error::io("creating folder", &work))?;
    let run = |wasm: &Path| process::output(&mut command(fetched, file, script, wasm, &work)?);
    let before = run(&fetched.path(file))?;
    if before.trim().is_empty() {
        return Err(Error::toolchain(
            format!("{script}.mjs prints nothing"),
            "have it print what the package makes of real input",
        ));
    }
    let mut check = Check::Same;
    for artifact in made {
        let wasm = work.join("made.wasm");
        fs::write(&wasm, artifact.bytes()).map_err(Error::io("writing", &wasm))?;
        if run(&wasm).ok().as_ref() != Some(&before) {
            check = Check::Differs;
        }
    }
    fs::remove_dir_all(&work).map_err(Error::io("removing", &work))?;
    Ok(check)
}

fn command(
    fetched: &Fetched,
    file: &File,
    script: &str,
    wasm: &Path,
    work: &Path,
) -> Result<std::process::Command> {
    let node = process::on_path("node")
        .ok_or_else(|| Error::toolchain("node is not on PATH", "install node and npm"))?;
    let mut command = process::command(node);
    command
        .arg(scripts().join("behaviour.mjs"))
        .args([&fetched.modules(), Path::new(&file.name), wasm])
        .arg(scripts().join("api").join(format!("{script}.mjs")))
        .arg(work.join("package"));
    Ok(command)
}

/// Where the scripts are: this is for work on this repository.
pub(super) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/it/foreign")
}
