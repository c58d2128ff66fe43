//! The C ABI of the wasip1 reactor.
//!
//! A host instantiates the module, calls `_initialize` once (a pre-initialised file does not export
//! it), then:
//!
//! | function | does |
//! |---|---|
//! | `clawft_abi_version() -> u32` | the version of this interface, 2 |
//! | `clawft_alloc(len) -> ptr` | `len` bytes for the host to write into; 0 if there is no memory or `len` is 0 |
//! | `clawft_free(ptr, len)` | gives them back, with the same `len`; `ptr` 0 is ignored |
//! | `clawft_init(ptr, len) -> status` | configures the agent with JSON text |
//! | `clawft_process_message(session_ptr, session_len, message_ptr, message_len) -> status` | answers a message |
//! | `clawft_capabilities() -> status` | describes the agent |
//! | `clawft_start(session_ptr, session_len, message_ptr, message_len) -> task` | begins a turn in steps: the number of its task, from 1, or a status; `busy` while the session has one in flight |
//! | `clawft_poll(task) -> i32` | 0: over, and the answer is there; 1: it waits, and a frame of calls is there; or a status |
//! | `clawft_supply(task, ptr, len) -> i32` | takes a frame of results, and returns as `clawft_poll` |
//! | `clawft_cancel(task) -> i32` | ends a turn; returns as `clawft_poll` |
//! | `clawft_answer_ptr() -> ptr`, `clawft_answer_len() -> len` | the answer, or the frame, of the last of these calls |
//!
//! [`frame`](crate::steps::frame) has the format of the frames. `clawft_process_message` is a turn
//! whose calls are answered with `unsupported`.
//!
//! Text is UTF-8 without a final NUL; length 0 with any pointer is the empty text. The host keeps
//! what it allocated and frees it after the call. The answer is JSON text, also for an error, and
//! is valid until the next of these calls, which frees it; growing memory detaches a host's
//! views, so pointer and length are to be read after the call.
//!
//! A status is 0, or a negative number: minus the number of [`ErrorCode`]. Every input is answered
//! with a status; only running out of memory inside a call traps.
//!
//! In a build with the feature `alloc-tracing` there are three more, in `allocations`.
//!
//! Imports are `wasi_snapshot_preview1` alone. The first preopened directory is the agent's root;
//! without one it works in memory.
#![allow(unsafe_code)]

#[cfg(feature = "alloc-tracing")]
mod allocations;

use core::alloc::Layout;
use core::cell::RefCell;

use clawft_types::{AgentError, ErrorCode, Result, abi, answer};
use core_alloc::alloc;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use crate::steps::Progress;
use crate::{instance, platform};

struct Last(RefCell<Vec<u8>>);

// SAFETY: wasip1 has no threads: nobody to share with.
unsafe impl Sync for Last {}

/// The answer of the last call: text, or a frame.
static ANSWER: Last = Last(RefCell::new(Vec::new()));

unsafe extern "C" {
    /// Made by the linker: runs the constructors of the module, once.
    fn __wasm_call_ctors();
}

/// Called once by the host, before anything else (WASI reactor).
#[unsafe(no_mangle)]
pub extern "C" fn _initialize() {
    // SAFETY: the linker always makes this function, and the host calls us once.
    unsafe { __wasm_call_ctors() }
}

/// The version of this interface.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_abi_version() -> u32 {
    abi::VERSION
}

/// `length` bytes for the host; null if `length` is 0 or there is no memory.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_alloc(length: usize) -> *mut u8 {
    match Layout::array::<u8>(length) {
        // SAFETY: the layout is valid and not empty.
        Ok(layout) if length > 0 => unsafe { alloc::alloc(layout) },
        _ => core::ptr::null_mut(),
    }
}

/// Gives back what [`clawft_alloc`] gave.
///
/// # Safety
///
/// `pointer` must be null, or come from `clawft_alloc(length)` and not have been given back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_free(pointer: *mut u8, length: usize) {
    if let Ok(layout) = Layout::array::<u8>(length)
        && !pointer.is_null()
        && length > 0
    {
        // SAFETY: by the contract above this is an allocation with this layout.
        unsafe { alloc::dealloc(pointer, layout) }
    }
}

/// Configures the agent with the JSON text at `pointer`.
///
/// # Safety
///
/// The bytes must not change during the call. (That they lie in memory is checked.)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_init(pointer: *const u8, length: usize) -> i32 {
    // SAFETY: handed on to our caller.
    let result = unsafe { text(pointer, length) }.and_then(crate::init);
    finish(result.map(|()| String::from("{\"ok\":true}")))
}

