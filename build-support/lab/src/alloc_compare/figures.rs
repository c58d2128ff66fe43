//! The results, as plain data.

use super::{Allocator, CountQuantiles, Recommendation, Score, Statistics, Weights, Workload};
use crate::quantiles::Quantiles;
use build_support::report::{Sizes, Toolchain};
use serde::{Deserialize, Serialize};

/// The version of the layout of [`Comparison`]; raised when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// Bytes of a page of linear memory.
pub const PAGE: u64 = 65_536;

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What built the files.
    pub toolchain: Toolchain,
    /// The engine that ran them.
    pub engine: String,
    /// How much of each workload there is.
    pub extents: Vec<WorkloadSize>,
    /// The figures.
    pub targets: Vec<OfTarget>,
    /// What each criterion counts for.
    pub weights: Weights,
    /// The best first.
    pub scores: Vec<Score>,
    /// What the rule makes of them.
    pub recommendation: Recommendation,
    /// How long measuring took, after the builds, in milliseconds of wall time.
    pub measured_millis: f64,
}

/// How much of a workload there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadSize {
    /// Of this one.
    pub workload: Workload,
    /// How many steps; each gives one sample.
    pub steps: u32,
    /// How many operations are in a step.
    pub operations: u32,
}

/// The figures for one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfTarget {
    /// Its triple.
    pub target: String,
    /// One for each allocator.
    pub candidates: Vec<Candidate>,
}

/// The figures of one allocator for one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The allocator.
    pub allocator: Allocator,
    /// The agent as the linker left it, without names.
    pub linked: Sizes,
    /// The agent as it is shipped.
    pub shipped: Sizes,
    /// The agent's memory in a long life, in pages.
    pub life: Vec<MemoryAt>,
    /// What each workload took.
    pub runs: Vec<Run>,
}

/// The agent's memory after so many transcripts; its files are in a folder, its sessions bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryAt {
    /// How many were played.
    pub transcripts: u32,
    /// Pages of linear memory.
    pub pages: u64,
}

/// What a workload took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The workload.
    pub workload: Workload,
    /// Out of all that was computed, in hexadecimal digits; the same with every allocator.
    pub checksum: String,
    /// Instructions of all steps (wasmtime's fuel).
    pub instructions: u64,
    /// The same for each operation, a sample for each step.
    pub operation_instructions: CountQuantiles,
    /// Instructions of all steps in the traced build.
    pub traced_instructions: u64,
    /// Wall time of an operation, a sample for each step; on this machine, at that time.
    pub operation_time: Quantiles,
    /// Pages of linear memory.
    pub pages: Pages,
    /// What the allocator was asked for, read at the end.
    pub asked: Statistics,
    /// What follows from these.
    pub ratios: Ratios,
}

/// What follows from the figures of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ratios {
    /// The part of the memory grown for the heap that even the peak of live bytes did not use; 0
    /// where none was grown.
    pub fragmentation: f64,
    /// The part of it that lies in the last page: no allocator could do without, because memory
    /// grows by pages.
    pub rounding: f64,
    /// How much of what the first run grew the second one did without, 0 to 1; none where the first
    /// grew nothing, or the workload gives nothing back.
    pub reclaimed: Option<f64>,
    /// What tracing adds, in relation to the plain build's instructions.
    pub tracing: f64,
}

/// Pages of linear memory of 64 KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pages {
    /// When the instance was made.
    pub start: u64,
    /// At the end of the workload. Memory never shrinks: it is the most there was.
    pub high: u64,
    /// At the end of the same workload once more in the same instance.
    pub again: u64,
}

/// How much of the memory grown for the heap may be lost after 10,000 mixed allocations (NFR-05).
pub const MOST_LOST: f64 = 0.05;

impl Comparison {
    /// The targets on which the default allocator loses more than [`MOST_LOST`], in words; and on
    /// which it was not measured.
    pub fn lost(&self) -> Vec<String> {
        let lost = |of: &OfTarget| {
            let mut candidates = of.candidates.iter();
            let own = candidates.find(|candidate| candidate.allocator == Allocator::DEFAULT);
            let lost = own?.run(Workload::Mixed)?.ratios.fragmentation;
            Some(lost)
        };
        let objection = |of: &OfTarget| match lost(of) {
            Some(lost) if lost < MOST_LOST => None,
            lost => Some(format!(
                "{}: {} loses {lost:?} of its memory after mixed allocations, where less than {MOST_LOST} is asked for",
                of.target,
                Allocator::DEFAULT
            )),
        };
        self.targets.iter().filter_map(objection).collect()
    }
}

impl Candidate {
    /// What it took for `workload`.
    pub fn run(&self, workload: Workload) -> Option<&Run> {
        self.runs.iter().find(|run| run.workload == workload)
    }
}

impl Ratios {
    /// Those of `workload`, where the peak of live bytes was `peak`; `instructions` of the plain
    /// build and of the traced one.
    pub fn of(workload: Workload, pages: Pages, peak: u64, instructions: [u64; 2]) -> Self {
        let grown = pages.grown();
        let needed = peak.div_ceil(PAGE) * PAGE;
        let fragmentation = part(grown.saturating_sub(peak), grown);
        let more = (pages.again - pages.high) * PAGE;
        let [plain, traced] = instructions;
        Self {
            fragmentation,
            rounding: part(needed - peak, grown).min(fragmentation),
            reclaimed: (grown > 0 && workload.gives_back())
                .then(|| 1.0 - part(more, grown).min(1.0)),
            tracing: traced as f64 / plain.max(1) as f64 - 1.0,
        }
    }
}

impl Pages {
    /// What was grown for the heap, in bytes.
    pub fn grown(self) -> u64 {
        (self.high - self.start) * PAGE
    }
}

fn part(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 0.0,
        _ => part as f64 / whole as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGE, Pages, Ratios};
    use crate::alloc_compare::Workload;

    fn ratios(workload: Workload, [start, high, again]: [u64; 3], peak: u64) -> Ratios {
        Ratios::of(workload, Pages { start, high, again }, peak, [100, 107])
    }

    fn close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-9, "{actual}, not {expected}");
    }

    /// Protects what NFR-05 is judged by: lost is what was grown and never used, and a page's rest
    /// is part of it.
    #[test]
    fn lost_memory_is_what_the_peak_did_not_use() {
        let lost = ratios(Workload::Mixed, [3, 13, 13], 9 * PAGE - PAGE / 2);
        close(lost.fragmentation, 0.15);
        close(lost.rounding, 0.05);
        let tight = ratios(Workload::Mixed, [3, 5, 5], 2 * PAGE);
        assert_eq!([tight.fragmentation, tight.rounding], [0.0, 0.0]);
        // What fits into the memory at the start needs none.
        let none = ratios(Workload::Small, [3, 3, 3], 100);
        assert_eq!([none.fragmentation, none.rounding], [0.0, 0.0]);
    }

    #[test]
    fn memory_is_reclaimed_where_the_second_run_grows_less() {
        let reclaimed = |pages| ratios(Workload::Mixed, pages, 1).reclaimed;
        assert_eq!(reclaimed([3, 13, 13]), Some(1.0));
        assert_eq!(reclaimed([3, 13, 23]), Some(0.0));
        assert_eq!(reclaimed([3, 13, 24]), Some(0.0));
        assert_eq!(reclaimed([3, 3, 3]), None);
        assert_eq!(ratios(Workload::Transcript, [3, 13, 13], 1).reclaimed, None);
    }

    #[test]
    fn tracing_costs_what_it_adds() {
        close(ratios(Workload::Mixed, [3, 13, 13], 1).tracing, 0.07);
    }
}
