//! The allocators of the agent, compared: what each makes of the shipped file, and of time and
//! memory in workloads that run in an embedded engine.
//!
//! ```text
//! allocator × target ── builds ──→ the agent                    sizes, its memory in a long life
//!                              └→ fixtures/allocators, plain ── session: instructions, time, pages
//!                                                      traced ── what was asked for, its cost
//!                                             measurement → figures → score → recommendation
//! ```
//!
//! Instructions, bytes and pages are the same on every machine. Times are this machine's, and the
//! allocators take turns, so that what else it does hits all alike. Every run of a workload must
//! compute the same; otherwise there is nothing to compare, and that is an error.

mod allocator;
mod builds;
mod count_quantiles;
mod exports;
mod figures;
mod measurement;
mod score;
mod session;
mod statistics;
mod workload;

pub use allocator::{Allocator, Maturity};
pub use builds::{Tracing, fixture, ship};
pub use count_quantiles::CountQuantiles;
pub use exports::{Export, Number};
pub use figures::{
    Candidate, Comparison, MOST_LOST, MemoryAt, OfTarget, PAGE, Pages, Ratios, Run, SCHEMA,
    WorkloadSize,
};
pub use score::{Criterion, Reason, Recommendation, Score, Weights, weights};
pub use session::{RunResult, Session, Step};
pub use statistics::Statistics;
pub use workload::Workload;

use crate::transcript::Transcript;
use build_support::engine::setup::ENGINE;
use build_support::error::{Error, Result};
use build_support::project::listener::Listener;
use build_support::project::package::Package;
use build_support::report::Toolchain;
use measurement::{Counted, Engines, Subject};
use std::time::Instant;

/// What is to be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// For these targets.
    pub targets: Vec<String>,
    /// These allocators.
    pub allocators: Vec<Allocator>,
    /// What the criteria count for.
    pub weights: Weights,
    /// How many wall times are taken of each workload, at least.
    pub samples: u32,
}

impl Request {
    /// Everything, for the targets of `agent`.
    pub fn everything(agent: &Package) -> Self {
        Self {
            targets: agent.targets.clone(),
            allocators: Allocator::ALL.into(),
            weights: Weights::DEFAULT,
            samples: 240,
        }
    }
}

/// Builds, runs and compares.
///
/// # Errors
/// What building reports; [`Error::Input`] where a file traps, or computes something else with one
/// allocator than with another; [`Error::Toolchain`] where nothing was asked for that could be
/// recommended.
pub fn run(agent: &Package, request: &Request, listener: &mut dyn Listener) -> Result<Comparison> {
    let transcript = Transcript::of(agent)?;
    let fixture = fixture(agent)?;
    let engines = Engines::new()?;
    let mut subjects = Vec::new();
    for target in &request.targets {
        let mut of_target = Vec::new();
        for allocator in &request.allocators {
            let packages = (agent, &fixture);
            of_target.push(Subject::build(
                packages, target, *allocator, &engines, listener,
            )?);
        }
        subjects.push((target.clone(), of_target));
    }
    let start = Instant::now();
    let Some(first) = subjects.iter().flat_map(|(_, subjects)| subjects).next() else {
        return Err(nothing());
    };
    let toolchain = first.agent.toolchain.clone();
    let extents = Workload::ALL.map(|workload| first.size(workload, &transcript));
    let extents = extents.into_iter().collect::<Result<Vec<_>>>()?;
    let targets = measure(&subjects, &extents, &transcript, request.samples, listener)?;
    let scores = score::run(&targets, &request.weights);
    Ok(Comparison {
        schema: SCHEMA,
        toolchain: Toolchain {
            build_support: env!("CARGO_PKG_VERSION").to_owned(),
            ..toolchain
        },
        engine: format!("{ENGINE}, Cranelift"),
        extents,
        recommendation: score::recommend(&scores, &request.weights).ok_or_else(nothing)?,
        scores,
        targets,
        weights: request.weights,
        measured_millis: start.elapsed().as_secs_f64() * 1e3,
    })
}

fn nothing() -> Error {
    Error::Toolchain {
        message: "there is nothing to compare".to_owned(),
        help: "name a target, and an allocator that takes memory back".to_owned(),
    }
}

fn measure(
    subjects: &[(String, Vec<Subject>)],
    extents: &[WorkloadSize],
    transcript: &Transcript,
    samples: u32,
    listener: &mut dyn Listener,
) -> Result<Vec<OfTarget>> {
    let all: Vec<&Subject> = subjects.iter().flat_map(|(_, subjects)| subjects).collect();
    let mut runs: Vec<Vec<Run>> = all.iter().map(|_| Vec::new()).collect();
    for size in extents {
        listener.stage(&format!("{}: counting", size.workload));
        let counted = count(&all, *size, transcript)?;
        let mut nanos: Vec<Vec<u64>> = all.iter().map(|_| Vec::new()).collect();
        for round in 0..samples.div_ceil(size.steps) {
            listener.stage(&format!("{}: timing, round {}", size.workload, round + 1));
            for (subject, nanos) in all.iter().zip(&mut nanos) {
                nanos.extend(subject.time(*size, transcript)?);
            }
        }
        for ((runs, counted), nanos) in runs.iter_mut().zip(counted).zip(nanos) {
            runs.extend(counted.with_times(*size, nanos));
        }
    }
    listener.stage("the agent in a long life");
    let mut runs = runs.into_iter();
    let mut candidate = |subject: &Subject| -> Result<Candidate> {
        Ok(subject.candidate(subject.age(transcript)?, runs.next().unwrap_or_default()))
    };
    let mut targets = Vec::new();
    for (target, subjects) in subjects {
        let candidates = subjects.iter().map(&mut candidate);
        targets.push(OfTarget {
            target: target.clone(),
            candidates: candidates.collect::<Result<_>>()?,
        });
    }
    Ok(targets)
}

/// Counts with every allocator, and refuses what differs.
fn count(all: &[&Subject], size: WorkloadSize, transcript: &Transcript) -> Result<Vec<Counted>> {
    let mut counted: Vec<Counted> = Vec::new();
    for subject in all {
        let this = subject.count(size, transcript)?;
        if let Some(first) = counted.first() {
            measurement::same(
                &subject.agent.file,
                size.workload,
                &first.result,
                &this.result,
            )?;
        }
        counted.push(this);
    }
    Ok(counted)
}
