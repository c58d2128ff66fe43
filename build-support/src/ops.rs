//! Every operation, whole: what the command does, for whoever wants it without the command. Nothing
//! here knows clap, terminals or this agent.

pub mod adopt;
pub mod build;
pub mod bundle;
pub mod cache;
pub mod check;
pub mod explain;
pub mod hold;
pub mod inlined;
pub mod linker;
pub mod named;
pub mod newer_wasm_opt;
pub mod ship;
pub mod symbol_map;
pub mod wasm_bindgen;
