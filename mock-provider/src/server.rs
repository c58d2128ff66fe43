//! The [`Mock`]: a thread for the port, one for each connection, and one request for each
//! connection.

mod reply;

use crate::http::{self, Request};
use crate::scenario::{Exchange, Reply};
use crate::{Vendor, rules};
use serde_json::json;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long [`Mock::wait_for`] waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A provider on a port of loopback, until it is finished or dropped.
#[must_use = "what requests did wrong is told by `finish`"]
pub struct Mock {
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    address: SocketAddr,
    /// Of the script's milliseconds, how many pass: 100 is all of them.
    pace_percent: u32,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    exchanges: Vec<Exchange>,
    /// The exchange that comes next, and how often it has been used.
    next: usize,
    used: usize,
    requests: Vec<Request>,
    /// When the first byte of each reply's body was written.
    first_bytes: Vec<Instant>,
    wrong: Vec<String>,
    connections: Vec<TcpStream>,
    /// Connections that are being answered.
    serving: usize,
    threads: Vec<JoinHandle<()>>,
    stopped: bool,
}

impl Mock {
    /// A provider that answers by `exchanges`, without their delays.
    ///
    /// # Errors
    /// Where no port of loopback can be had.
    pub fn start(exchanges: Vec<Exchange>) -> io::Result<Mock> {
        Mock::paced(exchanges, 0, 0)
    }

    /// The same on `port` (0: any), with `pace_percent` of the script's delays.
    ///
    /// # Errors
    /// Where the port cannot be had.
    pub fn paced(exchanges: Vec<Exchange>, pace_percent: u32, port: u16) -> io::Result<Mock> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let shared = Arc::new(Shared {
            address: listener.local_addr()?,
            pace_percent,
            state: Mutex::new(State {
                exchanges,
                ..State::default()
            }),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        let acceptor = std::thread::Builder::new()
            .name("mock-provider".to_owned())
            .spawn(move || accepting.accept(&listener))?;
        Ok(Mock {
            shared,
            acceptor: Some(acceptor),
        })
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        self.shared.url()
    }

    /// The requests so far, in the order they came.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// When the first byte of each reply's body was written.
    pub fn first_bytes(&self) -> Vec<Instant> {
        self.shared.lock().first_bytes.clone()
    }

    /// Waits until `count` requests have come.
    ///
    /// # Errors
    /// Where they have not come within a minute.
    pub fn wait_for(&self, count: usize) -> Result<(), String> {
        let came = |state: &State| state.requests.len();
        match self.shared.until(|state| came(state) >= count) {
            true => Ok(()),
            false => Err(format!(
                "{} of {count} requests came",
                came(&self.shared.lock())
            )),
        }
    }

    /// Waits until no connection is being answered any more: the other side has let go.
    ///
    /// # Errors
    /// Where one still is after a minute.
    pub fn wait_until_idle(&self) -> Result<(), String> {
        match self.shared.until(|state| state.serving == 0) {
            true => Ok(()),
            false => Err("a connection is still open".to_owned()),
        }
    }

    /// Ends it; gives the requests.
    ///
    /// # Errors
    /// What requests did wrong, a line for each: one that no vendor would take, one that is not as
    /// the script expects, one too many, one that never came.
    pub fn finish(mut self) -> Result<Vec<Request>, String> {
        self.stop();
        let state = self.shared.lock();
        let mut wrong = state.wrong.clone();
        let left = state.exchanges.get(state.next);
        if let Some(left) = left.filter(|left| left.times != 0 || state.used == 0) {
            wrong.push(format!(
                "exchange {}: of {} requests {} came",
                state.next + 1,
                left.times.max(1),
                state.used
            ));
        }
        if wrong.is_empty() {
            return Ok(state.requests.clone());
        }
        Err(wrong.join("\n"))
    }

    /// What requests did wrong so far.
    pub fn wrong(&self) -> Vec<String> {
        self.shared.lock().wrong.clone()
    }

    /// Whether every exchange has been used.
    pub fn is_done(&self) -> bool {
        let state = self.shared.lock();
        state.next == state.exchanges.len()
    }

    /// Waits until every exchange has been used.
    pub fn wait(&self) {
        let mut state = self.shared.lock();
        while state.next < state.exchanges.len() {
            let waited = self.shared.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn stop(&mut self) {
        let Some(acceptor) = self.acceptor.take() else {
            return;
        };
        self.shared.lock().stopped = true;
        self.shared.changed.notify_all();
        // It waits for a connection: this is the last.
        drop(TcpStream::connect(self.shared.address));
        drop(acceptor.join());
        let (connections, threads) = {
            let mut state = self.shared.lock();
            (
                std::mem::take(&mut state.connections),
                std::mem::take(&mut state.threads),
            )
        };
        for connection in connections {
            drop(connection.shutdown(Shutdown::Both));
        }
        for thread in threads {
            drop(thread.join());
        }
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `holds`; gives whether it does.
    fn until(&self, holds: impl Fn(&State) -> bool) -> bool {
        let mut state = self.lock();
        let end = Instant::now() + PATIENCE;
        while !holds(&state) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            let mut state = self.lock();
            if state.stopped {
                return;
            }
            let Ok(stream) = stream else { continue };
            if let Ok(other) = stream.try_clone() {
                state.connections.push(other);
            }
            state.serving += 1;
            let shared = Arc::clone(self);
            state
                .threads
                .push(std::thread::spawn(move || shared.serve(&stream)));
        }
    }

    /// Answers the one request of a connection.
    fn serve(&self, stream: &TcpStream) {
        match http::read(stream) {
            Ok(None) => {}
            Ok(Some(request)) => {
                let (vendor, number, exchange) = self.take(&request);
                // The other side may have had enough of it at any byte: that is no fault of its.
                drop(self.reply(stream, &request, vendor, number, &exchange));
            }
            Err(why) => {
                if !self.lock().stopped {
                    self.lock().wrong.push(format!("no request: {why}"));
                }
            }
        }
        drop(stream.shutdown(Shutdown::Both));
        self.lock().serving -= 1;
        self.changed.notify_all();
    }

    /// Keeps the request; gives its vendor, its number and what it is answered with.
    fn take(&self, request: &Request) -> (Vendor, usize, Exchange) {
        let held = rules::hold(request);
        let mut guard = self.lock();
        let state = &mut *guard;
        state.requests.push(request.clone());
        let number = state.requests.len();
        let exchange = state.exchanges.get(state.next).cloned();
        if let Some(exchange) = &exchange {
            state.used += 1;
            if exchange.times != 0 && state.used >= exchange.times {
                (state.next, state.used) = (state.next + 1, 0);
            }
        }
        let checked = match (&held, &exchange) {
            (Err(why), _) => Err(why.clone()),
            (Ok(_), None) => Err("the script has no more exchanges".to_owned()),
            (Ok(_), Some(exchange)) => rules::expected(request, &exchange.expect),
        };
        let exchange = match (checked, exchange) {
            (Ok(()), Some(exchange)) => exchange,
            (checked, _) => {
                let why = checked.err().unwrap_or_default();
                let message = format!("mock-provider: request {number}: {why}");
                state.wrong.push(format!("request {number}: {why}"));
                refusal(&message)
            }
        };
        self.changed.notify_all();
        (held.unwrap_or(Vendor::OpenAi), number, exchange)
    }
}

/// What a request gets that does something wrong.
fn refusal(message: &str) -> Exchange {
    Exchange {
        reply: Reply {
            status: Some(400),
            json: Some(json!({"type": "error", "error": {"type": "mock", "message": message}})),
            ..Reply::default()
        },
        ..Exchange::default()
    }
}
