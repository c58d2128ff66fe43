//! A file's rows, as plain data: what each item is called and takes. The groups they belong to are
//! read from their names by [`origin`](super::origin).

use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// Every byte of a file, by item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// The file's size in bytes: the sum of all rows.
    pub bytes: u64,
    /// Every item, the largest first, those of one size by name.
    pub rows: Vec<Row>,
}

/// An item, or several of one name: what a generic function is compiled to more than once,
/// constants that look alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What it is.
    pub kind: RowKind,
    /// Its name, demangled and without hashes, so that two builds compare. What nothing names
    /// stands in brackets.
    pub name: String,
    /// What it takes of the file, in bytes, its length in front included.
    pub bytes: u64,
    /// How many items of that name there are.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u64,
    /// The core module inside the component, from 0 in file order; none in a core module, and for
    /// what is the component's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core: Option<u32>,
    /// The crate that defines it, where that is known and the name does not say it.
    #[serde(default, rename = "crate", skip_serializing_if = "Option::is_none")]
    pub krate: Option<String>,
    /// The functions' indices in their core module, imports counted; with them a file without names
    /// has names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<u32>,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowKind {
    /// A function's body.
    Function,
    /// A piece of a data segment.
    Data,
    /// A custom section.
    Custom,
    /// Any other section of a core module, or what frames its functions and data.
    Section,
    /// A section of a component, or what frames the modules inside it.
    Component,
}

fn one() -> u64 {
    1
}

fn is_one(count: &u64) -> bool {
    *count == 1
}

impl Row {
    /// A row of one item, of no core module.
    pub fn new(kind: RowKind, name: String, bytes: u64) -> Self {
        Self {
            kind,
            name,
            bytes,
            count: 1,
            core: None,
            krate: None,
            functions: Vec::new(),
        }
    }
}

impl Attribution {
    /// The crates that have bytes in the file, by name.
    pub fn crates(&self) -> BTreeSet<String> {
        let names = self.rows.iter().map(Row::krate);
        names.filter(|name| !name.starts_with('[')).collect()
    }

    /// The names of the functions of one core module (0 in a file that is one), by their index.
    pub fn functions(&self, core: u32) -> HashMap<u32, &str> {
        let rows = self.rows_of(core).into_iter();
        rows.map(|(index, row)| (index, row.name.as_str()))
            .collect()
    }

    /// The same: the row that each is in.
    pub fn rows_of(&self, core: u32) -> HashMap<u32, &Row> {
        let rows = self.rows.iter().filter(|row| row.core.unwrap_or(0) == core);
        rows.flat_map(|row| row.functions.iter().map(move |index| (*index, row)))
            .collect()
    }
}

/// The rows while they are found; those of one name are one.
#[derive(Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
    by_name: HashMap<(RowKind, Option<u32>, String), usize>,
    /// The core module that is being read, as in [`Row::core`].
    pub(super) core: Option<u32>,
}

impl Rows {
    /// Adds an item, and gives the row of its name.
    pub(super) fn add(&mut self, kind: RowKind, name: impl Into<String>, bytes: u64) -> &mut Row {
        let (next, core, name) = (self.rows.len(), self.core, name.into());
        let key = (kind, core, name.clone());
        let position = *self.by_name.entry(key).or_insert(next);
        if position == next {
            let row = Row::new(kind, name, bytes);
            self.rows.push(Row { core, ..row });
        } else {
            self.rows[position].bytes += bytes;
            self.rows[position].count += 1;
        }
        &mut self.rows[position]
    }

    /// All of them, of a file of so many bytes.
    pub(super) fn finish(mut self, bytes: u64) -> Attribution {
        self.rows.sort_by(|a, b| {
            let by_size = b.bytes.cmp(&a.bytes);
            by_size
                .then_with(|| a.name.cmp(&b.name))
                .then_with(|| (a.kind, a.core).cmp(&(b.kind, b.core)))
        });
        Attribution {
            bytes,
            rows: self.rows,
        }
    }
}