/// Answers the message at `message` in the session named at `session`.
///
/// # Safety
///
/// The bytes must not change during the call. (That they lie in memory is checked.)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_process_message(
    session: *const u8,
    session_length: usize,
    message: *const u8,
    message_length: usize,
) -> i32 {
    // SAFETY: handed on to our caller.
    let texts = unsafe { text(session, session_length) }
        .and_then(|session| Ok((session, unsafe { text(message, message_length) }?)));
    let result = texts.and_then(|(session, message)| {
        instance::check(session)?;
        crate::respond(session, message)
    });
    finish(result.map(|answer| answer.to_json()))
}

/// Describes the agent.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_capabilities() -> i32 {
    finish(Ok(crate::capabilities()))
}

/// Where the last answer is.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_answer_ptr() -> *const u8 {
    ANSWER.0.borrow().as_ptr()
}

/// Bytes of the last answer.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_answer_len() -> usize {
    ANSWER.0.borrow().len()
}

/// Keeps the answer, or the error as an answer, for the host, and gives the status.
fn finish(result: Result<String>) -> i32 {
    let (answer, status) = match result {
        Ok(answer) => (answer, abi::OK),
        Err(error) => (answer::error_json(&error), abi::status(error.code)),
    };
    ANSWER.0.replace(answer.into_bytes());
    status
}

/// Begins a turn in steps, with the message at `message` in the session named at `session`.
///
/// # Safety
///
/// The bytes must not change during the call. (That they lie in memory is checked.)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_start(
    session: *const u8,
    session_length: usize,
    message: *const u8,
    message_length: usize,
) -> i32 {
    // SAFETY: handed on to our caller.
    let texts = unsafe { text(session, session_length) }
        .and_then(|session| Ok((session, unsafe { text(message, message_length) }?)));
    let task = texts.and_then(|(session, message)| {
        instance::with_turns(|turns| {
            let now_ms = platform::now_ms();
            instance::with(|agent| turns.start(agent, session, message, now_ms))
        })
    });
    match task {
        // Below 2^31.
        Ok(task) => task as i32,
        Err(error) => finish(Err(error)),
    }
}

/// Where a turn in steps stands.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_poll(task: u32) -> i32 {
    stand(instance::with_turns(|turns| turns.poll(task)))
}

/// Takes the frame of results at `frame`.
///
/// # Safety
///
/// The bytes must not change during the call. (That they lie in memory is checked.)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_supply(task: u32, frame: *const u8, length: usize) -> i32 {
    // SAFETY: handed on to our caller.
    let frame = unsafe { bytes(frame, length) };
    stand(frame.and_then(|frame| {
        instance::with_turns(|turns| instance::with(|agent| turns.supply(agent, task, frame)))
    }))
}

/// Ends a turn in steps.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_cancel(task: u32) -> i32 {
    stand(instance::with_turns(|turns| {
        instance::with(|agent| turns.cancel(agent, task))
    }))
}

/// Keeps the answer or the frame for the host, and gives what to return.
fn stand(progress: Result<Progress>) -> i32 {
    match progress {
        Ok(Progress::Over(answer)) => finish(Ok(answer)),
        Ok(Progress::Waiting(frame)) => {
            ANSWER.0.replace(frame);
            abi::WAITING
        }
        Err(error) => finish(Err(error)),
    }
}

/// The text at `pointer`, checked for memory bounds and UTF-8.
///
/// # Safety
///
/// The bytes must not change while the text is in use.
unsafe fn text<'a>(pointer: *const u8, length: usize) -> Result<&'a str> {
    // SAFETY: handed on to our caller.
    let bytes = unsafe { bytes(pointer, length) }?;
    core::str::from_utf8(bytes).map_err(|error| {
        let at = clawft_types::json::decimal(error.valid_up_to() as u64);
        AgentError::new(ErrorCode::InvalidUtf8, "no UTF-8 at byte {}", &[&at])
    })
}

/// The bytes at `pointer`, checked for memory bounds.
///
/// # Safety
///
/// They must not change while they are in use.
unsafe fn bytes<'a>(pointer: *const u8, length: usize) -> Result<&'a [u8]> {
    if length == 0 {
        return Ok(&[]);
    }
    let pages = core::arch::wasm32::memory_size(0);
    let end = (pointer as usize).checked_add(length);
    // With all 65,536 pages the size is 2^32, which `usize` does not hold: everything is inside.
    let inside = end.is_some_and(|end| pages.checked_mul(65_536).is_none_or(|size| end <= size));
    if pointer.is_null() || !inside || isize::try_from(length).is_err() {
        let message = "pointer and length reach outside the linear memory";
        return Err(AgentError::new(ErrorCode::InvalidPointer, message, &[]));
    }
    // SAFETY: the bytes lie in linear memory, all of which is readable, and do not change.
    Ok(unsafe { core::slice::from_raw_parts(pointer, length) })
}
