//! The shipped component in wasmtime: `weft agent --wasm FILE`.
//!
//! A turn comes out of the component in steps, and what it wants is done here as for the agent that
//! is built in, by the same [`Host`]: streams are shown as they come, Ctrl-C cancels. The component
//! sees one folder, no environment and no network; a request goes to an address of its providers or
//! nowhere. Keys are added on the way out, so that none is ever in the component's memory; what a
//! server says of a fault loses them on its way in.

mod http;
mod steps;

pub use http::no_http;

use crate::config::Settings;
use crate::host::{Clock, Host, Input, Progress};
use clawft_types::json::{self, Value};
use clawft_types::{AgentError, Config, ErrorCode};
use clawft_wasm::agent::host::Host as Own;
use std::path::Path;
use std::sync::mpsc::Sender;
use wasmtime::component::{Component as Compiled, Func, Instance, Linker, ResourceTable, Val};
use wasmtime::{Engine, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

/// The interfaces that are called.
const AGENT: &str = "clawft:agent/agent@0.2.0";
const STEPS: &str = "clawft:agent/steps@0.2.0";

/// The most bytes of linear memory.
const MEMORY: usize = 256 << 20;

/// An agent in a component.
pub struct Component {
    store: Store<State>,
    steps: Steps,
    host: Host,
    reach: steps::Reach,
}

/// The functions of a turn.
struct Steps {
    start: Func,
    poll: Func,
    supply: Func,
    cancel: Func,
}

struct State {
    table: ResourceTable,
    wasi: WasiCtx,
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
        let compiled = Compiled::from_file(&engine, file);
        let compiled = compiled.map_err(worded).map_err(at)?;
        let mut linker: Linker<State> = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).map_err(worded)?;
        no_http(&mut linker, &compiled).map_err(worded)?;
        let mut wasi = WasiCtx::builder();
        let opened = wasi.preopened_dir(root, "/", FsPerms::ReadWrite);
        opened.map_err(|why| format!("{}: {why:#}", root.display()))?;
        let state = State {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            limits: StoreLimitsBuilder::new().memory_size(MEMORY).build(),
        };
        let mut store = Store::new(&engine, state);
        store.limiter(|state| &mut state.limits);
        let instance = linker.instantiate(&mut store, &compiled);
        let instance = instance.map_err(worded).map_err(at)?;
        let mut function = |interface, name| exported(&instance, &mut store, interface, name);
        let init = function(AGENT, "init").map_err(at)?;
        let steps = Steps {
            start: function(STEPS, "start").map_err(at)?,
            poll: function(STEPS, "poll").map_err(at)?,
            supply: function(STEPS, "supply").map_err(at)?,
            cancel: function(STEPS, "cancel").map_err(at)?,
        };
        // Read already, by who made the settings.
        let config = Config::parse(&settings.json).map_err(|error| at(error.message))?;
        let mut component = Component {
            store,
            steps,
            host: Host::new(settings.keys, settings.times, Clock::System),
            reach: steps::Reach {
                addresses: settings.addresses,
                tools: config.tools,
            },
        };
        let config = Val::String(settings.json);
        let configured = component.call(init, &[config]).map_err(at)?;
        configured.map_err(|error| at(error.message))?;
        Ok(component)
    }

    /// Where [`Input::Interrupt`] is sent to.
    pub fn outbox(&self) -> Sender<Input> {
        self.host.outbox()
    }

    /// As [`Host::set_own`].
    pub fn set_own(&mut self, own: Box<dyn Own>) {
        self.host.set_own(own);
    }

    /// Calls `function`, which gives a result of the interface: its value, if it has one, or its
    /// error.
    ///
    /// # Errors
    /// Where the component traps.
    fn call(
        &mut self,
        function: Func,
        values: &[Val],
    ) -> Result<Result<Option<Val>, Box<AgentError>>, String> {
        let mut results = [Val::Bool(false)];
        let called = function.call(&mut self.store, values, &mut results);
        called.map_err(worded)?;
        match results {
            [Val::Result(Ok(value))] => Ok(Ok(value.map(|value| *value))),
            [Val::Result(Err(Some(error)))] => Ok(Err(steps::error(&error))),
            [other] => Err(format!("it gave {other:?} for a result")),
        }
    }

    /// Has the agent answer `text`, as it is, in `session`; `show` is told what happens meanwhile.
    /// Gives the answer's JSON.
    ///
    /// # Errors
    /// The outer one where the component traps, the inner one as the core has them.
    pub fn respond(
        &mut self,
        session: &str,
        text: &str,
        show: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Result<String, Box<AgentError>>, String> {
        self.host.begin();
        let texts = [session, text].map(|text| Val::String(text.to_owned()));
        let task = match self.call(self.steps.start, &texts)? {
            Ok(Some(Val::U32(task))) => task,
            Ok(other) => return Err(format!("`start` gave {other:?}")),
            Err(error) => return Ok(Err(self.host.worded(error))),
        };
        let mut turn = steps::Turn::new(task);
        let mut stands = self.call(self.steps.poll, &[Val::U32(task)])?;
        loop {
            let progress = match stands {
                Ok(Some(progress)) => steps::Progress::read(progress)?,
                Ok(None) => return Err("a turn in steps stands nowhere".to_owned()),
                Err(error) => return Ok(Err(self.host.worded(error))),
            };
            let calls = match progress {
                steps::Progress::Over(json) => {
                    self.host.end();
                    return self.over(&json);
                }
                steps::Progress::More => {
                    stands = self.call(self.steps.poll, &[Val::U32(task)])?;
                    continue;
                }
                steps::Progress::Calls(calls) => calls,
            };
            stands = match turn.serve(&calls, &mut self.host, &self.reach, show)? {
                Some(results) => {
                    let results = Val::List(results);
                    self.call(self.steps.supply, &[Val::U32(task), results])?
                }
                None => self.call(self.steps.cancel, &[Val::U32(task)])?,
            };
        }
    }

    /// What a turn ended with; no key is in it, nor left out what the network said of an error.
    fn over(&self, json: &str) -> Result<Result<String, Box<AgentError>>, String> {
        let json = self.host.without(json);
        let answer = json::parse(&json).map_err(|error| error.message)?;
        let Some(error) = answer.get("error") else {
            return Ok(Ok(json));
        };
        let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let code = text("code");
        let code = ErrorCode::ALL.iter().find(|known| known.as_str() == code);
        let mut error_known = AgentError::new(*code.unwrap_or(&ErrorCode::Io), "", &[]);
        error_known.message = text("message").to_owned();
        let after = error.get("retry_after_ms").and_then(Value::as_u64);
        error_known.retry_after_ms = after.unwrap_or_default();
        Ok(Err(self.host.worded(error_known)))
    }
}

/// The function `name` of `interface`.
fn exported(
    instance: &Instance,
    store: &mut Store<State>,
    interface: &str,
    name: &str,
) -> Result<Func, String> {
    let known = instance.get_export_index(&mut *store, None, interface);
    let known = known.ok_or_else(|| {
        format!("it exports no {interface}; build the component of this version: cargo wasm")
    })?;
    let index = instance.get_export_index(&mut *store, Some(&known), name);
    let function = index.and_then(|index| instance.get_func(&mut *store, index));
    function.ok_or_else(|| format!("{interface} has no {name}"))
}
