//! What a baseline is put together from. Each part can be measured alone; the others then stay as
//! they were.

use super::{Allocators, Baseline, Figures, Memory, StageBytes};
use crate::alloc_compare::{self, Allocator, Request};
use crate::native::builds;
use crate::transcript::Transcript;
use crate::variants::{self, Variants};
use crate::{memory, native, startup};
use build_support::baseline::file::File;
use build_support::error::{Error, Result};
use build_support::measure::sizes;
use build_support::project::listener::Listener;
use build_support::project::package::Package;
use build_support::wasm::artifact::Artifact;
use build_support::wasm::layout::{self, Layout};
use std::collections::BTreeMap;
use std::path::Path;

/// How much is measured of each: the figures of a baseline are few, and taken often.
const STARTUP: startup::Samples = startup::Samples {
    cold: 30,
    warm: 300,
    process: 20,
};
const ROUNDS: u32 = 100;
const NATIVE: u32 = 100;

/// A part that can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// The shipped files.
    Sizes,
    /// Start-up times and instructions.
    Startup,
    /// Linear memory.
    Memory,
    /// The allocators; this takes some minutes.
    Allocators,
    /// The native program.
    Native,
    /// Ways of building it; this takes many minutes, and is measured where it is asked for.
    NativeBuilds,
}

impl Part {
    /// All of them, but for the one that is to be asked for.
    pub const ALL: [Self; 5] = [
        Self::Sizes,
        Self::Startup,
        Self::Memory,
        Self::Allocators,
        Self::Native,
    ];
}

/// What does the measuring.
pub struct Tools<'a> {
    /// This tool's program.
    pub tool: &'a Path,
    /// Node's.
    pub node: &'a Path,
}

/// Measures `parts` of `package`; what is not among them is as in `before`.
///
/// # Errors
/// What measuring reports; [`Error::Input`] where a part is neither to be measured nor in `before`.
pub fn measure(
    package: &Package,
    parts: &[Part],
    before: Option<&Baseline>,
    tools: &Tools<'_>,
    listener: &mut dyn Listener,
) -> Result<Baseline> {
    let transcript = Transcript::of(package)?;
    let all = variants::make(package, &transcript, listener)?;
    let kept = || {
        before.ok_or_else(|| Error::Input {
            file: File::path(package),
            offset: None,
            message: "it is not there, and only a part of it is to be measured".to_owned(),
            help: "measure everything once: `cargo baseline`".to_owned(),
        })
    };
    let wanted = |part| parts.contains(&part);
    let (codecs, targets) = if wanted(Part::Sizes) {
        (sizes::codecs(), figures(&all)?)
    } else {
        (kept()?.codecs.clone(), kept()?.targets.clone())
    };
    let startup = if wanted(Part::Startup) {
        startup(&all, &transcript, tools, listener)?
    } else {
        kept()?.startup.clone()
    };
    let memory = if wanted(Part::Memory) {
        memory(&all, &transcript, listener)?
    } else {
        kept()?.memory.clone()
    };
    let allocators = if wanted(Part::Allocators) {
        allocators(package, listener)?
    } else {
        kept()?.allocators.clone()
    };
    let mut native = if wanted(Part::Native) {
        listener.stage("the native program");
        native::run(package, &transcript, NATIVE)?
    } else {
        kept()?.native.clone()
    };
    native.builds = if wanted(Part::NativeBuilds) {
        let suffix = std::env::consts::EXE_SUFFIX;
        let tool = tools.tool.with_file_name(format!("build-support{suffix}"));
        let mut progress = |stage: &str| listener.stage(stage);
        Some(builds::run(package, &transcript, &tool, &mut progress)?)
    } else {
        before.and_then(|before| before.native.builds.clone())
    };
    Ok(Baseline {
        package: package.name.clone(),
        codecs,
        targets,
        startup,
        memory,
        allocators: allocators.rounded(),
        native,
        history: Vec::new(),
    })
}

fn figures(all: &[Variants]) -> Result<BTreeMap<String, Figures>> {
    let target = |variants: &Variants| {
        let report = variants.report();
        let stages = report.stages.iter().map(|stage| StageBytes {
            name: stage.name.clone(),
            bytes: stage.bytes,
        });
        let figures = Figures {
            toolchain: report.toolchain.clone(),
            kind: report.kind,
            allocator: Allocator::DEFAULT,
            stages: stages.collect(),
            sizes: report.sizes,
            preinit: sizes::run(Artifact::read(&variants.preinit)?.bytes()),
        };
        Ok((variants.target.clone(), figures))
    };
    all.iter().map(target).collect()
}

fn startup(
    all: &[Variants],
    transcript: &Transcript,
    tools: &Tools<'_>,
    listener: &mut dyn Listener,
) -> Result<startup::Startup> {
    let config = transcript.config();
    let files = all.iter().flat_map(Variants::files);
    let subjects: Vec<_> = files
        .map(|variant| startup::Subject::of(variant, &config))
        .collect();
    let first = &transcript.messages[0];
    let plan = startup::Plan {
        subjects: &subjects,
        message: (&first.session, &first.message),
        samples: STARTUP,
        tool: tools.tool,
        node: Some(tools.node),
    };
    startup::run(&plan, &mut |stage| listener.stage(stage))
}

fn memory(
    all: &[Variants],
    transcript: &Transcript,
    listener: &mut dyn Listener,
) -> Result<Vec<Memory>> {
    let files = all.iter().flat_map(Variants::files);
    let subjects: Vec<_> = files.map(memory::Subject::from).collect();
    let plan = memory::Plan {
        subjects: &subjects,
        transcript,
        rounds: ROUNDS,
    };
    let profile = memory::run(&plan, &mut |stage| listener.stage(stage))?;
    let row = |file: memory::FileMemory| {
        let modules = || file.modules.iter();
        let bytes = |memory: &layout::Memory| memory.initial_pages * memory.page_bytes;
        Memory {
            initial: modules().flat_map(|m| &m.memories).map(bytes).sum(),
            data: modules().map(Layout::data_bytes).sum(),
            stack: modules()
                .filter_map(|m| m.stack.as_ref())
                .map(|stack| stack.bytes)
                .reduce(|a, b| a + b),
            configured: file.run.configured,
            played: file.run.played,
            repeated: file.run.repeated,
            label: file.label,
        }
    };
    Ok(profile.files.into_iter().map(row).collect())
}

fn allocators(package: &Package, listener: &mut dyn Listener) -> Result<Allocators> {
    let compared = alloc_compare::run(package, &Request::everything(package), listener)?;
    let sizes = compared.targets.iter().map(|compared| {
        let shipped = compared.candidates.iter();
        let shipped = shipped.map(|c| (c.allocator, c.shipped));
        (compared.target.clone(), shipped.collect())
    });
    Ok(Allocators {
        sizes: sizes.collect(),
        engine: compared.engine,
        weights: compared.weights,
        scores: compared.scores,
        recommendation: compared.recommendation,
    })
}
