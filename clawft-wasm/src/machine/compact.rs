//! A conversation that is too long for the model: its oldest turns are summed up in one request,
//! and the summary stands for them from then on. The store keeps all turns.

use core::mem;

use clawft_types::json::unsigned;
use clawft_types::{ErrorCode, Message, Result, Role, Summary, text};
use core_alloc::boxed::Box;
use core_alloc::string::String;

use super::Machine;
use super::ask::Asked;
use super::effect::Effect;
use super::exchange::Fault;
use crate::agent::provider;
use crate::agent::route;

/// Turns that stay whole, unless the provider complains.
const KEPT_TURNS: usize = 4;

/// The longest summary, in bytes.
const MAX_BYTES: usize = 2048;

/// What is asked for.
const PROMPT: &str = "Sum up this conversation so far in at most 2000 characters, for yourself: \
                      facts, decisions, names, what is still open. Nothing else.";

/// What stands before a summary.
const PREFACE: &str = "(What was said before, summed up:)\n";

/// Where a turn stands with its history.
#[derive(Debug, Default)]
pub struct Compacting {
    /// What is left out in this turn without a summary, as the first message that is not.
    start: usize,
    /// The first message that the summary which is asked for does not stand for; 0 where none is
    /// asked for.
    cut: usize,
    /// Whether it was done because of the size, and because the provider complained.
    is_done: bool,
    is_shortened: bool,
    /// How it went.
    pub outcome: Option<&'static str>,
}

impl Compacting {
    /// Whether the request that is outstanding is for a summary.
    pub fn is_under_way(&self) -> bool {
        self.cut > 0
    }
}

impl Machine {
    /// The first message of the history that a request has whole.
    pub(super) fn start(&self) -> usize {
        let session = &self.snapshot.session;
        let summed = session.summary.as_ref().map_or(0, |summary| {
            let mut messages = session.messages.iter();
            let is_after = |message: &Message| number(message) >= summary.before;
            messages
                .position(is_after)
                .unwrap_or(session.messages.len())
        });
        summed.max(self.asking.compacting.start)
    }

    /// What stands for the messages before.
    pub(super) fn summary(&self) -> &str {
        let summary = self.snapshot.session.summary.as_ref();
        summary.map_or("", |summary| summary.text.as_str())
    }

    /// Where to cut the history because of a request of so many bytes, if that is more than three
    /// quarters of what the model takes: behind as many of the oldest turns as leave half of that.
    pub(super) fn cut_for(&self, bytes: u64) -> Option<usize> {
        let route = route::choose(&self.config, self.intent, self.asking.provider).ok()?;
        let most = route.provider.context_tokens / 4 * 3;
        if most == 0 || self.asking.compacting.is_done || self.snapshot.tokens_of(bytes) <= most {
            return None;
        }
        let messages = &self.snapshot.session.messages;
        let is_user = |at: &usize| messages.get(*at).is_some_and(|it| it.role == Role::User);
        let mut last = (0..messages.len()).rev().filter(is_user);
        let latest = last.nth(KEPT_TURNS - 1)?;
        let start = self.start();
        let mut left = bytes;
        let mut cut = None;
        for (at, message) in messages.iter().enumerate().take(latest + 1).skip(start) {
            if at > start && is_user(&at) && self.may_cut(message) {
                cut = Some(at);
                if self.snapshot.tokens_of(left) <= most / 2 {
                    break;
                }
            }
            left = left.saturating_sub(message.bytes() as u64);
        }
        cut
    }

    /// Whether the number of the message is for good: what the store does not have yet is numbered
    /// anew where others have written meanwhile.
    fn may_cut(&self, message: &Message) -> bool {
        self.snapshot.version == 0 || number(message) <= self.snapshot.saved.0
    }

    /// The provider says that the request is too long: sums up the older half of the history.
    ///
    /// # Errors
    ///
    /// `context_exceeded` where that has been done already, or there is nothing to leave out.
    pub(super) fn shorten(&mut self, mut fault: Box<Fault>) -> Result<Effect> {
        let messages = &self.snapshot.session.messages;
        let start = self.start();
        let half = start + messages.len().saturating_sub(start).div_ceil(2);
        let mut later = messages.iter().skip(half);
        let later = later.position(|message| message.role == Role::User);
        let cut = later.map_or(messages.len(), |later| half + later);
        let again = mem::replace(&mut self.asking.compacting.is_shortened, true);
        if again || cut == start {
            fault.code = ErrorCode::ContextExceeded;
            return Err(self.error(&fault));
        }
        self.compact(cut)
    }

    /// Asks for a summary of what is before `cut`.
    pub(super) fn compact(&mut self, cut: usize) -> Result<Effect> {
        self.asking.compacting.is_done = true;
        self.asking.compacting.cut = cut;
        let messages = &self.snapshot.session.messages;
        let history = messages.get(..cut).unwrap_or(messages);
        let prompt = [Message::new(String::new(), Role::User, PROMPT, 0)];
        match self.question_of(history, &prompt, false)? {
            Asked::Request(request, exchange)
                if request.body.len() <= provider::MAX_REQUEST_BYTES =>
            {
                Ok(self.send(request, exchange))
            }
            _ => self.compacted(""),
        }
    }

    /// The summary is there, or there is none: goes on with the turn.
    pub(super) fn compacted(&mut self, summary: &str) -> Result<Effect> {
        let cut = mem::take(&mut self.asking.compacting.cut);
        let summary = text::trim(summary);
        let session = &mut self.snapshot.session;
        if summary.is_empty() {
            self.asking.compacting.start = cut;
            self.asking.compacting.outcome = Some("dropped");
        } else {
            let mut text = String::from(PREFACE);
            text.push_str(text::up_to(summary, MAX_BYTES));
            let first = session.messages.get(cut);
            session.summary = Some(Box::new(Summary {
                before: first.map_or(session.next_message, number),
                text,
                is_new: true,
            }));
            self.asking.compacting.outcome = Some("summary");
        }
        self.ask()
    }
}

/// The number in a message's id.
fn number(message: &Message) -> u64 {
    message.id.get(1..).and_then(unsigned).unwrap_or_default()
}
