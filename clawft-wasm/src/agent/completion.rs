//! What a provider makes of a context: the other side of [`super::context`].

use clawft_types::{Tokens, ToolCall};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

/// What a provider answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// The answer, or what it says beside its calls.
    pub text: String,
    /// Tools to run first, in this order; the pipeline numbers the calls. None: this is the answer.
    /// Arguments that were no JSON object are a JSON text with what they were.
    pub calls: Vec<ToolCall>,
    /// Blocks of thinking as JSON, with `,` between them: sent back as they are in this turn.
    pub thinking: String,
    /// What was counted.
    pub tokens: Tokens,
}

impl Completion {
    /// An answer.
    pub fn text(text: String) -> Box<Self> {
        Box::new(Completion {
            text,
            ..Completion::default()
        })
    }
}
