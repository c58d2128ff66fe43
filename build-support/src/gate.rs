//! Decides whether what was shipped is within its budget, and nothing else does. Pure: the same
//! report, configuration and baseline give the same verdict. Figures are compared as whole numbers,
//! sizes to the byte.
//!
//! `limits` are those of the manifest, `growth` is what the baseline allows. Where the baseline
//! comes from is left to `baseline`, what becomes of it to `entries`, each an `entry`, what is said
//! of a verdict to `output::diagnostic`.

pub mod contents;
pub mod entries;
pub mod entry;
mod growth;
mod limits;
pub mod succession;

pub use growth::{Base, Comparison, Growth, Unjudged, compared};
pub use limits::before;

use crate::config::{Config, Limit};
use crate::gate::entry::Entry;
use crate::report::{Because, Exceeded, LimitRecord, Report, Unit, VerdictRecord};

/// What was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The limits that do not hold, in the order of [`crate::config::Measure`]; none where all do.
    pub exceeded: Vec<Breach>,
    /// The sizes that grew by more than their tolerance; none where there is no baseline.
    pub grown: Vec<Growth>,
    /// Why sizes were not compared with the baseline; none where all were, or there is none.
    pub unjudged: Option<Unjudged>,
}

/// A limit that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The limit, what it is on and where it stands.
    pub limit: Limit,
    /// What was measured, in the measure's unit; more than the limit.
    pub actual: u64,
}

/// Holds the figures of `report` against the limits of `config`, and its sizes against the
/// `baseline`. A figure that is exactly the most that is allowed is within it; one that is missing
/// is not.
pub fn decide(report: &Report, config: &Config, baseline: Option<&Entry>) -> Verdict {
    let limits = config.limits.iter().cloned();
    Verdict {
        exceeded: limits
            .map(|limit| Breach {
                actual: limits::actual(report, &limit.measure),
                limit,
            })
            .filter(|breach| breach.actual > breach.limit.most)
            .collect(),
        grown: baseline.map_or(Vec::new(), |entry| growth::grown(report, config, entry)),
        unjudged: baseline.and_then(|entry| growth::unjudged(report, config, entry)),
    }
}

/// The limits of `config` beside what `report` found, as a report keeps them.
pub fn budget(report: &Report, config: &Config) -> Vec<LimitRecord> {
    let limits = config.limits.iter();
    limits
        .map(|limit| LimitRecord {
            measure: limit.measure.name(),
            unit: limit.measure.unit(),
            limit: limit.most,
            actual: limits::actual(report, &limit.measure),
        })
        .collect()
}

impl Verdict {
    /// Whether everything holds.
    pub fn within(&self) -> bool {
        self.exceeded.is_empty() && self.grown.is_empty()
    }

    /// The verdict as a report keeps it.
    pub fn record(&self) -> VerdictRecord {
        let exceeded = |breach: &Breach| Exceeded {
            measure: breach.limit.measure.name(),
            unit: breach.limit.measure.unit(),
            actual: breach.actual,
            limit: breach.limit.most,
            because: Because::Limit,
        };
        let grown = |growth: &Growth| Exceeded {
            measure: growth.size.name().to_owned(),
            unit: Unit::Bytes,
            actual: growth.actual,
            limit: growth.most,
            because: growth.because,
        };
        let exceeded = self.exceeded.iter().map(exceeded);
        VerdictRecord {
            within: self.within(),
            exceeded: exceeded.chain(self.grown.iter().map(grown)).collect(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
