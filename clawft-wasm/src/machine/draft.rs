//! The messages of a turn while it lasts, numbered on from the session's, and what its tools came
//! to.

use clawft_types::json::decimal;
use clawft_types::{
    AgentError, ErrorCode, Message, Result, Role, Session, ToolCall, ToolResult, text,
};
use core_alloc::string::String;
use core_alloc::vec::Vec;

use crate::agent::tools;

/// What a turn has so far. The session gets it when the turn ends.
#[derive(Debug, Default)]
pub struct Draft {
    /// The user's message, then calls and their results.
    pub messages: Vec<Message>,
    /// The thinking beside calls, by the place of their message.
    pub thinking: Vec<(usize, String)>,
    /// What the tools came to, in the order of the calls.
    pub results: Vec<ToolResult>,
    result_bytes: usize,
    next_message: u64,
    next_call: u64,
    now_ms: u64,
    /// What the calls of the last reply came to so far; empty when all have ended.
    outcomes: Vec<Option<Result<String>>>,
    /// How often the last call of a reply has failed in the same way, in a row; and its arguments.
    same_failures: usize,
    failed_with: String,
}

/// As often as the same call may fail in the same way in a row.
const MAX_SAME_FAILURES: usize = 3;

impl Draft {
    /// Of a turn in `session` that begins now, with what the user said.
    pub fn new(session: &Session, question: &str, now_ms: u64) -> Self {
        let mut draft = Draft {
            next_message: session.next_message,
            next_call: session.next_call,
            now_ms,
            ..Draft::default()
        };
        let question = draft.next(Role::User, question);
        draft.messages.push(question);
        draft
    }

    /// Adds a reply that wants tools run; gives the calls that are to be run. The others have their
    /// results already: calls and results are bounded, for a reply of a few bytes can ask for many
    /// of both.
    pub fn call(&mut self, content: &str, mut calls: Vec<ToolCall>) -> Vec<ToolCall> {
        let mut wanted = Vec::new();
        for (position, call) in calls.iter_mut().enumerate() {
            call.id = text::numbered("c", self.next_call);
            self.next_call += 1;
            let refused = if position >= tools::MAX_CALLS {
                Some(too_many(
                    tools::MAX_CALLS,
                    "not run: more than {} calls in one reply",
                ))
            } else if self.is_full() {
                Some(no_room("not run"))
            } else if call.arguments.starts_with('"') {
                Some(no_json(call))
            } else {
                wanted.push(call.clone());
                None
            };
            self.outcomes.push(refused);
        }
        let mut message = self.next(Role::Assistant, content);
        message.tool_calls = calls;
        self.messages.push(message);
        self.close();
        wanted
    }

    /// A call has ended. Whether it is one that was awaited.
    pub fn take(&mut self, id: &str, mut outcome: Result<String>) -> bool {
        let calls = self
            .messages
            .last()
            .map_or(&[][..], |last| &last.tool_calls);
        let at = calls.iter().position(|call| call.id == id);
        let full = self.is_full();
        let Some(slot) = at.and_then(|at| self.outcomes.get_mut(at)) else {
            return false;
        };
        if slot.is_some() {
            return false;
        }
        if full && outcome.is_ok() {
            outcome = no_room("its result is left out");
        }
        self.result_bytes += outcome.as_ref().map_or(0, String::len);
        *slot = Some(outcome);
        self.close();
        true
    }

    /// Whether calls have not ended yet.
    pub fn is_waiting(&self) -> bool {
        !self.outcomes.is_empty()
    }

    /// Makes messages of the outcomes when all are there.
    fn close(&mut self) {
        if !self.outcomes.iter().all(Option::is_some) {
            return;
        }
        // The message with the calls, and the last result before theirs.
        let (asked, known) = (self.messages.len().wrapping_sub(1), self.results.len());
        for (at, outcome) in core::mem::take(&mut self.outcomes).into_iter().enumerate() {
            let call = self
                .messages
                .get(asked)
                .and_then(|it| it.tool_calls.get(at));
            let (Some(call), Some(outcome)) = (call, outcome) else {
                return;
            };
            let result = ToolResult {
                call_id: call.id.clone(),
                name: call.name.clone(),
                outcome,
            };
            let mut shown = self.next(Role::Tool, &tools::shown(result.text()));
            shown.call_id.push_str(&result.call_id);
            self.messages.push(shown);
            self.results.push(result);
        }
        let calls = self.messages.get(asked).map(|it| it.tool_calls.as_slice());
        let (Some([.., call]), Some(last)) = (calls, self.results.last()) else {
            return;
        };
        let is_failed = last.outcome.is_err();
        let before = self.results.get(known.wrapping_sub(1));
        if !is_failed {
            self.same_failures = 0;
        } else if self.failed_with != call.arguments
            || before.is_none_or(|it| it.name != last.name || it.outcome != last.outcome)
        {
            self.same_failures = 1;
        } else {
            self.same_failures += 1;
        }
        self.failed_with.clone_from(&call.arguments);
    }

    /// Whether the provider makes the same mistake again and again.
    pub fn is_stuck(&self) -> bool {
        self.same_failures >= MAX_SAME_FAILURES
    }

    /// Adds the turn with its answer to the session; gives the answer and the number of messages.
    pub fn end(&mut self, session: &mut Session, text: &str) -> (Message, usize) {
        let message = self.next(Role::Assistant, text);
        // What the session keeps: the same again.
        let (id, now_ms) = (message.id.clone(), message.timestamp_ms);
        let kept = Message::new(id, message.role, text, now_ms);
        self.messages.push(kept);
        let messages = &mut self.fail(session);
        let count = messages.len();
        session.messages.append(messages);
        (message, count)
    }

    /// Ends the turn in the session without its messages, which are given back: their numbers are
    /// used.
    pub fn fail(&mut self, session: &mut Session) -> Vec<Message> {
        session.next_message = self.next_message;
        session.next_call = self.next_call;
        session.turns += 1;
        core::mem::take(&mut self.messages)
    }

    fn is_full(&self) -> bool {
        self.result_bytes >= tools::MAX_RESULT_BYTES
    }

    fn next(&mut self, role: Role, content: &str) -> Message {
        let id = text::numbered("m", self.next_message);
        self.next_message += 1;
        Message::new(id, role, content, self.now_ms)
    }
}

fn no_room(what: &str) -> Result<String> {
    let template = text::fill("{}: more than {} bytes of results in a turn", &[what, "{}"]);
    too_many(tools::MAX_RESULT_BYTES, &template)
}

fn too_many(limit: usize, template: &str) -> Result<String> {
    let limit = decimal(limit as u64);
    Err(AgentError::new(ErrorCode::TooLarge, template, &[&limit]))
}

/// The arguments of a call are a text where an object has to be: that of a provider's which is no
/// JSON.
fn no_json(call: &ToolCall) -> Result<String> {
    let template = "{}: the arguments are no JSON object: {}";
    let shown = text::first_characters(&call.arguments, 200);
    let values = [call.name.as_str(), shown];
    Err(AgentError::new(
        ErrorCode::InvalidArguments,
        template,
        &values,
    ))
}
