//! The native driver: does what the machine of the core wants of a host, and nothing else. Store
//! and tools are the core's [`Turn`]; what is left is HTTP, waiting, and showing what comes.

use crate::http::{Client, Reply, Times};
use crate::keys::Keys;
use clawft_types::os;
use clawft_types::{AgentError, Answer, ErrorCode};
use clawft_wasm::Agent;
use clawft_wasm::agent::turn::Turn;
use clawft_wasm::machine::{Effect, Event, HttpFault, HttpRequest};
use std::cell::Cell;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

/// What reaches the driver while it waits.
#[derive(Debug)]
pub enum Input {
    /// A part of the reply to the request of this number.
    Reply(u64, Reply),
    /// The turn is to end.
    Interrupt,
}

/// What is shown while a turn runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A request goes to a provider.
    Request,
    /// More text of the answer.
    Text(&'a str),
}

/// What time it is.
#[derive(Debug)]
pub enum Clock {
    /// The system's.
    System,
    /// Milliseconds since the Unix epoch: one that stands still and jumps over every wait.
    Jumping(Cell<u64>),
}

impl Clock {
    fn now_ms(&self) -> u64 {
        match self {
            Clock::System => os::now_ms(),
            Clock::Jumping(now_ms) => now_ms.get(),
        }
    }
}

/// An agent with a network.
#[derive(Debug)]
pub struct Driver {
    agent: Agent,
    client: Client,
    keys: Keys,
    clock: Clock,
    /// What the user set in place of the core's times.
    times: Times,
    inbox: Receiver<Input>,
    outbox: Sender<Input>,
    /// How long the next part of the reply may take: before its head that is the client's to say.
    patience: Duration,
    /// What went wrong with the last exchange, in words.
    why: String,
}

impl Driver {
    /// A driver of `agent`.
    pub fn new(agent: Agent, keys: Keys, times: Times, clock: Clock) -> Driver {
        let (outbox, inbox) = mpsc::channel();
        Driver {
            agent,
            client: Client::new(outbox.clone()),
            keys,
            clock,
            times,
            inbox,
            outbox,
            patience: Duration::MAX,
            why: String::new(),
        }
    }

    /// Where [`Input::Interrupt`] is sent to.
    pub fn outbox(&self) -> Sender<Input> {
        self.outbox.clone()
    }

    /// Has the agent answer `text` in `session`; `show` is told what happens meanwhile.
    ///
    /// # Errors
    /// As the core has them: see [`ErrorCode`].
    pub fn respond(
        &mut self,
        session: &str,
        text: &str,
        show: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Box<Answer>, Box<AgentError>> {
        // What is left of the turn before.
        while self.inbox.try_recv().is_ok() {}
        self.why.clear();
        let mut turn = Turn::new(&self.agent);
        let now_ms = self.clock.now_ms();
        let mut until_ms = 0;
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
                    self.client.let_go();
                    return Ok(answer);
                }
                Effect::Failed(error) => {
                    self.client.let_go();
                    return Err(self.worded(error));
                }
                Effect::Http(request) => {
                    show(Progress::Request);
                    until_ms = request.until_ms;
                    self.patience = Duration::MAX;
                    let between_ms = self.times.between_bytes_ms;
                    let between_ms = between_ms.unwrap_or(request.between_bytes_ms);
                    self.send(*request);
                    let head = self.receive(until_ms);
                    self.patience = Duration::from_millis(between_ms);
                    head
                }
                Effect::Delta { text } => {
                    show(Progress::Text(&text));
                    self.receive(until_ms)
                }
                Effect::Receive => self.receive(until_ms),
                Effect::Wait { for_ms } => self.wait(for_ms),
                // The rest is done in `Turn`.
                _ => Input::Interrupt,
            };
            effect = self.step(&mut turn, input);
        }
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
                Reply::Waited => turn.step(agent, Event::Tick(self.clock.now_ms())),
                Reply::Failed(fault, why) => {
                    self.why = why;
                    turn.step(agent, Event::HttpFailed(fault))
                }
            },
        }
    }

    fn send(&mut self, request: HttpRequest) {
        self.why.clear();
        let wanted = request.credential.as_ref();
        let key = wanted.map(|wanted| self.keys.header(wanted, &request.url));
        match key.transpose() {
            Ok(key) => {
                let until = match request.until_ms {
                    0 => None,
                    until_ms => Some(until_ms.saturating_sub(self.clock.now_ms())),
                };
                let times = self.times.or_of(&request, until);
                self.client.send(request, key, times);
            }
            Err(why) => self.client.fail(HttpFault::NoKey, why),
        }
    }

    /// The next part of the reply, or an interrupt.
    fn receive(&mut self, until_ms: u64) -> Input {
        loop {
            let left = match (until_ms, &self.clock) {
                (0, _) | (_, Clock::Jumping(_)) => Duration::MAX,
                (until_ms, clock) => Duration::from_millis(until_ms.saturating_sub(clock.now_ms())),
            };
            match self.next(left.min(self.patience)) {
                Some(Input::Reply(number, _)) if !self.client.is_current(number) => {}
                Some(input) => return input,
                None => {
                    let failed = Reply::Failed(HttpFault::TimedOut, String::new());
                    return Input::Reply(self.client.let_go(), failed);
                }
            }
        }
    }

    /// Waits, unless an interrupt comes.
    fn wait(&mut self, for_ms: u64) -> Input {
        let waited = Input::Reply(self.client.let_go(), Reply::Waited);
        if let Clock::Jumping(now_ms) = &self.clock {
            now_ms.set(now_ms.get().saturating_add(for_ms));
            return waited;
        }
        let end_ms = self.clock.now_ms().saturating_add(for_ms);
        loop {
            let left_ms = end_ms.saturating_sub(self.clock.now_ms());
            match self.next(Duration::from_millis(left_ms)) {
                Some(Input::Interrupt) => return Input::Interrupt,
                // Of a request that is over.
                Some(Input::Reply(..)) => {}
                None => return waited,
            }
        }
    }

    fn next(&self, within: Duration) -> Option<Input> {
        self.inbox.recv_timeout(within).ok()
    }

    /// The error with what the network said, and without any key that a server sent back.
    fn worded(&self, mut error: Box<AgentError>) -> Box<AgentError> {
        if !self.why.is_empty() && error.code != ErrorCode::Cancelled {
            error.message = format!("{}: {}", error.message, self.why);
        }
        error.message = self.keys.without(&error.message);
        error
    }
}
