//! A file's rows, as plain data: what each item is called and takes. The groups they belong to are
//! read from their names by [`origin`](super::origin).

use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// Every byte of a file, by item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Attribution {
    /// The file's size in bytes: the sum of all rows.
    pub bytes: u64,
    /// Every item, the largest first, those of one size by name.
    pub rows: Vec<Row>,
}

/// An item, or several of one name: what a generic function is compiled to more than once,
/// constants that look alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// The first byte of the (first) section, from the beginning of the file; none for what is in a
    /// section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The functions' indices in their core module, imports counted; with them a file without names
    /// has names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<u32>,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
            offset: None,
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

    /// The code alone: what functions take, and their rows.
    pub fn code(self) -> Self {
        let rows = self.rows.into_iter();
        let rows: Vec<_> = rows.filter(|row| row.kind == RowKind::Function).collect();
        Self {
            bytes: rows
                .iter()
                .fold(0, |sum, row| sum.saturating_add(row.bytes)),
            rows,
        }
    }

    /// Whether most functions have a name: what is exported has one in any file.
    pub fn has_names(&self) -> bool {
        let functions = self.rows.iter().filter(|row| row.kind == RowKind::Function);
        let (mut all, mut named) = (0_u64, 0_u64);
        for row in functions {
            all = all.saturating_add(row.count.max(1));
            if !row.name.starts_with('[') {
                named = named.saturating_add(row.count.max(1));
            }
        }
        named > all / 2
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

    /// With names, and crates, for functions that have none here: `find` is asked by core module
    /// and index.
    pub fn named(self, find: impl Fn(u32, u32) -> Option<(String, Option<String>)>) -> Self {
        let mut rows = Rows::default();
        for row in self.rows {
            let (is_unnamed, core) = (row.name.starts_with('['), row.core.unwrap_or(0));
            let found = row.functions.first();
            let found = found.and_then(|function| find(core, *function));
            let found = found.filter(|(name, _)| is_unnamed || *name == row.name);
            let (name, krate) = found.unwrap_or((row.name, row.krate));
            rows.core = row.core;
            let into = rows.add(row.kind, name, row.bytes);
            into.count += row.count - 1;
            into.krate = krate;
            into.offset = row.offset;
            into.functions.extend(row.functions);
        }
        rows.finish(self.bytes)
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

    /// Adds a section, or what frames what is in it, and where it begins in the file.
    pub(super) fn add_section(
        &mut self,
        kind: RowKind,
        name: impl Into<String>,
        bytes: u64,
        at: u64,
    ) {
        let row = self.add(kind, name, bytes);
        row.offset.get_or_insert(at);
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
