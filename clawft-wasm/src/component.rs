//! The exports of the wasip2 component: the world `clawft` of `wit/agent.wit`, or in a build with
//! the feature `alloc-tracing` the world `clawft-traced` of `wit/allocations.wit`.
//!
//! They are bound by hand, as the canonical ABI has them, and [`Returned`] lays out what they
//! return: generated ones bring a type and a function that frees for each. wit-bindgen gives the
//! section with the world, which the component is made of. Imports stand in [`crate::platform`].
#![allow(unsafe_code)]

#[cfg(feature = "alloc-tracing")]
mod allocations;
mod returned;
mod steps;

use core_alloc::string::String;
use core_alloc::vec::Vec;

use clawft_types::{ErrorCode, Message};

use crate::instance;
use returned::{Returned, pair, place};

/// What wit-bindgen generates: the section with the world, and what the platform uses of files.
#[allow(
    dead_code,
    missing_docs,
    unexpected_cfgs,
    unused_imports,
    unused_macros,
    clippy::all,
    clippy::undocumented_unsafe_blocks
)]
pub(crate) mod bindings {
    macro_rules! generate {
        ($world:tt) => {
            wit_bindgen::generate!({
                path: "wit",
                world: $world,
                std_feature,
                // Those of HTTP are bound by hand; this has them in the world.
                generate_all,
                // There are none: `_initialize` would have run them.
                disable_run_ctors_once_workaround: true,
            });
        };
    }

    #[cfg(not(feature = "alloc-tracing"))]
    generate!("clawft");
    #[cfg(feature = "alloc-tracing")]
    generate!("clawft-traced");
}

/// What a call of 0.1 can say is wrong; `init` fails with nothing else.
const LAST_OF_0_1: u32 = ErrorCode::Busy as u32 - 1;

/// `init: func(config: string) -> result<_, error>`
#[unsafe(export_name = "clawft:agent/agent@0.2.0#init")]
unsafe extern "C" fn init(config: *mut u8, length: usize) -> *mut Returned {
    // SAFETY: the host hands over a text, as the interface says.
    let config = unsafe { text(config, length) };
    Returned::fresh().finish(crate::init(&config))
}

/// As [`init`], with the error of 0.1: the same as far as it goes.
#[unsafe(export_name = "clawft:agent/agent@0.1.0#init")]
unsafe extern "C" fn init_0_1(config: *mut u8, length: usize) -> *mut Returned {
    // SAFETY: handed on; and what comes is there until the next call.
    unsafe {
        let returned = init(config, length);
        let code = &mut (*returned).area[1];
        *code = (*code).min(LAST_OF_0_1);
        returned
    }
}

/// `process-message: func(session: string, message: string) -> string`
#[unsafe(export_name = "clawft:agent/agent@0.2.0#process-message")]
unsafe extern "C" fn process_message(
    session: *mut u8,
    session_length: usize,
    message: *mut u8,
    message_length: usize,
) -> *mut Returned {
    // SAFETY: the host hands over two texts, as the interface says.
    let (session, message) =
        unsafe { (text(session, session_length), text(message, message_length)) };
    let mut returned = Returned::fresh();
    let answer = match instance::check(&session) {
        Ok(()) => crate::process_message(&session, &message),
        Err(error) => clawft_types::answer::error_json(&error),
    };
    returned.text(0, answer);
    returned.finish(Ok(()))
}

/// The same in 0.1.
#[unsafe(export_name = "clawft:agent/agent@0.1.0#process-message")]
unsafe extern "C" fn process_message_0_1(
    session: *mut u8,
    session_length: usize,
    message: *mut u8,
    message_length: usize,
) -> *mut Returned {
    // SAFETY: handed on.
    unsafe { process_message(session, session_length, message, message_length) }
}

/// `capabilities: func() -> string`
#[unsafe(export_name = "clawft:agent/agent@0.2.0#capabilities")]
extern "C" fn capabilities() -> *mut Returned {
    let mut returned = Returned::fresh();
    returned.text(0, crate::capabilities());
    returned.finish(Ok(()))
}

/// The same in 0.1.
#[unsafe(export_name = "clawft:agent/agent@0.1.0#capabilities")]
extern "C" fn capabilities_0_1() -> *mut Returned {
    capabilities()
}

/// `respond: func(session: string, text: string) -> result<answer, error>`
#[unsafe(export_name = "clawft:agent/agent@0.2.0#respond")]
unsafe extern "C" fn respond(
    session: *mut u8,
    session_length: usize,
    message: *mut u8,
    message_length: usize,
) -> *mut Returned {
    // SAFETY: the host hands over two texts, as the interface says.
    let (session, message) =
        unsafe { (text(session, session_length), text(message, message_length)) };
    let mut returned = Returned::fresh();
    let answer = instance::check(&session)
        .and_then(|()| instance::with(|agent| agent.say(&session, &message)));
    let result = answer.map(|answer| {
        let answer = *answer;
        returned.text(1, answer.message.content);
        returned.text(3, answer.provider);
        returned.text(5, answer.model);
        returned.area[7] = u32::from(answer.finish != crate::machine::STOP);
        let tokens = answer.usage.tokens;
        let counts = [tokens.input, tokens.output, tokens.cached];
        for (to, count) in returned.area.iter_mut().skip(8).zip(counts) {
            *to = u32::try_from(count).unwrap_or(u32::MAX);
        }
        if let Some(error) = answer.not_persisted {
            returned.area[11] = 1;
            returned.error(12, *error);
        }
    });
    returned.finish(result)
}

