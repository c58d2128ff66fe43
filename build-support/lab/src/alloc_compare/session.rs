//! A workload in one instance. The instance sees a clock that stands still: otherwise no two runs
//! of the agent would be alike.

use super::Workload;
use super::exports::{Export, Number};
use crate::transcript::Transcript;
use build_support::agent::host::Host;
use build_support::engine::memory::Memory;
use build_support::engine::program::Program;
use build_support::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use wasmtime_wasi::HostWallClock;

/// How often the agent's transcript is played.
const TRANSCRIPTS: u32 = 100;

/// More than any workload takes.
const FUEL: u64 = u64::MAX;

/// The time it is for the instance, in seconds since 1970: one with as many digits as the real one.
const NOW: u64 = 1_700_000_000;

/// An instance with a workload.
pub struct Session<'a> {
    host: Host,
    file: PathBuf,
    workload: Workload,
    script: Script<'a>,
}

enum Script<'a> {
    /// The fixture runs it.
    Exported { step: Export },
    /// The host plays it to the agent, which works in a folder that goes with it.
    Spoken {
        transcript: &'a Transcript,
        _root: TempDir,
    },
}

/// A run of a workload from beginning to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunResult {
    /// Out of all that was computed.
    pub checksum: u64,
    /// In the order they ran.
    pub steps: Vec<Step>,
}

/// What a step took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Instructions; 0 where the engine does not count them.
    pub instructions: u64,
    /// Wall time in nanoseconds.
    pub nanos: u64,
}

struct StandingClock;

impl HostWallClock for StandingClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_secs(NOW)
    }
}

impl<'a> Session<'a> {
    /// Starts an instance of `program`, which was made of `file`. `transcript` is the agent's
    /// transcript.
    ///
    /// # Errors
    /// [`Error::Input`] where the file is neither the fixture nor, for the transcript, the agent.
    pub fn start(
        program: &Program,
        file: &Path,
        workload: Workload,
        transcript: &'a Transcript,
    ) -> Result<Self> {
        let root = match workload.number() {
            Some(_) => None,
            None => Some(tempfile::tempdir().map_err(Error::io("creating a folder for", file))?),
        };
        let mut store = program.store_with(root.as_ref().map(TempDir::path), |wasi| {
            wasi.wall_clock(StandingClock);
        })?;
        // An engine that does not count has no use for it, and says so.
        let _ = store.set_fuel(FUEL);
        let mut host = Host::instantiate(program, store)?;
        let script = match root {
            Some(root) => Script::Spoken {
                transcript,
                _root: root,
            },
            None => Script::Exported {
                step: Export::find(&mut host, "step").map_err(refused(file, "step"))?,
            },
        };
        Ok(Self {
            host,
            file: file.to_owned(),
            workload,
            script,
        })
    }

    /// How many steps there are, and how many operations in each.
    ///
    /// # Errors
    /// [`Error::Input`] where the fixture does not know the workload.
    pub fn size(&mut self) -> Result<(u32, u32)> {
        if let Script::Spoken { transcript, .. } = self.script {
            return Ok((TRANSCRIPTS, transcript.messages.len() as u32));
        }
        let number = [Number::U32(self.workload.number().unwrap_or(u32::MAX))];
        let size = [
            self.call("steps", &number)?,
            self.call("operations", &number)?,
        ];
        match size.map(u32::try_from) {
            [Ok(steps @ 1..), Ok(operations @ 1..)] => Ok((steps, operations)),
            _ => {
                let message = format!("knows no workload {} of any length", self.workload);
                Err(refused(&self.file, "steps")(message))
            }
        }
    }

    /// Makes what the workload starts from.
    ///
    /// # Errors
    /// [`Error::Input`] where it traps, or the agent refuses its configuration.
    pub fn prepare(&mut self) -> Result<()> {
        match (&self.script, self.workload.number()) {
            (Script::Exported { .. }, Some(number)) => {
                self.call("prepare", &[Number::U32(number)]).map(drop)
            }
            (Script::Spoken { transcript, .. }, _) => {
                let config = transcript.config();
                self.host.init(&config)
            }
            (Script::Exported { .. }, None) => Ok(()),
        }
    }

    /// Runs the next step, and gives a number out of all that it computed.
    ///
    /// # Errors
    /// [`Error::Input`] where it traps.
    pub fn step(&mut self) -> Result<u64> {
        match &self.script {
            Script::Exported { step } => step
                .call(&mut self.host, &[])
                .map_err(refused(&self.file, "step")),
            Script::Spoken { transcript, .. } => Ok(transcript
                .play(&mut self.host)?
                .iter()
                .flat_map(|answer| answer.bytes())
                .fold(0, mix_byte)),
        }
    }

    /// Gives back everything, so far as the workload does.
    ///
    /// # Errors
    /// [`Error::Input`] where it traps.
    pub fn finish(&mut self) -> Result<()> {
        match self.script {
            Script::Exported { .. } => self.call("finish", &[]).map(drop),
            Script::Spoken { .. } => Ok(()),
        }
    }

    /// All of the above.
    ///
    /// # Errors
    /// As they do.
    pub fn run(&mut self) -> Result<RunResult> {
        self.prepare()?;
        let (steps, _) = self.size()?;
        let mut result = RunResult {
            checksum: 0,
            steps: Vec::new(),
        };
        for _ in 0..steps {
            let (fuel, start) = (self.fuel(), Instant::now());
            let sum = self.step()?;
            let nanos = start.elapsed().as_nanos() as u64;
            result.checksum = result.checksum.wrapping_mul(31).wrapping_add(sum);
            result.steps.push(Step {
                instructions: fuel - self.fuel(),
                nanos,
            });
        }
        self.finish()?;
        Ok(result)
    }

    /// The linear memory it has.
    pub fn memory(&self) -> Memory {
        self.host.memory()
    }

    /// What runs.
    pub fn host(&mut self) -> &mut Host {
        &mut self.host
    }

    /// What is left; where nothing is counted, always the same.
    fn fuel(&mut self) -> u64 {
        self.host.store().get_fuel().unwrap_or(0)
    }

    fn call(&mut self, name: &str, args: &[Number]) -> Result<u64> {
        let export = Export::find(&mut self.host, name).map_err(refused(&self.file, name))?;
        export
            .call(&mut self.host, args)
            .map_err(refused(&self.file, name))
    }
}

/// FNV-1a (Fowler, Noll, Vo).
fn mix_byte(sum: u64, byte: u8) -> u64 {
    (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

/// What to make of a sentence about `function` of `file`.
pub fn refused(file: &Path, function: &str) -> impl FnOnce(String) -> Error {
    let (file, function) = (file.to_owned(), function.to_owned());
    move |message| Error::Input {
        file,
        offset: None,
        message: format!("{function}: {message}"),
        help: "it must be a build of fixtures/allocators as this tool makes it".to_owned(),
    }
}
