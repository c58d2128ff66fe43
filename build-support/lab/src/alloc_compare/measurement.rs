//! The runs: every build of an allocator through every workload.

use super::builds::{self, Tracing};
use super::figures::{Candidate, MemoryAt, PAGE, Pages, Ratios, Run, WorkloadSize};
use super::session::{RunResult, Session, refused};
use super::{Allocator, CountQuantiles, Statistics, Workload};
use crate::quantiles::Quantiles;
use crate::transcript::Transcript;
use build_support::engine::program::Program;
use build_support::engine::setup::{Compiler, Setup};
use build_support::error::{Error, Result};
use build_support::project::listener::Listener;
use build_support::project::package::Package;
use build_support::wasm::artifact::Artifact;
use std::path::{Path, PathBuf};
use wasmtime::Engine;

/// After how many transcripts the agent's memory is looked at.
const AGES: [u32; 3] = [1, 10, 100];

/// The engines. Both compile with Cranelift.
pub struct Engines {
    /// Counts instructions.
    counting: Engine,
    /// Does not, and is as fast as it can be.
    timing: Engine,
}

impl Engines {
    /// Makes them.
    ///
    /// # Errors
    /// As [`Setup::engine`].
    pub fn new() -> Result<Self> {
        let timing = Setup::new(Compiler::Cranelift);
        let counting = Setup {
            fuel: true,
            ..timing
        };
        Ok(Self {
            counting: counting.engine()?,
            timing: timing.engine()?,
        })
    }
}

/// What runs, of one allocator and target.
pub struct Subject {
    /// The allocator.
    pub allocator: Allocator,
    /// The agent as it is shipped.
    pub agent: builds::Agent,
    agent_program: Program,
    plain: PathBuf,
    counted: Program,
    timed: Program,
    traced_file: PathBuf,
    traced: Program,
}

impl Subject {
    /// Builds the files and compiles them.
    ///
    /// # Errors
    /// What building reports, and [`Error::Input`] where the engine refuses a file.
    pub fn build(
        packages: (&Package, &Package),
        target: &str,
        allocator: Allocator,
        engines: &Engines,
        listener: &mut dyn Listener,
    ) -> Result<Self> {
        let (agent, fixture) = packages;
        listener.stage(&format!("{target}: the agent with {allocator}"));
        let agent = builds::agent(agent, target, allocator, listener)?;
        let mut file = |tracing, what| {
            listener.stage(&format!("{target}: {what} with {allocator}"));
            let shipped = builds::ship(fixture, target, allocator, tracing, listener)?;
            Ok::<_, Error>(shipped.files.shipped)
        };
        let plain = file(Tracing::Off, "the workloads")?;
        let traced_file = file(Tracing::On, "the traced workloads")?;
        Ok(Self {
            allocator,
            agent_program: compile(&engines.timing, &agent.file)?,
            agent,
            counted: compile(&engines.counting, &plain)?,
            timed: compile(&engines.timing, &plain)?,
            plain,
            traced: compile(&engines.counting, &traced_file)?,
            traced_file,
        })
    }

    /// How much of `workload` there is.
    ///
    /// # Errors
    /// As [`Session::size`].
    pub fn size(&self, workload: Workload, transcript: &Transcript) -> Result<WorkloadSize> {
        let mut session = Session::start(&self.timed, &self.plain, workload, transcript)?;
        let (steps, operations) = session.size()?;
        Ok(WorkloadSize {
            workload,
            steps,
            operations,
        })
    }

    /// Everything but the time, which [`Subject::time`] takes: counts, memory, and the traced
    /// build.
    ///
    /// # Errors
    /// As [`Session`]; and where the traced build computes something else, or counts nothing.
    pub fn count(&self, size: WorkloadSize, transcript: &Transcript) -> Result<Counted> {
        let workload = size.workload;
        let mut session = Session::start(&self.counted, &self.plain, workload, transcript)?;
        let result = session.run()?;
        let memory = session.memory();
        let again = if workload.gives_back() {
            let second = session.run()?;
            same(&self.plain, workload, &result, &second)?;
            session.memory().now
        } else {
            memory.now
        };
        let mut session = Session::start(&self.traced, &self.traced_file, workload, transcript)?;
        let traced = session.run()?;
        same(&self.traced_file, workload, &result, &traced)?;
        let asked = Statistics::read(session.host());
        Ok(Counted {
            pages: Pages {
                start: memory.initial / PAGE,
                high: memory.now / PAGE,
                again: again / PAGE,
            },
            asked: asked.map_err(refused(&self.traced_file, "statistics"))?,
            traced_instructions: traced.instructions(),
            result,
        })
    }

