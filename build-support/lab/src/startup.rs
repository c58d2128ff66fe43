//! How long it takes until an agent is there (FR-09): in wasmtime, compiled at once by each
//! compiler, loaded from a precompiled file, and warm from a prepared one; in node; and with a
//! process around it.
//!
//! All but `processes` is measured inside this process: what starting one costs would hide the
//! rest. A sample is one agent in a new folder of its own, with a clock read when the instance is
//! there, when it is configured and when it has given its first answer. A sample that fails ends
//! the measurement with its error: a crash is no sample. Whether figures are good is [`targets`]'
//! business; showing them is the command's.

mod node;
mod processes;
pub mod targets;
mod wasmtime;

pub use processes::{Process, ProcessTimes};

use crate::quantiles::Quantiles;
use crate::variants::Variant;
use build_support::engine::setup::ENGINE;
use build_support::error::{Error, Result};
use build_support::wasm::artifact::{Artifact, FileKind};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How many samples are thrown away before those that count: the first ones pay for what a process
/// does once.
const WARM_UP: u32 = 3;

/// What is to be measured.
pub struct Plan<'a> {
    /// The files.
    pub subjects: &'a [Subject],
    /// The session and the message of the first answer.
    pub message: (&'a str, &'a str),
    /// How many samples of each.
    pub samples: Samples,
    /// This tool's program, for `processes`.
    pub tool: &'a Path,
    /// The node to measure; none where the user left it out.
    pub node: Option<&'a Path>,
}

/// A shipped file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What it is called in the result.
    pub label: String,
    /// Where it is.
    pub file: PathBuf,
    /// What its `init` is given, as JSON; none where the file was configured when it was made.
    pub config: Option<String>,
}

impl Subject {
    /// `variant`, which takes `config` unless it has it already.
    pub fn of(variant: Variant, config: &str) -> Self {
        Self {
            label: variant.label,
            file: variant.file,
            config: (!variant.initialised).then(|| config.to_owned()),
        }
    }
}

/// How many samples there are of each figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Samples {
    /// Of what compiles.
    pub cold: u32,
    /// Of what does not.
    pub warm: u32,
    /// Of processes.
    pub process: u32,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Startup {
    /// The embedded engine and its version. It compiles on one thread.
    pub engine: String,
    /// Whether engine and tool were built with checks for their own faults, which slow both
    /// compilers down.
    pub debug_assertions: bool,
    /// `node --version`; none where it was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Each file, in the plan's order.
    pub files: Vec<FileTimes>,
    /// What starting a process costs.
    pub processes: Vec<ProcessTimes>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTimes {
    /// The subject's.
    pub label: String,
    /// What it is.
    pub kind: FileKind,
    /// Its size in bytes.
    pub bytes: u64,
    /// The size of the precompiled file, in bytes.
    pub precompiled_bytes: u64,
    /// Wasm instructions executed (wasmtime's fuel) up to each point: the same in every run on
    /// every machine.
    pub instructions: Milestones<u64>,
    /// The times, each way.
    pub modes: Vec<ModeTimes>,
}

/// One way of starting a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeTimes {
    /// Which.
    pub mode: Mode,
    /// Times from the beginning up to each point.
    pub times: Milestones<Quantiles>,
}

/// Points on the way; each figure includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Milestones<T> {
    /// There is an instance, a reactor's `_initialize` included.
    pub instance: T,
    /// `init` has taken the configuration.
    pub configured: T,
    /// The first message is answered.
    pub answered: T,
}

/// A way of starting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Bytes in memory, compiled by Cranelift, linked, instantiated.
    ColdCranelift,
    /// The same with Winch.
    ColdWinch,
    /// A precompiled file read, checked against its record, loaded, linked, instantiated.
    PrecompiledFile,
    /// The same without reading and checking: its bytes in memory, loaded, linked, instantiated.
    Precompiled,
    /// A linked program, instantiated in a pool with copy-on-write memory images.
    Warm,
    /// Node: bytes to module, instance, WASI. V8 compiles most functions only when they are first
    /// called.
    NodeCold,
    /// Node: a module to instance and WASI.
    NodeWarm,
}

impl Mode {
    /// The ones in wasmtime.
    pub const WASMTIME: [Self; 5] = [
        Self::ColdCranelift,
        Self::ColdWinch,
        Self::PrecompiledFile,
        Self::Precompiled,
        Self::Warm,
    ];

