//! One HTTP exchange with a provider: from the request to an answer, or to why there is none.

use clawft_types::json::{decimal, unsigned};
use clawft_types::{ErrorCode, ProviderKind, text};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::event::{Event, HttpFault};
use crate::agent::completion::Completion;
use crate::agent::provider::{self, Failure, Remedy, Reply};

/// Bytes of an error's body that are read.
const MAX_ERROR_BYTES: usize = 8 * 1024;

/// An exchange whose request has been sent.
#[derive(Debug)]
pub struct Exchange {
    kind: ProviderKind,
    is_stream: bool,
    phase: Phase,
    bytes_left: u64,
}

#[derive(Debug)]
enum Phase {
    /// No reply yet.
    Sent,
    /// A reply with an answer.
    Reading(Reply),
    /// A reply that refuses, with this status.
    Refused(u16, Option<u64>, Vec<u8>),
}

/// What an event has come to.
#[derive(Debug)]
pub enum Progress {
    /// There is more to read.
    More,
    /// Text of the answer has come, and there is more to read.
    Text(String),
    /// All of it.
    Answer(Box<Completion>),
    /// There is no answer.
    Failed(Box<Fault>),
    /// The event is none of an exchange at this point.
    Unexpected,
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Fault {
    /// What is wrong, and what is to be done.
    pub failure: Failure,
    /// The kind of error.
    pub code: ErrorCode,
    /// When the provider wants to be asked again, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

impl Exchange {
    /// An exchange with a provider of this kind, which was asked for a stream or not, of at most
    /// `bytes` of body.
    pub fn new(kind: ProviderKind, is_stream: bool, bytes: u64) -> Self {
        Exchange {
            kind,
            is_stream,
            phase: Phase::Sent,
            bytes_left: bytes,
        }
    }

    /// Takes what has come.
    pub fn step(&mut self, event: &Event<'_>) -> Progress {
        match (&mut self.phase, event) {
            (Phase::Sent, Event::Head { status, headers }) => self.head(*status, headers),
            (_, Event::HttpFailed(fault)) => Progress::Failed(Box::new(self.fault(*fault))),
            (Phase::Reading(reply), Event::Body(bytes)) => {
                self.bytes_left = match self.bytes_left.checked_sub(bytes.len() as u64) {
                    Some(left) => left,
                    None => return failed("the reply has too many bytes"),
                };
                match reply.push(bytes) {
                    Ok(text) if text.is_empty() => Progress::More,
                    Ok(text) => Progress::Text(text),
                    Err(failure) => broken(failure),
                }
            }
            (Phase::Reading(reply), Event::End) => {
                let is_begun = reply.is_begun();
                let empty = Reply::new(self.kind, false);
                match core::mem::replace(reply, empty).end() {
                    Ok(completion) => Progress::Answer(completion),
                    Err(failure) => {
                        let mut fault = Fault::from(failure);
                        if is_begun && fault.failure.remedy == Remedy::Again {
                            fault.interrupt();
                        }
                        Progress::Failed(Box::new(fault))
                    }
                }
            }
            (Phase::Refused(status, after, body), Event::Body(bytes)) => {
                let room = MAX_ERROR_BYTES - body.len();
                let part = bytes.get(..room);
                body.extend_from_slice(part.unwrap_or(bytes));
                match part {
                    None => Progress::More,
                    Some(_) => refusal(*status, *after, body),
                }
            }
            (Phase::Refused(status, after, body), Event::End) => refusal(*status, *after, body),
            _ => Progress::Unexpected,
        }
    }

    fn head(&mut self, status: u16, headers: &[(&str, &[u8])]) -> Progress {
        let header = |name| header(headers, name);
        if !(200..300).contains(&status) {
            let seconds = header("retry-after")
                .map(text::trim)
                .filter(|value| !value.is_empty())
                .and_then(unsigned);
            let after = seconds.map(|seconds| seconds.saturating_mul(1000));
            self.phase = Phase::Refused(status, after, Vec::new());
            return Progress::More;
        }
        let given = header("content-type").unwrap_or_default();
        let is = |wanted: &str| {
            let given = given.get(..wanted.len());
            given.is_some_and(|given| given.eq_ignore_ascii_case(wanted))
        };
        let is_stream = if is("text/event-stream") {
            true
        } else if is("application/json") {
            false
        } else if given.is_empty() {
            self.is_stream
        } else {
            let shown = text::first_characters(given, 80);
            return failed(&text::fill("the reply is of the type {}", &[shown]));
        };
        self.phase = Phase::Reading(Reply::new(self.kind, is_stream));
        Progress::More
    }

    fn fault(&self, fault: HttpFault) -> Fault {
        let (code, remedy, message) = told(fault);
        let mut fault = Fault {
            failure: Failure {
                remedy,
                message: String::from(message),
            },
            code,
            retry_after_ms: None,
        };
        if matches!(&self.phase, Phase::Reading(reply) if reply.is_begun()) {
            fault.interrupt();
        }
        fault
    }
}

/// The header of this name, in any case, if it is text.
pub fn header<'a>(headers: &[(&str, &'a [u8])], name: &str) -> Option<&'a str> {
    let mut headers = headers.iter();
    let found = headers.find(|header| header.0.eq_ignore_ascii_case(name))?;
    core::str::from_utf8(found.1).ok()
}

