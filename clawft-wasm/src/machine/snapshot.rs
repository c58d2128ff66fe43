//! A session, and how far it and its store agree.

use clawft_types::json::unsigned;
use clawft_types::{Limits, Message, Session, ToolResult, text};
use core_alloc::boxed::Box;
use core_alloc::string::String;

/// A session as a store handed it out, with what has been added since.
#[derive(Debug)]
pub struct Snapshot {
    /// The session.
    pub session: Box<Session>,
    /// What the store has of it; for files, bytes. 0 where there is nothing, or nothing of use.
    pub version: u64,
    /// Messages at the end of the session that are not in the store.
    pub unsaved: usize,
    /// The numbers of the next message and call, and the session's tokens, without those.
    pub saved: Numbers,
    /// Whether the store has it in an old form, to be replaced.
    pub is_old: bool,
    /// Whether what the store had of it is gone: all of it is to be saved.
    pub is_gone: bool,
    /// Bytes of the last request, and the tokens that the provider took them for.
    pub measured: (u64, u64),
}

/// What a byte is taken for before a provider has said it: four of them are a token.
const GUESSED: (u64, u64) = (4, 1);

/// The numbers of the next message and the next call, and tokens.
pub type Numbers = (u64, u64, u64);

impl Snapshot {
    /// Of a session that is nowhere yet.
    pub fn new(name: &str) -> Self {
        Snapshot {
            session: Box::new(Session::new(name)),
            version: 0,
            unsaved: 0,
            saved: (1, 1, 0),
            is_old: false,
            is_gone: false,
            measured: GUESSED,
        }
    }

    /// Tokens of so many bytes of a request, as far as can be known.
    pub fn tokens_of(&self, bytes: u64) -> u64 {
        let (of, tokens) = self.measured;
        bytes
            .saturating_mul(tokens)
            .checked_div(of)
            .unwrap_or(bytes)
    }

    /// Takes in what a request of so many bytes came to, within what can be right.
    pub fn measure(&mut self, bytes: u64, tokens: u64) {
        if tokens > 0 {
            self.measured = (bytes, tokens.clamp(bytes / 8, bytes));
        }
    }

    /// Whether the store has all of it.
    pub fn is_saved(&self) -> bool {
        self.unsaved == 0 && self.version > 0
    }

    /// Whether there is anything in it.
    pub fn is_begun(&self) -> bool {
        self.session.turns > 0
    }

    /// The store has all of it, and is of this version.
    pub fn save(&mut self, version: u64) {
        self.version = version;
        self.unsaved = 0;
        self.saved = self.numbers();
        self.is_old = false;
        self.is_gone = false;
        self.mark_summary(false);
    }

    /// Says whether the store is still to get the summary.
    pub fn mark_summary(&mut self, is_new: bool) {
        if let Some(summary) = &mut self.session.summary {
            summary.is_new = is_new;
        }
    }

    /// What is counted, as it is now.
    pub fn numbers(&self) -> Numbers {
        let session = &self.session;
        (session.next_message, session.next_call, session.tokens)
    }

    /// Counts on from these numbers.
    pub fn count_from(&mut self, numbers: Numbers) {
        let session = &mut self.session;
        (session.next_message, session.next_call, session.tokens) = numbers;
    }

    /// Keeps to `limits`.
    pub fn trim(&mut self, limits: &Limits) {
        self.session.trim(limits);
        self.unsaved = self.unsaved.min(self.session.messages.len());
    }
}

/// Where messages and calls were counted from, and are now: others have come before them.
#[derive(Debug, Clone, Copy)]
pub struct Shift {
    /// The first numbers before.
    pub from: Numbers,
    /// The first numbers now.
    pub to: Numbers,
}

impl Shift {
    /// Counts a message and its calls anew.
    pub fn message(self, message: &mut Message) {
        renumber(&mut message.id, "m", self.from.0, self.to.0);
        self.call(&mut message.call_id);
        for call in &mut message.tool_calls {
            self.call(&mut call.id);
        }
    }

    /// Counts a result's call anew.
    pub fn result(self, result: &mut ToolResult) {
        self.call(&mut result.call_id);
    }

    fn call(self, id: &mut String) {
        renumber(id, "c", self.from.1, self.to.1);
    }
}

/// Counts `id` from `to` on instead of `from`.
fn renumber(id: &mut String, name: &str, from: u64, to: u64) {
    let number = id.get(name.len()..).and_then(unsigned);
    if let Some(after) = number.and_then(|number| number.checked_sub(from)) {
        *id = text::numbered(name, to + after);
    }
}
