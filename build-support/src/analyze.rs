//! What the linked bytes say before anything is rewritten: names, features, what to snip, who takes room.
//! Read-only; `passes/` acts on it.

pub mod call_graph;
pub mod contributors;
pub mod dominators;
pub mod families;
pub mod features;
pub mod layout;
pub mod path;
pub mod plan;
pub mod reachability;
pub mod sweep;
pub mod symbols;
