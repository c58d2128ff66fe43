//! What `analyze` and `diff` are asked about: a WebAssembly file, or the report of a run, which has
//! the names of a shipped file that has none. Which of the two it is shows in the bytes.

use crate::attribution::{Attribution, RowKind, of_file};
use crate::error::{Error, Result};
use crate::report::{self, Report};
use crate::system::files;
use crate::wasm::artifact::Artifact;
use crate::wasm::{Module, ReadError};
use std::path::{Path, PathBuf};

/// A file, taken apart.
#[derive(Debug)]
pub struct Subject {
    /// Its size by what is in it.
    pub attribution: Attribution,
    /// The file itself; none where only the report is there.
    pub artifact: Option<Artifact>,
    /// The rest of the report, where it is one: its own attribution is the one above.
    pub report: Option<Box<Report>>,
    /// For a report, the shipped file that should be beside it and is not, or not as it was.
    pub missing: Option<PathBuf>,
}

impl Subject {
    /// Its core modules in file order; none where only the report is there.
    ///
    /// # Errors
    /// As [`Module::read`].
    pub fn modules(&self) -> Result<Vec<Module<'_>>, ReadError> {
        self.artifact
            .as_ref()
            .map_or(Ok(Vec::new()), Artifact::modules)
    }
}

/// Reads a core module, a component, or a report.
///
/// # Errors
/// [`Error::Io`], or [`Error::Input`] for what is none of them or not whole.
pub fn read(file: &Path) -> Result<Subject> {
    let bytes = files::read(file)?;
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'{') {
        return of_report(file, &bytes);
    }
    let artifact = Artifact::new(bytes, file)?;
    Ok(Subject {
        attribution: of_file(file, &artifact)?,
        artifact: Some(artifact),
        report: None,
        missing: None,
    })
}

fn of_report(file: &Path, text: &[u8]) -> Result<Subject> {
    let text = String::from_utf8_lossy(text);
    let mut report = report::json::read(file, &text)?;
    let attribution = std::mem::take(&mut report.attribution);
    let mut rows = attribution.rows.iter().map(|row| row.bytes);
    let sum = rows.try_fold(0_u64, u64::checked_add);
    let bytes = attribution.bytes;
    if sum != Some(bytes) {
        return Err(Error::input(
            file,
            format!("the rows of its `attribution` do not sum to {bytes} bytes"),
            "make it again: every build writes report.json beside the shipped file",
        ));
    }
    let shipped = file.with_file_name(format!("{}.wasm", report.stem()));
    let artifact = Artifact::read(&shipped).ok();
    let artifact = artifact.filter(|artifact| is_of(&shipped, artifact, &attribution));
    Ok(Subject {
        missing: artifact.is_none().then_some(shipped),
        attribution,
        artifact,
        report: Some(Box::new(report)),
    })
}

/// Whether `artifact` is the shipped file that the report is of.
fn is_of(file: &Path, artifact: &Artifact, attribution: &Attribution) -> bool {
    let functions = |attribution: &Attribution| {
        let rows = attribution.rows.iter();
        let rows = rows.filter(|row| row.kind == RowKind::Function);
        let count: usize = rows.clone().map(|row| row.functions.len()).sum();
        let bytes: u64 = rows.map(|row| row.bytes).sum();
        (attribution.bytes, count, bytes)
    };
    of_file(file, artifact).is_ok_and(|found| functions(&found) == functions(attribution))
}
