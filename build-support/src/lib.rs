//! Turns Rust into small, verified WebAssembly, and fails the build when a budget is exceeded.
//!
//! The flow, in reading order: [`config`] says what is wanted, [`toolchain`] and [`compile`] make the
//! linked file, [`analyze`] reads it, [`pipeline`] runs the [`passes`] over it, [`measure`] weighs the
//! result, [`attribution`] says what takes the room, [`gate`] judges, [`report`] shows, and [`ship`] does all of it for one package and target.
//!
//! [`guard`] is the part for build scripts: it needs none of the rest, nor its heavy dependencies.

pub mod guard;

pub mod diagnostic;
pub mod error;
pub mod size;
pub mod system;

#[cfg(feature = "tool")]
pub mod wasm;

#[cfg(feature = "tool")]
pub mod config;

#[cfg(feature = "tool")]
pub mod analyze;
#[cfg(feature = "tool")]
pub mod attribution;
#[cfg(feature = "tool")]
pub mod passes;

#[cfg(feature = "tool")]
pub mod agent;
#[cfg(feature = "tool")]
pub mod engine;
#[cfg(feature = "tool")]
pub mod gate;
#[cfg(feature = "tool")]
pub mod measure;
#[cfg(feature = "tool")]
pub mod output;
#[cfg(feature = "tool")]
pub mod ratchet;
#[cfg(feature = "tool")]
pub mod report;

#[cfg(feature = "tool")]
pub mod alloc_compare;
#[cfg(feature = "tool")]
pub mod baseline;
#[cfg(feature = "tool")]
pub mod ops;
#[cfg(feature = "tool")]
pub mod project;
#[cfg(feature = "tool")]
pub mod scaling;
#[cfg(feature = "tool")]
pub mod size_bench;
#[cfg(feature = "tool")]
pub mod variants;

#[cfg(feature = "tool")]
pub mod cli;

pub use error::{Error, Result};
