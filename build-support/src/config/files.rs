//! The tables of files that something else builds: what each may weigh, by its name, and what they
//! may weigh together. `cargo budget check` alone reads them.

use super::budget;
use super::limits::Limits;
use super::value::Value;

/// Files by their names, and their limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// By pattern, in the manifest's order.
    pub rules: Vec<Rule>,
    /// Of all files together: sizes alone.
    pub sum: Limits,
}

/// What files of such names may weigh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// A path from the manifest's folder, with `*` and `?` in it where it is not always the same.
    pub pattern: String,
    /// Each of them, in place of the package's limits.
    pub limits: Limits,
}

/// Reads the table `files`: a table of limits for each pattern.
pub(super) fn read(value: &Value<'_>, files: &mut Files) {
    for (pattern, value) in value.entries() {
        let mut limits = Limits::default();
        budget::read(&value, &mut limits);
        files.rules.push(Rule {
            pattern: pattern.text.to_owned(),
            limits,
        });
    }
}
