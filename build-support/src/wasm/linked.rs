//! A core module as the linker wrote it, relocations and all. Each file uses only those before it:
//! [`refusal`], [`operators`]; [`module`] takes it apart; [`relocations`] reads and checks them;
//! [`ranges`]; [`symbol_names`].

pub mod module;
pub mod operators;
pub mod ranges;
pub mod refusal;
pub mod relocations;
pub mod symbol_names;
