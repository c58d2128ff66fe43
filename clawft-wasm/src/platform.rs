//! What the agent needs of a system: a directory to work in, and the time.
//!
//! Each of `platform/{wasip1,wasip2,native}.rs` has the same two items, `Root` and `now_ms`, with
//! the same functions, and [`http`] is the system's or nobody's; there is no trait, because there
//! is never more than one of them in a build. Paths are relative to the root, with `/`, and have
//! been checked by the agent's workspace. Making writes atomic and errors uniform is left to that
//! as well.

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

#[cfg_attr(all(target_os = "wasi", target_env = "p2"), path = "platform/http.rs")]
#[cfg_attr(
    not(all(target_os = "wasi", target_env = "p2")),
    path = "platform/no_http.rs"
)]
pub mod http;

pub use system::{Lock, Root, now_ms};

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
    /// It is a pipe, a socket, a device.
    NoFile,
    /// The path leads out of the root, through a symbolic link.
    Outside,
    /// Anything else.
    Other,
}

/// What can be at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A pipe, a socket, a device: opening one may wait for ever.
    Other,
}

/// What is known of a file without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A name as it can be shown: what is not UTF-8 as `\xFF`.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
fn shown(name: &[u8]) -> core_alloc::string::String {
    let mut out = core_alloc::string::String::new();
    for chunk in name.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push_str("\\x");
            for half in [byte >> 4, byte & 15] {
                let digits = b"0123456789ABCDEF";
                out.push(char::from(
                    digits.get(usize::from(half)).copied().unwrap_or(b'?'),
                ));
            }
        }
    }
    out
}
