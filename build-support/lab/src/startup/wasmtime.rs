//! The samples in wasmtime: an engine for each way of starting, and what can be prepared for it.

use super::{Milestones, Mode, ModeTimes, Plan, Scratch, Subject, accepted, nanos};
use build_support::agent::host::Host;
use build_support::agent::precompiled::{self, Precompiled};
use build_support::engine::program::{BOUND, Imports, Program};
use build_support::engine::setup::{Compiler, Instances, Setup};
use build_support::error::{Error, Result};
use build_support::wasm::artifact::{Artifact, FileKind};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tempfile::TempDir;
use wasmtime::Engine;

/// More than any agent uses until its first answer: one that takes more is refused before a time is
/// taken.
const FUEL: u64 = BOUND;

/// A file with all that is prepared before the clock runs.
pub struct Programs<'a> {
    subject: &'a Subject,
    artifact: Artifact,
    cranelift: Engine,
    winch: Engine,
    precompiled: Precompiled,
    precompiled_file: PathBuf,
    warm: Program,
    /// Where the precompiled file is; without the wasm file beside it, as on the machine that runs
    /// it.
    _home: TempDir,
}

impl<'a> Programs<'a> {
    /// Prepares `subject`, whose precompiled file goes to `scratch`.
    ///
    /// # Errors
    /// [`Error::Input`] where an engine refuses the file.
    pub fn new(subject: &'a Subject, artifact: Artifact, scratch: &Scratch) -> Result<Self> {
        let home = scratch.root()?;
        let precompiled_file = precompiled::beside(&home.path().join("agent.wasm"));
        let compiler = Compiler::Cranelift;
        let pooled = Setup {
            instances: Instances::Pooled,
            ..Setup::new(compiler)
        };
        Ok(Self {
            subject,
            cranelift: Setup::new(compiler).engine()?,
            winch: Setup::new(Compiler::Winch).engine()?,
            precompiled: precompiled::write(&subject.file, &artifact, compiler, &precompiled_file)?,
            precompiled_file,
            warm: Program::compile(&pooled.engine()?, &subject.file, &artifact)?,
            artifact,
            _home: home,
        })
    }

    /// Core module or component.
    pub fn kind(&self) -> FileKind {
        self.artifact.kind()
    }

    /// The file's size.
    pub fn bytes(&self) -> u64 {
        self.artifact.len()
    }

    /// The precompiled file's size.
    pub fn precompiled_bytes(&self) -> u64 {
        self.precompiled.record().bytes
    }

    /// Where it is.
    pub fn precompiled_file(&self) -> &Path {
        &self.precompiled_file
    }

    /// The times of one way.
    ///
    /// # Errors
    /// The first failure of a sample.
    pub fn measure(&self, mode: Mode, plan: &Plan<'_>, scratch: &Scratch) -> Result<ModeTimes> {
        let samples = super::samples(mode.samples(plan.samples), || {
            let root = scratch.root()?;
            let start = Instant::now();
            let mut host = self.host(mode, root.path())?;
            let instance = nanos(start);
            if let Some(config) = &self.subject.config {
                host.init(config)?;
            }
            let configured = nanos(start);
            let answer = host.process_message(plan.message.0, plan.message.1)?;
            let answered = nanos(start);
            accepted(&self.subject.file, &answer)?;
            Ok(Milestones {
                instance,
                configured,
                answered,
            })
        })?;
        Ok(ModeTimes {
            mode,
            times: super::quantiles(&samples, &self.subject.file)?,
        })
    }

    fn host(&self, mode: Mode, root: &Path) -> Result<Host> {
        let file = &self.subject.file;
        let link = |made: &Precompiled| {
            let compiled = made.load(&self.cranelift)?;
            Host::start(
                &Program::link(&self.cranelift, file, &compiled, Imports::Wasi)?,
                Some(root),
            )
        };
        match mode {
            Mode::ColdCranelift => Host::start(
                &Program::compile(&self.cranelift, file, &self.artifact)?,
                Some(root),
            ),
            Mode::ColdWinch => Host::start(
                &Program::compile(&self.winch, file, &self.artifact)?,
                Some(root),
            ),
            Mode::PrecompiledFile => link(&Precompiled::read(&self.precompiled_file)?),
            Mode::Precompiled => link(&self.precompiled),
            Mode::Warm => Host::start(&self.warm, Some(root)),
            Mode::NodeCold | Mode::NodeWarm => unreachable!("node measures itself"),
        }
    }

    /// What is executed up to each point.
    ///
    /// # Errors
    /// As [`Programs::measure`].
    pub fn instructions(&self, plan: &Plan<'_>, scratch: &Scratch) -> Result<Milestones<u64>> {
        let file = &self.subject.file;
        let program = Program::compile(&Setup::counted().engine()?, file, &self.artifact)?;
        let root = scratch.root()?;
        let fault = |error: wasmtime::Error| -> Error {
            super::failed(file, format!("{error:#}"), "this is a fault of the tool")
        };
        let mut store = program.store(Some(root.path()))?;
        store.set_fuel(FUEL).map_err(fault)?;
        let mut host = Host::instantiate(&program, store)?;
        let used = |host: &mut Host| Ok::<_, Error>(FUEL - host.store().get_fuel().map_err(fault)?);
        let instance = used(&mut host)?;
        if let Some(config) = &self.subject.config {
            host.init(config)?;
        }
        let configured = used(&mut host)?;
        let answer = host.process_message(plan.message.0, plan.message.1)?;
        accepted(file, &answer)?;
        Ok(Milestones {
            instance,
            configured,
            answered: used(&mut host)?,
        })
    }
}
