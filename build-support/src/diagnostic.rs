//! A message about a place in a manifest, as plain data. `output::diagnostic` draws it.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// How grave a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The build fails.
    Error,
    /// The build goes on.
    Warning,
}

/// A compiler-style message: what, where in which file, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave it is.
    pub level: Level,
    /// A stable name for the kind of message, e.g. `over-budget`.
    pub code: &'static str,
    /// The headline, lower case.
    pub message: String,
    /// The file the span is in.
    pub file: PathBuf,
    /// That file's whole text.
    pub source: String,
    /// Byte range in `source` that the message is about.
    pub span: Range<usize>,
    /// What stands beside the underlined range.
    pub label: String,
    /// Facts that explain, one line each.
    pub notes: Vec<String>,
    /// What to do, one line each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error without words, at `span` of `file`, whose text is `source`.
    pub fn at(file: &Path, source: &str, span: Range<usize>) -> Self {
        Self {
            level: Level::Error,
            code: "",
            message: String::new(),
            file: file.to_owned(),
            source: source.to_owned(),
            span,
            label: String::new(),
            notes: Vec::new(),
            help: Vec::new(),
        }
    }
}
