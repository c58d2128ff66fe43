//! The pipeline: classify → route → assemble context → call provider ⇄ run tools → answer.
//!
//! A turn collects its messages by itself and adds them to the session when it is through: an error
//! on the way leaves the session as it was.

use clawft_types::json::decimal;
use clawft_types::{
    AgentError, Answer, ErrorCode, Message, Request, Result, Role, Session, ToolResult, Usage, text,
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
/// `no_provider`, `too_many_rounds`, and whatever the provider fails with.
pub fn run(agent: &mut Agent, session: &mut Session, request: Request) -> Result<Box<Answer>> {
    let config = &agent.config;
    let input_bytes = request.bytes as u64;
    let intent = intent::classify(&request.text);
    let route = route::choose(config, intent)?;
    let allowed = Allowed::by(config);

    let mut turn = Turn {
        messages: Vec::new(),
        next_message: session.next_message,
        next_call: session.next_call,
        now_ms: platform::now_ms(),
    };
    let question = turn.next(Role::User, &request.text);
    turn.messages.push(question);
    let mut tool_results = Vec::new();
    let mut tool_rounds = 0;
    let text = loop {
        let context = Context {
            model: route.model,
            temperature_milli: config.temperature_milli,
            system: &config.system,
            intent,
            history: &session.messages,
            turn: &turn.messages,
            tools: allowed,
        };
        match provider::complete(route.provider.kind, &context)? {
            Completion::Text(text) => break text,
            Completion::Calls(mut calls) => {
                if tool_rounds == config.limits.max_tool_rounds {
                    return Err(too_many(tool_rounds));
                }
                tool_rounds += 1;
                let mut message = turn.next(Role::Assistant, "");
                let mut results = Vec::new();
                for call in &mut calls {
                    call.id = turn.next_call();
                    let result = ToolResult {
                        call_id: call.id.clone(),
                        name: call.name.clone(),
                        outcome: tools::run(
                            call,
                            allowed,
                            &config.limits,
                            &agent.workspace,
                            &mut agent.memory,
                        ),
                    };
                    let mut shown = turn.next(Role::Tool, &result.text());
                    shown.call_id = call.id.clone();
                    results.push(shown);
                    tool_results.push(result);
                }
                message.tool_calls = calls;
                turn.messages.push(message);
                turn.messages.append(&mut results);
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
        message,
        tool_results,
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

fn too_many(rounds: u64) -> Box<AgentError> {
    AgentError::new(
        ErrorCode::TooManyRounds,
        "the provider called tools more than limits.max_tool_rounds = {} times",
        &[&decimal(rounds)],
    )
}

/// The messages of this turn, numbered on from the session's.
struct Turn {
    messages: Vec<Message>,
    next_message: u64,
    next_call: u64,
    now_ms: u64,
}

impl Turn {
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
