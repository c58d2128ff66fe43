//! The tests of what the tool does as a whole, a module per subject, in one program: it is linked
//! once, and what one test has built the others use. `cargo test -p build-support --test it gate::`
//! runs those of one subject.
//!
//! Tests run beside each other in threads of one process: none may change its folder, its
//! environment or a folder that another one uses. What must have a process to itself is in
//! `tests/mutations`.
#![cfg(feature = "tool")]

mod adoption;
mod attribution;
mod build_options;
mod bundle;
mod cli;
mod config;
mod differential;
mod docs;
mod features;
mod first_minutes;
mod fixtures;
mod foreign;
mod gate;
#[path = "../generated/mod.rs"]
mod generated;
mod guard;
mod hints;
mod inputs;
mod linker;
mod messages;
mod origins;
mod page;
mod precompile;
mod reports;
mod ship;
#[cfg(unix)]
mod streams;
mod support;
mod symbolicate;
mod toolchain;
