//! The passes in their order, and the loop that runs them, validates what each made, and records
//! it.

use crate::analyze;
use crate::analyze::plan::{self, SnipRules, SweepPlan};
use crate::analyze::sweep::{Reason, Refusal};
use crate::error::{Error, Result};
use crate::passes::decision::{self, Candidate, Road};
use crate::passes::{
    Job, Outcome, Part, Pass, build_id, compact, componentize, optimize, snip, strip, sweep,
};
use crate::report::{Piece, Snipped, Stage, Swept};
use crate::wasm::artifact::Artifact;
use crate::wasm::names::{self, Names};
use crate::wasm::symbols::Function;
use crate::wasm::{ReadError, bindgen, features, reachability, symbols};
use std::path::Path;
use std::time::Instant;

/// Every pass, in order. The sweep is the first: its part of the plan speaks of places in the
/// linked bytes, and it keeps every index, so that snip's part still holds after it.
pub const PASSES: &[Pass] = &[
    pass("sweep", Part::Reduce, sweep::run),
    pass("snip", Part::Reduce, snip::run),
    pass("optimize", Part::Shrink, optimize::run),
    COMPACT,
    pass("strip", Part::Finish, strip::run),
    pass("componentize", Part::Finish, componentize::run),
];

/// The step that is there only where it is asked for: it makes what the optimiser made smaller.
const COMPACT: Pass = pass("compact", Part::Shrink, compact::run);

/// Its other half, on the component that is kept: modules of several would not know each other.
const SHORTEN: Pass = pass("shorten", Part::Finish, compact::shorten);

/// The step that is there only where the manifest asks for it, after all others: an id of what they
/// made.
pub const BUILD_ID: Pass = pass("build id", Part::Finish, build_id::run);

