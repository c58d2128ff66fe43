//! What a wasm file is: its sections, names, symbols, functions and memory, read from its bytes. Nothing here knows
//! manifests, cargo, reports or plans.

pub mod artifact;
pub mod bindgen;
pub mod call_graph;
pub mod dominators;
pub mod features;
pub mod layout;
pub mod linked;
pub mod names;
pub mod path;
pub mod places;
pub mod reachability;
pub mod symbols;
