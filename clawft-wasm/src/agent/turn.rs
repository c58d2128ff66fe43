//! The pipeline: classify → route → assemble context → call provider ⇄ run tools → answer.
//!
//! A turn collects its messages by itself and adds them to the session when it is through: an error
//! on the way leaves the session as it was.

use clawft_types::json::decimal;
use clawft_types::{
    AgentError, Answer, ErrorCode, Message, Request, Result, Role, Session, ToolCall, ToolResult,
    Usage, text,
};
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::context::Context;
use super::provider::{self, Completion};
use super::{Agent, intent, route, tools};
use crate::platform;

/// Answers `request` in `session`.
///
/// # Errors
///
/// `no_provider`, `too_many_rounds`, and whatever the provider fails with.
pub fn run(agent: &mut Agent, session: &mut Session, request: Request) -> Result<Answer> {
    let config = &agent.config;
    let input_bytes = request.bytes as u64;
    let intent = intent::classify(&request.text);
    let route = route::choose(config, intent)?;
    let allowed = tools::allowed(config);

    let mut turn = Turn {
        messages: Vec::new(),
        next_message: session.next_message,
        next_call: session.next_call,
        now_ms: platform::now_ms(),
    };
    let question = turn.next(Role::User, request.text);
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
            tools: &allowed,
        };
        match provider::complete(route.provider.kind, &context)? {
            Completion::Text(text) => break text,
            Completion::Calls(wishes) => {
                if tool_rounds == config.limits.max_tool_rounds {
                    let limit = decimal(tool_rounds);
                    return Err(AgentError::new(
                        ErrorCode::TooManyRounds,
                        &[
                            "the provider called tools more than limits.max_tool_rounds = ",
                            &limit,
                            " times",
                        ],
                    ));
                }
                tool_rounds += 1;
                for call in turn.call(wishes) {
                    let outcome = tools::run(
                        &call,
                        &allowed,
                        &config.limits,
                        &agent.workspace,
                        &mut agent.memory,
                    );
                    let result = ToolResult {
                        call_id: call.id,
                        name: call.name,
                        outcome,
                    };
                    let mut message = turn.next(Role::Tool, result.text());
                    message.call_id.clone_from(&result.call_id);
                    turn.messages.push(message);
                    tool_results.push(result);
                }
            }
        }
    };
    let output_bytes = text.len() as u64;
    let message = turn.next(Role::Assistant, text);
    turn.messages.push(message.clone());
    let messages = turn.messages.len() as u64;
    session.next_message = turn.next_message;
    session.next_call = turn.next_call;
    session.messages.append(&mut turn.messages);
    Ok(Answer {
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
    })
}

/// The messages of this turn, numbered on from the session's.
struct Turn {
    messages: Vec<Message>,
    next_message: u64,
    next_call: u64,
    now_ms: u64,
}

impl Turn {
    fn next(&mut self, role: Role, content: String) -> Message {
        let id = text::concat(&["m", &decimal(self.next_message)]);
        self.next_message += 1;
        Message {
            id,
            role,
            content,
            timestamp_ms: self.now_ms,
            tool_calls: Vec::new(),
            call_id: String::new(),
        }
    }

    /// Adds the assistant's message with these calls, and gives them numbered.
    fn call(&mut self, wishes: Vec<provider::Wish>) -> Vec<ToolCall> {
        let mut calls = Vec::new();
        for wish in wishes {
            let id = text::concat(&["c", &decimal(self.next_call)]);
            self.next_call += 1;
            calls.push(ToolCall {
                id,
                name: wish.name,
                arguments: wish.arguments,
            });
        }
        let mut message = self.next(Role::Assistant, String::new());
        message.tool_calls.clone_from(&calls);
        self.messages.push(message);
        calls
    }
}
