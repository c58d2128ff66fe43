//! The samples in node, for core modules: node has no components. A script of ours measures inside node's process and
//! prints its samples.

use super::{Milestones, Mode, ModeTimes, Plan, Scratch, Subject, failed, quantiles};
use crate::error::{Error, Result};
use crate::process;
use serde::Deserialize;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The script, whose first lines say what it takes and prints.
const SCRIPT: &str = include_str!("node.mjs");

/// What it prints: nanoseconds up to each point.
#[derive(Deserialize)]
struct Printed {
    cold: Vec<Milestones<u64>>,
    warm: Vec<Milestones<u64>>,
}

/// Its version, e.g. `v20.19.0`.
pub fn version(node: &Path) -> Result<String> {
    process::capture(node, &["--version"]).map(|version| version.trim().to_owned())
}

/// The times of both ways.
///
/// # Errors
/// [`Error::Process`] where a sample fails, with what node says.
pub fn measure(
    node: &Path,
    subject: &Subject,
    plan: &Plan<'_>,
    scratch: &Scratch,
) -> Result<[ModeTimes; 2]> {
    let root = scratch.root()?;
    let count = |mode: Mode| mode.samples(plan.samples);
    let (cold, warm) = (count(Mode::NodeCold), count(Mode::NodeWarm));
    let mut command = command(node, subject, plan, scratch, root.path(), [cold, warm])?;
    let text = process::output(&mut command)?;
    let printed: Printed = serde_json::from_str(&text).map_err(|error| {
        let message = format!("node's samples cannot be read: {error}");
        failed(&subject.file, message, "use node 20 or newer")
    })?;
    let times = |mode, samples: &[Milestones<u64>]| {
        if samples.len() != count(mode) as usize {
            let message = format!("node gave {} samples", samples.len());
            return Err(failed(&subject.file, message, "use node 20 or newer"));
        }
        Ok(ModeTimes {
            mode,
            times: quantiles(samples, &subject.file)?,
        })
    };
    Ok([
        times(Mode::NodeCold, &printed.cold)?,
        times(Mode::NodeWarm, &printed.warm)?,
    ])
}

/// Node with the script, for so many cold and warm samples, in folders within `root`.
pub fn command(
    node: &Path,
    subject: &Subject,
    plan: &Plan<'_>,
    scratch: &Scratch,
    root: &Path,
    [cold, warm]: [u32; 2],
) -> Result<Command> {
    let script = script(scratch)?;
    let job = json!({
        "file": subject.file,
        "root": root,
        "config": subject.config,
        "session": plan.said.0,
        "message": plan.said.1,
        "cold": cold,
        "warm": warm,
    });
    let mut command = process::command(node);
    command
        .arg("--no-warnings")
        .arg(script)
        .arg(job.to_string());
    Ok(command)
}

fn script(scratch: &Scratch) -> Result<PathBuf> {
    let path = scratch.path("start.mjs");
    std::fs::write(&path, SCRIPT).map_err(Error::io("writing", &path))?;
    Ok(path)
}
