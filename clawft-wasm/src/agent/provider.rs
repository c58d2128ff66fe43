//! Call the provider, the fourth stage: a context goes in, text or wishes for tools come out.
//!
//! A provider is a module with `complete`; which one is chosen by [`ProviderKind`]. It does not see
//! sessions, tools or the platform: the pipeline runs the tools and asks again.

pub mod offline;

use clawft_types::{ProviderKind, Result, ToolCall};
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::context::Context;

/// What a provider answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    /// The answer.
    Text(String),
    /// Tools to run first, in this order; the pipeline numbers the calls.
    Calls(Vec<ToolCall>),
}

/// Has the provider of this kind answer.
///
/// # Errors
///
/// The provider's.
pub fn complete(kind: ProviderKind, context: &Context<'_>) -> Result<Completion> {
    match kind {
        ProviderKind::Offline => offline::complete(context),
    }
}
