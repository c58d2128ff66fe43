//! What is kept, decided once, at the end: the file that all passes made stands against the one
//! without sweep and snip, which is what wasm-opt makes alone, against the one without wasm-opt,
//! and against the input, only stripped. So no file gets larger by what is minimised, nor in any
//! size that has a limit.
//!
//! Of a component's core modules each is taken from the road that makes it smallest, and the whole
//! of that stands against the others again, for compressed sizes do not add up.

use crate::analyze::plan::SweepPlan;
use crate::error::Result;
use crate::measure::sizes;
use crate::passes::Job;
use crate::report::{Metric, Size, units};
use crate::wasm::artifact::{Artifact, FileKind};
use crate::wasm::names::{self, Names};
use crate::wasm::sections::{self, CUSTOM};
use crate::wasm::{Module, ReadError};

const PASS: &str = "decide";

/// Where sweep and snip take the n-th part of a file, wasm-opt alone has no chance and is not run
/// for a comparison: it knows of nothing that is dead for them alone, and what it does otherwise by
/// chance is less by far (`lab corpus` compares all).
const HOPELESS: u64 = 20;

/// What a file goes through besides what every file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Road {
    /// Sweep and snip.
    pub reduced: bool,
    /// wasm-opt, and what else makes the same program smaller.
    pub shrunk: bool,
}

impl Road {
    /// Every pass.
    pub const WHOLE: Road = Road::new(true, true);
    const ALONE: Road = Road::new(false, true);
    /// Without wasm-opt.
    pub const REDUCED: Road = Road::new(true, false);
    const INPUT: Road = Road::new(false, false);

    const fn new(reduced: bool, shrunk: bool) -> Self {
        Self { reduced, shrunk }
    }

    fn name(self) -> &'static str {
        match self {
            Self::WHOLE => "the whole road",
            Self::ALONE => "without sweep and snip",
            Self::REDUCED => "without wasm-opt",
            Self::INPUT => "the input, only stripped",
        }
    }
}

/// A file at the end of its road.
#[derive(Clone)]
pub struct Candidate {
    /// What each core module of the linked file went through, in file order.
    pub roads: Vec<Road>,
    /// The file.
    pub artifact: Artifact,
    /// The optimiser whose result is in it.
    pub kept: String,
    /// The names of its modules.
    pub names: Vec<Names>,
}

/// Chooses between `whole`, the file that all passes made of `linked`, and those that `travel`
/// makes on other roads. Gives it with a line that says what was kept.
///
/// # Errors
/// [`Error::InvalidOutput`](crate::Error::InvalidOutput) where modules of several roads do not make
/// a valid component.
pub fn run(
    job: &Job<'_>,
    linked: &Artifact,
    whole: Candidate,
    travel: &mut dyn FnMut(Road) -> Result<Candidate>,
) -> Result<(Candidate, String)> {
    if job.poison {
        return Ok((whole, "kept: the whole road, for poison".to_owned()));
    }
    // A road that does not lead to the end is none: one module may fit its world only without its
    // dead imports.
    let others: Vec<_> = others(job, linked)
        .into_iter()
        .filter_map(|road| travel(road).ok())
        .collect();
    let mut all = vec![whole];
    all.extend(others);
    all.extend(mixed(&job.metric, &all)?);
    let files: Vec<_> = all.iter().map(|one| one.artifact.bytes()).collect();
    let input = all.iter().position(|one| one.is(Road::INPUT));
    // Without the input nothing may be larger than what all passes make.
    let best = smallest(&job.metric, &files, input.unwrap_or(0));
    let note = note(&job.metric, &all[best], files[0], files[best]);
    Ok((all.swap_remove(best), note))
}

/// Which of `files` is kept: of those that are no larger than the one at `input` in any size that
/// counts the smallest by what is minimised, the first of equals.
fn smallest(metric: &Metric, files: &[&[u8]], input: usize) -> usize {
    let minimized = metric.minimized();
    let places = (0..files.len()).filter(|place| files[*place].len() <= files[input].len());
    let mut order: Vec<_> = places
        .map(|place| (sizes::of(files[place], minimized), place))
        .collect();
    order.sort_unstable();
    let others = metric.held().iter().filter(|size| **size != minimized);
    let others: Vec<_> = others.filter(|size| **size != Size::Raw).collect();
    let allowed = |place: usize| {
        let grows = |size: Size| sizes::of(files[place], size) > sizes::of(files[input], size);
        place == input || !others.iter().any(|size| grows(**size))
    };
    let ahead = order.iter().map(|(_, place)| *place);
    let ahead = ahead.take_while(|place| *place != input);
    ahead
        .into_iter()
        .find(|place| allowed(*place))
        .unwrap_or(input)
}

