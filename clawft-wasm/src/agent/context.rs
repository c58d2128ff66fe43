//! Assemble, the third stage: everything a provider gets to see.

use clawft_types::{Message, Role};
use core_alloc::string::String;

use super::intent::Intent;
use super::tools::Allowed;

/// What a provider answers. Borrowed from session and configuration; nothing is copied.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The model to answer with.
    pub model: &'a str,
    /// Temperature in thousandths, if one is asked for.
    pub temperature_milli: Option<u16>,
    /// Text before the conversation; may be empty.
    pub system: &'a str,
    /// What the last user message is about.
    pub intent: Intent,
    /// The session so far, oldest first, without this turn.
    pub history: &'a [Message],
    /// The first message of the history that a request has; of what is before it, pinned notes
    /// alone.
    pub start: usize,
    /// What stands for the messages that are left out; may be empty.
    pub summary: &'a str,
    /// This turn: the user's message, then calls and their results.
    pub turn: &'a [Message],
    /// The thinking of messages of this turn, by their place in it.
    pub thinking: &'a [(usize, String)],
    /// The tools that there are.
    pub allowed: Allowed<'a>,
    /// The tools that may be called; none when the turn has to end with this answer.
    pub tools: Option<Allowed<'a>>,
}

impl<'a> Context<'a> {
    /// The user's message of this turn.
    pub fn question(&self) -> &'a str {
        self.turn
            .first()
            .map_or("", |message| message.content.as_str())
    }

    /// How often tools were called in this turn.
    pub fn rounds(&self) -> usize {
        self.turn
            .iter()
            .filter(|message| message.role == Role::Assistant)
            .count()
    }
}