    /// What it is called in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::ColdCranelift => "cold, Cranelift",
            Self::ColdWinch => "cold, Winch",
            Self::PrecompiledFile => "precompiled file",
            Self::Precompiled => "precompiled",
            Self::Warm => "warm, pooled",
            Self::NodeCold => "node, cold",
            Self::NodeWarm => "node, warm",
        }
    }

    fn samples(self, samples: Samples) -> u32 {
        match self {
            Self::ColdCranelift | Self::ColdWinch | Self::NodeCold => samples.cold,
            Self::PrecompiledFile | Self::Precompiled | Self::Warm | Self::NodeWarm => samples.warm,
        }
    }
}

/// Measures.
///
/// # Errors
/// The first failure of any sample, and [`Error::Input`] for a plan without samples.
pub fn run(plan: &Plan<'_>, progress: &mut dyn FnMut(&str)) -> Result<Startup> {
    let node = plan.node.map(node::version).transpose()?;
    let scratch = Scratch::new()?;
    let (mut files, mut processes) = (Vec::new(), processes::idle(plan, &scratch, progress)?);
    for subject in plan.subjects {
        let artifact = Artifact::read(&subject.file)?;
        let program = wasmtime::Programs::new(subject, artifact, &scratch)?;
        // First: what does not end ends here, where instructions are counted.
        let instructions = program.instructions(plan, &scratch)?;
        let mut modes = Vec::new();
        for mode in Mode::WASMTIME {
            progress(&format!("{}: {}", subject.label, mode.name()));
            modes.push(program.measure(mode, plan, &scratch)?);
        }
        if let Some(node) = plan.node
            && program.kind() == FileKind::Core
        {
            progress(&format!("{}: node", subject.label));
            modes.extend(node::measure(node, subject, plan, &scratch)?);
        }
        files.push(FileTimes {
            label: subject.label.clone(),
            kind: program.kind(),
            bytes: program.bytes(),
            precompiled_bytes: program.precompiled_bytes(),
            instructions,
            modes,
        });
        progress(&format!("{}: processes", subject.label));
        processes.extend(processes::measure(subject, &program, plan, &scratch)?);
    }
    Ok(Startup {
        engine: ENGINE.to_owned(),
        debug_assertions: cfg!(debug_assertions),
        node,
        files,
        processes,
    })
}

/// Takes `count` samples after those that are thrown away.
fn samples<T>(count: u32, mut sample: impl FnMut() -> Result<T>) -> Result<Vec<T>> {
    for _ in 0..WARM_UP {
        sample()?;
    }
    (0..count).map(|_| sample()).collect()
}

/// The quantiles of each point.
fn quantiles(samples: &[Milestones<u64>], file: &Path) -> Result<Milestones<Quantiles>> {
    let quantiles = |point: fn(&Milestones<u64>) -> u64| {
        Quantiles::of(samples.iter().map(point).collect()).ok_or_else(|| none(file))
    };
    Ok(Milestones {
        instance: quantiles(|s| s.instance)?,
        configured: quantiles(|s| s.configured)?,
        answered: quantiles(|s| s.answered)?,
    })
}

fn none(file: &Path) -> Error {
    failed(file, "there are no samples", "ask for one at least")
}

fn failed(file: &Path, message: impl Into<String>, help: &str) -> Error {
    Error::Input {
        file: file.to_owned(),
        offset: None,
        message: message.into(),
        help: help.to_owned(),
    }
}

/// An answer that is an error of the agent's is a failed sample: what is wanted is the time to a
/// real one.
fn accepted(file: &Path, answer: &str) -> Result<()> {
    let parsed: Option<serde_json::Value> = serde_json::from_str(answer).ok();
    if parsed.is_some_and(|answer| answer["ok"] == true) {
        Ok(())
    } else {
        Err(failed(
            file,
            format!("the first answer is no answer: {answer}"),
            "give a workload whose first message is answered, and a file that is an agent",
        ))
    }
}

fn nanos(since: Instant) -> u64 {
    since.elapsed().as_nanos() as u64
}

/// A folder for all that is written while measuring; it goes with this value.
struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Result<Self> {
        let folder =
            tempfile::tempdir().map_err(Error::io("creating folder in", &std::env::temp_dir()))?;
        Ok(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new folder, so that no agent finds what another one left.
    fn root(&self) -> Result<tempfile::TempDir> {
        tempfile::tempdir_in(self.folder.path())
            .map_err(Error::io("creating folder in", self.folder.path()))
    }
}