    /// The wall time of each step's operations, in nanoseconds for each operation, from a fresh
    /// instance.
    ///
    /// # Errors
    /// As [`Session`].
    pub fn time(&self, size: WorkloadSize, transcript: &Transcript) -> Result<Vec<u64>> {
        let mut session = Session::start(&self.timed, &self.plain, size.workload, transcript)?;
        let result = session.run()?;
        let steps = result.steps.iter();
        Ok(steps.map(|step| each(step.nanos, size)).collect())
    }

    /// The agent's memory as it grows older.
    ///
    /// # Errors
    /// As [`Session`].
    pub fn age(&self, transcript: &Transcript) -> Result<Vec<MemoryAt>> {
        let workload = Workload::Transcript;
        let mut session =
            Session::start(&self.agent_program, &self.agent.file, workload, transcript)?;
        let age = |transcripts, session: &Session<'_>| MemoryAt {
            transcripts,
            pages: session.memory().now / PAGE,
        };
        let mut ages = vec![age(0, &session)];
        session.prepare()?;
        for transcripts in 1..=AGES[AGES.len() - 1] {
            session.step()?;
            if AGES.contains(&transcripts) {
                ages.push(age(transcripts, &session));
            }
        }
        Ok(ages)
    }

    /// Puts the figures together.
    pub fn candidate(&self, life: Vec<MemoryAt>, runs: Vec<Run>) -> Candidate {
        Candidate {
            allocator: self.allocator,
            linked: self.agent.linked,
            shipped: self.agent.shipped,
            life,
            runs,
        }
    }
}

/// What is the same on every machine.
pub struct Counted {
    /// Of the plain build.
    pub result: RunResult,
    pages: Pages,
    asked: Statistics,
    traced_instructions: u64,
}

impl Counted {
    /// With the wall times, in nanoseconds for each operation; none where there are no samples.
    pub fn with_times(self, size: WorkloadSize, nanos: Vec<u64>) -> Option<Run> {
        let steps = self.result.steps.iter();
        let counts = steps.map(|step| each(step.instructions, size)).collect();
        let instructions = self.result.instructions();
        let peak = self.asked.peak_live_bytes;
        let both = [instructions, self.traced_instructions];
        Some(Run {
            ratios: Ratios::of(size.workload, self.pages, peak, both),
            workload: size.workload,
            checksum: format!("{:016x}", self.result.checksum),
            instructions,
            operation_instructions: CountQuantiles::of(counts)?,
            traced_instructions: self.traced_instructions,
            operation_time: Quantiles::of(nanos)?,
            pages: self.pages,
            asked: self.asked,
        })
    }
}

impl RunResult {
    /// Of all steps.
    fn instructions(&self) -> u64 {
        self.steps.iter().map(|step| step.instructions).sum()
    }
}

/// Refuses a run that computed something else than another one: then nothing that was measured can
/// be compared.
///
/// # Errors
/// [`Error::Input`] about `file`.
pub fn same(
    file: &Path,
    workload: Workload,
    expected: &RunResult,
    actual: &RunResult,
) -> Result<()> {
    if expected.checksum == actual.checksum {
        return Ok(());
    }
    Err(Error::Input {
        file: file.to_owned(),
        offset: None,
        message: format!(
            "workload {workload} gives {:016x}, and with another allocator or before it gave {:016x}",
            actual.checksum, expected.checksum
        ),
        help: "an allocator spoils memory, or the workload looks at addresses".to_owned(),
    })
}

/// For each operation of a step, to the nearest whole.
fn each(of_step: u64, size: WorkloadSize) -> u64 {
    let operations = u64::from(size.operations);
    (of_step + operations / 2) / operations
}

fn compile(engine: &Engine, file: &Path) -> Result<Program> {
    Program::compile(engine, file, &Artifact::read(file)?)
}

#[cfg(test)]
mod tests {
    use super::{RunResult, Workload, same};
    use std::path::Path;

    /// Protects the comparison from an allocator that spoils memory: what it computes is then worth
    /// nothing.
    #[test]
    fn another_result_is_an_error() {
        let result = |checksum| RunResult {
            checksum,
            steps: Vec::new(),
        };
        let check = |a, b| same(Path::new("x.wasm"), Workload::Small, &result(a), &result(b));
        assert!(check(7, 7).is_ok());
        let message = check(7, 8).unwrap_err().to_string();
        for needle in ["x.wasm", "small", "0000000000000007", "0000000000000008"] {
            assert!(message.contains(needle), "{needle} in {message}");
        }
    }
}
