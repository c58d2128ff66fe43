//! The agent: a configuration, sessions, memory, and the pipeline that answers a message.
//!
//! In reading order: [`intent`], [`route`] and [`context`] are stages of the
//! [`machine`](crate::machine), which is the pipeline; [`provider`] answers with a [`completion`],
//! [`tools`] act; [`sessions`] and [`memory`] keep, both in the [`workspace`], which confines every
//! path to the root; [`turn`] does for a machine what it wants of these; an [`Agent`] is all of
//! that, [`archive`] is what can be asked of it outside a turn, and [`capabilities`] describes it.

pub mod archive;
pub mod capabilities;
pub mod completion;
pub mod context;
mod find;
pub mod host;
pub mod intent;
pub mod memory;
pub mod provider;
pub mod route;
pub mod sessions;
mod state;
pub mod tools;
pub mod turn;
pub mod web;
pub mod workspace;

use clawft_types::{
    AgentError, Answer, Config, ErrorCode, HostTool, Request, Result, Session, answer,
};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::sync::Arc;

pub use state::Agent;

use crate::machine::{Effect, Event};
use crate::platform::{self, Root, http};
use host::{Host, Nobody};
use intent::Intent;
use memory::Memory;
use sessions::Sessions;
use turn::Turn;
use workspace::Workspace;

impl Agent {
    /// An agent with this configuration (JSON, `{}` for the defaults) that works in `root`, or in
    /// memory if there is none.
    ///
    /// # Errors
    ///
    /// `invalid_json`, `invalid_config` or `unsupported`, with the place in the configuration.
    pub fn new(config_json: &str, root: Option<Root>) -> Result<Agent> {
        Ok(Agent::from_parts(
            config(config_json)?,
            Workspace::new(root),
        ))
    }

    pub(crate) fn from_parts(config: Arc<Config>, workspace: Workspace) -> Agent {
        Agent {
            config,
            workspace,
            sessions: Sessions::default(),
            memory: Memory::default(),
        }
    }

    /// An agent that works in the directory `root`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// As [`Agent::new`], and `io` if there can be no such directory.
    #[cfg(not(target_family = "wasm"))]
    pub fn at(config_json: &str, root: &std::path::Path) -> Result<Agent> {
        let opened = Root::at(root).map_err(|_| {
            AgentError::new(
                ErrorCode::Io,
                "{}: no directory can be had here",
                &[&root.to_string_lossy()],
            )
        })?;
        Agent::new(config_json, Some(opened))
    }

    /// Takes a new configuration and keeps sessions and memory.
    ///
    /// # Errors
    ///
    /// As [`Agent::new`]; the configuration before stays.
    pub fn configure(&mut self, config_json: &str) -> Result<()> {
        self.config = config(config_json)?;
        Ok(())
    }

    /// Answers `message` in the session called `session`.
    ///
    /// An error leaves the session as it was before the message; what tools did stays done.
    ///
    /// # Errors
    ///
    /// Typed, for every kind of bad input: see [`ErrorCode`]. A tool that fails is no error here:
    /// its result says so, and the provider has the last word.
    pub fn respond(&mut self, session: &str, message: &str) -> Result<Box<Answer>> {
        Session::check_name(session)?;
        let request = Request::parse(message, &self.config.limits)?;
        let mut answer = self.say(session, &request.text)?;
        answer.usage.input_bytes = request.bytes as u64;
        Ok(answer)
    }

    /// As [`Agent::respond`], with the message taken as it is, also where it begins with `{`.
    ///
    /// # Errors
    ///
    /// As [`Agent::respond`].
    pub fn say(&mut self, session: &str, text: &str) -> Result<Box<Answer>> {
        self.say_with(session, text, &mut Nobody)
    }

