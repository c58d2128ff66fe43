//! `weft` and its driver against the scripted provider, on loopback.

mod bucket;
mod interrupts;
mod keys;
mod many;
mod program;
#[cfg(unix)]
mod readme;
mod scenarios;
mod serve;
mod support;
mod tools;
mod wasm;
