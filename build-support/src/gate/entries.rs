//! The entries of one package's file for one target: one for each toolchain that makes it, since
//! another's files are not compared with it. Each changes by the ways of an [`Entry`]; here is
//! which of them is meant, how one begins where there are others, and what a raise is to those
//! others.

use crate::config::Tolerance;
use crate::gate::entry::{Entry, Refused};
use crate::report::{Report, Toolchain};
use crate::system::digest;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Entries, by the [`fingerprint`] of the toolchain of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Entries(BTreeMap<String, Entry>);

/// How many hexadecimal digits of a digest stand for a toolchain.
const DIGITS: usize = 12;

/// What stands for a toolchain.
pub fn fingerprint(toolchain: &Toolchain) -> String {
    let Toolchain {
        rustc,
        std,
        wasm_opt,
        build_support,
    } = toolchain;
    let parts = [rustc, std, wasm_opt, build_support];
    let key = parts
        .into_iter()
        .fold(digest::Key::start(), |key, part| key.with(part));
    let mut digits = key.finish();
    digits.truncate(DIGITS);
    digits
}

impl Entries {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each, with the fingerprint it stands under.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(key, entry)| (key.as_str(), entry))
    }

    /// The one of `toolchain`.
    pub fn of(&self, toolchain: &Toolchain) -> Option<&Entry> {
        self.0.get(&fingerprint(toolchain))
    }

    /// The one under `key`.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.0.get(key)
    }

    /// The one of `report`'s toolchain, or else of the one that is most like it: of those that
    /// differ in as little, the one with the lowest anchor.
    pub fn nearest(&self, report: &Report) -> Option<&Entry> {
        let likeness = |entry: &&Entry| {
            let same_making = is_same_making(&entry.toolchain, &report.toolchain);
            let differences = entry.differences(report).len();
            (Reverse(same_making), differences, entry.anchor.raw)
        };
        self.0.values().min_by_key(likeness)
    }

    /// Puts `entry` in, in place of another of its toolchain.
    pub fn set(&mut self, entry: Entry) {
        self.0.insert(fingerprint(&entry.toolchain), entry);
    }

    /// Puts `entry` under `key` again, or none.
    pub fn restore(&mut self, key: &str, entry: Option<&Entry>) {
        match entry {
            Some(entry) => self.0.insert(key.to_owned(), entry.clone()),
            None => self.0.remove(key),
        };
    }

    /// The first key that is not the fingerprint of its entry's toolchain.
    pub fn misplaced(&self) -> Option<&str> {
        let wrong = |(key, entry): &(&str, &Entry)| fingerprint(&entry.toolchain) != *key;
        self.iter().find(wrong).map(|(key, _)| key)
    }

    /// Lowers the entry of `report`'s toolchain; the first of all begins.
    ///
    /// # Errors
    /// [`Refused::Toolchain`] where there are others alone.
    pub fn lower(&mut self, report: &Report) -> Result<(), Refused> {
        let entry = match self.of(&report.toolchain) {
            Some(own) => own.lower(report)?,
            None if self.is_empty() => Entry::begin(report),
            None => return Err(Refused::Toolchain),
        };
        self.set(entry);
        Ok(())
    }

    /// The same, and an entry of a toolchain that has none is added. It comes from one whose
    /// standard library was got in the same way and shares its drift, so that what came in with new
    /// compilers is bounded; where there is none, it begins: a library that was built for size is
    /// no measure of one that was distributed.
    ///
    /// # Errors
    /// [`Refused::Drift`] as [`Entry::rebase`].
    pub fn take_over(
        &mut self,
        report: &Report,
        tolerance: &Tolerance,
        commit: &str,
    ) -> Result<(), Refused> {
        let before = self.nearest(report);
        let before = before.filter(|entry| is_same_making(&entry.toolchain, &report.toolchain));
        self.set(match before {
            Some(entry) => entry.rebase(report, tolerance, commit)?,
            None => Entry::begin(report),
        });
        Ok(())
    }

    /// Raises the entry of `report`'s toolchain, and the others by the same share: they are of the
    /// same sources, and nobody can build with all toolchains at once. Where there is none of it,
    /// one is added, and the others stay: how much they would grow is not known.
    ///
    /// # Errors
    /// [`Refused::NoReason`].
    pub fn raise(&mut self, report: &Report, reason: &str, commit: &str) -> Result<(), Refused> {
        let Some(before) = self.nearest(report) else {
            self.set(Entry::begin(report));
            return Ok(());
        };
        let was_there = before.toolchain == report.toolchain;
        let known = before.raises.len();
        let raised = before.raise(report, reason, commit)?;
        let raise = raised.raises.get(known).filter(|_| was_there).cloned();
        let own = fingerprint(&raised.toolchain);
        self.set(raised);
        let Some(raise) = raise else { return Ok(()) };
        for (key, other) in &mut self.0 {
            if *key != own {
                *other = other.carry(&raise, &own);
            }
        }
        Ok(())
    }
}

/// Whether both got the standard library in one way: distributed, or built from sources.
pub fn is_same_making(one: &Toolchain, other: &Toolchain) -> bool {
    let [one, other] = [one, other].map(|toolchain| toolchain.std.split(" (").next());
    one == other
}
