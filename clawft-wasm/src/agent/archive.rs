//! What can be seen and done of sessions outside a turn: which there are, what was said, and that
//! one is to go.

use clawft_types::{Message, Result, Session, drop_messages};
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::sessions;
use super::state::Agent;

/// What is known of a session without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its name.
    pub name: String,
    /// Of its file; 0 where it has none.
    pub bytes: u64,
    /// What its turns have taken; none while it is not in memory.
    pub tokens: Option<u64>,
}

impl Agent {
    /// All sessions, in the order of the bytes of their names.
    ///
    /// # Errors
    ///
    /// What the platform says.
    pub fn session_list(&mut self) -> Result<Vec<SessionInfo>> {
        let mut list = Vec::new();
        self.each_session(&mut |name, bytes, tokens| {
            list.push(SessionInfo {
                name,
                bytes,
                tokens,
            });
        })?;
        Ok(list)
    }

    /// Hands name, bytes and tokens of each session to `take`, as [`SessionInfo`] has them.
    ///
    /// # Errors
    ///
    /// As [`Agent::session_list`].
    pub fn each_session(&mut self, take: &mut dyn FnMut(String, u64, Option<u64>)) -> Result<()> {
        for name in self.session_names()? {
            let bytes = sessions::bytes(&name, &self.workspace)?;
            let tokens = self.sessions.tokens(&name);
            take(name, bytes, tokens);
        }
        Ok(())
    }

    /// The names of all sessions, those in memory alone included, in the order of their bytes.
    ///
    /// # Errors
    ///
    /// What the platform says.
    pub fn session_names(&mut self) -> Result<Vec<String>> {
        let mut names = sessions::saved(&self.workspace)?;
        for name in self.sessions.names() {
            if !names.iter().any(|known| known == name) {
                names.push(String::from(name));
            }
        }
        clawft_types::text::sort(&mut names);
        Ok(names)
    }

    /// At most `count` messages of a session from the place `from` on: all that were ever said,
    /// also what the conversation has dropped, and turns that have failed. None where there is no
    /// such session.
    ///
    /// # Errors
    ///
    /// `invalid_session_name`, `state_corrupted`, `newer_version`, or what the platform says. The
    /// file is left as it is.
    pub fn history(&mut self, name: &str, from: usize, count: usize) -> Result<Vec<Message>> {
        Session::check_name(name)?;
        let mut messages = match sessions::all(name, &self.workspace)? {
            Some(session) => session.messages,
            None => self.sessions.messages(name),
        };
        drop_messages(&mut messages, 0, from);
        drop_messages(&mut messages, count, usize::MAX);
        Ok(messages)
    }

    /// Deletes a session, and its file. Whether there was one.
    ///
    /// # Errors
    ///
    /// `invalid_session_name`, or what the platform says; the session is then still there.
    pub fn forget(&mut self, name: &str) -> Result<bool> {
        Session::check_name(name)?;
        let was_saved = sessions::remove(name, &self.workspace)?;
        Ok(self.sessions.drop(name) || was_saved)
    }
}
