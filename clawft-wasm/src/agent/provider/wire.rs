//! A context as any provider accepts it, piece by piece: the history made legal.
//!
//! The first message is the user's; nothing is empty; every call has its result right behind it,
//! and no result is without its call. What sessions of others die of is a history that a crash, an
//! edit or a cut has made otherwise.

use clawft_types::{Message, Role, ToolCall, text};
use core_alloc::string::String;

use crate::agent::context::Context;

/// A piece of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// What the user said; not blank.
    User(&'a str),
    /// What the provider said.
    Assistant {
        /// The text; empty only where there are calls.
        text: &'a str,
        /// Its thinking, as [`Completion`](crate::agent::completion::Completion) has it.
        thinking: &'a str,
        /// Its calls. Their results come next, in this order.
        calls: &'a [ToolCall],
    },
    /// What a call came to; not blank.
    Result(&'a str),
}

/// Hands the items of `context` to `take`, from the message `start` of the history on.
pub fn items<'a>(context: &Context<'a>, take: &mut dyn FnMut(Item<'a>)) {
    let mut is_begun = false;
    if !context.summary.is_empty() {
        is_begun = true;
        take(Item::User(context.summary));
    }
    for (at, message) in context.history.iter().enumerate() {
        if at >= context.start || is_pinned(message) {
            let after = context.history.get(at + 1..).unwrap_or_default();
            item(message, after, "", &mut is_begun, take);
        }
    }
    for (at, message) in context.turn.iter().enumerate() {
        let after = context.turn.get(at + 1..).unwrap_or_default();
        let thinking = context.thinking.iter().find(|of| of.0 == at);
        let thinking = thinking.map_or("", |of| of.1.as_str());
        item(message, after, thinking, &mut is_begun, take);
    }
}

/// Whether a message stays when what was said around it is summed up: the user has begun it with
/// `/pin`.
fn is_pinned(message: &Message) -> bool {
    message.role == Role::User && text::word(&message.content).0 == "/pin"
}

fn item<'a>(
    message: &'a Message,
    after: &'a [Message],
    thinking: &'a str,
    is_begun: &mut bool,
    take: &mut dyn FnMut(Item<'a>),
) {
    let content = message.content.as_str();
    let blank = text::trim(content).is_empty();
    match message.role {
        Role::User if !blank => {
            *is_begun = true;
            take(Item::User(content));
        }
        Role::Assistant if *is_begun && !(blank && message.tool_calls.is_empty()) => {
            let calls = message.tool_calls.as_slice();
            take(Item::Assistant {
                text: if blank { "" } else { content },
                thinking,
                calls,
            });
            for call in calls {
                take(Item::Result(result(call, after)));
            }
        }
        // Results go with their calls.
        _ => {}
    }
}

/// What `call` came to, as the messages right behind it have it.
fn result<'a>(call: &ToolCall, after: &'a [Message]) -> &'a str {
    let results = after.iter().take_while(|next| next.role == Role::Tool);
    let mut own = results.filter(|next| next.call_id == call.id);
    match own.next() {
        None => "error interrupted: nobody knows what this came to",
        Some(message) if text::trim(&message.content).is_empty() => "(nothing)",
        Some(message) => &message.content,
    }
}

/// The id of the call with this number in a request. Numbered anew in each, so that none is empty
/// or there twice; nine letters and digits, which is what the strictest servers take.
pub fn call_id(number: u64) -> String {
    let mut id = text::numbered("", number);
    while id.len() < 8 {
        id.insert(0, '0');
    }
    id.insert(0, 'c');
    id
}

/// The tool of a call, if that can be the name of one.
pub fn name(call: &ToolCall) -> &str {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let name = call.name.as_str();
    if name.is_empty() || name.len() > 64 || !name.bytes().all(fine) {
        return "unknown";
    }
    name
}

/// The arguments of a call as a JSON object, whatever they were.
pub fn arguments(call: &ToolCall) -> &str {
    if call.arguments.starts_with('{') {
        &call.arguments
    } else {
        "{}"
    }
}

#[cfg(test)]
mod tests;