type Run = fn(&Job<'_>, Artifact) -> Result<Outcome>;

const fn pass(name: &'static str, part: Part, run: Run) -> Pass {
    Pass { name, part, run }
}

/// What the analysis of the linked bytes found.
#[derive(Default)]
pub struct Analysis {
    /// What to do with each core module, in file order.
    pub plans: Vec<SweepPlan>,
    /// The functions of the linked file.
    pub functions: Vec<Function>,
    /// The features the code uses, by name, in the order of [`features::KNOWN`].
    pub features: Vec<String>,
    /// Names of functions that nothing can call.
    pub unreachable: Vec<String>,
}

const OBJECT: &str = "it is a relocatable object, which is not linked yet: nothing in it is visible from outside, so that all of it would go";

/// Reads everything that is to be known from the bytes before they are rewritten: what `rules` want
/// snipped, and where `sweeps`, what is dead then.
///
/// # Errors
/// [`Error::Input`] with the offset where a module cannot be read, where one is a relocatable
/// object, and where one that is to be swept does not have the linker's relocations.
pub fn analyze(
    rules: &SnipRules,
    sweeps: bool,
    file: &Path,
    artifact: &Artifact,
) -> Result<Analysis> {
    let mut analysis = Analysis::default();
    let mut used = Vec::new();
    let help = "the file is valid but a section for tools in it is not: link it again";
    let broken = ReadError::input(file, help);
    for module in &artifact.modules().map_err(&broken)? {
        if module.is_object() {
            return Err(Error::input(
                file,
                OBJECT,
                "link it first (wasm-ld, or rustc without `--emit obj`), and give what comes of it",
            ));
        }
        let symbols = symbols::run(module).map_err(&broken)?;
        let unreachable = reachability::unreachable(module).map_err(&broken)?;
        let dead = unreachable.iter().map(|index| symbols.name_of(*index));
        analysis.unreachable.extend(dead);
        let mut plan = plan::run(&symbols, rules);
        if sweeps {
            match analyze::sweep::run(module, &plan.snipped()) {
                Ok(sweep) => plan.sweep = Some(sweep),
                Err(refusal) if refusal.is_of_kind() => plan.unswept = Some(refusal.to_string()),
                Err(refusal) => return Err(not_swept(file, &refusal)),
            }
        }
        plan.data = names::read(module).map_err(&broken)?.data;
        analysis.plans.push(plan);
        analysis.functions.extend(symbols.functions);
        let features = features::of(module).map_err(&broken)?;
        used.extend(features.into_iter().map(|feature| feature.name));
    }
    let in_order = features::KNOWN
        .iter()
        .map(|f| f.name)
        .filter(|name| used.contains(name));
    analysis.features = in_order.map(str::to_owned).collect();
    Ok(analysis)
}

/// The error for a file that the sweep refuses.
pub fn not_swept(file: &Path, refusal: &Refusal) -> Error {
    Error::Input {
        file: file.to_owned(),
        offset: refusal.offset(),
        message: format!("it cannot be swept: {refusal}"),
        help: refusal.help().to_owned(),
    }
}

impl Analysis {
    /// The functions to be snipped, largest first.
    pub fn snipped(&self) -> Vec<Snipped> {
        let all = self.plans.iter().flat_map(|plan| &plan.snip);
        let mut all: Vec<_> = all
            .map(|s| Snipped {
                function: s.function.clone(),
                family: s.family.to_owned(),
                bytes: s.bytes,
            })
            .collect();
        all.sort_by(|a, b| (b.bytes, &a.function).cmp(&(a.bytes, &b.function)));
        all
    }

    /// What is to be swept, by reason, the largest pieces first.
    pub fn swept(&self) -> Vec<Swept> {
        let mut all: Vec<_> = Reason::ALL.map(|reason| self.swept_for(reason)).into();
        all.retain(|swept| !swept.pieces.is_empty());
        all
    }

    fn swept_for(&self, reason: Reason) -> Swept {
        let sweeps = self.plans.iter().filter_map(|plan| plan.sweep.as_ref());
        let pieces: Vec<_> = sweeps
            .flat_map(|sweep| &sweep.removed)
            .filter(|removed| removed.reason == reason)
            .map(|removed| Piece {
                name: removed.name.clone(),
                bytes: removed.bytes,
            })
            .collect();
        Swept {
            reason: reason.name().to_owned(),
            bytes: pieces.iter().map(|piece| piece.bytes).sum(),
            pieces,
        }
    }
}

/// What the whole run made.
pub struct Product {
    /// The file to ship.
    pub artifact: Artifact,
    /// The linked input and every pass.
    pub stages: Vec<Stage>,
    /// The optimiser whose result was kept.
    pub kept: String,
    /// The names of every core module in it that had some on the way.
    pub names: Vec<Names>,
    /// Of each core module of the linked file, whether its plan was carried out in what was kept.
    pub reduced: Vec<bool>,
    /// How many files wasm-opt made, of which one is kept.
    pub optimized: usize,
}

impl Product {
    /// Those of `plans` that were carried out.
    pub fn carried_out(&self, plans: Vec<SweepPlan>) -> Vec<SweepPlan> {
        let plans = plans.into_iter().zip(&self.reduced);
        let carried_out = plans.filter(|(_, reduced)| **reduced);
        carried_out.map(|(plan, _)| plan).collect()
    }
}

/// Runs every pass in order, and decides what is kept. `progress` is told the name of each before
/// it starts. A file that wasm-bindgen has still to read goes through sweep and snip alone.
///
/// # Errors
/// The first pass's failure; nothing falls back to its input.
pub fn run(job: &Job<'_>, linked: Artifact, progress: &mut dyn FnMut(&str)) -> Result<Product> {
    let mut recorder = Recorder {
        stages: vec![Stage {
            name: "linked".into(),
            bytes: linked.len(),
            millis: 0.0,
            note: String::new(),
            steps: Vec::new(),
        }],
        progress,
        is_seen: true,
    };
    if bindgen::is_input(linked.bytes()) {
        let mut reduced = Candidate::of(linked, Road::REDUCED);
        reduced.pass(Part::Reduce, job, &mut recorder)?;
        return Ok(product(reduced, recorder.stages, 0));
    }
    let whole = travel(job, linked.clone(), Road::WHOLE, &mut recorder)?;
    let mut optimized = 1;
    // What led nowhere on the whole road is not tried again for a comparison.
    let compared = Job {
        plans: job.plans.clone(),
        metric: job.metric.clone(),
        second_roads: Some(whole.kept.clone()),
        ..*job
    };
    let mut kept = recorder.stage("decide", || {
        let mut unseen = |road: Road| {
            optimized += usize::from(road.shrunk);
            let mut nobody = Recorder {
                stages: Vec::new(),
                progress: &mut |_| {},
                is_seen: false,
            };
            travel(&compared, linked.clone(), road, &mut nobody)
        };
        let (kept, note) = decision::run(job, &linked, whole, &mut unseen)?;
        Ok((kept.artifact.len(), note, kept))
    })?;
    if job.compact.is_some() {
        kept.artifact = recorder.pass(&SHORTEN, job, kept.artifact)?.artifact;
    }
    if job.build_id {
        kept.artifact = recorder.pass(&BUILD_ID, job, kept.artifact)?.artifact;
    }
    Ok(product(kept, recorder.stages, optimized))
}

fn product(kept: Candidate, stages: Vec<Stage>, optimized: usize) -> Product {
    Product {
        optimized,
        reduced: kept.roads.iter().map(|road| road.reduced).collect(),
        artifact: kept.artifact,
        kept: kept.kept,
        names: kept.names,
        stages,
    }
}

/// Takes `linked` along a road.
fn travel(
    job: &Job<'_>,
    linked: Artifact,
    road: Road,
    recorder: &mut Recorder<'_>,
) -> Result<Candidate> {
    let mut candidate = Candidate::of(linked, road);
    if road.reduced {
        candidate.pass(Part::Reduce, job, recorder)?;
    }
    if road.shrunk {
        candidate.pass(Part::Shrink, job, recorder)?;
    } else {
        optimize::INPUT.clone_into(&mut candidate.kept);
        candidate.names = decision::names_of(job, &candidate.artifact)?;
    }
    candidate.pass(Part::Finish, job, recorder)?;
    Ok(candidate)
}

impl Candidate {
    fn pass(&mut self, part: Part, job: &Job<'_>, recorder: &mut Recorder<'_>) -> Result<()> {
        let is_wanted = |pass: &&Pass| job.compact.is_some() || pass.name != COMPACT.name;
        let passes = PASSES.iter().filter(|pass| pass.part == part);
        for pass in passes.filter(is_wanted) {
            let outcome = recorder.pass(pass, job, self.artifact.clone())?;
            self.artifact = outcome.artifact;
            self.names.extend(outcome.names);
            for moved in outcome.moved {
                let known = self.names.iter().find(|known| known.code == moved.code);
                if let Some(known) = known {
                    let names = moved.made.names(known);
                    self.names
                        .push(names.map_err(ReadError::output(pass.name))?);
                }
            }
            if let Some(kept) = outcome.kept {
                self.kept = kept;
            }
        }
        Ok(())
    }
}

/// What ran, for the report.
struct Recorder<'a> {
    stages: Vec<Stage>,
    progress: &'a mut dyn FnMut(&str),
    /// Whether anybody looks at it.
    is_seen: bool,
}

impl Recorder<'_> {
    fn pass(&mut self, pass: &Pass, job: &Job<'_>, artifact: Artifact) -> Result<Outcome> {
        let is_seen = self.is_seen;
        let mut steps = Vec::new();
        let outcome = self.stage(pass.name, || {
            let outcome = (pass.run)(job, artifact)?;
            if is_seen {
                steps = compact::gave(&outcome.steps);
            }
            let note = outcome.note.clone();
            Ok((outcome.artifact.len(), note, outcome))
        })?;
        if let Some(stage) = self.stages.last_mut() {
            stage.steps = steps;
        }
        Ok(outcome)
    }

    /// Runs a step that gives the size of the file after it, a line on it, and what it made.
    fn stage<T>(
        &mut self,
        name: &str,
        run: impl FnOnce() -> Result<(u64, String, T)>,
    ) -> Result<T> {
        (self.progress)(name);
        let start = Instant::now();
        let (bytes, note, made) = run()?;
        self.stages.push(Stage {
            name: name.to_owned(),
            bytes,
            millis: start.elapsed().as_secs_f64() * 1e3,
            note,
            steps: Vec::new(),
        });
        Ok(made)
    }
}
