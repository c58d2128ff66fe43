//! The sessions in memory and in `.clawft/sessions`.
//!
//! A session is taken out, worked on, saved and put back. What is saved may be put away when there
//! are too many; what is not saved stays.

use clawft_types::json::decimal;
use clawft_types::{AgentError, ErrorCode, Limits, Result, Session, text};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::workspace::Workspace;

/// The folder of the session files.
const FOLDER: &str = ".clawft/sessions/";

/// The largest session file that is read: the largest history, with every byte escaped.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// A session, and whether the file has all of it.
#[derive(Debug)]
pub struct CachedSession {
    /// The session.
    pub session: Box<Session>,
    /// Whether it is saved as it is.
    pub saved: bool,
}

/// Sessions in memory, the one used last at the end.
#[derive(Debug, Default)]
pub struct Sessions {
    #[expect(
        clippy::vec_box,
        reason = "each is taken out and put back in every turn"
    )]
    cached: Vec<Box<CachedSession>>,
}

impl Sessions {
    /// How many are in memory.
    pub fn count(&self) -> usize {
        self.cached.len()
    }

    /// Takes out the session `name`, from memory or from its file; a new one if there is neither.
    ///
    /// # Errors
    ///
    /// `state_corrupted` if the file cannot be understood: it is then moved aside, and the next
    /// call begins a new session. `too_many_sessions`, or what the platform says.
    pub fn take(
        &mut self,
        name: &str,
        limits: &Limits,
        workspace: &Workspace,
    ) -> Result<Box<CachedSession>> {
        if let Some(at) = self
            .cached
            .iter()
            .position(|cached| cached.session.name == name)
        {
            return Ok(self.cached.remove(at));
        }
        while self.cached.len() as u64 >= limits.max_sessions {
            match self.cached.iter().position(|cached| cached.saved) {
                Some(at) => drop(self.cached.remove(at)),
                None => {
                    return Err(AgentError::new(
                        ErrorCode::TooManySessions,
                        "limits.max_sessions = {} are in memory and not saved",
                        &[&decimal(limits.max_sessions)],
                    ));
                }
            }
        }
        if workspace.is_there() {
            let path = path(name);
            if workspace.exists(&path)? {
                return load(name, &path, workspace);
            }
        }
        Ok(Box::new(CachedSession {
            session: Box::new(Session::new(name)),
            saved: false,
        }))
    }

    /// Puts a session back.
    pub fn put(&mut self, cached: Box<CachedSession>) {
        self.cached.push(cached);
    }
}

/// Saves a session.
///
/// # Errors
///
/// `no_file_system`, or what the platform says; the session is then marked as not saved.
pub fn save(cached: &mut CachedSession, workspace: &Workspace) -> Result<()> {
    cached.saved = false;
    workspace.write(&path(&cached.session.name), &cached.session.to_json())?;
    cached.saved = true;
    Ok(())
}

fn path(name: &str) -> String {
    text::fill("{}{}", &[FOLDER, &Session::file_name(name)])
}

fn load(name: &str, path: &str, workspace: &Workspace) -> Result<Box<CachedSession>> {
    let parsed = workspace
        .read(path, MAX_BYTES)
        .and_then(|text| Session::parse(&text));
    let why = match parsed {
        Ok(session) if session.name == name => {
            return Ok(Box::new(CachedSession {
                session,
                saved: true,
            }));
        }
        Ok(_) => String::from("it is the file of another session"),
        Err(error) if matches!(error.code, ErrorCode::StateCorrupted | ErrorCode::NotText) => {
            error.message
        }
        Err(error) => return Err(error),
    };
    let aside = free_name(path, workspace)?;
    workspace.rename(path, &aside)?;
    Err(AgentError::new(
        ErrorCode::StateCorrupted,
        "{} cannot be understood ({}); it was moved to {}",
        &[path, &why, &aside],
    ))
}

/// A name beside `path` that nothing has yet.
fn free_name(path: &str, workspace: &Workspace) -> Result<String> {
    let mut number = 1;
    loop {
        let aside = text::fill("{}.corrupt{}", &[path, &decimal(number)]);
        if !workspace.exists(&aside)? {
            return Ok(aside);
        }
        number += 1;
    }
}
