//! The agent as a native program: its size and its times, the yardstick beside the wasm files.

pub mod builds;
pub mod home;
pub mod instructions;
pub mod pgo;
pub mod program;
pub mod sections;
pub mod workload;

use crate::llvm::Compiler;
use crate::quantiles::Quantiles;
use crate::transcript::Transcript;
use build_support::error::{Error, Result};
use build_support::project::package::Package;
use build_support::system::process;
use home::Home;
use program::Build;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How often the transcript is played in one process.
const ROUNDS: u32 = 100;

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Native {
    /// The program; one of its own where nothing is said, which there was before `weft`.
    #[serde(default = "former")]
    pub program: String,
    /// The compiler, `rustc -V`.
    pub rustc: String,
    /// The target, this machine's.
    pub target: String,
    /// Size of the program without symbols, in bytes; profile `release`.
    pub bytes: u64,
    /// From the start of the process to its end, with one message answered.
    pub process: Quantiles,
    /// One message of the transcript, on average over a process that plays it 100 times, its start
    /// included.
    pub message: Quantiles,
    /// Ways of building it, compared; absent where nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builds: Option<builds::Builds>,
}

fn former() -> String {
    "clawft".to_owned()
}

/// Builds the program, and measures it with `samples` processes of one message and a tenth as many
/// of many.
///
/// # Errors
/// [`Error::Process`] where it cannot be built, fails, or leaves a message unanswered.
pub fn run(package: &Package, transcript: &Transcript, samples: u32) -> Result<Native> {
    let compiler = Compiler::here()?;
    let program = build(package, &compiler)?;
    let bytes = std::fs::metadata(&program)
        .map_err(Error::io("reading", &program))?
        .len();
    let lines = transcript.lines();
    let messages = transcript.messages.len() as u64 * u64::from(ROUNDS);
    let workload = lines.repeat(ROUNDS as usize);
    let hello = lines.lines().next().unwrap_or_default();
    Ok(Native {
        program: "weft".to_owned(),
        bytes,
        process: times(samples, || play(&program, transcript, hello, 1))?,
        message: times(samples.div_ceil(10), || {
            Ok(play(&program, transcript, &workload, messages)? / messages.max(1))
        })?,
        rustc: compiler.version,
        target: compiler.host,
        builds: None,
    })
}

/// Builds the program as it would be shipped, in a folder of its own, and gives where it is.
///
/// # Errors
/// [`Error::Process`] where cargo fails.
pub fn build(package: &Package, compiler: &Compiler) -> Result<PathBuf> {
    program::build(package, &compiler.host, "native", &Build::of("release"))
}

/// One process that is sent `lines` and must answer each of `messages`: its time in nanoseconds.
fn play(program: &Path, transcript: &Transcript, lines: &str, messages: u64) -> Result<u64> {
    let home = Home::new(&transcript.toml()?)?;
    let input = home.input(lines)?;
    let mut command = home.weft(program);
    command.args(["agent", "--json"]);
    let start = Instant::now();
    let answers = process::output_or_no(&mut command, input)?;
    let taken = start.elapsed().as_nanos() as u64;
    if answers.lines().count() as u64 == messages {
        return Ok(taken);
    }
    Err(Error::Input {
        file: program.to_owned(),
        offset: None,
        message: format!(
            "{messages} messages got {} answers",
            answers.lines().count()
        ),
        help: "run it by hand with the workload's messages".to_owned(),
    })
}

fn times(samples: u32, mut sample: impl FnMut() -> Result<u64>) -> Result<Quantiles> {
    // The first one pays for the program's file to be read.
    sample()?;
    let all = (0..samples.max(1))
        .map(|_| sample())
        .collect::<Result<_>>()?;
    Ok(Quantiles::of(all).expect("there is one at least"))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::play;
    use crate::transcript::Transcript;
    use std::os::unix::fs::PermissionsExt;

    /// Protects the figures from a program that leaves messages unanswered, and is fast by that.
    #[test]
    fn every_message_must_have_its_answer() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::write(
            &program,
            "#!/bin/sh\nwhile read -r line; do echo \"$line\"; done\n",
        )
        .unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let transcript = Transcript {
            config: serde_json::json!({}),
            messages: Vec::new(),
        };
        let play = |messages| play(&program, &transcript, "one\ntwo\n", messages);
        assert!(play(2).is_ok());
        for messages in [1, 3] {
            let error = play(messages).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{messages} messages got 2 answers")),
                "{error}"
            );
        }
    }
}
