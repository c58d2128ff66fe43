//! How `analyze` and `diff` grow with the file.

use super::millis;
use crate::processor::peak;
use build_support::attribution::diff;
use build_support::attribution::groups::{self, Grouping};
use build_support::error::{Error, Result};
use build_support::report::subject;
use build_support::wasm::ReadError;
use build_support::wasm::call_graph;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How often each is done; the fastest counts, for the machine may be busy.
const RUNS: u32 = 5;

/// What reading one file costs. Times are wall time in milliseconds: that they grow as the file
/// does is what counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The file.
    pub file: PathBuf,
    /// Its size, in bytes.
    pub bytes: u64,
    /// Its functions.
    pub functions: u64,
    /// All that `analyze` finds out: names, a row for every byte, every grouping, what every
    /// function retains.
    pub analyze_millis: f64,
    /// All that `diff` finds out about it and the file before it: both taken apart, every grouping
    /// compared.
    pub diff_millis: f64,
    /// The process's resident memory at its highest after `analyze`, in bytes; none where the
    /// system does not say.
    pub analyze_peak_bytes: Option<u64>,
    /// The same at the end, `diff` included.
    pub peak_bytes: Option<u64>,
}

/// What `file` costs; `before` is what it is compared with.
///
/// # Errors
/// [`Error::Input`] where one of them is no wasm file.
pub fn measure(file: &Path, before: &Path) -> Result<Reading> {
    let mut functions = 0;
    let analyze_millis = fastest(|| {
        let subject = subject::read(file)?;
        for by in Grouping::ALL {
            groups::run(&subject.attribution, by);
        }
        functions = 0;
        let damaged = ReadError::input(file, "give a file that is whole");
        for module in &subject.modules().map_err(&damaged)? {
            let graph = call_graph::read(module).map_err(&damaged)?;
            functions += u64::from(graph.functions());
            graph.retained();
        }
        Ok(())
    })?;
    let analyze_peak_bytes = peak();
    let diff_millis = fastest(|| {
        let (old, new) = (subject::read(before)?, subject::read(file)?);
        diff::run(&old.attribution, &new.attribution, &Grouping::ALL).map(|_| ())
    })?;
    let about = std::fs::metadata(file).map_err(Error::io("reading", file))?;
    Ok(Reading {
        file: file.to_owned(),
        bytes: about.len(),
        functions,
        analyze_millis,
        diff_millis,
        analyze_peak_bytes,
        peak_bytes: peak(),
    })
}

fn fastest(mut run: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut fastest = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        run()?;
        fastest = fastest.min(millis(start.elapsed()));
    }
    Ok(fastest)
}