/// A fault in words, and what is to be done about it.
pub fn told(fault: HttpFault) -> (ErrorCode, Remedy, &'static str) {
    use ErrorCode as Code;
    use HttpFault as H;
    match fault {
        H::Unsupported => (Code::Unsupported, Remedy::None, "this host has no HTTP"),
        H::Connect => (Code::ProviderFailed, Remedy::Again, "no connection"),
        H::Tls => (
            Code::ProviderFailed,
            Remedy::None,
            "TLS failed: is the certificate valid?",
        ),
        H::TimedOut => (Code::TimedOut, Remedy::Again, "nothing came in time"),
        H::Broken => (Code::ProviderFailed, Remedy::Again, "the connection broke"),
        H::TooLarge => (Code::ProviderFailed, Remedy::None, "the reply is too large"),
        H::NotAllowed => (
            Code::HostNotAllowed,
            Remedy::None,
            "the host does not allow it",
        ),
        H::NoKey => (
            Code::ProviderFailed,
            Remedy::None,
            "there is no key for its credential",
        ),
        H::Interrupted => (
            Code::Interrupted,
            Remedy::None,
            "the host went away meanwhile",
        ),
    }
}

impl Fault {
    /// What has begun is not begun again: nobody knows what it has cost.
    fn interrupt(&mut self) {
        self.failure.remedy = Remedy::None;
        self.code = ErrorCode::Interrupted;
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Fault {
            failure,
            code: ErrorCode::ProviderFailed,
            retry_after_ms: None,
        }
    }
}

fn failed(message: &str) -> Progress {
    broken(Failure::new(message))
}

fn broken(failure: Failure) -> Progress {
    Progress::Failed(Box::new(failure.into()))
}

/// What a reply with this status means.
fn refusal(status: u16, retry_after_ms: Option<u64>, body: &[u8]) -> Progress {
    let remedy = match status {
        408 | 429 | 500..=599 => Remedy::Again,
        413 => Remedy::Less,
        _ => Remedy::None,
    };
    let mut failure = provider::explain(body, remedy);
    // Only what says that it is about the request can mean that it is too long.
    if failure.remedy == Remedy::Less && !matches!(status, 400 | 413) {
        failure.remedy = remedy;
    }
    let told = if (300..400).contains(&status) {
        "redirects are not followed"
    } else {
        &failure.message
    };
    failure.message = text::fill("status {}: {}", &[&decimal(u64::from(status)), told]);
    Progress::Failed(Box::new(Fault {
        failure,
        code: match status {
            429 => ErrorCode::RateLimited,
            _ => ErrorCode::ProviderFailed,
        },
        retry_after_ms,
    }))
}
