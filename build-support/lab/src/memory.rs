//! How much memory the agent takes (FR-08): what the file says before it runs, and how far its
//! linear memory has grown when it is there, when it is configured, and after a workload.

use crate::transcript::Transcript;
use crate::variants::Variant;
use build_support::agent::host::Host;
use build_support::engine::program::Program;
use build_support::engine::setup::Setup;
use build_support::error::{Error, Result};
use build_support::wasm::artifact::{Artifact, FileKind};
use build_support::wasm::layout::{self, Layout};
use build_support::wasm::{Module, ReadError};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What a reactor calls its memory.
const MEMORY: &str = "memory";

/// What is to be measured.
pub struct Plan<'a> {
    /// The files.
    pub subjects: &'a [Subject],
    /// The workload.
    pub transcript: &'a Transcript,
    /// How often it is played in all, in one instance: what still grows then leaks, or keeps what
    /// it was told.
    pub rounds: u32,
}

/// A shipped file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What it is called in the result.
    pub label: String,
    /// Where it is.
    pub file: PathBuf,
    /// The linked file it was made from, for what the pipeline changes; none where it is not known.
    pub linked: Option<PathBuf>,
    /// Whether `init` was called when the file was made.
    pub initialised: bool,
}

impl From<Variant> for Subject {
    fn from(variant: Variant) -> Self {
        Self {
            label: variant.label,
            file: variant.file,
            linked: variant.linked,
            initialised: variant.initialised,
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryProfile {
    /// How many messages the workload has.
    pub messages: u64,
    /// How often it was played in all.
    pub rounds: u32,
    /// Each file, in the plan's order.
    pub files: Vec<FileMemory>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMemory {
    /// The subject's.
    pub label: String,
    /// What it is.
    pub kind: FileKind,
    /// What its core modules say, in file order; those inside a component that only pass calls on
    /// say nothing.
    pub modules: Vec<Layout>,
    /// What the linked file says; none where it is not known.
    pub linked: Option<Layout>,
    /// What was seen when it ran.
    pub run: Run,
}

/// Linear memory while a file ran, in bytes: it never shrinks, so each figure is the highest so
/// far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When there is an instance.
    pub instance: u64,
    /// When `init` has taken the configuration.
    pub configured: u64,
    /// When the workload has been played once.
    pub played: u64,
    /// And after all rounds.
    pub repeated: u64,
    /// How many messages of the first round had an answer that is not an error. The workload tries
    /// errors too.
    pub answered: u64,
    /// How much of the stack was used at the deepest, in bytes, at least: from its top to the
    /// lowest byte that is not zero. None for a component, into whose memory a host cannot look.
    pub stack: Option<u64>,
}

/// Measures.
///
/// # Errors
/// [`Error::Input`] where a file traps or an answer is no JSON, [`Error::Io`] where one cannot be
/// read.
pub fn run(plan: &Plan<'_>, progress: &mut dyn FnMut(&str)) -> Result<MemoryProfile> {
    let measure = |subject| {
        progress(&subject_line(subject));
        one(subject, plan)
    };
    Ok(MemoryProfile {
        messages: plan.transcript.messages.len() as u64,
        rounds: plan.rounds.max(1),
        files: plan.subjects.iter().map(measure).collect::<Result<_>>()?,
    })
}

fn subject_line(subject: &Subject) -> String {
    format!("{}: memory", subject.label)
}

fn one(subject: &Subject, plan: &Plan<'_>) -> Result<FileMemory> {
    let artifact = Artifact::read(&subject.file)?;
    let modules: Vec<_> = artifact
        .modules()
        .and_then(|modules| modules.iter().map(layout::read).collect())
        .map_err(unreadable(&subject.file))?;
    let linked = match &subject.linked {
        Some(file) => {
            let bytes = std::fs::read(file).map_err(Error::io("reading", file))?;
            let module = Module::read(&bytes).map_err(unreadable(file))?;
            Some(layout::read(&module).map_err(unreadable(file))?)
        }
        None => None,
    };
    Ok(FileMemory {
        label: subject.label.clone(),
        kind: artifact.kind(),
        run: play(subject, &artifact, &modules, plan)?,
        modules,
        linked,
    })
}

fn play(
    subject: &Subject,
    artifact: &Artifact,
    modules: &[Layout],
    plan: &Plan<'_>,
) -> Result<Run> {
    let engine = Setup::counted().engine()?;
    let program = Program::compile(&engine, &subject.file, artifact)?.bounded();
    let root =
        tempfile::tempdir().map_err(Error::io("creating folder in", &std::env::temp_dir()))?;
    let mut host = Host::start(&program, Some(root.path()))?;
    let instance = host.memory().now;
    if !subject.initialised {
        host.init(&plan.transcript.config())?;
    }
    let configured = host.memory().now;
    let answers = plan.transcript.play(&mut host)?;
    let played = host.memory().now;
    for _ in 1..plan.rounds {
        plan.transcript.play(&mut host)?;
    }
    Ok(Run {
        instance,
        configured,
        played,
        repeated: host.memory().now,
        answered: answered(&subject.file, &answers)?,
        stack: stack(&mut host, modules),
    })
}

/// How many answers are no errors.
fn answered(file: &Path, answers: &[String]) -> Result<u64> {
    let mut well = 0;
    for answer in answers {
        let parsed: serde_json::Value =
            serde_json::from_str(answer).map_err(|error| Error::Input {
                file: file.to_owned(),
                offset: None,
                message: format!("an answer is no JSON ({error}): {answer}"),
                help: "give a file that is an agent".to_owned(),
            })?;
        well += u64::from(parsed["ok"] == true);
    }
    Ok(well)
}

/// From the stack's top to the lowest byte that is not zero: it begins as zeros, and nothing else
/// is put there.
fn stack(host: &mut Host, modules: &[Layout]) -> Option<u64> {
    let stack = modules.iter().find_map(|module| module.stack.as_ref())?;
    let bottom = stack.top.checked_sub(stack.bytes)?;
    let (store, instance) = host.core()?;
    let memory = instance.get_memory(&mut *store, MEMORY)?;
    let bytes = memory
        .data(&*store)
        .get(bottom as usize..stack.top as usize)?;
    let untouched = bytes.iter().take_while(|byte| **byte == 0).count();
    Some((bytes.len() - untouched) as u64)
}

fn unreadable(file: &Path) -> impl Fn(ReadError) -> Error {
    ReadError::input(file, "the file is damaged: build it again")
}
