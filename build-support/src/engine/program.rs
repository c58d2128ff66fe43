//! A wasm file compiled by an embedded wasmtime, with WASI for its imports: everything that can be
//! done before an instance is wanted, and the store that an instance then has. How long any of it
//! takes is the lab's business.

use crate::engine::memory::Memory;
use crate::error::{Error, Result};
use crate::system::calling;
use crate::wasm::artifact::{Artifact, FileKind};
use std::path::{Path, PathBuf};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ResourceType};
use wasmtime::{Engine, Module, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// A compiled file with its imports resolved: everything that can be done before an instance is
/// wanted.
pub struct Program {
    engine: Engine,
    pub(crate) file: PathBuf,
    pub(crate) prepared: Prepared,
    pub(crate) bound: Option<u64>,
}

/// The instructions that a call of a bounded program may take. The agent's first answer takes some
/// 130,000 (`cargo startup`).
pub const BOUND: u64 = 10_000_000_000;

/// A file of either kind, with its imports resolved.
pub(crate) enum Prepared {
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
    /// WASI: preview 1 for a core module, 0.2 for a component, with an HTTP that traps.
    Wasi,
    /// A trap, whatever it is.
    Trap,
}

/// Has `wasi:http` trap where `component` imports it: nothing that is measured here asks anybody.
/// What else it imports is refused as ever.
fn without_http(
    linker: &mut wasmtime::component::Linker<State>,
    component: &Component,
) -> wasmtime::Result<()> {
    let ty = component.component_type();
    for (name, import) in ty.imports(component.engine()) {
        let ComponentItem::ComponentInstance(instance) = &import.ty else {
            continue;
        };
        let Some(interface) = name.strip_prefix("wasi:http/") else {
            continue;
        };
        let mut given = linker.instance(name)?;
        for (export, item) in instance.exports(component.engine()) {
            match item.ty {
                ComponentItem::ComponentFunc(_) => given.func_new(export, |_, _, _, _| {
                    Err(wasmtime::Error::msg("there is no HTTP here"))
                })?,
                // The interface's own; others are of whom it takes them from.
                ComponentItem::Resource(_)
                    if interface.starts_with("types@") && !OF_IO.contains(&export) =>
                {
                    given.resource(export, ResourceType::host::<()>(), |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// What `wasi:http/types` takes from `wasi:io`.
const OF_IO: [&str; 4] = ["error", "input-stream", "output-stream", "pollable"];

impl Compiled {
    /// Compiles `artifact` with `engine`.
    ///
    /// # Errors
    /// The engine's own.
    pub fn new(engine: &Engine, artifact: &Artifact) -> wasmtime::Result<Self> {
        Ok(match artifact.kind() {
            FileKind::Core => Self::Core(Module::new(engine, artifact.bytes())?),
            FileKind::Component => Self::Component(Component::new(engine, artifact.bytes())?),
        })
    }
}

impl Program {
    /// Compiles `artifact`, which came from `file`, with `engine`.
    ///
    /// # Errors
    /// [`Error::Input`] where the engine refuses it, or it imports something else than WASI.
    pub fn compile(engine: &Engine, file: &Path, artifact: &Artifact) -> Result<Self> {
        let help = format!("give a file as `{}` makes it", calling::call("build"));
        let compiled = Compiled::new(engine, artifact).map_err(refused(file, &help))?;
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
        let fault = refused(file, "this is a fault of the tool");
        let prepared = match compiled {
            Compiled::Core(module) => {
                let mut linker = wasmtime::Linker::new(engine);
                match imports {
                    Imports::Wasi => p1::add_to_linker_sync(&mut linker, State::wasi),
                    Imports::Trap => linker.define_unknown_imports_as_traps(module),
                }
                .map_err(&fault)?;
                let prepared = linker.instantiate_pre(module);
                let help = "a core module may import wasi_snapshot_preview1 alone";
                Prepared::Core(prepared.map_err(refused(file, help))?)
            }
            Compiled::Component(component) => {
                let mut linker = wasmtime::component::Linker::new(engine);
                match imports {
                    Imports::Wasi => wasmtime_wasi::p2::add_to_linker_sync(&mut linker)
                        .and_then(|()| without_http(&mut linker, component)),
                    Imports::Trap => linker.define_unknown_imports_as_traps(component),
                }
                .map_err(&fault)?;
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

    /// The same program, whose instances come to an end: instantiation, and each call of the
    /// agent's functions, traps after [`BOUND`] instructions. Its engine counts them
    /// ([`Setup::counted`]).
    pub fn bounded(self) -> Self {
        Self {
            bound: Some(BOUND),
            ..self
        }
    }

    /// A store for one instance, which sees `root` as its only folder, and no environment, network
    /// or arguments.
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
        Ok(store(&self.engine, wasi))
    }
}

/// What an instance's host keeps of it.
pub struct State {
    wasi: WasiP1Ctx,
    pub(crate) memory: Memory,
}

impl State {
    pub(crate) fn wasi(&mut self) -> &mut WasiP1Ctx {
        &mut self.wasi
    }
}

/// A store for one instance, which sees `wasi` of the system.
pub(crate) fn store(engine: &Engine, mut wasi: WasiCtxBuilder) -> Store<State> {
    let state = State {
        wasi: wasi.build_p1(),
        memory: Memory::default(),
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.memory);
    store
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}

/// Has the next call be of `bound` instructions at most, where there is one.
pub(crate) fn refuel(store: &mut Store<State>, bound: Option<u64>, file: &Path) -> Result<()> {
    let fault = refused(file, "this is a fault of the tool");
    bound.map_or(Ok(()), |bound| store.set_fuel(bound).map_err(fault))
}

/// What to make of an engine's error about `file`.
pub(crate) fn refused(file: &Path, help: &str) -> impl Fn(wasmtime::Error) -> Error {
    move |error| Error::input(file, format!("{error:#}"), help)
}
