//! Cargo's side: which package is meant, with which toolchain it is compiled, and the linked file.
//! What is done with that file is no business of this folder.

pub mod choice;
pub mod compile;
pub mod definers;
pub mod listener;
pub mod package;
pub mod toolchain;
mod unknown_names;
