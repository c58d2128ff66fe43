//! The system has no HTTP of its own: a driver does it, or nobody.

use core::convert::Infallible;
use core_alloc::vec::Vec;

use crate::machine::{HttpFault, HttpRequest};

/// An exchange, of which there is none.
#[derive(Debug)]
pub struct Exchange(Infallible);

/// The status and the headers that the agent reads.
#[derive(Debug)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// Their values.
    pub headers: [Vec<u8>; 3],
}

/// The names of [`Head::headers`].
pub const HEADERS: [&str; 3] = ["content-type", "retry-after", "location"];

impl Exchange {
    /// Sends nothing.
    ///
    /// # Errors
    ///
    /// [`HttpFault::Unsupported`].
    pub fn send(_request: &HttpRequest) -> Result<(Exchange, Head), HttpFault> {
        Err(HttpFault::Unsupported)
    }

    /// Nothing comes.
    ///
    /// # Errors
    ///
    /// None.
    pub fn read(&mut self) -> Result<Vec<u8>, HttpFault> {
        match self.0 {}
    }
}

/// Nothing is waited for: nothing is asked again.
pub fn wait(_for_ms: u64) {}
