//! The shipped component in wasmtime: `weft agent --wasm FILE`.
//!
//! A turn comes out of the component in steps, and what it wants is done here as for the agent that
//! is built in, by the same [`Host`]: streams are shown as they come, Ctrl-C cancels. The component
//! sees one folder, no environment and no network; a request goes to an address of its providers or
//! nowhere. Keys are added on the way out, so that none is ever in the component's memory; what a
//! server says of a fault loses them on its way in.
//!
//! Which machine code it is can change between two messages ([`Tier::Auto`]): the instance is then
//! made anew, with the same configuration and over the same folder, which has all of its state as
//! long as every answer was saved. Where one was not, it stays where it is.

mod http;
mod steps;
mod tier;

pub use http::no_http;
pub use tier::Tier;

use crate::config::Settings;
use crate::host::{Clock, Host, Input, Progress};
use clawft_types::json::{self, Value};
use clawft_types::{AgentError, Config, ErrorCode};
use clawft_wasm::agent::host::Host as Own;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use wasmtime::component::{Component as Compiled, Func, Instance, Linker, ResourceTable, Val};
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

/// The interfaces that are called.
const AGENT: &str = "clawft:agent/agent@0.2.0";
const STEPS: &str = "clawft:agent/steps@0.2.0";

/// The most bytes of linear memory.
const MEMORY: usize = 256 << 20;

/// An agent in a component.
pub struct Component {
    running: Running,
    host: Host,
    reach: steps::Reach,
    file: PathBuf,
    root: PathBuf,
    config: String,
    hot: Option<tier::Hot>,
    messages: u32,
    /// Whether the folder has all of the state.
    is_saved: bool,
}

/// An instance that has been configured.
struct Running {
    store: Store<State>,
    steps: Steps,
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
    pub fn start(
        file: &Path,
        root: &Path,
        settings: Settings,
        tier: Tier,
    ) -> Result<Component, String> {
        let at = |why: String| format!("{}: {why}", file.display());
        let (compiled, hot) = tier::compile(file, tier).map_err(at)?;
        let running = Running::of(&compiled, root, &settings.json).map_err(at)?;
        // Read already, by who made the settings.
        let config = Config::parse(&settings.json).map_err(|error| at(error.message))?;
        Ok(Component {
            running,
            host: Host::new(settings.keys, settings.times, Clock::System),
            reach: steps::Reach {
                addresses: settings.addresses,
                tools: config.tools,
            },
            file: file.to_owned(),
            root: root.to_owned(),
            config: settings.json,
            hot,
            messages: 0,
            is_saved: true,
        })
    }

    /// Goes on in the fast code where that is due; gives how many messages came before.
    ///
    /// # Errors
    /// Where it cannot: the component goes on as it was.
    pub fn move_if_due(&mut self) -> Result<Option<u32>, String> {
        let is_due = |hot: &mut tier::Hot| self.is_saved && hot.is_due(self.messages);
        let Some(hot) = self.hot.take_if(is_due) else {
            return Ok(None);
        };
        let at = |why: String| format!("{}: {why}", self.file.display());
        let compiled = hot.finish().map_err(at)?;
        self.running = Running::of(&compiled, &self.root, &self.config).map_err(at)?;
        Ok(Some(self.messages))
    }

    /// Where [`Input::Interrupt`] is sent to.
    pub fn outbox(&self) -> Sender<Input> {
        self.host.outbox()
    }

    /// As [`Host::set_own`].
    pub fn set_own(&mut self, own: Box<dyn Own>) {
        self.host.set_own(own);
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
        self.messages = self.messages.saturating_add(1);
        let texts = [session, text].map(|text| Val::String(text.to_owned()));
        let task = match self.running.call(self.running.steps.start, &texts)? {
            Ok(Some(Val::U32(task))) => task,
            Ok(other) => return Err(format!("`start` gave {other:?}")),
            Err(error) => return Ok(Err(self.host.worded(error))),
        };
        let mut turn = steps::Turn::new(task);
        let mut stands = self
            .running
            .call(self.running.steps.poll, &[Val::U32(task)])?;
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
                    stands = self
                        .running
                        .call(self.running.steps.poll, &[Val::U32(task)])?;
                    continue;
                }
                steps::Progress::Calls(calls) => calls,
            };
            stands = match turn.serve(&calls, &mut self.host, &self.reach, show)? {
                Some(results) => {
                    let results = Val::List(results);
                    self.running
                        .call(self.running.steps.supply, &[Val::U32(task), results])?
                }
                None => self
                    .running
                    .call(self.running.steps.cancel, &[Val::U32(task)])?,
            };
        }
    }

    /// What a turn ended with; no key is in it, nor left out what the network said of an error.
    fn over(&mut self, json: &str) -> Result<Result<String, Box<AgentError>>, String> {
        let json = self.host.without(json);
        let answer = json::parse(&json).map_err(|error| error.message)?;
        // What is not in the folder is in this instance alone.
        self.is_saved &= answer.get("persisted") != Some(&Value::Bool(false));
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

impl Running {
    /// An instance of `compiled`, which sees `root`.
    fn of(compiled: &Compiled, root: &Path, config: &str) -> Result<Running, String> {
        let engine = compiled.engine();
        let mut linker: Linker<State> = Linker::new(engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).map_err(worded)?;
        no_http(&mut linker, compiled).map_err(worded)?;
        let mut wasi = WasiCtx::builder();
        let opened = wasi.preopened_dir(root, "/", FsPerms::ReadWrite);
        opened.map_err(|why| format!("{}: {why:#}", root.display()))?;
        let state = State {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            limits: StoreLimitsBuilder::new().memory_size(MEMORY).build(),
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limits);
        let instance = linker.instantiate(&mut store, compiled).map_err(worded)?;
        let mut function = |interface, name| exported(&instance, &mut store, interface, name);
        let init = function(AGENT, "init")?;
        let steps = Steps {
            start: function(STEPS, "start")?,
            poll: function(STEPS, "poll")?,
            supply: function(STEPS, "supply")?,
            cancel: function(STEPS, "cancel")?,
        };
        let mut running = Running { store, steps };
        let configured = running.call(init, &[Val::String(config.to_owned())])?;
        configured.map_err(|error| error.message)?;
        Ok(running)
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
