//! A provider of models that says what a script tells it to, on loopback, for the tests of the
//! agent on every host.
//!
//! ```text
//! scenarios/*.json → scenario → server: http reads, rules hold, render words the reply
//! ```
//!
//! Modules in reading order: [`scenario`] is the script, [`rules`] say what a history may be,
//! [`render`] turns what the model says into what a vendor sends, `http` is what of HTTP/1.1 is
//! needed, [`server`] is the [`Mock`]. It has no TLS, and knows nothing of the agent.
//!
//! Whatever a request does that no vendor would take is kept, and [`Mock::finish`] fails with it.

mod http;
pub mod render;
pub mod rules;
pub mod scenario;
pub mod server;

pub use http::Request;
pub use scenario::{Exchange, Scenario};
pub use server::Mock;

/// Whose interface a request speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    /// `POST …/chat/completions`, as OpenAI and many others have it.
    OpenAi,
    /// `POST …/v1/messages`.
    Anthropic,
}

impl Vendor {
    /// Whose path this is, if it is one's.
    pub fn of_path(path: &str) -> Option<Vendor> {
        if path.ends_with("/chat/completions") {
            Some(Vendor::OpenAi)
        } else if path.ends_with("/v1/messages") {
            Some(Vendor::Anthropic)
        } else {
            None
        }
    }
}
