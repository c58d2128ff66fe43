//! Two files compared: what appeared, vanished, grew and shrank. Whatever the grouping, the changes
//! sum to the difference of the two files' sizes.

use super::groups::{self, Grouping};
use super::rows::{Attribution, Row, RowKind};
use crate::error::{Error, Result};
use crate::wasm::path;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// The difference of two files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Diff {
    /// The old file's size, in bytes.
    pub before: u64,
    /// The new file's size, in bytes.
    pub after: u64,
    /// The changes, by each grouping that was asked for.
    pub by: Vec<Changes>,
}

/// The changes by one grouping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Changes {
    /// What is compared.
    pub grouping: Grouping,
    /// How many groups are as large as before.
    pub unchanged: u64,
    /// The others, the largest change first, those of one size by name.
    pub changes: Vec<Change>,
}

/// What happened to one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change {
    /// Its name.
    pub name: String,
    /// Which of the four.
    pub what: What,
    /// What it took before, in bytes; 0 where it was not there.
    pub before: u64,
    /// What it takes now, in bytes; 0 where it is there no more.
    pub after: u64,
}

/// The ways to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// It was not there before.
    Appeared,
    /// It takes more.
    Grew,
    /// It takes less.
    Shrank,
    /// It is not there any more.
    Vanished,
}

impl What {
    /// Every one, what adds first.
    pub const ALL: [What; 4] = [What::Appeared, What::Grew, What::Shrank, What::Vanished];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            What::Appeared => "appeared",
            What::Grew => "grew",
            What::Shrank => "shrank",
            What::Vanished => "vanished",
        }
    }
}

impl Change {
    /// The way from before to after, in bytes.
    pub fn delta(&self) -> i128 {
        i128::from(self.after) - i128::from(self.before)
    }
}

impl Changes {
    /// The sum of all changes, in bytes.
    pub fn delta(&self) -> i128 {
        self.changes.iter().map(Change::delta).sum()
    }
}

/// Compares two files by each of `groupings`. Names carry no hashes, so that what was only compiled
/// anew is the same.
///
/// # Errors
/// [`Error::InvalidOutput`] where the changes do not sum to the difference: then one of the two is
/// not whole.
pub fn run(old: &Attribution, new: &Attribution, groupings: &[Grouping]) -> Result<Diff> {
    let (old, new) = (&with_crates(old, new), &with_crates(new, old));
    let by: Vec<_> = groupings.iter().map(|by| changes(old, new, *by)).collect();
    let difference = i128::from(new.bytes) - i128::from(old.bytes);
    if let Some(wrong) = by.iter().find(|changes| changes.delta() != difference) {
        return Err(Error::InvalidOutput {
            pass: "diff",
            offset: None,
            message: format!(
                "the {} sum to {} bytes of a difference of {difference}: a report that is not whole?",
                wrong.grouping.plural(),
                wrong.delta()
            ),
        });
    }
    Ok(Diff {
        before: old.bytes,
        after: new.bytes,
        by,
    })
}

/// The old file of a diff, from the new one and what changed by item; none where that does not tell
/// every byte. A report keeps the diff with its baseline, and not the baseline's rows.
pub fn undo(new: &Attribution, diff: &Diff) -> Option<Attribution> {
    let by_item = diff.by.iter().find(|by| by.grouping == Grouping::Item)?;
    let changes = by_item.changes.iter();
    let mut changed: BTreeMap<_, _> = changes.map(|c| (c.name.as_str(), c)).collect();
    let mut rows = Vec::new();
    for row in &new.rows {
        let bytes = match changed.remove(row.item().as_str()) {
            // What several rows share was in the first of them, as far as one can tell.
            Some(change) => (row.bytes.checked_add(change.before)?).checked_sub(change.after)?,
            None => row.bytes,
        };
        rows.push(Row {
            core: row.core,
            krate: row.krate.clone(),
            ..Row::new(row.kind, row.name.clone(), bytes)
        });
    }
    let vanished = changed.values().map(|change| {
        let (kind, name) = kind_of(&change.name);
        Row::new(kind, name.to_owned(), change.before)
    });
    rows.extend(vanished);
    rows.retain(|row| row.bytes > 0);
    let old = Attribution {
        bytes: diff.before,
        rows,
    };
    let groupings: Vec<_> = diff.by.iter().map(|by| by.grouping).collect();
    let again = run(&old, new, &groupings).ok()?;
    let mut pairs = again.by.iter().zip(&diff.by);
    let same = pairs.all(|(again, by)| again.changes == by.changes);
    same.then_some(old)
}

/// What an item is, by what it is called. A path may be data as well as a function, which [`undo`]
/// finds out.
fn kind_of(item: &str) -> (RowKind, &str) {
    let custom = item.strip_prefix("[custom section ");
    if let Some(name) = custom.and_then(|rest| rest.strip_suffix(']')) {
        return (RowKind::Custom, name);
    }
    let begins = |with: &[&str]| with.iter().any(|with| item.starts_with(with));
    let data = [
        path::VTABLE,
        path::SWITCH_TABLE,
        path::ANONYMOUS,
        "\"",
        "[data segment ",
        "[outside of ",
    ];
    let kind = if begins(&data) {
        RowKind::Data
    } else if begins(&["[component ", "[core module ", "[nested component "]) {
        RowKind::Component
    } else if begins(&["["]) && !begins(&["[function "]) {
        RowKind::Section
    } else {
        RowKind::Function
    };
    (kind, item)
}

/// `file`, with the crates that only the other one knows of functions of the same names: what a
/// baseline keeps are names and bytes.
fn with_crates<'a>(file: &'a Attribution, other: &Attribution) -> Cow<'a, Attribution> {
    let known = other.rows.iter().filter_map(|row| {
        let krate = row.krate.as_ref()?;
        Some(((row.kind, row.name.as_str()), krate))
    });
    let known: HashMap<_, _> = known.collect();
    if known.is_empty() {
        return Cow::Borrowed(file);
    }
    let mut file = file.clone();
    for row in file.rows.iter_mut().filter(|row| row.krate.is_none()) {
        let krate = known.get(&(row.kind, row.name.as_str()));
        row.krate = krate.map(|krate| (*krate).clone());
    }
    Cow::Owned(file)
}

fn changes(old: &Attribution, new: &Attribution, grouping: Grouping) -> Changes {
    let mut sizes: BTreeMap<String, [Option<u64>; 2]> = BTreeMap::new();
    for (side, file) in [old, new].into_iter().enumerate() {
        for group in groups::run(file, grouping) {
            sizes.entry(group.name).or_default()[side] = Some(group.bytes);
        }
    }
    let mut unchanged = 0;
    let mut changes = Vec::new();
    for (name, sizes) in sizes {
        let [before, after] = sizes.map(Option::unwrap_or_default);
        let what = match sizes {
            [None, _] => What::Appeared,
            [_, None] => What::Vanished,
            _ if after > before => What::Grew,
            _ if after < before => What::Shrank,
            _ => {
                unchanged += 1;
                continue;
            }
        };
        changes.push(Change {
            name,
            what,
            before,
            after,
        });
    }
    // Stable: those of one size stay by name.
    changes.sort_by_key(|change| {
        let way = change.before.abs_diff(change.after);
        (groups::is_for_tools(grouping, &change.name), Reverse(way))
    });
    Changes {
        grouping,
        unchanged,
        changes,
    }
}