    /// As [`Agent::say`], with a host that runs tools of its own and can be asked.
    ///
    /// # Errors
    ///
    /// As [`Agent::respond`].
    pub fn say_with(
        &mut self,
        session: &str,
        text: &str,
        host: &mut dyn Host,
    ) -> Result<Box<Answer>> {
        let mut turn = Turn::asking(self);
        let now_ms = platform::now_ms();
        let mut effect = turn.step(
            self,
            Event::Message {
                session,
                text,
                now_ms,
                seed: now_ms,
            },
        );
        let mut exchange = None;
        loop {
            let (got, headers, bytes);
            let event = match effect {
                Effect::Done(answer) => return Ok(answer),
                Effect::Failed(error) => return Err(error),
                Effect::Http(request) => {
                    exchange = None;
                    match http::Exchange::send(&request) {
                        Ok((opened, head)) => {
                            exchange = Some(opened);
                            got = head;
                            let [kind, after, place] = &got.headers;
                            headers = [
                                (http::HEADERS[0], &**kind),
                                (http::HEADERS[1], &**after),
                                (http::HEADERS[2], &**place),
                            ];
                            let (status, headers) = (got.status, &headers);
                            Event::Head { status, headers }
                        }
                        Err(fault) => Event::HttpFailed(fault),
                    }
                }
                Effect::Wait { for_ms } => {
                    exchange = None;
                    http::wait(for_ms);
                    Event::Tick(platform::now_ms())
                }
                Effect::Ask(calls) => {
                    effect = Effect::Receive;
                    for call in &calls {
                        let (id, is_allowed) = (call.id.as_str(), host.agrees(call));
                        effect = turn.step(self, Event::Decided { id, is_allowed });
                    }
                    continue;
                }
                Effect::Tools(calls) => {
                    effect = Effect::Receive;
                    for call in &calls {
                        let (id, outcome) = (call.id.as_str(), host.run(call));
                        effect = turn.step(self, Event::Tool { id, outcome });
                    }
                    continue;
                }
                // `Receive` and `Delta`: nobody is there who would be shown a part.
                _ => match exchange.as_mut().map(http::Exchange::read) {
                    Some(Ok(part)) if part.is_empty() => Event::End,
                    Some(Ok(part)) => {
                        bytes = part;
                        Event::Body(&bytes)
                    }
                    Some(Err(fault)) => Event::HttpFailed(fault),
                    None => Event::Cancel,
                },
            };
            effect = turn.step(self, event);
        }
    }

    /// As [`Agent::respond`], as JSON text in both cases.
    pub fn process_message(&mut self, session: &str, message: &str) -> String {
        match self.respond(session, message) {
            Ok(answer) => answer.to_json(),
            Err(error) => answer::error_json(&error),
        }
    }

    /// What this agent can do, as JSON text.
    pub fn capabilities(&self) -> String {
        capabilities::json(Some(self))
    }
}

/// The configuration in `text`, with the names that only the agent knows checked too.
pub(crate) fn config(text: &str) -> Result<Arc<Config>> {
    let config = Arc::new(*Config::parse(text)?);
    let host = config.tools.host.as_slice();
    let mut wrong = None;
    let mut fail = |template, name| {
        wrong.get_or_insert((template, name));
    };
    let is_known = |name: &String, host: &[HostTool]| {
        tools::find(name).is_some() || host.iter().any(|tool| tool.name == *name)
    };
    for (at, tool) in host.iter().enumerate() {
        if is_known(&tool.name, host.get(..at).unwrap_or_default()) {
            fail("config.host_tools: there is a tool {} already", &tool.name);
        }
    }
    let allowed = config.tools.allowed.as_deref().unwrap_or_default();
    let ruled = config.tools.rules.iter().map(|rule| &rule.0);
    for name in allowed.iter().chain(ruled) {
        if !is_known(name, host) {
            fail("config.tools: there is no tool {}", name);
        }
    }
    for (name, _) in &config.routes {
        if !Intent::ALL.iter().any(|intent| intent.as_str() == name) {
            fail("config.routes: there is no intent {}", name);
        }
    }
    if let Some((template, name)) = wrong {
        return Err(AgentError::new(ErrorCode::InvalidConfig, template, &[name]));
    }
    Ok(config)
}

#[cfg(test)]
mod tests;
