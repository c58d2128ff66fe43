//! What the linked bytes say before anything is rewritten: names, features, what to snip, and what
//! is then dead. Read-only; `passes/` acts on it.

pub mod families;
pub mod plan;
pub mod sweep;
