//! What a process costs around all this: from starting it to its end, this tool's and node's, with
//! nothing to do and with one message to answer.

use super::wasmtime::Programs;
use super::{Plan, Scratch, Subject, accepted, nanos, node, none};
use crate::quantiles::Quantiles;
use build_support::error::Result;
use build_support::system::process;
use build_support::wasm::artifact::FileKind;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Which process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Process {
    /// This tool, saying its version.
    ToolIdle,
    /// This tool, running the precompiled file until its first answer.
    ToolAnswers,
    /// Node, with an empty script.
    NodeIdle,
    /// Node, running the file until its first answer.
    NodeAnswers,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessTimes {
    /// Which.
    pub process: Process,
    /// The file's label; none for a process without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// From start to end.
    pub times: Quantiles,
}

impl Process {
    /// What it is called in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::ToolIdle => "this tool, nothing to do",
            Self::ToolAnswers => "this tool, precompiled, first answer",
            Self::NodeIdle => "node, nothing to do",
            Self::NodeAnswers => "node, cold, first answer",
        }
    }
}

/// Those with nothing to do.
///
/// # Errors
/// [`Error::Process`](build_support::Error::Process) where one fails.
pub fn idle(
    plan: &Plan<'_>,
    scratch: &Scratch,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<ProcessTimes>> {
    progress("processes with nothing to do");
    let mut idle = vec![(Process::ToolIdle, plan.tool, vec!["--version"])];
    if let Some(node) = plan.node {
        idle.push((Process::NodeIdle, node, vec!["--eval", ""]));
    }
    let times = |(kind, program, args): (Process, &Path, Vec<&str>)| {
        sampled(kind, None, plan, scratch, |_| {
            let mut command = process::command(program);
            command.args(&args);
            Ok(command)
        })
    };
    idle.into_iter().map(times).collect()
}

/// Those that run `subject`.
///
/// # Errors
/// As [`idle`], and where the answer is an error.
pub fn measure(
    subject: &Subject,
    programs: &Programs<'_>,
    plan: &Plan<'_>,
    scratch: &Scratch,
) -> Result<Vec<ProcessTimes>> {
    let (session, message) = plan.message;
    let file = programs.precompiled_file();
    let mut all = vec![sampled(
        Process::ToolAnswers,
        Some(subject),
        plan,
        scratch,
        |root| {
            let mut command = process::command(plan.tool);
            command.arg("run").arg("--component").arg(file);
            command.arg("--root").arg(root);
            command.args(["--session", session, "--json"]);
            match &subject.config {
                Some(config) => command.args(["--config", config]),
                None => command.arg("--initialised"),
            };
            command.args(["--", message]);
            Ok(command)
        },
    )?];
    if let Some(node) = plan.node
        && programs.kind() == FileKind::Core
    {
        all.push(sampled(
            Process::NodeAnswers,
            Some(subject),
            plan,
            scratch,
            |root| node::command(node, subject, plan, scratch, root, [1, 0]),
        )?);
    }
    Ok(all)
}

fn sampled(
    process: Process,
    subject: Option<&Subject>,
    plan: &Plan<'_>,
    scratch: &Scratch,
    mut command: impl FnMut(&Path) -> Result<Command>,
) -> Result<ProcessTimes> {
    let samples = super::samples(plan.samples.process, || {
        let root = scratch.root()?;
        let mut command = command(root.path())?;
        let start = Instant::now();
        let answer = process::output(&mut command)?;
        let taken = nanos(start);
        // Node's script judges its answer itself.
        if let (Process::ToolAnswers, Some(subject)) = (process, subject) {
            accepted(&subject.file, &answer)?;
        }
        Ok(taken)
    })?;
    Ok(ProcessTimes {
        process,
        label: subject.map(|subject| subject.label.clone()),
        times: Quantiles::of(samples).ok_or_else(|| none(plan.tool))?,
    })
}
