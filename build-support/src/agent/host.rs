//! A host for the agent: starts a shipped file with WASI and one folder, and calls what it exports.
//! A component is talked to through its interface (`component`), a reactor through its C ABI
//! (`reactor`). What `build-support run`, the measurements and the tests talk to shipped files
//! through.

use crate::agent::precompiled::{self, Precompiled};
use crate::agent::{component, reactor};
use crate::engine::memory::Memory;
use crate::engine::program::{self, Imports, Prepared, Program, State};
use crate::engine::setup::Setup;
use crate::error::{Error, Result};
use crate::system::calling;
use crate::wasm::artifact::Artifact;
use std::path::{Path, PathBuf};
use wasmtime::Store;

/// A running agent.
pub struct Host {
    store: Store<State>,
    instance: Instance,
    file: PathBuf,
    bound: Option<u64>,
}

enum Instance {
    Core(reactor::Agent),
    Component(component::Agent),
}

impl Host {
    /// Starts the agent in `file`, a wasm file or a precompiled one; it sees `root` as its only
    /// folder. Of a wasm file each call comes to an end ([`Program::bounded`]); machine code runs
    /// as it was compiled.
    ///
    /// # Errors
    /// [`Error::Input`] where the file is no agent or `root` cannot be opened.
    pub fn load(file: &Path, root: &Path) -> Result<Self> {
        let program = if precompiled::is_meant(file) {
            let made = Precompiled::read(file)?;
            let engine = made.engine()?;
            Program::link(&engine, file, &made.load(&engine)?, Imports::Wasi)?
        } else {
            let engine = Setup::counted().engine()?;
            Program::compile(&engine, file, &Artifact::read(file)?)?.bounded()
        };
        Self::start(&program, Some(root))
    }

    /// Instantiates `program`, and runs a reactor's `_initialize`.
    ///
    /// # Errors
    /// [`Error::Input`] where the file traps at once, or is no agent.
    pub fn instantiate(program: &Program, mut store: Store<State>) -> Result<Self> {
        program::refuel(&mut store, program.bound, &program.file)?;
        let file = &program.file;
        let trapped = program::refused(file, "run it in an engine of its own to see why");
        let instance = match &program.prepared {
            Prepared::Core(prepared) => {
                let instance = prepared.instantiate(&mut store).map_err(trapped)?;
                Instance::Core(reactor::start(&mut store, instance, file)?)
            }
            Prepared::Component(prepared) => {
                let instance = prepared.instantiate(&mut store).map_err(trapped)?;
                Instance::Component(component::start(&mut store, instance, file)?)
            }
        };
        Ok(Self {
            store,
            instance,
            file: file.clone(),
            bound: program.bound,
        })
    }

    /// Instantiates `program` in a store of its own, see [`Program::store`].
    ///
    /// # Errors
    /// As [`Program::store`] and [`Host::instantiate`].
    pub fn start(program: &Program, root: Option<&Path>) -> Result<Self> {
        Self::instantiate(program, program.store(root)?)
    }

    /// `init(config)`: the configuration is JSON.
    ///
    /// # Errors
    /// [`Error::Input`] with the agent's own error, or where it traps.
    pub fn init(&mut self, config: &str) -> Result<()> {
        self.call("init", &[config]).map(|_| ())
    }

    /// `process-message(session, message)`: the answer as JSON, an error of the agent's included.
    ///
    /// # Errors
    /// [`Error::Input`] where it traps.
    pub fn process_message(&mut self, session: &str, message: &str) -> Result<String> {
        self.call("process-message", &[session, message])
    }

    /// `capabilities()`: JSON.
    ///
    /// # Errors
    /// [`Error::Input`] where it traps.
    pub fn capabilities(&mut self) -> Result<String> {
        self.call("capabilities", &[])
    }

    /// How much linear memory it has.
    pub fn memory(&self) -> Memory {
        self.store.data().memory
    }

    /// The store, for its fuel and for calls of exports other than the agent's.
    pub fn store(&mut self) -> &mut Store<State> {
        &mut self.store
    }

    /// The store, to read.
    pub fn store_ref(&self) -> &Store<State> {
        &self.store
    }

    /// The core module's instance with its store; none of a component.
    pub fn core(&mut self) -> Option<(&mut Store<State>, wasmtime::Instance)> {
        match &self.instance {
            Instance::Core(agent) => Some((&mut self.store, agent.instance)),
            Instance::Component(_) => None,
        }
    }

    /// The component's instance with its store; none of a core module.
    pub fn component(&mut self) -> Option<(&mut Store<State>, wasmtime::component::Instance)> {
        match &self.instance {
            Instance::Core(_) => None,
            Instance::Component(agent) => Some((&mut self.store, agent.instance)),
        }
    }

    fn call(&mut self, function: &str, texts: &[&str]) -> Result<String> {
        program::refuel(&mut self.store, self.bound, &self.file)?;
        let result = match &self.instance {
            Instance::Core(agent) => agent.call(&mut self.store, function, texts),
            Instance::Component(agent) => agent.call(&mut self.store, function, texts),
        };
        result.map_err(|message| {
            Error::input(
                &self.file,
                format!("{function}: {message}"),
                format!(
                    "see what the message says; `{} --help` shows the arguments",
                    calling::call("run")
                ),
            )
        })
    }
}
