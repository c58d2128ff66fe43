//! Saving a turn that has its answer: behind what others have added meanwhile, if it must.

use clawft_types::{AgentError, ErrorCode, Result};
use core_alloc::boxed::Box;
use core_alloc::string::String;

use super::effect::{Effect, Saving};
use super::event::StoreFault;
use super::snapshot::{Shift, Snapshot};
use super::{Machine, State, unexpected};

/// How often a turn is added anew when others have added theirs meanwhile. With a lock once is
/// enough.
const ATTEMPTS: u32 = 8;

impl Machine {
    /// Has the store add what it does not have yet.
    pub(super) fn save(&mut self) -> Effect {
        let is_whole = {
            let snapshot = &self.snapshot;
            snapshot.is_gone || snapshot.version == 0 || snapshot.is_old
        };
        if is_whole {
            self.snapshot.mark_summary(true);
        }
        let Snapshot {
            session,
            version,
            unsaved,
            is_gone,
            ..
        } = &*self.snapshot;
        let name = session.name.clone();
        let after = if *is_gone { 0 } else { *version };
        let (mut text, count) = if is_whole {
            (session.head(), session.messages.len())
        } else {
            (String::new(), *unsaved)
        };
        text.push_str(&session.last_turn(count));
        let saving = Box::new(Saving {
            session: name,
            after,
            text,
        });
        self.state = State::Saving;
        if is_whole {
            Effect::Replace(saving)
        } else {
            Effect::Append(saving)
        }
    }

    pub(super) fn saved(&mut self, outcome: Result<u64, StoreFault>) -> Effect {
        let fault = match outcome {
            Ok(version) => {
                self.snapshot.save(version);
                None
            }
            Err(StoreFault::Conflict) if self.attempts < ATTEMPTS => {
                self.attempts += 1;
                self.numbers = self.snapshot.saved;
                self.state = State::CatchingUp;
                let session = self.snapshot.session.name.clone();
                let known = self.take_snapshot();
                return Effect::Load { session, known };
            }
            Err(StoreFault::Conflict) => Some(AgentError::new(
                ErrorCode::Conflict,
                "{}: others write to it all the time",
                &[&self.snapshot.session.name],
            )),
            Err(StoreFault::Failed(error)) => Some(error),
        };
        self.done(fault)
    }

    /// Saves again behind what others have added, if that could be had.
    pub(super) fn caught_up(&mut self, outcome: Result<()>) -> Effect {
        let shift = Shift {
            from: self.numbers,
            to: self.snapshot.saved,
        };
        if let Some(answer) = &mut self.answer {
            shift.message(&mut answer.message);
            for result in &mut answer.tool_results {
                shift.result(result);
            }
        }
        match outcome {
            Ok(()) => self.save(),
            Err(error) => self.done(Some(error)),
        }
    }

    fn done(&mut self, fault: Option<Box<AgentError>>) -> Effect {
        let Some(mut answer) = self.answer.take() else {
            return unexpected();
        };
        answer.not_persisted = fault;
        self.snapshot.trim(&self.config.limits);
        let session = &self.snapshot.session;
        answer.usage.history = session.messages.len() as u64;
        answer.usage.dropped = session.dropped;
        Effect::Done(answer)
    }
}
