//! The operating system: its processes, files and streams, and digests of what is in files. Nothing
//! here knows what is run, written or hashed, and why.

#[cfg(feature = "tool")]
pub mod digest;
#[cfg(feature = "tool")]
pub mod files;
#[cfg(feature = "tool")]
pub mod panics;
pub mod process;
#[cfg(feature = "tool")]
pub mod streams;
