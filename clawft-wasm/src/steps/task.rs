//! One turn in flight: what it wants of the host as calls, and what they gave as its events.

use clawft_types::json::{self, Writer};
use clawft_types::{AgentError, ErrorCode, Result, ToolCall, Value, answer, text};
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::frame::{self, Op, Supplied};
use crate::agent::Agent;
use crate::agent::turn::Turn;
use crate::machine::{Effect, Event, HttpFault, HttpRequest};

/// A turn in flight, and what it waits for.
#[derive(Debug)]
pub struct Task {
    pub(super) number: u32,
    pub(super) session: String,
    pub(super) turn: Turn,
    /// The call that is waited for.
    pub(super) call: u32,
    /// Calls of tools that are waited for, and of questions whether they may be run.
    pub(super) open: Vec<(u32, String, Op)>,
    pub(super) wants: Wants,
    /// Calls that have not been handed out.
    pub(super) calls: Vec<u8>,
    pub(super) count: u32,
    pub(super) answer: Option<String>,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// The head of a reply.
    Head,
    /// More of its body.
    Body,
    /// The end of a time.
    Time,
}

impl Task {
    pub(super) fn step(&mut self, agent: &mut Agent, event: Event<'_>, last_call: &mut u32) {
        match self.turn.step(agent, event) {
            Effect::Done(answer) => self.answer = Some(answer.to_json()),
            Effect::Failed(error) => self.answer = Some(answer::error_json(&error)),
            Effect::Http(request) => {
                let body = request.body.as_bytes();
                self.call(Op::Fetch, &head(&request), body, last_call);
                self.wants = Wants::Head;
            }
            Effect::Wait { for_ms } => {
                let mut out = Writer::new();
                out.open("{");
                out.unsigned_member("for_ms", for_ms);
                out.close("}");
                self.call(Op::Wait, &out.finish(), b"", last_call);
                self.wants = Wants::Time;
            }
            Effect::Delta { text } => {
                let waiting = self.call;
                self.call(Op::Show, "{}", text.as_bytes(), last_call);
                self.call = waiting;
                self.wants = Wants::Body;
            }
            Effect::Tools(calls) => self.open(Op::Tool, calls, last_call),
            Effect::Ask(calls) => self.open(Op::Ask, calls, last_call),
            _ => self.wants = Wants::Body,
        }
        if self.answer.is_some() {
            self.call = 0;
            self.open.clear();
        }
    }

    /// Hands out calls that are answered in any order.
    pub(super) fn open(&mut self, op: Op, calls: Vec<ToolCall>, last_call: &mut u32) {
        for call in calls {
            let mut out = Writer::new();
            out.open("{");
            out.string_member("name", &call.name);
            out.key("arguments");
            out.raw(&call.arguments);
            out.close("}");
            self.call(op, &out.finish(), b"", last_call);
            self.open.push((self.call, call.id, op));
        }
        self.call = 0;
    }

    pub(super) fn call(&mut self, op: Op, head: &str, body: &[u8], last_call: &mut u32) {
        *last_call = last_call.wrapping_add(1).max(1);
        self.call = *last_call;
        self.count += 1;
        frame::push(&mut self.calls, op, self.call, head.as_bytes(), body);
    }

    /// Takes a result, if it is waited for.
    pub(super) fn take(
        &mut self,
        agent: &mut Agent,
        result: &Supplied<'_>,
        last_call: &mut u32,
    ) -> Result<()> {
        let open = self.open.iter().position(|open| open.0 == result.call);
        if let Some(at) = open.filter(|_| !result.has_more) {
            return self.take_open(agent, at, result, last_call);
        }
        if result.call != self.call || self.call == 0 {
            return Ok(());
        }
        let (head, mut headers): (_, Vec<(&str, &[u8])>);
        let is_refused = result.status < 0;
        let event = match self.wants {
            Wants::Time => {
                let now_ms = if is_refused {
                    0
                } else {
                    parse(result)?.count("now_ms")
                };
                Some(Event::Tick(now_ms))
            }
            wants if is_refused => Some(Event::HttpFailed(fault(result.status, wants))),
            Wants::Head => {
                head = parse(result)?;
                headers = Vec::new();
                if let Some(Value::Object(members)) = head.get("headers") {
                    for (name, value) in members {
                        headers.push((name, value.as_str().unwrap_or_default().as_bytes()));
                    }
                }
                let status = u16::try_from(head.count("status")).unwrap_or_default();
                let headers = &headers;
                Some(Event::Head { status, headers })
            }
            Wants::Body => None,
        };
        let is_over = is_refused || self.wants == Wants::Time;
        if let Some(event) = event {
            self.step(agent, event, last_call);
        }
        if is_over {
            return Ok(());
        }
        // The head or a part may have ended the exchange: then another call is waited for.
        if self.call == result.call && !result.body.is_empty() {
            self.step(agent, Event::Body(result.body), last_call);
        }
        if self.call == result.call && !result.has_more {
            self.step(agent, Event::End, last_call);
        }
        Ok(())
    }
}

