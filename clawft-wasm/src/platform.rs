//! What the agent needs of a system: a directory to work in, and the time.
//!
//! Each of `platform/{wasip1,wasip2,native}.rs` has the same two items, `Root` and `now_ms`, with
//! the same functions; there is no trait, because there is never more than one of them in a build.
//! Paths are relative to the root, with `/`, and have been checked by the agent's workspace. Making
//! writes atomic and errors uniform is left to that as well.

#[cfg(not(target_family = "wasm"))]
#[path = "platform/native.rs"]
mod system;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
#[path = "platform/wasip1.rs"]
mod system;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
#[path = "platform/wasip2.rs"]
mod system;

#[cfg(all(
    target_family = "wasm",
    not(all(target_os = "wasi", any(target_env = "p1", target_env = "p2")))
))]
compile_error!("clawft-wasm is for wasm32-wasip1 and wasm32-wasip2 (and for native hosts)");

pub use system::{Root, now_ms};

/// The folder in the root that belongs to the agent itself.
pub const STATE: &str = ".clawft";

/// Why the system refused, as far as the agent tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is nothing of this name.
    NotFound,
    /// There is something of this name already.
    Exists,
    /// A directory was needed.
    NotDirectory,
    /// A file was needed.
    IsDirectory,
    /// The system does not allow it.
    Denied,
    /// The path leads out of the root, through a symbolic link.
    Outside,
    /// Anything else.
    Other,
}

/// What is known of a file without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Whether it is a directory; everything else is taken for a file.
    pub directory: bool,
    /// Its size in bytes.
    pub bytes: u64,
}
