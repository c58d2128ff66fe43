//! The sessions in memory and in `.clawft/sessions`.
//!
//! A session is taken out, worked on, saved and put back. What is saved may be put away when there
//! are too many; what is not saved stays.
//!
//! [`Session`] has the form of the file. A turn is added to it when it ends, whatever the history
//! has: its cost does not grow. Processes that work in one session hold a lock while they add,
//! where the platform has one, and each reads first what others have added since; numbers of
//! messages go on from theirs.

mod file;

pub use file::{all, bytes, catch_up, remove, save, saved};

use clawft_types::json::decimal;
use clawft_types::{AgentError, ErrorCode, Limits, Message, Result, Session};
use core_alloc::boxed::Box;
use core_alloc::vec::Vec;

use super::workspace::Workspace;
use crate::machine::Snapshot;
use file::refresh;

/// Sessions in memory, the one used last at the end.
#[derive(Debug, Default)]
pub struct Sessions {
    #[expect(
        clippy::vec_box,
        reason = "each is taken out and put back in every turn"
    )]
    cached: Vec<Box<Snapshot>>,
}

impl Sessions {
    /// How many are in memory.
    pub fn count(&self) -> usize {
        self.cached.len()
    }

    /// Takes out the session `name`, from memory or from its file, with what others have added to
    /// that; a new one if there is neither.
    ///
    /// # Errors
    ///
    /// `state_corrupted` if a part of the file cannot be understood: it is then moved aside, and
    /// the turns that can go on in a new one. `newer_version` for a file of one.
    /// `too_many_sessions`, or what the platform says. What is not saved is in the session all the
    /// same, and nothing else.
    pub fn take(
        &mut self,
        name: &str,
        limits: &Limits,
        workspace: &Workspace,
    ) -> (Box<Snapshot>, Result<()>) {
        let known = self
            .cached
            .iter()
            .position(|cached| cached.session.name == name);
        let (mut cached, room) = match known {
            Some(at) => (self.cached.remove(at), Ok(())),
            None => (Box::new(Snapshot::new(name)), self.make_room(limits)),
        };
        let outcome = room.and_then(|()| refresh(&mut cached, limits, workspace));
        if outcome.is_err() && cached.unsaved == 0 {
            *cached = Snapshot::new(name);
        }
        (cached, outcome)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.cached
            .iter()
            .map(|cached| cached.session.name.as_str())
    }

    /// The tokens of the session `name`, if it is in memory.
    pub fn tokens(&self, name: &str) -> Option<u64> {
        let mut cached = self.cached.iter();
        let known = cached.find(|cached| cached.session.name == name)?;
        Some(known.session.tokens)
    }

    /// What was said in the session `name`, as far as it is in memory.
    pub fn messages(&self, name: &str) -> Vec<Message> {
        let mut known = self
            .cached
            .iter()
            .filter(|cached| cached.session.name == name);
        let Some(cached) = known.next() else {
            return Vec::new();
        };
        // A copy by way of its line: that of values is code that nothing else needs.
        let session = &cached.session;
        let mut copy = Session::new("");
        let copied = copy.add_turn(&session.last_turn(session.messages.len()));
        debug_assert!(copied.is_ok(), "what is written can be read");
        copy.messages
    }

    /// Drops the session `name` from memory. Whether it was there.
    pub fn drop(&mut self, name: &str) -> bool {
        let before = self.cached.len();
        self.cached.retain(|cached| cached.session.name != name);
        self.cached.len() < before
    }

    /// Puts saved sessions away until there is room for one more.
    fn make_room(&mut self, limits: &Limits) -> Result<()> {
        while self.cached.len() as u64 >= limits.max_sessions {
            match self.cached.iter().position(|cached| cached.is_saved()) {
                Some(at) => core::mem::drop(self.cached.remove(at)),
                None => {
                    return Err(AgentError::new(
                        ErrorCode::TooManySessions,
                        "limits.max_sessions = {} are in memory and not saved",
                        &[&decimal(limits.max_sessions)],
                    ));
                }
            }
        }
        Ok(())
    }

    /// Puts a session back, unless it has nothing in it: nothing takes no place.
    pub fn put(&mut self, cached: Box<Snapshot>) {
        if cached.is_begun() {
            self.cached.push(cached);
        }
    }
}
