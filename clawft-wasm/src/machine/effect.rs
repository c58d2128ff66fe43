//! What comes out of the machine.

use clawft_types::{AgentError, Answer, ToolCall};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::snapshot::Snapshot;

/// What is to be done next. One is outstanding at a time; it is answered by an
/// [`Event`](super::Event).
///
/// An HTTP exchange is open from `Http` on, through `Receive` and `Delta`. Any other effect ends
/// it: the driver drops what is left of it.
#[derive(Debug)]
pub enum Effect {
    /// Get a session: `Loaded`.
    Load {
        /// Its name, which has been checked.
        session: String,
        /// What is to be brought up to date with the store: others have added to it. What is not
        /// saved in it stays, behind theirs.
        known: Option<Box<Snapshot>>,
    },
    /// Add a line to a session, at once or not at all: `Saved`.
    Append(Box<Saving>),
    /// Put this in the place of all of a session, at once or not at all: `Saved`.
    Replace(Box<Saving>),
    /// Ask the user whether these calls may be run: `Decided` for each, in any order. An empty
    /// list: the others are still awaited.
    Ask(Vec<ToolCall>),
    /// Run these tools: `Tool` for each, in any order. An empty list: the others are still awaited.
    Tools(Vec<ToolCall>),
    /// Send a request: `Head` or `HttpFailed`.
    Http(Box<HttpRequest>),
    /// Read on in the reply: `Body`, `End` or `HttpFailed`.
    Receive,
    /// Show a part of the answer, then read on as for `Receive`.
    Delta {
        /// What comes behind the parts before.
        text: String,
    },
    /// Wait: `Tick`.
    Wait {
        /// Milliseconds. Not a point in time: the machine has no clock.
        for_ms: u64,
    },
    /// The turn has its answer. Nothing is outstanding.
    Done(Box<Answer>),
    /// The turn has none. Nothing is outstanding, but after `unexpected_event`: then what was
    /// outstanding still is.
    Failed(Box<AgentError>),
}

/// What a store is to have of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saving {
    /// The session's name.
    pub session: String,
    /// The version it must have, otherwise it is a `Conflict`; 0: there must be none.
    pub after: u64,
    /// The line that is added, or all lines; each with its end.
    pub text: String,
}

/// A request as the driver sends it. Redirects are not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `POST`, or `GET` without a body.
    pub method: &'static str,
    /// `https://…`, or `http://…`.
    pub url: String,
    /// Names in lower case, with their values; without the credential's.
    pub headers: Vec<(String, String)>,
    /// The key that the driver adds.
    pub credential: Option<Credential>,
    /// The body; its length is for the driver to say.
    pub body: String,
    /// Milliseconds for a connection, TLS included.
    pub connect_ms: u64,
    /// Milliseconds from the request to the first byte of the reply.
    pub first_byte_ms: u64,
    /// Milliseconds between two bytes of the reply.
    pub between_bytes_ms: u64,
    /// Milliseconds since the Unix epoch at which the turn is over; 0 where there is no clock.
    pub until_ms: u64,
    /// Bytes of headers that are read.
    pub max_header_bytes: u64,
    /// Bytes of body that are read.
    pub max_reply_bytes: u64,
    /// Whether only addresses that everybody has may be asked: once the name of the host is
    /// resolved, none that is private, link-local or of this machine.
    pub is_public: bool,
}

impl HttpRequest {
    /// A request with the times and sizes that all have.
    pub fn new(method: &'static str, url: String) -> Box<Self> {
        Box::new(HttpRequest {
            method,
            url,
            headers: Vec::new(),
            credential: None,
            body: String::new(),
            connect_ms: 10_000,
            first_byte_ms: 60_000,
            between_bytes_ms: 60_000,
            until_ms: 0,
            max_header_bytes: 64 * 1024,
            max_reply_bytes: 4 * 1024 * 1024,
            is_public: false,
        })
    }
}

/// A key, by its name: the core never sees the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its name in the configuration.
    pub name: String,
    /// The header that has it, in lower case.
    pub header: &'static str,
    /// What stands before the key in that.
    pub prefix: &'static str,
}
