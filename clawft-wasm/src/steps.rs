//! Turns in steps: what a turn wants of the host goes out in a frame, and is supplied in another.
//!
//! Nothing blocks: several turns are in flight in one instance, each in a session of its own, and
//! the host does what it is asked for in its own time. [`frame`] has the format. Store and tools
//! are done here ([`Turn`]); HTTP, waiting and showing are calls of the host.

pub mod frame;
mod task;

use clawft_types::{AgentError, ErrorCode, Result};
use core_alloc::string::String;
use core_alloc::vec::Vec;

use crate::agent::Agent;
use crate::agent::turn::Turn;
use crate::machine::Event;
use frame::Supplied;
use task::{Task, Wants};

/// Turns that may be in flight.
const MAX_TASKS: usize = 16;

/// The turns in flight.
#[derive(Debug, Default)]
pub struct Steps {
    tasks: Vec<Task>,
    last_task: u32,
    last_call: u32,
}

/// Where a turn stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It is over; this is the answer, as JSON.
    Over(String),
    /// It waits; this is a frame with the calls that are new.
    Waiting(Vec<u8>),
}

impl Steps {
    /// No turn yet.
    pub const fn new() -> Self {
        Steps {
            tasks: Vec::new(),
            last_task: 0,
            last_call: 0,
        }
    }

    /// Begins a turn with a message, which is taken as it is; gives the number of its task, from 1.
    ///
    /// # Errors
    ///
    /// `busy` while the session has a turn in flight, or too many are; what is wrong with session
    /// or message is in the answer.
    pub fn start(
        &mut self,
        agent: &mut Agent,
        session: &str,
        text: &str,
        now_ms: u64,
    ) -> Result<u32> {
        self.check(session)?;
        if self.tasks.len() >= MAX_TASKS {
            let message = "16 turns are in flight";
            return Err(AgentError::new(ErrorCode::Busy, message, &[]));
        }
        self.last_task = self.last_task.wrapping_add(1) & 0x7FFF_FFFF;
        let mut task = Task {
            number: self.last_task,
            session: String::from(session),
            turn: Turn::asking(agent),
            call: 0,
            open: Vec::new(),
            wants: Wants::Time,
            calls: Vec::new(),
            count: 0,
            answer: None,
        };
        let event = Event::Message {
            session,
            text,
            now_ms,
            seed: now_ms ^ u64::from(self.last_task),
        };
        task.step(agent, event, &mut self.last_call);
        self.tasks.push(task);
        Ok(self.last_task)
    }

    /// Checks that no turn is in flight in `session`.
    ///
    /// # Errors
    ///
    /// `busy`.
    pub fn check(&self, session: &str) -> Result<()> {
        if self.tasks.iter().any(|task| task.session == session) {
            let message = "session {} has a turn in flight";
            return Err(AgentError::new(ErrorCode::Busy, message, &[session]));
        }
        Ok(())
    }

    /// Where a task stands. Calls are handed out once; so is the answer, after which there is no
    /// such task.
    ///
    /// # Errors
    ///
    /// `not_found` where there is no such task.
    pub fn poll(&mut self, task: u32) -> Result<Progress> {
        let at = self.find(task)?;
        let Some(known) = self.tasks.get_mut(at) else {
            return Err(no_task());
        };
        Ok(match known.answer.take() {
            Some(answer) => {
                self.tasks.swap_remove(at);
                Progress::Over(answer)
            }
            None => {
                let calls = core::mem::take(&mut known.calls);
                let count = core::mem::take(&mut known.count);
                Progress::Waiting(frame::finish(task, count, &calls))
            }
        })
    }

    /// Takes a frame of results; gives where the task then stands. Results of calls that nobody
    /// waits for are passed over.
    ///
    /// # Errors
    ///
    /// `not_found`; `invalid_arguments` with the place for what is no frame, which changes nothing.
    pub fn supply(&mut self, agent: &mut Agent, task: u32, frame: &[u8]) -> Result<Progress> {
        self.find(task)?;
        let results = frame::read(frame, task)?;
        self.take(agent, task, &results)
    }

    /// As [`Steps::supply`], with the results out of their frame.
    ///
    /// # Errors
    ///
    /// `not_found`; `invalid_arguments` for a head that is no JSON.
    pub fn take(
        &mut self,
        agent: &mut Agent,
        task: u32,
        results: &[Supplied<'_>],
    ) -> Result<Progress> {
        let at = self.find(task)?;
        if let Some(known) = self.tasks.get_mut(at) {
            for result in results {
                known.take(agent, result, &mut self.last_call)?;
            }
        }
        self.poll(task)
    }

    /// Ends a task: its turn is cancelled.
    ///
    /// # Errors
    ///
    /// `not_found`.
    pub fn cancel(&mut self, agent: &mut Agent, task: u32) -> Result<Progress> {
        let at = self.find(task)?;
        self.end(agent, at);
        self.poll(task)
    }

    /// Cancels the turn that `session` has in flight, whose task then has its answer. Whether there
    /// is one.
    pub fn cancel_in(&mut self, agent: &mut Agent, session: &str) -> bool {
        let at = self.tasks.iter().position(|task| task.session == session);
        if let Some(at) = at {
            self.end(agent, at);
        }
        at.is_some()
    }

    fn end(&mut self, agent: &mut Agent, at: usize) {
        let known = self.tasks.get_mut(at);
        if let Some(known) = known.filter(|known| known.answer.is_none()) {
            known.step(agent, Event::Cancel, &mut self.last_call);
        }
    }

    fn find(&self, number: u32) -> Result<usize> {
        let at = self.tasks.iter().position(|task| task.number == number);
        at.ok_or_else(no_task)
    }
}

fn no_task() -> core_alloc::boxed::Box<AgentError> {
    AgentError::new(ErrorCode::NotFound, "there is no such task", &[])
}

#[cfg(test)]
mod tests;
