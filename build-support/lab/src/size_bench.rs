//! What each step of the post-link part is worth: the same programs linked, optimised, snipped and
//! swept, beside the reference, a standard library rebuilt with unstable flags.
//!
//! `fixtures` says which programs, `builds` links them against each kind of standard library. Here
//! the pipeline runs over what they give, with parts of it switched off. All of it with the
//! built-in optimiser alone, so that the figures are the same on every machine. Whether they are
//! good is [`Row::missed`]'s business; showing them is the command's.

mod builds;
mod distributed;
mod fixtures;
mod workload;

pub use builds::Flavour;
pub use fixtures::{Fixture, find, packages};

use build_support::config::Config;
use build_support::error::{Error, Result};
use build_support::measure::sizes;
use build_support::passes::{Compact, Job, Outline, componentize, pipeline, strip};
use build_support::project::compile::Linked;
use build_support::project::listener::Listener;
use build_support::project::toolchain;
use build_support::report::{Metric, Size, Sizes};
use build_support::wasm::artifact::Artifact;
use serde::Serialize;
use std::path::Path;

/// How much larger than the reference ours may be, in per mille.
const TOLERANCE: u64 = 20;

/// All that is measured of one fixture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The figures with a standard library built with the package's profile; but `ours` is what is
    /// shipped, where building the library for size is a part of the pipeline.
    #[serde(flatten)]
    pub steps: Steps,
    /// The whole pipeline without that part: what snip and sweep are worth alone.
    pub ours_plain_std: Sizes,
    /// What compaction makes of the linked file that `ours` is made of, by mode.
    pub compacted: Vec<Compacted>,
    /// The instructions of the workload of `ours`; none where there is no workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<u64>,
    /// The standard library rebuilt with `panic = "immediate-abort"` and `optimize_for_size`, then
    /// the same wasm-opt.
    pub reference: Sizes,
    /// The reference after snip and sweep: nothing says that it is a floor.
    pub reference_swept: Sizes,
    /// The same steps with the standard library as it is distributed; none where the fixture uses
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distributed_std: Option<Steps>,
}

/// A file that was compacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// Its mode.
    pub mode: &'static str,
    /// Its sizes.
    pub sizes: Sizes,
    /// The instructions of its workload; none where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<u64>,
}

/// The modes: what is to be small, what must not grow for it, and where code becomes functions.
const MODES: [(&str, Size, &[Size], Outline); 5] = [
    ("raw", Size::Raw, &[], Outline::All),
    ("cold", Size::Raw, &[], Outline::Cold),
    ("balanced", Size::Raw, &Size::ALL, Outline::Cold),
    ("gzip", Size::Gzip, &[], Outline::Off),
    ("brotli", Size::Brotli, &[], Outline::Off),
];

/// One linked file and what comes of it. Without names and debug information, and as it is shipped:
/// as a component where the target has components.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Steps {
    /// As the linker left it.
    pub linked: Sizes,
    /// wasm-opt only.
    pub wasm_opt: Sizes,
    /// Panic entry points snipped by name, then wasm-opt.
    pub snip: Sizes,
    /// The whole pipeline.
    pub ours: Sizes,
}

/// How far the pipeline goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Optimize,
    Snip,
    Everything,
}

impl Row {
    /// The measures, as `raw` and `brotli`, by which ours is larger than the reference by more than
    /// 2%.
    pub fn missed(&self) -> Vec<&'static str> {
        let (ours, reference) = (&self.steps.ours, &self.reference);
        let over = |ours: u64, reference: u64| ours * 1000 > reference * (1000 + TOLERANCE);
        let mut missed = Vec::new();
        if over(ours.raw, reference.raw) {
            missed.push("raw");
        }
        if over(ours.brotli, reference.brotli) {
            missed.push("brotli");
        }
        missed
    }
}

/// Builds and measures one fixture.
///
/// # Errors
/// What building or any pass reports.
pub fn measure(fixture: &Fixture, listener: &mut dyn Listener) -> Result<Row> {
    let mut link = |flavour| builds::link(fixture, flavour, listener);
    let plain = link(Flavour::Plain)?;
    let small = link(Flavour::Small)?;
    let reference = link(Flavour::Reference)?;
    let distributed = fixture
        .uses_std
        .then(|| link(Flavour::Distributed))
        .transpose()?;
    listener.stage(&format!("{}: measuring", fixture.name));
    let mut step = |linked: &Linked, extent| {
        let made = shipped(fixture, linked, extent, None)?;
        Ok(sizes::run(made.bytes()))
    };
    let plain = steps(fixture, &plain, &mut step)?;
    let made = shipped(fixture, &small, Extent::Everything, None)?;
    let run = workload::run(&fixture.name, &small.path, &made)?;
    let compacted = MODES
        .iter()
        .map(|mode| compacted(fixture, &small, mode, run.as_ref()));
    Ok(Row {
        compacted: compacted.collect::<Result<_>>()?,
        instructions: run.as_ref().map(|run| run.instructions),
        name: fixture.name.clone(),
        steps: Steps {
            ours: sizes::run(made.bytes()),
            ..plain
        },
        ours_plain_std: plain.ours,
        reference: step(&reference, Extent::Optimize)?,
        reference_swept: step(&reference, Extent::Everything)?,
        distributed_std: distributed
            .map(|linked| steps(fixture, &linked, &mut step))
            .transpose()?,
    })
}

