//! Call the provider, the fourth stage: a context goes in, text or calls of tools come out.
//!
//! A provider is a module with `complete`; which one is chosen by [`ProviderKind`]. It does not see
//! sessions, tools or the platform: the pipeline runs the tools and asks again.

pub mod offline;

use clawft_types::{ProviderKind, Result};

use super::completion::Completion;
use super::context::Context;

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
