//! The one agent behind the exports.
//!
//! A host of the wasm file has one instance per module instance; a native program that wants
//! several makes [`Agent`]s of its own.
//!
//! [`init`] asks the system for nothing and holds nothing of it, so that a module can be kept as it
//! is after `init` and instantiated in that state, in another process too.

use core_alloc::boxed::Box;
use core_alloc::string::String;

use clawft_types::{AgentError, Answer, ErrorCode, Result};

use crate::agent::workspace::Workspace;
use crate::agent::{self, Agent};
#[cfg(target_family = "wasm")]
use crate::steps::Steps;

/// As [`crate::init`].
///
/// # Errors
///
/// As [`Agent::configure`], and `busy`.
pub fn init(config_json: &str) -> Result<()> {
    let mut agent = cell::lend()?;
    let config = agent::config(config_json)?;
    match &mut *agent {
        Some(agent) => agent.config = config,
        None => *agent = Some(Agent::from_parts(config, Workspace::default())),
    }
    Ok(())
}

/// As [`crate::respond`].
///
/// # Errors
///
/// `not_initialized`, `busy`, and as [`Agent::respond`].
pub fn respond(session: &str, message: &str) -> Result<Box<Answer>> {
    with(|agent| agent.respond(session, message))
}

/// Lends the agent to `run`.
///
/// # Errors
///
/// `not_initialized`, `busy`, and those of `run`.
pub fn with<T>(run: impl FnOnce(&mut Agent) -> Result<T>) -> Result<T> {
    match &mut *opened()? {
        Some(agent) => run(agent),
        None => Err(not_initialized()),
    }
}

/// The agent, with its directory.
#[inline(never)]
fn opened() -> Result<cell::Lent> {
    let mut lent = cell::lend()?;
    match &mut *lent {
        Some(agent) => agent.workspace.open(),
        None => return Err(not_initialized()),
    }
    Ok(lent)
}

fn not_initialized() -> Box<AgentError> {
    AgentError::new(ErrorCode::NotInitialized, "call init first", &[])
}

/// As [`crate::capabilities`].
pub fn capabilities() -> String {
    match cell::lend() {
        Ok(mut agent) => {
            if let Some(agent) = &mut *agent {
                agent.workspace.open();
            }
            agent::capabilities::json(agent.as_ref())
        }
        Err(_) => String::new(),
    }
}

/// Lends the turns in steps to `run`.
///
/// # Errors
///
/// `busy`, and those of `run`.
#[cfg(target_family = "wasm")]
pub fn with_turns<T>(run: impl FnOnce(&mut Steps) -> Result<T>) -> Result<T> {
    run(&mut *cell::lend_turns()?)
}

/// Checks that no turn is in flight in `session`.
///
/// # Errors
///
/// `busy`.
#[cfg(target_family = "wasm")]
pub fn check(session: &str) -> Result<()> {
    with_turns(|turns| turns.check(session))
}

/// The agent is lent already.
#[cfg(target_family = "wasm")]
fn busy() -> Box<AgentError> {
    AgentError::new(
        ErrorCode::Busy,
        "the agent is in the middle of another call",
        &[],
    )
}

#[cfg(not(target_family = "wasm"))]
mod cell {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::{Agent, Result};

    static AGENT: Mutex<Option<Agent>> = Mutex::new(None);

    /// The agent, if there is one.
    pub type Lent = MutexGuard<'static, Option<Agent>>;

    /// Lends the agent; other threads wait.
    pub fn lend() -> Result<Lent> {
        Ok(AGENT.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(target_family = "wasm")]
#[allow(unsafe_code)]
mod cell {
    use core::cell::{RefCell, RefMut};

    use super::{Agent, Result, Steps};

    struct Single(RefCell<Option<Agent>>);

    struct Turns(RefCell<Steps>);

    // SAFETY: as below.
    unsafe impl Sync for Turns {}

    /// The turns in steps.
    static TURNS: Turns = Turns(RefCell::new(Steps::new()));

    /// Lends the turns in steps, unless they are lent already.
    pub fn lend_turns() -> Result<RefMut<'static, Steps>> {
        TURNS.0.try_borrow_mut().map_err(|_| super::busy())
    }

    // SAFETY: the targets have no threads (no atomics, no shared memory), so there is nobody to
    // share with; a call from inside a call is caught by the `RefCell`.
    unsafe impl Sync for Single {}

    static AGENT: Single = Single(RefCell::new(None));

    /// The agent, if there is one.
    pub type Lent = RefMut<'static, Option<Agent>>;

    const _: () = assert!(
        size_of::<Single>() <= crate::budget::AGENT,
        "the agent is larger than `agent` in [package.metadata.budget.constants]"
    );

    /// Lends the agent, unless it is lent already.
    pub fn lend() -> Result<Lent> {
        AGENT.0.try_borrow_mut().map_err(|_| super::busy())
    }
}
