//! Turns Rust into small, verified WebAssembly, and fails the build when a budget is exceeded.
//!
//! The list is the flow, from the ground up: a folder may use those above it and none below, which
//! `tests/layers.rs` sees to. ARCHITECTURE.md says of each what it may not know. [`guard`] is the
//! part for build scripts: it and what stands above it need no feature; engines and the agent want
//! `engines`, everything else `optimize`.

// A blank line between them keeps rustfmt from sorting them.

// What can be said about a place in a manifest.
pub mod diagnostic;

// What can go wrong.
pub mod error;

// Sizes as people write them.
pub mod size;

// Processes, files, digests.
pub mod system;

// For build scripts: rules on the dependency graph, sizes as constants of the program.
pub mod guard;

// What a wasm file is, read from its bytes.
#[cfg(feature = "optimize")]
pub mod wasm;

// Every byte of a file has one row.
#[cfg(feature = "optimize")]
pub mod attribution;

// wasmtime, set up once.
#[cfg(feature = "engines")]
pub mod engine;

// What a run found, as plain data, and its JSON.
#[cfg(feature = "optimize")]
pub mod report;

// Sizes and figures of a file.
#[cfg(feature = "optimize")]
pub mod measure;

// What may go, and why.
#[cfg(feature = "optimize")]
pub mod analyze;

// `[package.metadata.budget]`.
#[cfg(feature = "optimize")]
pub mod config;

// The rewriting steps, and the loop that runs them.
#[cfg(feature = "optimize")]
pub mod passes;

// The judge, and the baseline's entries.
#[cfg(feature = "optimize")]
pub mod gate;

// Cargo's side: the package, the toolchain, the linked file.
#[cfg(feature = "optimize")]
pub mod project;

// Where the baseline is kept, and which one counts.
#[cfg(feature = "optimize")]
pub mod baseline;

// The report drawn.
#[cfg(feature = "optimize")]
pub mod output;

// Every operation, whole.
#[cfg(feature = "optimize")]
pub mod ops;

// This agent in a host.
#[cfg(feature = "engines")]
pub mod agent;

// The commands.
#[cfg(feature = "optimize")]
pub mod cli;

pub use error::{Error, Result};
