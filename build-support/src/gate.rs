//! Decides whether what was shipped is within its budget, and nothing else does. Pure: the same report
//! and configuration give the same verdict. Figures are compared as whole numbers, sizes to the byte.

mod limits;

pub use limits::OVER_BUDGET;

use crate::config::{Config, Limit};
use crate::diagnostic::Diagnostic;
use crate::report::{Because, Exceeded, LimitRecord, Report, VerdictRecord};
use std::path::Path;

/// What was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The limits that do not hold, in the order of [`crate::config::Measure`]; none where all do.
    pub exceeded: Vec<Breach>,
}

/// A limit that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The limit, what it is on and where it stands.
    pub limit: Limit,
    /// What was measured, in the measure's unit; more than the limit.
    pub actual: u64,
}

/// Holds the figures of `report` against the limits of `config`. A figure that is exactly the limit is
/// within it; one that is missing is not.
pub fn decide(report: &Report, config: &Config) -> Verdict {
    let breach = |limit: &Limit| {
        let actual = limits::actual(report, &limit.measure);
        (actual > limit.most).then(|| Breach {
            limit: limit.clone(),
            actual,
        })
    };
    Verdict {
        exceeded: config.limits.iter().filter_map(breach).collect(),
    }
}

/// The limits of `config` beside what `report` found, as a report keeps them.
pub fn budget(report: &Report, config: &Config) -> Vec<LimitRecord> {
    let record = |limit: &Limit| LimitRecord {
        measure: limit.measure.name(),
        unit: limit.measure.unit(),
        limit: limit.most,
        actual: limits::actual(report, &limit.measure),
    };
    config.limits.iter().map(record).collect()
}

impl Verdict {
    /// Whether every limit holds.
    pub fn within(&self) -> bool {
        self.exceeded.is_empty()
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
        VerdictRecord {
            within: self.within(),
            exceeded: self.exceeded.iter().map(exceeded).collect(),
        }
    }

    /// One error per limit that does not hold, at the limit's place in the manifest. `file` is where the
    /// report was written, for the command that shows more.
    pub fn diagnostics(&self, report: &Report, config: &Config, file: &Path) -> Vec<Diagnostic> {
        limits::diagnostics(&self.exceeded, report, config, file)
    }
}

#[cfg(test)]
mod tests;
