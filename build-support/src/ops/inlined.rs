//! Where the code of what a package ships was written. The package is linked once more, with line
//! tables and the names of inlined functions, in a folder of its own; nothing of that is shipped,
//! and whether it changed the code is looked at.

use crate::attribution::inlined::{self, Inlined};
use crate::attribution::{self, RowKind};
use crate::error::{Error, Result};
use crate::ops::build;
use crate::ops::ship::Files;
use crate::project::compile::{self, Request};
use crate::project::listener::Listener;
use crate::project::package::{Package, Wanted};
use crate::project::toolchain;
use crate::report;
use crate::wasm::artifact::{Artifact, FileKind};
use crate::wasm::{Module, ReadError};
use serde::Serialize;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Beside the folder of the usual build: cargo keeps one linked file per folder.
const FOLDER: &str = "wasm-inlined";

/// What was found.
#[derive(Debug, Serialize)]
pub struct Account {
    /// The linked file it is of.
    pub file: PathBuf,
    /// Its code.
    #[serde(flatten)]
    pub inlined: Inlined,
    /// Whether that is, byte for byte, the code that the shipped file is made from; none where
    /// nothing is shipped.
    pub is_code_of_shipped: Option<bool>,
    /// What becomes of it; none where nothing is shipped.
    pub survives: Option<Survival>,
}

/// How much of a linked file's functions is shipped. Optimisers carry no line tables: which of the
/// bytes of a function survive is not known, but which functions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Survival {
    /// What the functions that are shipped take in the linked file, in bytes.
    pub linked: u64,
    /// What they take in the shipped file, in bytes.
    pub shipped: u64,
}

/// The account of a core module with debug information.
///
/// # Errors
/// As [`inlined::run`], and [`Error::Input`] for a component.
pub fn of_file(file: &Path) -> Result<Account> {
    let artifact = Artifact::read(file)?;
    if artifact.kind() == FileKind::Component {
        return Err(Error::input(
            file,
            "it is a component, whose modules have no debug information any more",
            "give the module that was linked",
        ));
    }
    let module = Module::read(artifact.bytes()).map_err(ReadError::input(file, "link it again"))?;
    let attribution = attribution::of_file(file, &artifact)?;
    Ok(Account {
        inlined: inlined::run(file, &module, &attribution)?,
        file: file.to_owned(),
        is_code_of_shipped: None,
        survives: None,
    })
}

/// The account of what `package` ships for `target`.
///
/// # Errors
/// As [`build::compile`] and [`of_file`].
pub fn of_package(package: &Package, target: &str, listener: &mut dyn Listener) -> Result<Account> {
    let config = package.config(Some(target))?;
    let wanted = Wanted::default();
    let plain = build::compile(package, &config, &wanted, listener)?;
    let found = toolchain::find(target, &mut |_| {})?;
    let request = Request {
        lines: true,
        target_dir: package.target_dir.join(FOLDER),
        ..Request::new(package, &config, &wanted)
    };
    let told = compile::run(&request, &found, listener)?;
    let artifact = Artifact::new(told.bytes, &told.path)?;
    let broken = ReadError::input(&told.path, "link it again");
    let module = Module::read(artifact.bytes()).map_err(&broken)?;
    let mut attribution = attribution::of_file(&told.path, &artifact)?;
    told.definers.name(&mut attribution);
    let inlined = inlined::run(&told.path, &module, &attribution)?;
    let code = Module::read(&plain.bytes).map_err(&broken)?.code() == module.code();
    Ok(Account {
        survives: survival(&Files::last(package, target).report, &inlined),
        inlined,
        file: told.path.clone(),
        is_code_of_shipped: Some(code),
    })
}

/// By the names of the functions in the report of the last build.
fn survival(file: &Path, inlined: &Inlined) -> Option<Survival> {
    let text = std::fs::read_to_string(file).ok()?;
    let report = report::json::read(file, &text).ok()?;
    let rows = report.attribution.rows.iter();
    let functions = rows.filter(|row| row.kind == RowKind::Function);
    let linked: HashSet<_> = inlined
        .parts
        .iter()
        .map(|part| part.function.as_str())
        .collect();
    let shipped = functions.filter(|row| linked.contains(row.name.as_str()));
    let names: HashSet<_> = shipped.clone().map(|row| row.name.as_str()).collect();
    let parts = inlined.parts.iter();
    let kept = parts.filter(|part| names.contains(part.function.as_str()));
    Some(Survival {
        linked: kept.map(|part| part.bytes).sum(),
        shipped: shipped.map(|row| row.bytes).sum(),
    })
}