/// `sessions: func() -> result<list<session-info>, error>`
#[unsafe(export_name = "clawft:agent/agent@0.2.0#sessions")]
extern "C" fn sessions() -> *mut Returned {
    let mut returned = Returned::fresh();
    let mut records = Vec::new();
    let result = instance::with(|agent| {
        agent.each_session(&mut |name, bytes, tokens| {
            records.push(returned.keep(name));
            records.push(bytes);
            records.push(u64::from(tokens.is_some()));
            records.push(tokens.unwrap_or_default());
        })
    });
    returned.list(1, records, 4);
    returned.finish(result)
}

/// `history: func(session: string, start: u32, count: u32) -> result<list<message>, error>`
#[unsafe(export_name = "clawft:agent/agent@0.2.0#history")]
unsafe extern "C" fn history(
    session: *mut u8,
    session_length: usize,
    start: usize,
    count: usize,
) -> *mut Returned {
    // SAFETY: the host hands over a text, as the interface says.
    let session = unsafe { text(session, session_length) };
    let mut returned = Returned::fresh();
    let result = instance::with(|agent| agent.history(&session, start, count)).map(|messages| {
        let mut records = Vec::new();
        for message in &messages {
            add_message(message, &mut records, &mut returned);
        }
        returned.list(1, records, 7);
        returned.messages = messages;
    });
    returned.finish(result)
}

/// Adds the record of a message, which points into it.
fn add_message(message: &Message, records: &mut Vec<u64>, returned: &mut Returned) {
    // The cases of the WIT enum are those of the type, in the same order.
    let role = message.role as u32;
    let mut calls = Vec::new();
    for call in &message.tool_calls {
        calls.push(place(&call.id));
        calls.push(place(&call.name));
        calls.push(place(&call.arguments));
    }
    let (content, call_id) = (place(&message.content), place(&message.call_id));
    records.push(place(&message.id));
    // The low half of a text is where it is, the high half its length.
    records.push(pair(role, content as u32));
    records.push(content >> 32);
    records.push(message.timestamp_ms);
    records.push(returned.keep_list(calls, 3));
    let has_call_id = !message.call_id.is_empty();
    records.push(pair(u32::from(has_call_id), call_id as u32));
    records.push(call_id >> 32);
}

/// `forget: func(session: string) -> result<bool, error>`
#[unsafe(export_name = "clawft:agent/agent@0.2.0#forget")]
unsafe extern "C" fn forget(session: *mut u8, session_length: usize) -> *mut Returned {
    // SAFETY: the host hands over a text, as the interface says.
    let session = unsafe { text(session, session_length) };
    let was_there =
        instance::check(&session).and_then(|()| instance::with(|agent| agent.forget(&session)));
    flag(was_there)
}

/// `cancel: func(session: string) -> result<bool, error>`
#[unsafe(export_name = "clawft:agent/agent@0.2.0#cancel")]
unsafe extern "C" fn cancel(session: *mut u8, session_length: usize) -> *mut Returned {
    // SAFETY: the host hands over a text, as the interface says.
    let session = unsafe { text(session, session_length) };
    flag(instance::with_turns(|turns| {
        instance::with(|agent| Ok(turns.cancel_in(agent, &session)))
    }))
}

/// A `result<bool, error>`.
fn flag(result: clawft_types::Result<bool>) -> *mut Returned {
    let mut returned = Returned::fresh();
    let result = result.map(|flag| returned.area[1] = u32::from(flag));
    returned.finish(result)
}

/// The text that the host hands over.
///
/// # Safety
///
/// It is one, by the canonical ABI: from [`cabi_realloc`] with just this length, and UTF-8.
#[inline(never)]
unsafe fn text(pointer: *mut u8, length: usize) -> String {
    // SAFETY: by the contract above.
    unsafe { String::from_utf8_unchecked(bytes(pointer, length)) }
}

/// The list of `T` that the host hands over.
///
/// # Safety
///
/// As [`text`].
unsafe fn bytes<T>(pointer: *mut T, length: usize) -> Vec<T> {
    if length == 0 {
        return Vec::new();
    }
    // SAFETY: by the contract above; the allocator is the same.
    unsafe { Vec::from_raw_parts(pointer, length, length) }
}

/// Where the host gets memory for what it passes in, by the canonical ABI. wit-bindgen leaves this
/// function to the target's libc on wasip2; not every libc has it, and ours traps without a
/// message.
///
/// # Safety
///
/// As the canonical ABI calls it: `old` is null with `old_length` 0, or comes from here with these
/// measures; `align` is a power of two.
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(
    old: *mut u8,
    old_length: usize,
    align: usize,
    new_length: usize,
) -> *mut u8 {
    use core::alloc::Layout;
    use core_alloc::alloc::{alloc, realloc};

    if new_length == 0 {
        return core::ptr::without_provenance_mut(align);
    }
    let layout = |length| Layout::from_size_align(length, align);
    let new = match (layout(old_length), layout(new_length)) {
        // SAFETY: the layout is valid and not empty.
        (Ok(_), Ok(new)) if old_length == 0 => unsafe { alloc(new) },
        // SAFETY: by the contract `old` is an allocation with this layout; the new length is valid
        // for its alignment and not 0.
        (Ok(old_layout), Ok(_)) => unsafe { realloc(old, old_layout, new_length) },
        _ => core::ptr::null_mut(),
    };
    if new.is_null() {
        // The canonical ABI has no way to refuse.
        core::arch::wasm32::unreachable()
    }
    new
}
