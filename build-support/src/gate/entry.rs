//! An entry of the baseline, which is of one shipped file and one toolchain, and the ways it may
//! change: it begins, it is lowered, it is taken over to another toolchain, it is raised for a
//! reason, or with an entry that was. Pure: which entry is meant is for `entries` to say, where the
//! record is kept, and which one counts, is `baseline`'s business, what a figure that is too high
//! means `gate`'s. ADR 8 has the rules and why.
//!
//! Two figures are kept of each size. The *baseline* answers for the change at hand: growth is
//! counted from it. The *anchor* answers for the road: it is the lowest baseline since the last
//! deliberate raise, and drift is counted from it, so that a baseline that went up with one
//! toolchain after the other does not go up for ever.

use crate::attribution::Attribution;
use crate::config::Tolerance;
use crate::gate::contents::Contents;
use crate::report::{Codecs, Difference, Raise, Report, Size, Sizes, Toolchain};
use serde::{Deserialize, Serialize};

/// The baseline of one package's file for one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What made the file. Another's files are not compared with it.
    pub toolchain: Toolchain,
    /// What its compressed sizes were made with. Another's are not compared with them.
    pub codecs: Codecs,
    /// The baseline: only a raise or another toolchain makes it more.
    pub sizes: Sizes,
    /// The lowest baseline since the last raise, or since the beginning.
    pub anchor: Sizes,
    /// Every deliberate raise, the oldest first.
    pub raises: Vec<Raise>,
    /// Every time it was taken over to another toolchain, the oldest first.
    #[serde(rename = "retooled")]
    pub rebases: Vec<Rebase>,
    /// The size by name of the file that `sizes.raw` is of.
    pub contents: Contents,
}

/// A change of the baseline because of another toolchain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rebase {
    /// The commit that was checked out; empty outside of git.
    pub commit: String,
    /// What is another now.
    pub what: Vec<Difference>,
    /// The baseline before.
    pub from: Sizes,
    /// The baseline since.
    pub to: Sizes,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Another toolchain made the file.
    Toolchain,
    /// Another toolchain made it, and with what it adds the drift would be over its tolerance.
    Drift(Size),
    /// A raise without a reason.
    NoReason,
}

impl Entry {
    /// The beginning: what `report` found is the baseline.
    pub fn begin(report: &Report) -> Self {
        Self {
            toolchain: report.toolchain.clone(),
            codecs: report.codecs.clone(),
            sizes: report.sizes,
            anchor: report.sizes,
            raises: Vec::new(),
            rebases: Vec::new(),
            contents: Contents::new(&report.attribution),
        }
    }

    /// What differs between what made the baseline and what made `report`'s; empty where nothing
    /// does.
    pub fn differences(&self, report: &Report) -> Vec<Difference> {
        let (before, after) = (&self.toolchain, &report.toolchain);
        let all = [
            ("rustc", &before.rustc, &after.rustc),
            ("std", &before.std, &after.std),
            ("wasm-opt", &before.wasm_opt, &after.wasm_opt),
            ("build-support", &before.build_support, &after.build_support),
        ];
        let changed = all.into_iter().filter(|(_, before, after)| before != after);
        changed.map(difference).collect()
    }

    /// The same of the codecs.
    pub fn codec_differences(&self, report: &Report) -> Vec<Difference> {
        let all = Size::ALL.into_iter().filter_map(|size| {
            let [before, after] = [&self.codecs, &report.codecs].map(|codecs| codec(codecs, size));
            Some((size.name(), before?, after?))
        });
        all.filter(|(_, before, after)| before != after)
            .map(difference)
            .collect()
    }

    /// Whether one of the sizes of `report` was made as the baseline was, as far as its codec goes.
    pub fn same_codec(&self, report: &Report, size: Size) -> bool {
        codec(&self.codecs, size) == codec(&report.codecs, size)
    }

    /// The first size of `report` that is further above the anchor than `tolerance` lets it. One of
    /// another codec is not: it begins anew.
    pub fn drifted(&self, report: &Report, tolerance: &Tolerance) -> Option<Size> {
        Size::ALL.into_iter().find(|size| {
            let anchor = self.anchor.get(*size);
            let most = anchor.saturating_add(tolerance.drift.of(anchor));
            self.same_codec(report, *size) && report.sizes.get(*size) > most
        })
    }

    /// Lowers the baseline to what is smaller in `report`. Nothing goes up.
    ///
    /// # Errors
    /// [`Refused::Toolchain`] where the two do not compare.
    pub fn lower(&self, report: &Report) -> Result<Self, Refused> {
        if !self.differences(report).is_empty() {
            return Err(Refused::Toolchain);
        }
        let mut lowered = self.clone();
        let least = |size: Size| self.sizes.get(size).min(report.sizes.get(size));
        lowered.sizes = self.by_codec(report, least, self.sizes);
        let least = |size: Size| self.anchor.get(size).min(lowered.sizes.get(size));
        lowered.anchor = self.by_codec(report, least, self.anchor);
        // After a raise that was carried over the contents are still those of a smaller file.
        let is_estimate = self.contents.sum() != Some(self.sizes.raw);
        let is_new = lowered.sizes.raw < self.sizes.raw;
        if is_new || (is_estimate && lowered.sizes.raw == report.sizes.raw) {
            lowered.contents = Contents::new(&report.attribution);
        }
        Ok(lowered)
    }

