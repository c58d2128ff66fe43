//! Collects what is wrong with a manifest, each mistake with its place, so that all of them are
//! shown at once.

use crate::diagnostic::Diagnostic;
pub use crate::diagnostic::code;
use std::cell::{RefCell, RefMut};
use std::ops::Range;
use std::path::Path;

/// How many letters of a word are compared.
const LONGEST: usize = 64;

/// One that was found, for what else there is to say of it.
pub(crate) struct Mistake<'m>(RefMut<'m, Diagnostic>);

impl Mistake<'_> {
    /// What stands beside its place.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.0.label = label.into();
        self
    }

    /// What to do.
    pub(crate) fn help(mut self, help: impl Into<String>) {
        self.0.help.push(help.into());
    }

    /// The same, where there is anything to say.
    pub(crate) fn help_if(self, help: String) {
        if !help.is_empty() {
            self.help(help);
        }
    }
}

/// The mistakes found so far in one manifest. Whoever reads a value has them at hand, hence the
/// cell.
pub(crate) struct Mistakes<'a> {
    manifest: &'a Path,
    source: &'a str,
    found: RefCell<Vec<Diagnostic>>,
}

impl<'a> Mistakes<'a> {
    pub(crate) fn new(manifest: &'a Path, source: &'a str) -> Self {
        Self {
            manifest,
            source,
            found: RefCell::default(),
        }
    }

    /// Adds one.
    pub(crate) fn add(
        &self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Mistake<'_> {
        let mut found = self.found.borrow_mut();
        found.push(Diagnostic {
            code,
            message: message.into(),
            ..Diagnostic::at(self.manifest, self.source, span)
        });
        let last = found.len() - 1;
        Mistake(RefMut::map(found, |found| &mut found[last]))
    }

    /// The text of the manifest at `span`.
    pub(crate) fn text(&self, span: &Range<usize>) -> &'a str {
        self.source.get(span.clone()).unwrap_or_default()
    }

    /// `value` if nothing was wrong, else the mistakes in the order of the file.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Vec<Diagnostic>> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|mistake| (mistake.span.start, mistake.span.end));
        if found.is_empty() {
            Ok(value)
        } else {
            Err(found)
        }
    }
}

/// The one of `known` that `written` most likely stands for, if it is near enough to any. Long
/// words are cut: nothing that long is a near miss.
pub(crate) fn nearest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    let written = written.to_lowercase().replace('_', "-");
    let written: String = written.chars().take(LONGEST).collect();
    known
        .iter()
        .map(|&name| (strsim::osa_distance(&written, name), name))
        .min()
        .filter(|&(distance, name)| distance <= name.len().div_ceil(3))
        .map(|(_, name)| name)
}

/// "did you mean …" or, where nothing is near, what there is.
pub(crate) fn suggestion(written: &str, known: &[&str], what: &str) -> String {
    match nearest(written, known) {
        Some(name) => format!("did you mean `{name}`?"),
        None => match known {
            [only] => format!("there is only `{only}`"),
            _ => format!("the {what} are {}", quoted(known)),
        },
    }
}

/// `a`, `b` and `c`, each in backquotes.
pub(crate) fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{nearest, quoted};

    #[test]
    fn near_misses_are_recognised_and_others_are_not() {
        let known = ["raw", "gzip", "brotli", "banned-crates"];
        let cases = [
            ("rwa", Some("raw")),
            ("Raw", Some("raw")),
            ("gzp", Some("gzip")),
            ("brotil", Some("brotli")),
            ("banned_crate", Some("banned-crates")),
            ("colour", None),
            ("", None),
        ];
        for (written, expected) in cases {
            assert_eq!(nearest(written, &known), expected, "{written}");
        }
    }

    #[test]
    fn lists_read_as_prose() {
        assert_eq!(
            [quoted(&[]), quoted(&["a"]), quoted(&["a", "b", "c"])],
            ["", "`a`", "`a`, `b` and `c`"]
        );
    }
}
