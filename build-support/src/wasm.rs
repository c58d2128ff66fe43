//! What a wasm file is: its sections, names, symbols, functions and memory, read from its bytes.
//! Nothing here knows manifests, cargo, reports or plans.

pub mod artifact;
pub mod bindgen;
pub mod call_graph;
pub mod constant;
pub mod contents;
pub mod debug_info;
pub mod dominators;
pub mod features;
pub mod layout;
pub mod linked;
pub mod module;
pub mod name_section;
pub mod names;
pub mod path;
pub mod reachability;
pub mod read_error;
pub mod sections;
pub mod symbols;

pub use module::Module;
pub use read_error::ReadError;
