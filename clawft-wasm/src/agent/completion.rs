//! What a provider makes of a context: the other side of [`super::context`].

use clawft_types::ToolCall;
use core_alloc::string::String;
use core_alloc::vec::Vec;

/// What a provider answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    /// The answer.
    Text(String),
    /// Tools to run first, in this order; the pipeline numbers the calls.
    Calls(Vec<ToolCall>),
}
