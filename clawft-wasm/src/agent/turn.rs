//! A turn of the machine with what an agent has: the half that every driver needs, store and tools.
//!
//! What a driver has to do itself is left over: HTTP, waiting, and showing what comes.

use clawft_types::{Result, ToolCall};
use core_alloc::boxed::Box;
use core_alloc::sync::Arc;
use core_alloc::vec::Vec;

use super::sessions;
use super::state::Agent;
use super::tools::{self, Allowed};
use super::workspace::Held;
use crate::machine::{Effect, Event, Machine, Saving, Snapshot, StoreFault};

/// A turn in an agent. One that is dropped is as if it had not been; the store has whole turns.
#[derive(Debug)]
pub struct Turn {
    machine: Machine,
    /// Keeps others from writing from the first attempt to save on, to the end of the turn.
    lock: Option<Held>,
    /// Whether the driver can ask somebody.
    asks: bool,
}

impl Turn {
    /// A turn with the configuration that `agent` has now. It begins with [`Event::Message`].
    pub fn new(agent: &Agent) -> Self {
        Turn {
            machine: Machine::new(Arc::clone(&agent.config)),
            lock: None,
            asks: false,
        }
    }

    /// A turn whose driver answers [`Effect::Ask`]; otherwise nobody agrees to anything.
    pub fn asking(agent: &Agent) -> Self {
        Turn {
            asks: true,
            ..Turn::new(agent)
        }
    }

    /// As [`Machine::step`], with all that concerns store and tools done in `agent`: what comes out
    /// is `Http`, `Receive`, `Delta`, `Wait`, `Done` or `Failed`; where the configuration has tools
    /// of the host `Tools` with those, and of a turn that is [`Turn::asking`] `Ask`.
    pub fn step(&mut self, agent: &mut Agent, event: Event<'_>) -> Effect {
        let mut effect = self.machine.step(event);
        loop {
            effect = match effect {
                Effect::Load { session, known } => {
                    let (snapshot, outcome) = load(agent, &session, known);
                    self.machine.step(Event::Loaded { snapshot, outcome })
                }
                Effect::Append(saving) => self.save(&saving, false, agent),
                Effect::Replace(saving) => self.save(&saving, true, agent),
                Effect::Ask(calls) if !self.asks => self.refuse(&calls),
                Effect::Tools(calls) if !calls.is_empty() => {
                    let allowed = Allowed::by(&agent.config);
                    let (host, own) = tools::split(calls, &|name| allowed.is_host(name));
                    let next = self.act(agent, own);
                    if !host.is_empty() {
                        return Effect::Tools(host);
                    }
                    next
                }
                Effect::Done(_) | Effect::Failed(_) => {
                    self.lock = None;
                    if let Some(snapshot) = self.machine.take_snapshot() {
                        agent.sessions.put(snapshot);
                    }
                    return effect;
                }
                other => return other,
            };
        }
    }

    /// Agrees to none of `calls`.
    fn refuse(&mut self, calls: &[ToolCall]) -> Effect {
        let mut effect = Effect::Ask(Vec::new());
        for call in calls {
            let (id, is_allowed) = (call.id.as_str(), false);
            effect = self.machine.step(Event::Decided { id, is_allowed });
        }
        effect
    }

    /// Runs `calls`, one after the other.
    fn act(&mut self, agent: &mut Agent, calls: Vec<ToolCall>) -> Effect {
        let mut effect = Effect::Tools(Vec::new());
        for call in &calls {
            let outcome = tools::run(
                call,
                Allowed::by(&agent.config),
                &agent.config.limits,
                &agent.workspace,
                &mut agent.memory,
            );
            let id = &call.id;
            effect = self.machine.step(Event::Tool { id, outcome });
        }
        effect
    }

    /// Saves, and keeps others from it from then on.
    fn save(&mut self, saving: &Saving, is_whole: bool, agent: &Agent) -> Effect {
        let lock = match self.lock.take() {
            Some(lock) => Ok(lock),
            None => agent.workspace.lock(),
        };
        let saved = match lock {
            Ok(lock) => {
                self.lock = Some(lock);
                sessions::save(saving, is_whole, &agent.workspace)
            }
            Err(error) => Err(StoreFault::Failed(error)),
        };
        self.machine.step(Event::Saved(saved))
    }
}

/// Gets a session, or brings a `known` one up to date.
fn load(
    agent: &mut Agent,
    name: &str,
    known: Option<Box<Snapshot>>,
) -> (Box<Snapshot>, Result<()>) {
    let limits = &agent.config.limits;
    match known {
        None => agent.sessions.take(name, limits, &agent.workspace),
        Some(mut snapshot) => {
            let outcome = sessions::catch_up(&mut snapshot, limits, &agent.workspace);
            (snapshot, outcome)
        }
    }
}
