//! The size of an entry's file by name, as it is committed: a line for each name, in an order of
//! names, so that a change of one function is a change of one line.

use crate::attribution::{Attribution, Row, RowKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes by kind and name. Which core module of a component something is in is left out, and so are
/// functions' indices: they change with everything in front of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Contents(BTreeMap<RowKind, BTreeMap<String, u64>>);

impl Contents {
    /// Those of a file.
    pub fn new(attribution: &Attribution) -> Self {
        let mut contents = Self::default();
        for row in &attribution.rows {
            let names = contents.0.entry(row.kind).or_default();
            let bytes = names.entry(row.name.clone()).or_default();
            *bytes = bytes.saturating_add(row.bytes);
        }
        contents
    }

    /// The sum of all, in bytes; none where it is more than can be counted.
    pub fn sum(&self) -> Option<u64> {
        let mut all = self.0.values().flat_map(BTreeMap::values);
        all.try_fold(0u64, |sum, bytes| sum.checked_add(*bytes))
    }

    /// As an attribution of a file of `bytes`.
    pub fn attribution(&self, bytes: u64) -> Attribution {
        let rows = self.0.iter().flat_map(|(kind, names)| {
            let rows = names.iter();
            rows.map(|(name, bytes)| Row::new(*kind, name.clone(), *bytes))
        });
        Attribution {
            bytes,
            rows: rows.collect(),
        }
    }
}
