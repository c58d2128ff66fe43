//! The operating system: its processes, files and streams, and digests of what is in files. Nothing
//! here knows what is run, written or hashed, and why.

#[cfg(feature = "optimize")]
pub mod calling;
#[cfg(feature = "optimize")]
pub mod digest;
#[cfg(feature = "optimize")]
pub mod files;
#[cfg(feature = "optimize")]
pub mod panics;
pub mod process;
#[cfg(feature = "optimize")]
pub mod streams;
