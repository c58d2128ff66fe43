//! The operating system: its processes and files, and digests of what is in them. Nothing here
//! knows what is run, written or hashed, and why.

#[cfg(feature = "tool")]
pub mod digest;
#[cfg(feature = "tool")]
pub mod files;
pub mod process;
