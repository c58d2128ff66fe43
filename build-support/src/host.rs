//! A host for the agent: loads a shipped file into an embedded wasmtime with WASI, gives it one folder, and calls what
//! it exports. A component is talked to through its interface (`component`), a reactor through its C ABI (`reactor`).
//!
//! [`Program`] is a file compiled once with its imports resolved, [`Host`] a running instance of it. What
//! `build-support run`, the measurements and the tests talk to shipped files through; how long any of it takes is
//! `measure`'s business.

mod component;
mod memory;
mod reactor;
mod setup;
mod transcript;

pub use component::INTERFACE;
pub use memory::Memory;
pub use setup::{Compiler, ENGINE, Instances, Setup};
pub use transcript::{Message, Transcript};

use crate::error::{Error, Result};
use crate::precompiled::{self, Precompiled};
use crate::wasm::artifact::Artifact;
use crate::wasm::artifact::Kind;
use std::path::{Path, PathBuf};
use wasmtime::component::Component;
use wasmtime::{Engine, Module, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// A compiled file with its imports resolved: everything that can be done before an instance is wanted.
pub struct Program {
    engine: Engine,
    file: PathBuf,
    prepared: Prepared,
    bound: Option<u64>,
}

/// The instructions that a call of a bounded program may take. The agent's first answer takes some 130,000 (`cargo startup`).
pub const BOUND: u64 = 10_000_000_000;

enum Prepared {
    Core(wasmtime::InstancePre<State>),
    Component(wasmtime::component::InstancePre<State>),
}

/// What an engine made of a file.
pub enum Compiled {
    /// Of a core module.
    Core(Module),
    /// Of a component.
    Component(Component),
}

/// What an instance finds where it imports something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imports {
    /// WASI: preview 1 for a core module, 0.2 for a component.
    Wasi,
    /// A trap, whatever it is.
    Trap,
}

impl Compiled {
    /// Compiles `artifact` with `engine`.
    ///
    /// # Errors
    /// The engine's own.
    pub fn new(engine: &Engine, artifact: &Artifact) -> wasmtime::Result<Self> {
        Ok(match artifact.kind() {
            Kind::Core => Self::Core(Module::new(engine, artifact.bytes())?),
            Kind::Component => Self::Component(Component::new(engine, artifact.bytes())?),
        })
    }
}

impl Program {
    /// Compiles `artifact`, which came from `file`, with `engine`.
    ///
    /// # Errors
    /// [`Error::Input`] where the engine refuses it, or it imports something else than WASI.
    pub fn compile(engine: &Engine, file: &Path, artifact: &Artifact) -> Result<Self> {
        let help = "give a file as `cargo wasm` or `cargo wasm-p1` makes it";
        let compiled = Compiled::new(engine, artifact).map_err(refused(file, help))?;
        Self::link(engine, file, &compiled, Imports::Wasi)
    }

    /// Resolves the imports of what `engine` made of `file`.
    ///
    /// # Errors
    /// [`Error::Input`] where there is an import that cannot be given.
    pub fn link(
        engine: &Engine,
        file: &Path,
        compiled: &Compiled,
        imports: Imports,
    ) -> Result<Self> {
        let fault = || refused(file, "this is a fault of the tool");
        let prepared = match compiled {
            Compiled::Core(module) => {
                let mut linker = wasmtime::Linker::new(engine);
                match imports {
                    Imports::Wasi => {
                        p1::add_to_linker_sync(&mut linker, |state: &mut State| &mut state.wasi)
                    }
                    Imports::Trap => linker.define_unknown_imports_as_traps(module),
                }
                .map_err(fault())?;
                let prepared = linker.instantiate_pre(module);
                let help = "a core module may import wasi_snapshot_preview1 alone";
                Prepared::Core(prepared.map_err(refused(file, help))?)
            }
            Compiled::Component(component) => {
                let mut linker = wasmtime::component::Linker::new(engine);
                match imports {
                    Imports::Wasi => wasmtime_wasi::p2::add_to_linker_sync(&mut linker),
                    Imports::Trap => linker.define_unknown_imports_as_traps(component),
                }
                .map_err(fault())?;
                let prepared = linker.instantiate_pre(component);
                let help = "a component may import WASI 0.2 alone";
                Prepared::Component(prepared.map_err(refused(file, help))?)
            }
        };
        Ok(Self {
            engine: engine.clone(),
            file: file.to_owned(),
            prepared,
            bound: None,
        })
    }

