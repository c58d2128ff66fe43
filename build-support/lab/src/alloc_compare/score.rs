//! Which allocator the figures speak for: five criteria from 0 to 1, weighted, and the rule that
//! makes a recommendation of the sums. Where the figures of several targets are there, their mean
//! counts.

use super::figures::{Candidate, OfTarget};
use super::{Allocator, Workload};
use serde::{Deserialize, Serialize};

/// How much less than the best the default may have and stay the default: it is proven.
const MARGIN: f64 = 0.10;

/// A criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// The shipped agent's gzip size: the smallest in relation to this one.
    Size,
    /// Instructions: the fewest in relation to this one's, the geometric mean over the workloads.
    Throughput,
    /// The part of the memory grown for `mixed` that is in use at its peak.
    Fragmentation,
    /// How much memory a second run of a workload does without, the mean over the workloads.
    Reclamation,
    /// [`Allocator::maturity`]: judged, not measured.
    Maturity,
}

/// A number for each criterion: what they count for, or what an allocator has.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "they are the criteria")]
pub struct Weights {
    pub size: f64,
    pub throughput: f64,
    pub fragmentation: f64,
    pub reclamation: f64,
    pub maturity: f64,
}

/// What an allocator reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The allocator.
    pub allocator: Allocator,
    /// Each from 0 to 1.
    pub marks: Weights,
    /// Their weighted mean, 0 to 1.
    pub total: f64,
}

/// What the rule makes of the scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// For an agent that lives long.
    pub choice: Allocator,
    /// Why.
    pub reason: Reason,
    /// For a module that lives for one message alone: the highest of all where fragmentation and
    /// reclamation do not count.
    pub per_message: Allocator,
}

/// Why an allocator is recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It has the highest score of those that take memory back.
    Highest,
    /// It is the default, and no other that takes memory back has a tenth more.
    ProvenAndClose,
}

impl Criterion {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Size,
        Self::Throughput,
        Self::Fragmentation,
        Self::Reclamation,
        Self::Maturity,
    ];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Throughput => "throughput",
            Self::Fragmentation => "fragmentation",
            Self::Reclamation => "reclamation",
            Self::Maturity => "maturity",
        }
    }
}

impl Weights {
    /// What the criteria count for where nothing else is asked for (the plan's decision matrix).
    pub const DEFAULT: Self = Self {
        size: 30.0,
        throughput: 20.0,
        fragmentation: 20.0,
        reclamation: 15.0,
        maturity: 15.0,
    };

    /// The one of `criterion`.
    pub fn of(&self, criterion: Criterion) -> f64 {
        match criterion {
            Criterion::Size => self.size,
            Criterion::Throughput => self.throughput,
            Criterion::Fragmentation => self.fragmentation,
            Criterion::Reclamation => self.reclamation,
            Criterion::Maturity => self.maturity,
        }
    }

    /// Each of them changed by `change`.
    pub fn map(mut self, change: impl Fn(f64) -> f64) -> Self {
        for criterion in Criterion::ALL {
            *self.of_mut(criterion) = change(self.of(criterion));
        }
        self
    }

    fn of_mut(&mut self, criterion: Criterion) -> &mut f64 {
        match criterion {
            Criterion::Size => &mut self.size,
            Criterion::Throughput => &mut self.throughput,
            Criterion::Fragmentation => &mut self.fragmentation,
            Criterion::Reclamation => &mut self.reclamation,
            Criterion::Maturity => &mut self.maturity,
        }
    }

    /// The mean, each counting for its weight; 0 where none counts. Weights need not make 100.
    fn mean(&self, weights: &Self) -> f64 {
        let sum =
            |value: &dyn Fn(Criterion) -> f64| Criterion::ALL.into_iter().map(value).sum::<f64>();
        match sum(&|criterion| weights.of(criterion)) {
            0.0 => 0.0,
            all => sum(&|criterion| self.of(criterion) * weights.of(criterion)) / all,
        }
    }
}

/// Reads weights such as `size=30,throughput=20`. A criterion that is not named keeps its own.
///
/// # Errors
/// A sentence that says which part is wrong and what to write.
pub fn weights(text: &str) -> Result<Weights, String> {
    let names = Criterion::ALL.map(Criterion::name).join(", ");
    let mut weights = Weights::DEFAULT;
    let mut named = Vec::new();
    for part in text.split(',') {
        let (name, number) = part
            .split_once('=')
            .ok_or_else(|| format!("`{part}` has no `=`; write size=30,throughput=20"))?;
        let criterion = Criterion::ALL
            .into_iter()
            .find(|criterion| criterion.name() == name.trim())
            .ok_or_else(|| format!("`{name}` is no criterion; there are {names}"))?;
        if named.contains(&criterion) {
            return Err(format!("`{}` is given twice", criterion.name()));
        }
        named.push(criterion);
        let weight: f64 = number.trim().parse().unwrap_or(f64::NAN);
        if !(0.0..=1e6).contains(&weight) {
            return Err(format!("`{number}` is no weight; write a number from 0 on"));
        }
        *weights.of_mut(criterion) = weight;
    }
    if Criterion::ALL.iter().any(|c| weights.of(*c) > 0.0) {
        Ok(weights)
    } else {
        Err("all weights are 0; at least one criterion must count".to_owned())
    }
}

