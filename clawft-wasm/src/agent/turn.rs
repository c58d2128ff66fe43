//! The pipeline: classify → route → assemble context → call provider ⇄ run tools → answer.
//!
//! A turn collects its messages by itself and adds them to the session when it is through: an error
//! on the way leaves the session as it was. When the rounds of tools are used up the provider is
//! asked once more, without tools: what they did is kept, and answered.

use clawft_types::json::decimal;
use clawft_types::{
    AgentError, Answer, ErrorCode, Message, Request, Result, Role, Session, ToolCall, ToolResult,
    Usage, text,
};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::completion::Completion;
use super::context::Context;
use super::state::Agent;
use super::tools::{self, Allowed};
use super::{intent, provider, route};
use crate::platform;

/// Answers `request` in `session`.
///
/// # Errors
///
/// `no_provider`, and whatever the provider fails with.
pub fn run(agent: &mut Agent, session: &mut Session, request: Request) -> Result<Box<Answer>> {
    let config = &agent.config;
    let input_bytes = request.bytes as u64;
    let intent = intent::classify(&request.text);
    let route = route::choose(config, intent)?;
    let allowed = Allowed::by(config);

    let mut turn = Turn {
        messages: Vec::new(),
        results: Vec::new(),
        result_bytes: 0,
        next_message: session.next_message,
        next_call: session.next_call,
        now_ms: platform::now_ms(),
    };
    let question = turn.next(Role::User, &request.text);
    turn.messages.push(question);
    let mut tool_rounds = 0;
    let mut finish = "stop";
    let text = loop {
        let context = Context {
            model: route.model,
            temperature_milli: config.temperature_milli,
            system: &config.system,
            intent,
            history: &session.messages,
            turn: &turn.messages,
            tools: (finish == "stop").then_some(allowed),
        };
        match provider::complete(route.provider.kind, &context)? {
            Completion::Text(text) => break text,
            Completion::Calls(_) if tool_rounds == config.limits.max_tool_rounds => {
                finish = "tool_limit";
            }
            Completion::Calls(calls) => {
                tool_rounds += 1;
                let memory = &mut agent.memory;
                turn.act(calls, |call| {
                    tools::run(call, allowed, &config.limits, &agent.workspace, memory)
                });
            }
        }
    };
    let output_bytes = text.len() as u64;
    let (message, messages) = turn.end(session, &text);
    Ok(Box::new(Answer {
        session: session.name.clone(),
        intent: intent.as_str(),
        provider: route.provider.name.clone(),
        model: String::from(route.model),
        finish,
        message,
        tool_results: turn.results,
        usage: Usage {
            messages,
            tool_rounds,
            input_bytes,
            output_bytes,
            ..Usage::default()
        },
        not_persisted: None,
    }))
}

/// Why a call is not run, if it is not: calls and results are bounded, for a reply of a few bytes
/// can ask for many of both.
fn too_many(position: usize, result_bytes: usize) -> Result<()> {
    let (what, limit) = if position >= tools::MAX_CALLS {
        ("calls in one reply", tools::MAX_CALLS)
    } else if result_bytes >= tools::MAX_RESULT_BYTES {
        ("bytes of results in a turn", tools::MAX_RESULT_BYTES)
    } else {
        return Ok(());
    };
    Err(AgentError::new(
        ErrorCode::TooLarge,
        "not run: more than {} {}",
        &[&decimal(limit as u64), what],
    ))
}

/// The messages of this turn, numbered on from the session's, and what its tools came to.
struct Turn {
    messages: Vec<Message>,
    results: Vec<ToolResult>,
    result_bytes: usize,
    next_message: u64,
    next_call: u64,
    now_ms: u64,
}

impl Turn {
    /// Runs the calls of one reply; adds them and their results.
    fn act(&mut self, mut calls: Vec<ToolCall>, mut run: impl FnMut(&ToolCall) -> Result<String>) {
        let mut message = self.next(Role::Assistant, "");
        let mut results = Vec::new();
        for (position, call) in calls.iter_mut().enumerate() {
            call.id = self.next_call();
            let outcome = too_many(position, self.result_bytes).and_then(|()| run(call));
            let result = ToolResult {
                call_id: call.id.clone(),
                name: call.name.clone(),
                outcome,
            };
            let text = result.text();
            self.result_bytes += text.len();
            let mut shown = self.next(Role::Tool, &tools::shown(text));
            shown.call_id = call.id.clone();
            results.push(shown);
            self.results.push(result);
        }
        message.tool_calls = calls;
        self.messages.push(message);
        self.messages.append(&mut results);
    }

    /// Adds the turn with its answer to the session; gives the answer and the number of messages.
    fn end(&mut self, session: &mut Session, text: &str) -> (Message, u64) {
        let message = self.next(Role::Assistant, text);
        // What the session keeps: the same again.
        self.messages.push(Message::new(
            &message.id,
            message.role,
            text,
            message.timestamp_ms,
        ));
        let messages = self.messages.len() as u64;
        session.next_message = self.next_message;
        session.next_call = self.next_call;
        session.messages.append(&mut self.messages);
        (message, messages)
    }

    fn next(&mut self, role: Role, content: &str) -> Message {
        let id = text::numbered("m", self.next_message);
        self.next_message += 1;
        Message::new(&id, role, content, self.now_ms)
    }

    fn next_call(&mut self) -> String {
        let id = text::numbered("c", self.next_call);
        self.next_call += 1;
        id
    }
}
