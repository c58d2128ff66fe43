//! What goes into the machine.

use clawft_types::{AgentError, Result};
use core_alloc::boxed::Box;
use core_alloc::string::String;

use super::snapshot::Snapshot;

/// What has happened. Each answers one kind of [`Effect`](super::Effect); only
/// [`Event::Message`] begins something, and [`Event::Cancel`] is always allowed.
#[derive(Debug)]
pub enum Event<'a> {
    /// The user said something: begins a turn, and nothing is outstanding before it.
    Message {
        /// The name of the session.
        session: &'a str,
        /// The message as it is, whatever it begins with.
        text: &'a str,
        /// Milliseconds since the Unix epoch; 0 where there is no clock.
        now_ms: u64,
        /// Anything: waiting times vary by it. The same seed gives the same effects.
        seed: u64,
    },
    /// Answers `Load`.
    Loaded {
        /// The session; a new one if the store has none.
        snapshot: Box<Snapshot>,
        /// Whether it is as the store has it.
        outcome: Result<()>,
    },
    /// Answers `Append` and `Replace` with the version that the store has now.
    Saved(Result<u64, StoreFault>),
    /// Answers `Ask`: about one call of them.
    Decided {
        /// The `id` of the call.
        id: &'a str,
        /// Whether it may be run.
        is_allowed: bool,
    },
    /// Answers `Tools`: one call of them has ended.
    Tool {
        /// The `id` of the call.
        id: &'a str,
        /// Its output, or why there is none.
        outcome: Result<String>,
    },
    /// Answers `Http`: the status and the headers of a reply have come.
    Head {
        /// The status, 200 or another.
        status: u16,
        /// Names in any case, with their values.
        headers: &'a [(&'a str, &'a [u8])],
    },
    /// Answers `Receive` and `Delta`: a part of the reply's body has come.
    Body(&'a [u8]),
    /// Answers `Receive` and `Delta`: the body is complete.
    End,
    /// Answers `Http`, `Receive` and `Delta`: there is nothing more to come.
    HttpFailed(HttpFault),
    /// Answers `Wait`: the time is over, and it is so many milliseconds since the Unix epoch.
    Tick(u64),
    /// The turn is to end now.
    Cancel,
}

/// Why a store did not save.
#[derive(Debug)]
pub enum StoreFault {
    /// Others have added to the session since: the version is not the one that was expected.
    Conflict,
    /// Anything else; what was to be saved is not.
    Failed(Box<AgentError>),
}

/// Why an HTTP exchange has ended before its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpFault {
    /// The driver has no HTTP.
    Unsupported,
    /// No connection: unknown name, refused, unreachable.
    Connect,
    /// The certificate is not accepted, or TLS failed.
    Tls,
    /// One of the request's times is over.
    TimedOut,
    /// The connection was closed, or what came is no HTTP.
    Broken,
    /// The reply is larger than the request allows.
    TooLarge,
    /// The host does not allow this one.
    NotAllowed,
    /// There is no key for the credential that the request names, or it cannot be read.
    NoKey,
    /// Whoever sends went away meanwhile: the request may have been answered, and paid for.
    Interrupted,
}
