//! The clawft agent core, shipped as a small WASI artifact.
//!
//! ```text
//! host ── c_abi (wasip1) ──────┐
//! host ── component (wasip2) ──┤→ instance → agent: classify → route → context → provider ⇄ tools
//! host ── this crate (rlib) ───┘                │                                 │
//!                                               └── sessions, memory ── workspace ┘→ platform
//! ```
//!
//! Modules in reading order: [`agent`] does the work, [`platform`] is what it needs of a system,
//! [`instance`] is the one agent behind the exports, `c_abi` and `component` export it, `alloc`
//! chooses the allocator of the wasm file, `alloc_trace` counts what it is asked for, in builds
//! that want it.
//!
//! On wasm the crate is `no_std`; its panic handler traps, and no input makes it panic. Excluded by
//! construction, on every platform: running programs or a shell, and channels to chat services.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc as core_alloc;

pub mod agent;
#[cfg(target_family = "wasm")]
mod alloc;
#[cfg(any(feature = "alloc-tracing", test))]
pub mod alloc_trace;
#[cfg(target_family = "wasm")]
mod budget;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub mod c_abi;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
mod component;
pub mod instance;
pub mod machine;
pub mod platform;
pub mod steps;

use core_alloc::boxed::Box;
use core_alloc::string::String;

pub use agent::Agent;
pub use clawft_types as types;
use clawft_types::{Answer, Result, answer};

/// Configures the agent behind the exports; a second call configures it anew and keeps the
/// sessions.
///
/// # Errors
///
/// As [`Agent::configure`]; the configuration before stays in force.
pub fn init(config_json: &str) -> Result<()> {
    instance::init(config_json)
}

/// Has the agent answer `message` in `session`: a JSON object with `"ok":true` and the answer, or
/// `"ok":false` and the error.
pub fn process_message(session: &str, message: &str) -> String {
    match respond(session, message) {
        Ok(answer) => answer.to_json(),
        Err(error) => answer::error_json(&error),
    }
}

/// As [`process_message`], with the answer as a value.
///
/// # Errors
///
/// `not_initialized` before [`init`]; otherwise as [`Agent::respond`].
pub fn respond(session: &str, message: &str) -> Result<Box<Answer>> {
    instance::respond(session, message)
}

/// What the agent can do, as a JSON object; also before [`init`].
pub fn capabilities() -> String {
    instance::capabilities()
}

/// There is nobody to tell: a panic on wasm is a trap. Being so short it also lets the linker drop
/// the formatting of panic messages.
#[cfg(all(target_family = "wasm", not(test)))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

// SAFETY: the block declares nothing; it only has the linker look into the target's libc, which is
// where memcpy, memmove, memset and memcmp are on WASI.
#[cfg(target_family = "wasm")]
#[allow(unsafe_code)]
#[link(name = "c")]
unsafe extern "C" {}
