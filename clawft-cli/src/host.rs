//! What a turn wants of the machine it runs on, but for the store and the core's own tools: requests
//! with the keys of their providers, time that passes, to hear of Ctrl-C meanwhile, tools of the host,
//! and a user who agrees to a call or does not.

use crate::http::{Client, Reply, Times};
use crate::keys::Keys;
use clawft_types::{AgentError, ErrorCode, ToolCall, os};
use clawft_wasm::agent::host::{Host as Own, Nobody};
use clawft_wasm::machine::{HttpFault, HttpRequest};
use std::cell::Cell;
use std::fmt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

/// What comes while a turn waits.
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

/// A network with keys, a clock, and somebody who may interrupt.
pub struct Host {
    client: Client,
    keys: Keys,
    clock: Clock,
    /// What the user set in place of the core's times.
    times: Times,
    inbox: Receiver<Input>,
    outbox: Sender<Input>,
    /// How long the next part of the reply may take: before its head that is the client's to say.
    patience: Duration,
    /// When the turn is over, in milliseconds since the Unix epoch; 0 where nobody says.
    until_ms: u64,
    /// What went wrong with the last exchange, in words.
    why: String,
    /// Who runs tools of the host, and is asked.
    own: Box<dyn Own>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Host");
        shown
            .field("client", &self.client)
            .field("keys", &self.keys);
        shown.field("times", &self.times).finish_non_exhaustive()
    }
}

impl Host {
    /// One with these keys and times.
    pub fn new(keys: Keys, times: Times, clock: Clock) -> Host {
        let (outbox, inbox) = mpsc::channel();
        Host {
            client: Client::new(outbox.clone()),
            keys,
            clock,
            times,
            inbox,
            outbox,
            patience: Duration::MAX,
            until_ms: 0,
            why: String::new(),
            own: Box::new(Nobody),
        }
    }

    /// `own` runs the tools of `host_tools` from now on, and is asked about calls; without, there
    /// are none, and nobody agrees.
    pub fn set_own(&mut self, own: Box<dyn Own>) {
        self.own = own;
    }

    /// Runs a tool of the host.
    ///
    /// # Errors
    /// What the model is told went wrong.
    pub fn run(&mut self, call: &ToolCall) -> Result<String, Box<AgentError>> {
        self.own.run(call)
    }

    /// Whether the user agrees to a call.
    pub fn agrees(&mut self, call: &ToolCall) -> bool {
        self.own.agrees(call)
    }

    /// Where [`Input::Interrupt`] is sent to.
    pub fn outbox(&self) -> Sender<Input> {
        self.outbox.clone()
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Forgets what is left of the turn before.
    pub fn begin(&mut self) {
        while self.inbox.try_recv().is_ok() {}
        self.why.clear();
    }

    /// Lets go of the exchange that is open, if one is.
    pub fn end(&self) {
        self.client.let_go();
    }

    /// Keeps what went wrong, in words.
    pub fn failed(&mut self, why: String) {
        self.why = why;
    }

    /// Sends `request`, and gives the head of the reply, or an interrupt.
    pub fn exchange(&mut self, request: HttpRequest) -> Input {
        self.until_ms = request.until_ms;
        self.patience = Duration::MAX;
        let between_ms = self.times.between_bytes_ms;
        let between_ms = between_ms.unwrap_or(request.between_bytes_ms);
        self.send(request);
        let head = self.receive();
        self.patience = Duration::from_millis(between_ms);
        head
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
    pub fn receive(&mut self) -> Input {
        loop {
            let left = match (self.until_ms, &self.clock) {
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
    pub fn wait(&mut self, for_ms: u64) -> Input {
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
    pub fn worded(&self, mut error: Box<AgentError>) -> Box<AgentError> {
        if !self.why.is_empty() && error.code != ErrorCode::Cancelled {
            error.message = format!("{}: {}", error.message, self.why);
        }
        error.message = self.keys.without(&error.message);
        error
    }

    /// `text` without any key that has been read.
    pub fn without(&self, text: &str) -> String {
        self.keys.without(text)
    }
}
