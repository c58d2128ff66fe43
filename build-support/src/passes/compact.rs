//! What Binaryen does not do, on what it made: step by step, each a function of a core module's
//! bytes that says where the functions of the new module come from. Which of the results is kept
//! decides whoever asked, by the size that counts.
//!
//! A step keeps what a module does: results, memory, traps, the order of what is called outside.

pub mod code;
pub mod constants;
pub mod hash;
pub mod locals;
pub mod names;
pub mod order;
pub mod origin;
pub mod outline;
pub mod rewrite;
pub mod road;
pub mod weight;

/// The size of a module that counts, in bytes.
pub type Size<'a> = dyn Fn(&[u8]) -> u64 + 'a;
