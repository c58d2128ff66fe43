//! `weft`: conversations with a model in a terminal, with the clawft agent core.
//!
//! ```text
//! config.toml → config ─┬→ the core's JSON ──→ agent core: a machine of events and effects
//!                       └→ keys, times           │ Http, Receive, Delta, Wait
//! terminal ⇄ chat, lines ⇄ driver, or wasm ──────┘→ host: http (ureq) with a key → provider
//! ```
//!
//! Modules in reading order: [`driver`] does what the core's machine wants and has no logic of the
//! conversation in it, `wasm` does the same for the shipped component; [`host`] is what both have of
//! the machine they run on: [`http`] sends requests, [`keys`] are added to them, [`interrupt`] is
//! Ctrl-C; [`config`] reads the file; [`command`] is the program.
//! [`serve`] is apart from all that: it serves a bundle, the agent in a page. `public` says which
//! addresses both may ask for somebody else's page.
//!
//! A key is never in the core, in a file, a message or an answer of this program.

pub mod command;
pub mod config;
pub mod driver;
pub mod host;
pub mod http;
pub mod interrupt;
pub mod keys;
mod public;
pub mod serve;
#[cfg(feature = "wasm")]
pub mod wasm;