    /// Takes the baseline over to the toolchain and codecs of `report`, up or down. The anchor
    /// never goes up, except of a size whose codec is another: that begins anew.
    ///
    /// # Errors
    /// [`Refused::Drift`] where it would be further above the anchor than `tolerance` lets it.
    pub fn rebase(
        &self,
        report: &Report,
        tolerance: &Tolerance,
        commit: &str,
    ) -> Result<Self, Refused> {
        let mut what = self.differences(report);
        if what.is_empty() {
            // Nothing but codecs, if anything: raw is of the same making, and may only go down.
            let lowered = self.lower(report)?;
            what = self.codec_differences(report);
            if what.is_empty() {
                return Ok(lowered);
            }
            let rebases = Self {
                codecs: report.codecs.clone(),
                sizes: self.by_codec(report, |size| lowered.sizes.get(size), report.sizes),
                anchor: self.by_codec(report, |size| lowered.anchor.get(size), report.sizes),
                ..lowered
            };
            return Ok(rebases.remember(self, commit, what));
        }
        what.extend(self.codec_differences(report));
        if let Some(size) = self.drifted(report, tolerance) {
            return Err(Refused::Drift(size));
        }
        let least = |size: Size| self.anchor.get(size).min(report.sizes.get(size));
        let anchor = self.by_codec(report, least, report.sizes);
        let rebases = Self {
            anchor,
            raises: self.raises.clone(),
            rebases: self.rebases.clone(),
            ..Self::begin(report)
        };
        Ok(rebases.remember(self, commit, what))
    }

    /// `same` of each size whose codec is that of `report`, and `other` of the rest.
    fn by_codec(&self, report: &Report, same: impl Fn(Size) -> u64, other: Sizes) -> Sizes {
        other.map(|size| {
            if self.same_codec(report, size) {
                same(size)
            } else {
                other.get(size)
            }
        })
    }

    fn remember(mut self, before: &Self, commit: &str, what: Vec<Difference>) -> Self {
        self.rebases.push(Rebase {
            commit: commit.to_owned(),
            what,
            from: before.sizes,
            to: self.sizes,
        });
        self
    }

    /// Raises the baseline to what `report` found, whatever made it. The one way up without a
    /// limit, and it leaves its reason. Where nothing is above the baseline and the makings are the
    /// same, it is [`Entry::lower`] and leaves none.
    ///
    /// # Errors
    /// [`Refused::NoReason`].
    pub fn raise(&self, report: &Report, reason: &str, commit: &str) -> Result<Self, Refused> {
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(Refused::NoReason);
        }
        let above = Size::ALL
            .into_iter()
            .any(|size| report.sizes.get(size) > self.sizes.get(size));
        let same = self.codec_differences(report).is_empty();
        if let (false, true, Ok(lowered)) = (above, same, self.lower(report)) {
            return Ok(lowered);
        }
        let mut raises = self.raises.clone();
        raises.push(Raise {
            commit: commit.to_owned(),
            reason: reason.to_owned(),
            from: self.sizes,
            to: report.sizes,
            carried: None,
        });
        Ok(Self {
            raises,
            rebases: self.rebases.clone(),
            ..Self::begin(report)
        })
    }

    /// Raises the baseline by as much as `raise` did that of another toolchain, whose fingerprint
    /// is `of`. What grew is not known: the contents stay, until it is lowered.
    pub fn carry(&self, raise: &Raise, of: &str) -> Self {
        let to = self.sizes.map(|size| {
            let [from, to] = [raise.from, raise.to].map(|sizes| u128::from(sizes.get(size)));
            let own = self.sizes.get(size);
            let share = (u128::from(own) * to).checked_div(from);
            let raised = share.and_then(|share| u64::try_from(share).ok());
            raised.map_or(own, |raised| raised.max(own))
        });
        let mut raises = self.raises.clone();
        raises.push(Raise {
            from: self.sizes,
            to,
            carried: Some(of.to_owned()),
            ..raise.clone()
        });
        Self {
            sizes: to,
            anchor: to,
            raises,
            ..self.clone()
        }
    }

    /// Whether the contents sum to the size, or to less where a raise was carried over.
    pub fn is_whole(&self) -> bool {
        let carried = self
            .raises
            .last()
            .is_some_and(|raise| raise.carried.is_some());
        let sum = self.contents.sum();
        sum == Some(self.sizes.raw) || carried && sum.is_some_and(|sum| sum < self.sizes.raw)
    }

    /// The size of the baseline's file by name.
    pub fn attribution(&self) -> Attribution {
        let bytes = self.contents.sum();
        self.contents.attribution(bytes.unwrap_or(self.sizes.raw))
    }
}

/// What the sizes of one kind are compressed with; none for those that are not.
pub fn codec(codecs: &Codecs, size: Size) -> Option<&String> {
    match size {
        Size::Raw => None,
        Size::Gzip => Some(&codecs.gzip),
        Size::Brotli => Some(&codecs.brotli),
    }
}

fn difference((what, before, after): (&str, &String, &String)) -> Difference {
    Difference {
        what: what.to_owned(),
        before: before.clone(),
        after: after.clone(),
    }
}

#[cfg(test)]
mod tests;