fn steps(
    fixture: &Fixture,
    linked: &Linked,
    step: &mut impl FnMut(&Linked, Extent) -> Result<Sizes>,
) -> Result<Steps> {
    Ok(Steps {
        linked: unoptimized(&fixture.config, &linked.path, &linked.bytes)?,
        wasm_opt: step(linked, Extent::Optimize)?,
        snip: step(linked, Extent::Snip)?,
        ours: step(linked, Extent::Everything)?,
    })
}

/// What a mode makes of a linked file, which must do what it did without.
fn compacted(
    fixture: &Fixture,
    linked: &Linked,
    (mode, minimized, held, outline): &(&'static str, Size, &[Size], Outline),
    before: Option<&workload::Run>,
) -> Result<Compacted> {
    let compact = Compact {
        outline: *outline,
        ..Compact::DEFAULT
    };
    let metric = Metric::new(*minimized, held.iter().copied());
    let made = shipped(fixture, linked, Extent::Everything, Some((compact, metric)))?;
    let run = workload::run(&fixture.name, &linked.path, &made)?;
    if run.as_ref().map(|run| &run.written) != before.map(|run| &run.written) {
        let name = &fixture.name;
        let message = format!("{name}, compacted for {mode}, does something else");
        return Err(Error::input(
            &linked.path,
            message,
            "this is a fault of the tool",
        ));
    }
    Ok(Compacted {
        mode,
        sizes: sizes::run(made.bytes()),
        instructions: run.map(|run| run.instructions),
    })
}

/// The pipeline as far as `extent` says, compacted where that is asked for.
fn shipped(
    fixture: &Fixture,
    linked: &Linked,
    extent: Extent,
    compact: Option<(Compact, Metric)>,
) -> Result<Artifact> {
    let mut config = fixture.config.clone();
    set(&mut config, extent);
    let artifact = Artifact::new(linked.bytes.clone(), &linked.path)?;
    let analysis = pipeline::analyze(&config.snip, config.sweep.enabled, &linked.path, &artifact)?;
    let mut job = Job {
        plans: analysis.plans,
        ..job(&config, &linked.path)
    };
    if let Some((compact, metric)) = compact {
        (job.compact, job.metric) = (Some(compact), metric);
    }
    let product = pipeline::run(&job, artifact, &mut |_| {})?;
    Ok(product.artifact)
}

/// What is no pass's work: the linked file `bytes` without names, and wrapped where the target
/// wants it.
///
/// # Errors
/// [`Error::Input`](build_support::Error::Input) where it is no wasm file, and what wrapping
/// reports.
pub fn unoptimized(config: &Config, file: &Path, bytes: &[u8]) -> Result<Sizes> {
    let job = job(config, file);
    let artifact = Artifact::new(bytes.to_vec(), file)?;
    let stripped = strip::run(&job, artifact)?;
    let wrapped = componentize::run(&job, stripped.artifact)?;
    Ok(sizes::run(wrapped.artifact.bytes()))
}

fn job<'a>(config: &Config, file: &'a Path) -> Job<'a> {
    Job {
        wants_component: toolchain::ships_components(&config.target),
        metric: config.metric(),
        ..Job::new(file, Vec::new())
    }
}

fn set(config: &mut Config, extent: Extent) {
    config.snip.enabled = extent != Extent::Optimize;
    config.sweep.enabled = extent == Extent::Everything;
}

#[cfg(test)]
mod tests {
    use super::{Row, Steps};
    use build_support::report::Sizes;

    fn row(ours: u64, reference: u64) -> Row {
        let sizes = |bytes| Sizes {
            raw: bytes,
            gzip: 0,
            brotli: bytes / 10,
        };
        let steps = Steps {
            linked: sizes(0),
            wasm_opt: sizes(0),
            snip: sizes(0),
            ours: sizes(ours),
        };
        Row {
            name: "app".to_owned(),
            steps,
            ours_plain_std: sizes(ours),
            compacted: Vec::new(),
            instructions: None,
            reference: sizes(reference),
            reference_swept: sizes(0),
            distributed_std: None,
        }
    }

    /// Protects the edge: 2% is within, a byte more is not.
    #[test]
    fn two_per_cent_is_the_edge() {
        assert!(row(102_000, 100_000).missed().is_empty());
        assert_eq!(row(102_001, 100_000).missed(), ["raw"]);
        assert_eq!(row(102_011, 100_000).missed(), ["raw", "brotli"]);
        assert!(row(1, 100_000).missed().is_empty());
    }

    /// Protects the layout that `--json` promises.
    #[test]
    fn the_layout_is_flat() {
        let json = serde_json::to_value(row(20, 10)).unwrap();
        for key in [
            "linked",
            "wasm_opt",
            "snip",
            "ours",
            "reference",
            "reference_swept",
        ] {
            assert!(json[key]["brotli"].is_u64(), "{key} in {json}");
        }
        assert_eq!(json.get("distributed_std"), None);
    }
}
