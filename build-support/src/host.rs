//! A host for agent components: loads one into an embedded wasmtime with WASI 0.2, gives it one folder,
//! and calls what it exports. What `build-support run` and the tests talk to the shipped file through.

use crate::artifact::Artifact;
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};
use wasmtime::component::{
    Component, ComponentExportIndex, Func, Instance, Linker, ResourceTable, Val,
};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

/// The interface an agent component exports (`clawft-wasm/wit/`).
pub const INTERFACE: &str = "clawft:agent/agent@0.1.0";

/// A loaded agent.
pub struct Host {
    store: Store<State>,
    instance: Instance,
    interface: ComponentExportIndex,
    file: PathBuf,
}

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl Host {
    /// Loads the component in `file`; it sees `root` as its only folder, and no environment, network or
    /// arguments.
    ///
    /// # Errors
    /// [`Error::Input`] where the file is no agent component or `root` cannot be opened.
    pub fn load(file: &Path, root: &Path) -> Result<Self> {
        let artifact = Artifact::read(file)?;
        let refused = |help: &str| {
            let (file, help) = (file.to_owned(), help.to_owned());
            move |error: wasmtime::Error| Error::Input {
                file,
                offset: None,
                message: format!("{error:#}"),
                help,
            }
        };
        let engine = Engine::default();
        let component = Component::new(&engine, artifact.bytes())
            .map_err(refused("give a component, as `cargo wasm` makes it"))?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)
            .map_err(refused("this is a fault of the tool"))?;
        let mut wasi = WasiCtx::builder();
        wasi.preopened_dir(root, "/", FsPerms::ReadWrite)
            .map_err(refused("give --root a folder that exists"))?;
        let state = State {
            wasi: wasi.build(),
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&engine, state);
        let instance = linker
            .instantiate(&mut store, &component)
            .map_err(refused("the component may import WASI 0.2 alone"))?;
        let interface = instance
            .get_export_index(&mut store, None, INTERFACE)
            .ok_or_else(|| Error::Input {
                file: file.to_owned(),
                offset: None,
                message: format!("it does not export {INTERFACE}"),
                help: "give the agent component".to_owned(),
            })?;
        Ok(Self {
            store,
            instance,
            interface,
            file: file.to_owned(),
        })
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

    fn call(&mut self, name: &str, args: &[&str]) -> Result<String> {
        let failed = |file: &Path, message: String| Error::Input {
            file: file.to_owned(),
            offset: None,
            message: format!("{name}: {message}"),
            help: "see what the message says; `build-support run --help` shows the arguments"
                .to_owned(),
        };
        let func = self
            .function(name)
            .ok_or_else(|| failed(&self.file, "is not exported".to_owned()))?;
        let args: Vec<_> = args
            .iter()
            .map(|arg| Val::String((*arg).to_owned()))
            .collect();
        let mut results = [Val::Bool(false)];
        func.call(&mut self.store, &args, &mut results)
            .map_err(|error| failed(&self.file, format!("{error:#}")))?;
        let [result] = results;
        text(result).map_err(|message| failed(&self.file, message))
    }

    fn function(&mut self, name: &str) -> Option<Func> {
        let index = self
            .instance
            .get_export_index(&mut self.store, Some(&self.interface), name)?;
        self.instance.get_func(&mut self.store, index)
    }
}

/// The text in a `string`, a `result<string, _>` or a `result`; an error as its fields' text.
fn text(value: Val) -> Result<String, String> {
    match value {
        Val::String(text) => Ok(text),
        Val::Result(Ok(None)) => Ok(String::new()),
        Val::Result(Ok(Some(inner))) => text(*inner),
        Val::Result(Err(Some(error))) => Err(match *error {
            Val::Record(fields) => {
                let fields = fields.into_iter().map(|(name, value)| match value {
                    Val::String(text) | Val::Enum(text) => format!("{name}: {text}"),
                    other => format!("{name}: {other:?}"),
                });
                fields.collect::<Vec<_>>().join(", ")
            }
            other => format!("{other:?}"),
        }),
        other => Err(format!("an answer of an unexpected type: {other:?}")),
    }
}
