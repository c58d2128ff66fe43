//! wasmtime, set up once: how it compiles, what an instance may take, and what it finds where it
//! imports something. Nothing here knows the agent.

pub mod memory;
pub mod program;
pub mod setup;
