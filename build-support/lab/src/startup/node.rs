//! The samples in node, for core modules: node has no components. A script of ours measures inside
//! node's process and prints its samples.

use super::{Milestones, Mode, ModeTimes, Plan, Scratch, Subject, failed, quantiles};
use build_support::error::{Error, Result};
use build_support::system::process;
use serde::Deserialize;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The script, whose first lines say what it takes and prints.
const SCRIPT: &str = include_str!("node.mjs");

/// Node's own arguments. V8 calls WASI's functions directly from optimised code, past what the
/// garbage collector knows; in a process with some hundred instances node then crashes (nodejs/node
/// issues 46777 and 53087; seen with 20.20, gone with this).
pub const ARGS: [&str; 2] = ["--no-warnings", "--no-turbo-fast-api-calls"];

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
        "session": plan.message.0,
        "message": plan.message.1,
        "cold": cold,
        "warm": warm,
    });
    let mut command = process::command(node);
    command.args(ARGS).arg(script).arg(job.to_string());
    Ok(command)
}

fn script(scratch: &Scratch) -> Result<PathBuf> {
    let path = scratch.path("start.mjs");
    std::fs::write(&path, SCRIPT).map_err(Error::io("writing", &path))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::measure;
    use crate::startup::{Plan, Samples, Scratch, Subject};
    use build_support::system::process;
    use std::path::Path;

    /// An agent whose `init` gives `status` and whose answer is what `answer` gives the address of.
    fn measured(status: &str, answer: &str) -> Result<u64, String> {
        let text = format!(
            r#"(module
                (memory (export "memory") 1)
                (data (i32.const 0) "{{\"ok\": true}}{{\"ok\":false}}")
                (func (export "clawft_alloc") (param i32) (result i32) i32.const 6000)
                (func (export "clawft_free") (param i32 i32))
                (func (export "clawft_init") (param i32 i32) (result i32) {status})
                (func (export "clawft_process_message") (param i32 i32 i32 i32) (result i32)
                    i32.const 0)
                (func (export "clawft_answer_ptr") (result i32) {answer})
                (func (export "clawft_answer_len") (result i32) i32.const 12))"#
        );
        let scratch = Scratch::new().unwrap();
        let file = scratch.path("agent.wasm");
        std::fs::write(&file, wat::parse_str(text).unwrap()).unwrap();
        let subject = Subject {
            label: "agent".to_owned(),
            file,
            config: Some("{}".to_owned()),
        };
        let plan = Plan {
            subjects: &[],
            message: ("s", "hello"),
            samples: Samples {
                cold: 2,
                warm: 3,
                process: 1,
            },
            tool: Path::new("none"),
            node: None,
        };
        let node = process::on_path("node").expect("node is needed: install nodejs 20 or newer");
        let times = measure(&node, &subject, &plan, &scratch).map_err(|e| e.to_string())?;
        assert_eq!(times[0].times.instance.samples, 2);
        Ok(times[1].times.instance.samples)
    }

    /// Protects the samples from crashes and refusals, which would be quick.
    #[test]
    fn only_an_answer_is_a_sample() {
        assert_eq!(measured("i32.const 0", "i32.const 0"), Ok(3));
        for (status, answer, expected) in [
            ("unreachable", "i32.const 0", "RuntimeError: unreachable"),
            ("i32.const -7", "i32.const 0", "Error: init: "),
            (
                "i32.const 0",
                "i32.const 12",
                "the first answer is no answer",
            ),
            ("i32.const 0", "i32.const 99", "SyntaxError"),
        ] {
            let error = measured(status, answer).unwrap_err();
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }
}