    /// The same program, whose instances come to an end: instantiation, and each call of the agent's functions, traps
    /// after [`BOUND`] instructions. Its engine counts them ([`Setup::counted`]).
    pub fn bounded(self) -> Self {
        Self {
            bound: Some(BOUND),
            ..self
        }
    }

    /// A store for one instance, which sees `root` as its only folder, and no environment, network or arguments.
    ///
    /// # Errors
    /// [`Error::Input`] where `root` cannot be opened.
    pub fn store(&self, root: Option<&Path>) -> Result<Store<State>> {
        self.store_with(root, |_| {})
    }

    /// As [`Program::store`], after `adjust` has set what the instance sees of the system besides.
    ///
    /// # Errors
    /// As [`Program::store`].
    pub fn store_with(
        &self,
        root: Option<&Path>,
        adjust: impl FnOnce(&mut WasiCtxBuilder),
    ) -> Result<Store<State>> {
        let mut wasi = WasiCtx::builder();
        adjust(&mut wasi);
        if let Some(root) = root {
            wasi.preopened_dir(root, "/", FsPerms::ReadWrite)
                .map_err(refused(&self.file, "give --root a folder that exists"))?;
        }
        let state = State {
            wasi: wasi.build_p1(),
            memory: Memory::default(),
        };
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.memory);
        Ok(store)
    }

    /// Instantiates the file, and runs a reactor's `_initialize`.
    ///
    /// # Errors
    /// [`Error::Input`] where the file traps at once, or is no agent.
    pub fn instantiate(&self, mut store: Store<State>) -> Result<Host> {
        refuel(&mut store, self.bound, &self.file)?;
        let help = "run it in an engine of its own to see why";
        let instance = match &self.prepared {
            Prepared::Core(prepared) => {
                let instance = prepared
                    .instantiate(&mut store)
                    .map_err(refused(&self.file, help))?;
                Instance::Core(reactor::start(&mut store, instance, &self.file)?)
            }
            Prepared::Component(prepared) => {
                let instance = prepared
                    .instantiate(&mut store)
                    .map_err(refused(&self.file, help))?;
                Instance::Component(component::start(&mut store, instance, &self.file)?)
            }
        };
        Ok(Host {
            store,
            instance,
            file: self.file.clone(),
            bound: self.bound,
        })
    }

    /// Both of the above.
    ///
    /// # Errors
    /// As [`Program::store`] and [`Program::instantiate`].
    pub fn start(&self, root: Option<&Path>) -> Result<Host> {
        self.instantiate(self.store(root)?)
    }
}

/// What an instance's host keeps of it.
pub struct State {
    wasi: WasiP1Ctx,
    memory: Memory,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}

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
    /// Starts the agent in `file`, a wasm file or a precompiled one; it sees `root` as its only folder. Of a wasm file each
    /// call comes to an end ([`Program::bounded`]); machine code runs as it was compiled.
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
        program.start(Some(root))
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
        refuel(&mut self.store, self.bound, &self.file)?;
        let result = match &self.instance {
            Instance::Core(agent) => agent.call(&mut self.store, function, texts),
            Instance::Component(agent) => agent.call(&mut self.store, function, texts),
        };
        result.map_err(|message| Error::Input {
            file: self.file.clone(),
            offset: None,
            message: format!("{function}: {message}"),
            help: "see what the message says; `build-support run --help` shows the arguments"
                .to_owned(),
        })
    }
}

/// Has the next call be of `bound` instructions at most, where there is one.
fn refuel(store: &mut Store<State>, bound: Option<u64>, file: &Path) -> Result<()> {
    let fault = refused(file, "this is a fault of the tool");
    bound.map_or(Ok(()), |bound| store.set_fuel(bound).map_err(fault))
}

/// What to make of an engine's error about `file`.
fn refused(file: &Path, help: &str) -> impl FnOnce(wasmtime::Error) -> Error {
    let (file, help) = (file.to_owned(), help.to_owned());
    move |error| Error::Input {
        file,
        offset: None,
        message: format!("{error:#}"),
        help,
    }
}
