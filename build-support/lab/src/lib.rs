//! What measures this repository's agent and nothing else: allocators, the start, memory, real
//! programs beside other ways of making them small, how the tool's own cost grows. `build-support`
//! is what is measured with; nothing depends on this.

pub mod alloc_compare;
pub mod baseline;
pub mod build_time;
pub mod cli;
pub mod compact;
pub mod corpus;
pub mod coverage;
pub mod llvm;
pub mod memory;
pub mod native;
pub mod processor;
pub mod quantiles;
pub mod scaling;
pub mod size_bench;
pub mod startup;
pub mod tables;
pub mod transcript;
pub mod variants;
