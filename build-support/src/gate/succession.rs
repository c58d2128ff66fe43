//! Whether one record can have come from another by the ways there are: what is said of a baseline
//! that was changed by hand, or by a merge that took the wrong side.

use crate::config::Tolerance;
use crate::gate::entries::{Entries, is_same_making};
use crate::gate::entry::Entry;
use crate::report::{Raise, Size};

/// Why a record cannot have come from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weakened {
    /// It is gone, and was there.
    Gone,
    /// Raises that were recorded are not there as they were.
    Raises,
    /// The same of changes of the toolchain.
    Rebases,
    /// A raise that was added has no reason.
    NoReason,
    /// It is said to be of another toolchain, and that was not recorded.
    Toolchain,
    /// The baseline is more than any record allows.
    Size {
        /// Of which size.
        size: Size,
        /// What it is.
        bytes: u64,
        /// The most that can be.
        most: u64,
    },
    /// Drift is counted from more than any record allows.
    Anchor {
        /// Of which size.
        size: Size,
        /// What it is counted from.
        bytes: u64,
        /// The most that can be.
        most: u64,
    },
}

/// The first entry of `after`, by its fingerprint, that cannot have come from `before`, and why.
/// One that both have changed by its own ways; one that was added was taken over or raised from
/// another, or began because none has got its standard library in its way. One that is gone is
/// missed by its toolchain alone: nobody has to keep those that are not in use any more.
pub fn first_fault(
    before: &Entries,
    after: &Entries,
    tolerance: &Tolerance,
) -> Option<(String, Weakened)> {
    let fault = |key: &str, entry: &Entry| {
        if let Some(own) = before.get(key) {
            return succeeds(own, entry, tolerance).err();
        }
        let from = |other: &Entry| succeeds(other, entry, tolerance);
        let is_new =
            |(_, other): (&str, &Entry)| !is_same_making(&other.toolchain, &entry.toolchain);
        let mut tried = before.iter().map(|(_, other)| from(other));
        if before.iter().all(is_new) || tried.any(|tried| tried.is_ok()) {
            return None;
        }
        let mut others = before.iter().filter(|other| !is_new(*other));
        others.find_map(|(_, other)| from(other).err())
    };
    let mut all = after.iter();
    all.find_map(|(key, entry)| Some((key.to_owned(), fault(key, entry)?)))
}

/// The raises that `after` has and `before` has not, if `after` can have come from `before`.
///
/// # Errors
/// The first reason why it cannot.
pub fn succeeds<'h>(
    before: &Entry,
    after: &'h Entry,
    tolerance: &Tolerance,
) -> Result<&'h [Raise], Weakened> {
    let raises = after.raises.strip_prefix(before.raises.as_slice());
    let raises = raises.ok_or(Weakened::Raises)?;
    let rebases = after.rebases.strip_prefix(before.rebases.as_slice());
    let rebases = rebases.ok_or(Weakened::Rebases)?;
    if raises.iter().any(|raise| raise.reason.trim().is_empty()) {
        return Err(Weakened::NoReason);
    }
    let recorded = !raises.is_empty() || !rebases.is_empty();
    let same_tools = before.toolchain == after.toolchain && before.codecs == after.codecs;
    if !same_tools && !recorded {
        return Err(Weakened::Toolchain);
    }
    for size in Size::ALL {
        // With another codec a size begins anew, even where the one before comes back later.
        let codecs = [before, after].map(|entry| super::entry::codec(&entry.codecs, size));
        let mut rebased_by = rebases.iter().flat_map(|rebase| &rebase.what);
        if codecs[0] != codecs[1] || rebased_by.any(|what| what.what == size.name()) {
            continue;
        }
        let (anchor, bytes) = (after.anchor.get(size), after.sizes.get(size));
        let from = raises.last().map(|raise| raise.to.get(size));
        let most = from.unwrap_or(before.anchor.get(size));
        if anchor > most {
            return Err(Weakened::Anchor {
                size,
                bytes: anchor,
                most,
            });
        }
        let raised = from.unwrap_or(before.sizes.get(size));
        let most = if rebases.is_empty() {
            raised
        } else {
            raised.max(anchor.saturating_add(tolerance.drift.of(anchor)))
        };
        if bytes > most {
            return Err(Weakened::Size { size, bytes, most });
        }
    }
    Ok(raises)
}
