//! What a program that embeds an agent may do for it in a turn: tools of its own, and a user who is
//! asked.

use clawft_types::{AgentError, ErrorCode, Result, ToolCall};
use core_alloc::string::String;

/// The host of a turn that blocks: see [`Agent::say_with`](super::Agent::say_with).
pub trait Host {
    /// Runs a tool that the configuration names in `host_tools`; gives its output.
    ///
    /// # Errors
    ///
    /// Whatever it has; the provider is told.
    fn run(&mut self, call: &ToolCall) -> Result<String>;

    /// Whether the user agrees to a call of a tool that the configuration has as `ask`.
    fn agrees(&mut self, call: &ToolCall) -> bool;
}

/// A host that has no tools, and nobody to ask.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Host for Nobody {
    fn run(&mut self, call: &ToolCall) -> Result<String> {
        let message = "{}: this host runs no tools of its own";
        let name = &[call.name.as_str()];
        Err(AgentError::new(ErrorCode::Unsupported, message, name))
    }

    fn agrees(&mut self, _call: &ToolCall) -> bool {
        false
    }
}
