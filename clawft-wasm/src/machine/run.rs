//! The calls of a reply: the user is asked where the configuration says so, tools are run by the
//! driver, pages are fetched by requests, one after the other.

use core::mem;

use clawft_types::{AgentError, ErrorCode, Result, ToolCall};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::ask::TURN_MS;
use super::effect::Effect;
use super::event::Event;
use super::page::{Fetched, Page};
use super::{Machine, State, unexpected};
use crate::agent::tools::{self, Allowed};

/// Where the calls of a reply stand.
#[derive(Debug, Default)]
pub struct Running {
    /// Those that the user has not decided on.
    undecided: Vec<ToolCall>,
    /// Those that are to be run.
    agreed: Vec<ToolCall>,
    /// How many the driver is running.
    acting: usize,
    /// Pages that are to be fetched, and how many have been.
    pages: Vec<ToolCall>,
    fetched: usize,
    /// The one that is.
    page: Option<Box<Page>>,
}

impl Machine {
    /// Runs the calls of a reply.
    pub(super) fn run(&mut self, wanted: Vec<ToolCall>) -> Result<Effect> {
        let allowed = Allowed::by(&self.config);
        let (undecided, agreed) = tools::split(wanted, &|name| allowed.is_asked(name));
        self.running.agreed = agreed;
        if undecided.is_empty() {
            return self.run_agreed();
        }
        self.running.undecided.clone_from(&undecided);
        self.state = State::Deciding;
        Ok(Effect::Ask(undecided))
    }

    /// The user has decided on a call.
    pub(super) fn decided(&mut self, id: &str, is_allowed: bool) -> Result<Effect> {
        let undecided = &mut self.running.undecided;
        let Some(at) = undecided.iter().position(|call| call.id == id) else {
            self.state = State::Deciding;
            return Ok(unexpected());
        };
        let call = undecided.swap_remove(at);
        let is_last = undecided.is_empty();
        if is_allowed {
            self.running.agreed.push(call);
        } else {
            let message = "{}: the user did not agree to it";
            let name = &[call.name.as_str()];
            let refused = AgentError::new(ErrorCode::PermissionDenied, message, name);
            self.draft.take(&call.id, Err(refused));
        }
        if is_last {
            return self.run_agreed();
        }
        self.state = State::Deciding;
        Ok(Effect::Ask(Vec::new()))
    }

    fn run_agreed(&mut self) -> Result<Effect> {
        let allowed = Allowed::by(&self.config);
        let agreed = mem::take(&mut self.running.agreed);
        let (pages, others) = tools::split(agreed, &|name| allowed.is_page(name));
        self.running.pages = pages;
        self.running.fetched = 0;
        self.running.acting = others.len();
        if others.is_empty() {
            return self.fetch();
        }
        self.state = State::Acting;
        Ok(Effect::Tools(others))
    }

    /// A call that the driver runs has ended.
    pub(super) fn acted(&mut self, id: &str, outcome: Result<String>) -> Result<Effect> {
        let is_awaited =
            !self.running.pages.iter().any(|page| page.id == id) && self.draft.take(id, outcome);
        self.running.acting = self.running.acting.saturating_sub(usize::from(is_awaited));
        if self.running.acting > 0 {
            self.state = State::Acting;
            return Ok(if is_awaited {
                Effect::Tools(Vec::new())
            } else {
                unexpected()
            });
        }
        self.fetch()
    }

    /// Fetches the next page; asks the provider when there is none.
    fn fetch(&mut self) -> Result<Effect> {
        let until_ms = match self.started_ms {
            0 => 0,
            started_ms => started_ms + TURN_MS,
        };
        while let Some(call) = self.running.pages.get(self.running.fetched) {
            self.running.fetched += 1;
            match Page::begin(call, &self.config.tools, until_ms) {
                Ok((page, request)) => {
                    self.running.page = Some(page);
                    self.state = State::Fetching;
                    return Ok(Effect::Http(request));
                }
                Err(error) => {
                    self.draft.take(&call.id, Err(error));
                }
            }
        }
        self.ask()
    }

    /// Something has come of a page.
    pub(super) fn fetched(&mut self, event: &Event<'_>) -> Result<Effect> {
        self.state = State::Fetching;
        let Some(page) = &mut self.running.page else {
            return Ok(unexpected());
        };
        match page.step(event, &self.config.tools) {
            Fetched::More => Ok(Effect::Receive),
            Fetched::Go(request) => Ok(Effect::Http(request)),
            Fetched::Unexpected => Ok(unexpected()),
            Fetched::Over(outcome) => {
                self.draft.take(&page.id, outcome);
                self.running.page = None;
                self.state = State::Idle;
                self.fetch()
            }
        }
    }
}
