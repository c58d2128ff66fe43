//! JSON (RFC 8259), small: a value, a reader and a writer.
//!
//! Why not `serde_json`: its float parser and printer, its generic (de)serialisers and the
//! `core::fmt` they pull in weigh more than the agent's own code (see docs/adr/0002). Here numbers
//! keep the text they came with, so there is no float code and no digit is lost or reprinted
//! differently on another platform. The tests hold reader and writer against `serde_json`.
//!
//! Everything that comes from outside (configuration, messages, tool arguments, session files)
//! passes through [`parse`]; everything that goes out passes through [`Writer`].

mod read;
mod value;
pub(crate) mod write;

pub use read::{MAX_DEPTH, parse, parse_at, parse_deep, parse_reply};
pub use value::{Value, last, unsigned};
pub use write::{Writer, decimal};
