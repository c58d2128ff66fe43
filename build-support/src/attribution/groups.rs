//! The rows of a file added up: by item, crate, module path, generic family, section. Whatever the
//! grouping, the groups sum to the file.

use super::origin;
use super::rows::{Attribution, Row};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What rows are put together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Grouping {
    /// The section of the file.
    Section,
    /// The crate.
    Crate,
    /// The module path.
    Module,
    /// The generic item: every instance of it together.
    Family,
    /// The item itself.
    Item,
}

impl Grouping {
    /// Every one, the coarsest first.
    pub const ALL: [Grouping; 5] = [
        Grouping::Section,
        Grouping::Crate,
        Grouping::Module,
        Grouping::Family,
        Grouping::Item,
    ];

    /// What it is called on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Grouping::Section => "section",
            Grouping::Crate => "crate",
            Grouping::Module => "module",
            Grouping::Family => "family",
            Grouping::Item => "item",
        }
    }

    /// What a table of them is headed.
    pub fn plural(self) -> &'static str {
        match self {
            Grouping::Section => "sections",
            Grouping::Crate => "crates",
            Grouping::Module => "modules",
            Grouping::Family => "families",
            Grouping::Item => "items",
        }
    }

    /// The group a row belongs to.
    pub fn of(self, row: &Row) -> String {
        match self {
            Grouping::Section => row.section(),
            Grouping::Crate => row.krate(),
            Grouping::Module => row.module(),
            Grouping::Family => row.family(),
            Grouping::Item => row.item(),
        }
    }
}

/// Rows put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What they have in common.
    pub name: String,
    /// What they take, in bytes.
    pub bytes: u64,
    /// How many functions, pieces of data and sections they are.
    pub count: u64,
    /// Where its first section begins in the file, in bytes; none where it is no section.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// Whether a group is of custom sections, which no engine reads and which go: by crate and by item
/// they come last, however large they are.
pub fn is_for_tools(by: Grouping, name: &str) -> bool {
    by != Grouping::Section && (name == origin::CUSTOM || name.starts_with("[custom section "))
}

/// The groups, the largest first, those of one size by name.
pub fn run(attribution: &Attribution, by: Grouping) -> Vec<Group> {
    let mut found: HashMap<String, (u64, u64, Option<u64>)> = HashMap::new();
    for row in &attribution.rows {
        let (bytes, count, offset) = found.entry(by.of(row)).or_default();
        if by == Grouping::Section {
            *offset = [*offset, row.offset].into_iter().flatten().min();
        }
        // A report may have been changed by hand.
        *bytes = bytes.saturating_add(row.bytes);
        *count = count.saturating_add(row.count);
    }
    let groups = found
        .into_iter()
        .map(|(name, (bytes, count, offset))| Group {
            name,
            bytes,
            count,
            offset,
        });
    let mut groups: Vec<_> = groups.collect();
    groups.sort_by(|a, b| {
        let [a_last, b_last] = [a, b].map(|group| is_for_tools(by, &group.name));
        let by_size = a_last.cmp(&b_last).then(b.bytes.cmp(&a.bytes));
        by_size.then_with(|| a.name.cmp(&b.name))
    });
    groups
}