impl Task {
    /// Takes the result of a tool's call, or whether one may be run.
    fn take_open(
        &mut self,
        agent: &mut Agent,
        at: usize,
        result: &Supplied<'_>,
        last_call: &mut u32,
    ) -> Result<()> {
        let is_refused = result.status < 0;
        let head = if is_refused && result.head.is_empty() {
            Value::Null
        } else {
            parse(result)?
        };
        let (_, id, op) = self.open.swap_remove(at);
        let said = |name| head.get(name).and_then(Value::as_str);
        let event = if op == Op::Ask {
            let approved = head.get("approved") == Some(&Value::Bool(true));
            let is_allowed = approved && !is_refused;
            Event::Decided {
                id: &id,
                is_allowed,
            }
        } else {
            let outcome = if is_refused {
                let number = usize::from(result.status.unsigned_abs());
                let code = ErrorCode::ALL.get(number - 1).copied();
                let message = said("message").unwrap_or("the host did not run it");
                Err(AgentError::new(
                    code.unwrap_or(ErrorCode::Io),
                    "{}",
                    &[message],
                ))
            } else {
                Ok(match said("output") {
                    Some(output) => String::from(output),
                    None => text::lossy(result.body),
                })
            };
            Event::Tool { id: &id, outcome }
        };
        self.step(agent, event, last_call);
        Ok(())
    }
}

/// The head of a result, which is a JSON object.
fn parse(result: &Supplied<'_>) -> Result<Value> {
    let head = core::str::from_utf8(result.head).unwrap_or_default();
    json::parse(head).map_err(|error| {
        let message = text::fill("the head of a result: {}", &[&error.message]);
        AgentError::new(ErrorCode::InvalidArguments, &message, &[])
    })
}

/// What a status is for the machine.
fn fault(status: i16, wants: Wants) -> HttpFault {
    let is = |code: ErrorCode| status == -i16::from(code.number());
    if is(ErrorCode::TimedOut) {
        HttpFault::TimedOut
    } else if is(ErrorCode::HostNotAllowed) || is(ErrorCode::PermissionDenied) {
        HttpFault::NotAllowed
    } else if is(ErrorCode::Unsupported) {
        HttpFault::Unsupported
    } else if is(ErrorCode::TooLarge) {
        HttpFault::TooLarge
    } else if is(ErrorCode::NotFound) {
        HttpFault::NoKey
    } else if is(ErrorCode::Interrupted) {
        HttpFault::Interrupted
    } else if wants == Wants::Head {
        HttpFault::Connect
    } else {
        HttpFault::Broken
    }
}

/// The head of a fetch. The key is the host's to add.
fn head(request: &HttpRequest) -> String {
    let mut out = Writer::new();
    out.open("{");
    out.string_member("method", request.method);
    out.string_member("url", &request.url);
    out.open(r#""headers":{"#);
    for (name, value) in &request.headers {
        out.string_member(name, value);
    }
    out.close("}");
    out.unsigned_member("timeout_ms", request.between_bytes_ms);
    if let Some(credential) = &request.credential {
        out.open(r#""credential":{"#);
        out.string_member("name", &credential.name);
        out.string_member("header", credential.header);
        out.string_member("prefix", credential.prefix);
        out.close("}");
    }
    out.close("}");
    out.finish()
}
