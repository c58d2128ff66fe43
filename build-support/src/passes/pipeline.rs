//! The passes in their order, and the loop that runs them, validates what each made, and records
//! it.

use crate::analyze;
use crate::analyze::plan::{self, SnipRules, SweepPlan};
use crate::analyze::sweep::{Reason, Refusal};
use crate::error::{Error, Result};
use crate::passes::{
    Job, Outcome, Pass, build_id, compact, componentize, optimize, snip, strip, sweep,
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
    pass("sweep", sweep::run),
    pass("snip", snip::run),
    pass("optimize", optimize::run),
    COMPACT,
    pass("strip", strip::run),
    pass("componentize", componentize::run),
    SHORTEN,
];

/// The step that is there only where it is asked for: it makes what the optimiser made smaller.
const COMPACT: Pass = pass("compact", compact::run);

/// Its other half, on the component.
const SHORTEN: Pass = pass("shorten", compact::shorten);

/// The step that is there only where the manifest asks for it, after all others: an id of what they
/// made.
pub const BUILD_ID: Pass = pass("build id", build_id::run);

const fn pass(name: &'static str, run: fn(&Job<'_>, Artifact) -> Result<Outcome>) -> Pass {
    Pass { name, run }
}

/// How many of [`PASSES`] a file goes through that wasm-bindgen has still to read: sweep and snip.
const BEFORE_WASM_BINDGEN: usize = 2;

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

/// Reads everything that is to be known from the bytes before they are rewritten: what `rules` want
/// snipped, and where `sweeps`, what is dead then.
///
/// # Errors
/// [`Error::Input`] with the offset where a module cannot be read, and where one that is to be
/// swept does not have the linker's relocations.
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
        let symbols = symbols::run(module).map_err(&broken)?;
        let unreachable = reachability::unreachable(module).map_err(&broken)?;
        let dead = unreachable.iter().map(|index| symbols.name_of(*index));
        analysis.unreachable.extend(dead);
        let mut plan = plan::run(&symbols, rules);
        if sweeps {
            let sweep = analyze::sweep::run(module, &plan.snipped())
                .map_err(|refusal| not_swept(file, &refusal))?;
            plan.sweep = Some(sweep);
        }
        plan.data = names::read(module).map_err(&broken)?.data;
        analysis.plans.push(plan);
        analysis.functions.extend(symbols.functions);
        used.extend(
            features::run(module.bytes, file)?
                .into_iter()
                .map(|f| f.name),
        );
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
}

/// Runs every pass in order. `progress` is told the name of each before it starts.
///
/// # Errors
/// The first pass's failure; nothing falls back to its input.
pub fn run(job: &Job<'_>, linked: Artifact, progress: &mut dyn FnMut(&str)) -> Result<Product> {
    let mut stages = vec![Stage {
        name: "linked".into(),
        bytes: linked.len(),
        millis: 0.0,
        note: String::new(),
    }];
    let mut artifact = linked;
    let mut kept = String::new();
    let mut names = Vec::new();
    let (passes, last) = if bindgen::is_input(artifact.bytes()) {
        (&PASSES[..BEFORE_WASM_BINDGEN], None)
    } else {
        (PASSES, job.build_id.then_some(&BUILD_ID))
    };
    let compacts = |pass: &Pass| [COMPACT.name, SHORTEN.name].contains(&pass.name);
    let is_wanted = |pass: &&Pass| job.compact.is_some() || !compacts(pass);
    for pass in passes.iter().filter(is_wanted).chain(last) {
        progress(pass.name);
        let start = Instant::now();
        let outcome = (pass.run)(job, artifact)?;
        artifact = outcome.artifact;
        kept = outcome.kept.unwrap_or(kept);
        names.extend(outcome.names);
        for moved in outcome.moved {
            let known = names.iter().find(|known: &&Names| known.code == moved.code);
            if let Some(known) = known {
                let known = moved
                    .made
                    .names(known)
                    .map_err(ReadError::output(pass.name))?;
                names.push(known);
            }
        }
        stages.push(Stage {
            name: pass.name.into(),
            bytes: artifact.len(),
            millis: start.elapsed().as_secs_f64() * 1e3,
            note: outcome.note,
        });
    }
    Ok(Product {
        artifact,
        stages,
        kept,
        names,
    })
}
