//! The native driver: does what the machine of the core wants of a host, and nothing else. Store
//! and tools are the core's [`Turn`]; HTTP and waiting are the [`Host`]'s; what is left is to hand
//! one to the other, and to show what comes.

pub use crate::host::{Clock, Input, Progress};

use crate::host::Host;
use crate::http::{Reply, Times};
use crate::keys::Keys;
use clawft_types::{AgentError, Answer, ToolCall};
use clawft_wasm::Agent;
use clawft_wasm::agent::host::Host as Own;
use clawft_wasm::agent::turn::Turn;
use clawft_wasm::machine::{Effect, Event};
use std::sync::mpsc::Sender;

/// An agent with a network.
#[derive(Debug)]
pub struct Driver {
    agent: Agent,
    host: Host,
}

impl Driver {
    /// A driver of `agent`.
    pub fn new(agent: Agent, keys: Keys, times: Times, clock: Clock) -> Driver {
        Driver {
            agent,
            host: Host::new(keys, times, clock),
        }
    }

    /// Where [`Input::Interrupt`] is sent to.
    pub fn outbox(&self) -> Sender<Input> {
        self.host.outbox()
    }

    /// As [`Host::set_own`].
    pub fn set_own(&mut self, own: Box<dyn Own>) {
        self.host.set_own(own);
    }

    /// Has the agent answer `text` in `session`; `show` is told what happens meanwhile.
    ///
    /// # Errors
    /// As the core has them: see [`ErrorCode`](clawft_types::ErrorCode).
    pub fn respond(
        &mut self,
        session: &str,
        text: &str,
        show: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Box<Answer>, Box<AgentError>> {
        self.host.begin();
        let mut turn = Turn::asking(&self.agent);
        let now_ms = self.host.now_ms();
        let mut effect = turn.step(
            &mut self.agent,
            Event::Message {
                session,
                text,
                now_ms,
                // Differs from one process and turn to the next.
                seed: now_ms ^ u64::from(std::process::id()).rotate_left(32),
            },
        );
        loop {
            let input = match effect {
                Effect::Done(answer) => {
                    self.host.end();
                    return Ok(answer);
                }
                Effect::Failed(error) => {
                    self.host.end();
                    return Err(self.host.worded(error));
                }
                Effect::Http(request) => {
                    show(Progress::Request);
                    self.host.exchange(*request)
                }
                Effect::Delta { text } => {
                    show(Progress::Text(&text));
                    self.host.receive()
                }
                Effect::Receive => self.host.receive(),
                Effect::Wait { for_ms } => self.host.wait(for_ms),
                Effect::Tools(calls) => {
                    effect = self.run(&mut turn, &calls);
                    continue;
                }
                Effect::Ask(calls) => {
                    effect = self.ask(&mut turn, &calls);
                    continue;
                }
                // The rest is done in `Turn`.
                _ => Input::Interrupt,
            };
            effect = self.step(&mut turn, input);
        }
    }

    /// Runs tools of the host, one after the other.
    fn run(&mut self, turn: &mut Turn, calls: &[ToolCall]) -> Effect {
        let mut effect = Effect::Tools(Vec::new());
        for call in calls {
            let (id, outcome) = (call.id.as_str(), self.host.run(call));
            effect = turn.step(&mut self.agent, Event::Tool { id, outcome });
        }
        effect
    }

    /// Asks the user about each of `calls`.
    fn ask(&mut self, turn: &mut Turn, calls: &[ToolCall]) -> Effect {
        let mut effect = Effect::Ask(Vec::new());
        for call in calls {
            let (id, is_allowed) = (call.id.as_str(), self.host.agrees(call));
            effect = turn.step(&mut self.agent, Event::Decided { id, is_allowed });
        }
        effect
    }

    /// Hands `input` to the turn.
    fn step(&mut self, turn: &mut Turn, input: Input) -> Effect {
        let agent = &mut self.agent;
        match input {
            Input::Interrupt => turn.step(agent, Event::Cancel),
            Input::Reply(_, reply) => match reply {
                Reply::Head { status, headers } => {
                    let headers = headers.iter();
                    let headers: Vec<(&str, &[u8])> = headers
                        .map(|(name, value)| (name.as_str(), value.as_slice()))
                        .collect();
                    let headers = &headers;
                    turn.step(agent, Event::Head { status, headers })
                }
                Reply::Body(bytes) => turn.step(agent, Event::Body(&bytes)),
                Reply::End => turn.step(agent, Event::End),
                Reply::Waited => turn.step(agent, Event::Tick(self.host.now_ms())),
                Reply::Failed(fault, why) => {
                    self.host.failed(why);
                    turn.step(agent, Event::HttpFailed(fault))
                }
            },
        }
    }
}