/// The scores of what was measured, the best first.
pub fn run(targets: &[OfTarget], weights: &Weights) -> Vec<Score> {
    let first = targets.first().map_or(&[][..], |target| &target.candidates);
    let mut scores: Vec<_> = first
        .iter()
        .map(|candidate| {
            let allocator = candidate.allocator;
            let marks = marks(targets, allocator);
            Score {
                allocator,
                marks,
                total: marks.mean(weights),
            }
        })
        .collect();
    scores.sort_by(|a, b| b.total.total_cmp(&a.total));
    scores
}

/// What the rule says: the highest score of an allocator that takes memory back, but the default
/// where it is within a tenth. None where nothing that takes memory back was measured.
pub fn recommend(scores: &[Score], weights: &Weights) -> Option<Recommendation> {
    let highest = |wanted: &dyn Fn(&&Score) -> bool| {
        let scores = scores.iter().filter(wanted);
        scores.max_by(|a, b| a.total.total_cmp(&b.total)).copied()
    };
    // Memory that goes with its module after a message needs no care.
    let short = Weights {
        fragmentation: 0.0,
        reclamation: 0.0,
        ..*weights
    };
    let brief = |score: &Score| score.marks.mean(&short);
    let best = highest(&|score| score.allocator.frees())?;
    let default = highest(&|score| score.allocator == Allocator::DEFAULT);
    let close = default.filter(|default| default.total >= best.total * (1.0 - MARGIN));
    Some(Recommendation {
        choice: close.unwrap_or(best).allocator,
        reason: match close {
            Some(default) if default.allocator != best.allocator => Reason::ProvenAndClose,
            _ => Reason::Highest,
        },
        per_message: scores
            .iter()
            .max_by(|a, b| brief(a).total_cmp(&brief(b)))?
            .allocator,
    })
}

fn marks(targets: &[OfTarget], allocator: Allocator) -> Weights {
    let mean = |mark: &dyn Fn(&[Candidate], &Candidate) -> f64| {
        let values = targets.iter().filter_map(|target| {
            let mut all = target.candidates.iter();
            let this = all.find(|candidate| candidate.allocator == allocator)?;
            Some(mark(&target.candidates, this))
        });
        let values: Vec<f64> = values.collect();
        values.iter().sum::<f64>() / values.len().max(1) as f64
    };
    Weights {
        size: mean(&size),
        throughput: mean(&throughput),
        fragmentation: mean(&|_, this| {
            1.0 - this
                .run(Workload::Mixed)
                .map_or(1.0, |run| run.ratios.fragmentation)
        }),
        reclamation: mean(&|_, this| reclamation(this)),
        maturity: allocator.maturity().0.score(),
    }
}

/// gzip, not raw: it is what travels and is stored, and raw sizes differ in the same order. The
/// whole file, not the allocator's own part: a kilobyte matters in relation to what is shipped.
fn size(all: &[Candidate], this: &Candidate) -> f64 {
    let least = all.iter().map(|candidate| candidate.shipped.gzip).min();
    least.unwrap_or(0) as f64 / this.shipped.gzip.max(1) as f64
}

fn throughput(all: &[Candidate], this: &Candidate) -> f64 {
    let relative = this.runs.iter().filter_map(|run| {
        let same = all.iter().filter_map(|other| other.run(run.workload));
        let least = same.map(|run| run.instructions).min()?;
        Some((least as f64 / run.instructions.max(1) as f64).ln())
    });
    let logarithms: Vec<f64> = relative.collect();
    (logarithms.iter().sum::<f64>() / logarithms.len().max(1) as f64).exp()
}

/// Where nothing grew, nothing had to be had back.
fn reclamation(this: &Candidate) -> f64 {
    let parts: Vec<f64> = this
        .runs
        .iter()
        .filter_map(|run| run.ratios.reclaimed)
        .collect();
    match parts.len() {
        0 => 1.0,
        count => parts.iter().sum::<f64>() / count as f64,
    }
}

#[cfg(test)]
mod tests;
