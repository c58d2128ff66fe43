//! A message about a place in a manifest, as plain data. `output::diagnostic` draws it.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// The names of the kinds of mistake, stable: people search for them.
pub mod code {
    /// The manifest is not TOML.
    pub const SYNTAX: &str = "manifest-syntax";
    /// The manifest has no `[package]` with a name.
    pub const NO_PACKAGE: &str = "no-package";
    /// A key that means nothing.
    pub const UNKNOWN_KEY: &str = "unknown-key";
    /// A value of the wrong type.
    pub const WRONG_TYPE: &str = "wrong-type";
    /// A size that is not one, or an impossible one.
    pub const BAD_SIZE: &str = "bad-size";
    /// A count that is not a positive number.
    pub const BAD_COUNT: &str = "bad-count";
    /// A target that is not a wasm target, or one the package does not list.
    pub const UNKNOWN_TARGET: &str = "unknown-target";
    /// A profile, crate or feature name, or a path pattern, that matches nothing or everything.
    pub const BAD_NAME: &str = "bad-name";
    /// Two values that contradict each other or say the same twice.
    pub const CONFLICT: &str = "conflict";

    /// All of them.
    pub const ALL: [&str; 9] = [
        SYNTAX,
        NO_PACKAGE,
        UNKNOWN_KEY,
        WRONG_TYPE,
        BAD_SIZE,
        BAD_COUNT,
        UNKNOWN_TARGET,
        BAD_NAME,
        CONFLICT,
    ];
}

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

/// The line and the column of a byte, both from 1, the column in characters.
pub fn place(source: &str, at: usize) -> (usize, usize) {
    let at = source.floor_char_boundary(at);
    let (number, line) = lines(source)
        .enumerate()
        .take_while(|(i, line)| *i == 0 || line.start <= at)
        .last()
        .unwrap_or((0, 0..0));
    // Inside a line's end and inside the mark in front of the first there is no column.
    let before = &source[line.start.min(at)..at.min(line.end)];
    (number + 1, before.chars().count() + 1)
}

/// The byte range of each line, without its end. A byte order mark is no part of the first.
pub fn lines(source: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    source.split('\n').map(move |line| {
        let is_marked = start == 0 && line.starts_with('\u{feff}');
        let from = start + if is_marked { '\u{feff}'.len_utf8() } else { 0 };
        let end = start + line.len();
        start = end + 1;
        let carriage = usize::from(end > from && line.ends_with('\r'));
        from..end - carriage
    })
}