impl Candidate {
    /// `linked` at the beginning of its `road`.
    pub fn of(linked: Artifact, road: Road) -> Self {
        Self {
            roads: vec![road; linked.module_ranges().len()],
            artifact: linked,
            kept: String::new(),
            names: Vec::new(),
        }
    }

    fn is(&self, road: Road) -> bool {
        self.roads.iter().all(|of_module| *of_module == road)
    }
}

/// The roads that may lead to less than the whole one.
fn others(job: &Job<'_>, linked: &Artifact) -> Vec<Road> {
    let taken = job.plans.iter().map(SweepPlan::taken);
    let taken = taken.fold(0, u64::saturating_add);
    let mut roads = Vec::new();
    if taken > 0 && taken.saturating_mul(HOPELESS) < weight(linked) {
        roads.push(Road::ALONE);
    }
    if taken > 0 {
        roads.push(Road::REDUCED);
    }
    roads.push(Road::INPUT);
    roads
}

/// What of a file's core modules is no custom section, in bytes.
fn weight(artifact: &Artifact) -> u64 {
    let sections = artifact.core_modules().flat_map(sections::read);
    let others = sections.flatten().filter(|section| section.id != CUSTOM);
    others.map(|section| section.range.len() as u64).sum()
}

/// The component whose core modules are the best of all roads; none where one road has them all,
/// and for a lone module.
fn mixed(metric: &Metric, all: &[Candidate]) -> Result<Option<Candidate>> {
    let Some(input) = all.iter().position(|one| one.is(Road::INPUT)) else {
        return Ok(None);
    };
    let base = &all[input];
    let modules: Vec<Vec<_>> = all
        .iter()
        .map(|one| one.artifact.core_modules().collect())
        .collect();
    // A core module that became a component has company that no pass saw.
    let count = base.roads.len();
    let comparable = |modules: &Vec<_>| modules.len() == count;
    if base.artifact.kind() == FileKind::Core || !modules.iter().all(comparable) {
        return Ok(None);
    }
    let mut from = Vec::new();
    for ordinal in 0..count {
        let of_roads: Vec<_> = modules.iter().map(|modules| modules[ordinal]).collect();
        from.push(smallest(metric, &of_roads, input));
    }
    if from.iter().all(|road| *road == from[0]) {
        return Ok(None);
    }
    let pick = |ordinal: usize, _: &[u8]| Ok(modules[from[ordinal]][ordinal].to_vec());
    let mut kept: Vec<_> = from.iter().map(|road| all[*road].kept.as_str()).collect();
    kept.dedup();
    Ok(Some(Candidate {
        artifact: base.artifact.map_core(PASS, pick)?,
        roads: from.iter().map(|road| all[*road].roads[0]).collect(),
        kept: kept.join(", "),
        names: all.iter().flat_map(|one| one.names.clone()).collect(),
    }))
}

fn note(metric: &Metric, best: &Candidate, whole: &[u8], kept: &[u8]) -> String {
    let road = best.roads.first().map_or(Road::WHOLE, |road| *road);
    if best.is(Road::WHOLE) {
        return format!("kept: {}", road.name());
    }
    let name = if best.is(road) {
        road.name()
    } else {
        "module by module"
    };
    let size = metric.minimized();
    let less = sizes::of(whole, size).saturating_sub(sizes::of(kept, size));
    if less > 0 {
        let less = units::counted(less);
        return format!("kept: {name}, {less} of {} less", size.name());
    }
    let mut held = metric.held().iter();
    let grown = held.find(|size| sizes::of(whole, **size) > sizes::of(kept, **size));
    let grown = grown.map_or("it", |size| size.name());
    format!("kept: {name}; all passes would make {grown} larger")
}

/// The names of each core module as it stands, its data's as the plan has them.
///
/// # Errors
/// [`Error::InvalidOutput`](crate::Error::InvalidOutput) where they cannot be read.
pub fn names_of(job: &Job<'_>, artifact: &Artifact) -> Result<Vec<Names>> {
    let read = |(ordinal, module): (usize, &[u8])| -> Result<Names, ReadError> {
        let mut names = Module::read(module).and_then(|module| names::read(&module))?;
        if let Some(plan) = job.plans.get(ordinal) {
            names.data.clone_from(&plan.data);
        }
        Ok(names)
    };
    let modules = artifact.core_modules().enumerate();
    let read: Result<_, _> = modules.map(read).collect();
    read.map_err(ReadError::output(PASS))
}

#[cfg(test)]
mod tests;
