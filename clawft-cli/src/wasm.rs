//! The shipped component in wasmtime: `weft agent --wasm FILE`.
//!
//! The component sees one folder, no environment, and of the network its providers' addresses
//! alone. Keys are added here, to a request on its way out, so that none is ever in the component's
//! memory; what a server says of a fault loses them on its way in.

mod network;

use crate::config::Settings;
use clawft_types::json::{self, Value, Writer};
use network::Network;
use std::path::Path;
use wasmtime::component::{Component as Compiled, Func, Linker, ResourceTable, Val};
use wasmtime::{Engine, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// The interface that is called, newest first.
const INTERFACES: [&str; 2] = ["clawft:agent/agent@0.2.0", "clawft:agent/agent@0.1.0"];

/// The most bytes of linear memory.
const MEMORY: usize = 256 << 20;

/// An agent in a component.
pub struct Component {
    store: Store<State>,
    process: Func,
}

/// What it answered.
#[derive(Debug)]
pub struct Answer {
    /// As it is.
    pub json: String,
    /// The answer's text, or the error: its code and what happened.
    pub text: Result<String, String>,
}

struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    network: Network,
    limits: StoreLimits,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.network,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// Words for an error of the engine.
fn worded(error: wasmtime::Error) -> String {
    format!("{error:#}")
}

impl Component {
    /// Starts the component in `file`, which sees `root`.
    ///
    /// # Errors
    /// Where it is no agent component, or refuses the configuration.
    pub fn start(file: &Path, root: &Path, settings: Settings) -> Result<Component, String> {
        let at = |why: String| format!("{}: {why}", file.display());
        let engine = Engine::default();
        let compiled = Compiled::from_file(&engine, file)
            .map_err(worded)
            .map_err(at)?;
        let mut linker: Linker<State> = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).map_err(worded)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_sync(&mut linker).map_err(worded)?;
        let mut wasi = WasiCtx::builder();
        let opened = wasi.preopened_dir(root, "/", FsPerms::ReadWrite);
        opened.map_err(|why| format!("{}: {why:#}", root.display()))?;
        let state = State {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            network: Network::new(settings.keys, settings.addresses),
            limits: StoreLimitsBuilder::new().memory_size(MEMORY).build(),
        };
        let mut store = Store::new(&engine, state);
        store.limiter(|state| &mut state.limits);
        let instance = linker.instantiate(&mut store, &compiled);
        let instance = instance.map_err(worded).map_err(at)?;
        let interface = INTERFACES
            .iter()
            .find_map(|name| instance.get_export_index(&mut store, None, name));
        let interface = interface.ok_or_else(|| at(format!("it exports no {}", INTERFACES[0])))?;
        let mut function = |name: &str| {
            let index = instance.get_export_index(&mut store, Some(&interface), name);
            let func = index.and_then(|index| instance.get_func(&mut store, index));
            func.ok_or_else(|| at(format!("it exports no {name}")))
        };
        let (init, process) = (function("init")?, function("process-message")?);
        let mut component = Component { store, process };
        component.init(init, &settings.json).map_err(at)?;
        Ok(component)
    }

    fn init(&mut self, init: Func, config: &str) -> Result<(), String> {
        match self.call(init, &[config])? {
            Val::Result(Ok(_)) => Ok(()),
            Val::Result(Err(Some(error))) => match *error {
                Val::Record(fields) => {
                    let message = fields.into_iter().find(|(name, _)| name == "message");
                    match message {
                        Some((_, Val::String(message))) => Err(message),
                        _ => Err("it refuses the configuration".to_owned()),
                    }
                }
                _ => Err("it refuses the configuration".to_owned()),
            },
            other => Err(format!("init gave {other:?}")),
        }
    }

    fn call(&mut self, function: Func, texts: &[&str]) -> Result<Val, String> {
        let texts: Vec<Val> = texts
            .iter()
            .map(|text| Val::String((*text).to_owned()))
            .collect();
        let mut results = [Val::Bool(false)];
        let called = function.call(&mut self.store, &texts, &mut results);
        let [result] = results;
        called.map(|()| result).map_err(worded)
    }

    /// Has the agent answer `text`, as it is, in `session`.
    ///
    /// # Errors
    /// Where the component traps.
    pub fn answer(&mut self, session: &str, text: &str) -> Result<Answer, String> {
        // As an object: a text that begins with a brace would be taken for one.
        let mut message = Writer::new();
        message.open("{");
        message.string_member("role", "user");
        message.string_member("content", text);
        message.close("}");
        let json = match self.call(self.process, &[session, &message.finish()])? {
            Val::String(json) => self.store.data().network.without(&json),
            other => return Err(format!("process-message gave {other:?}")),
        };
        let value = json::parse(&json).map_err(|error| error.message)?;
        let text = text_of(&value);
        Ok(Answer { json, text })
    }
}

/// The text of an answer, or its error.
fn text_of(answer: &Value) -> Result<String, String> {
    let text = |of: &str, name: &str| {
        let member = answer.get(of).and_then(|of| of.get(name));
        member
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    match answer.get("message") {
        Some(_) => Ok(text("message", "content")),
        None => Err(format!(
            "{}: {}",
            text("error", "code"),
            text("error", "message")
        )),
    }
}
