//! The interface `steps`: turns whose calls the host does in its own time.

use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::returned::{Returned, pair};
use super::{bytes, text};
use crate::steps::Progress;
use crate::steps::frame::{self, Supplied};
use crate::{instance, platform};
use clawft_types::Result;

/// A `host-result` as it comes.
#[repr(C)]
struct HostResult {
    call: u32,
    status: i16,
    has_more: bool,
    head: *mut u8,
    head_length: usize,
    body: *mut u8,
    body_length: usize,
}

/// `start: func(session: string, message: string) -> result<u32, error>`
#[unsafe(export_name = "clawft:agent/steps@0.2.0#start")]
unsafe extern "C" fn start(
    session: *mut u8,
    session_length: usize,
    message: *mut u8,
    message_length: usize,
) -> *mut Returned {
    // SAFETY: the host hands over two texts, as the interface says.
    let (session, message) =
        unsafe { (text(session, session_length), text(message, message_length)) };
    let mut returned = Returned::fresh();
    let task = instance::with_turns(|turns| {
        let now_ms = platform::now_ms();
        instance::with(|agent| turns.start(agent, &session, &message, now_ms))
    });
    let result = task.map(|task| returned.area[1] = task);
    returned.finish(result)
}

/// `poll: func(task: u32) -> result<progress, error>`
#[unsafe(export_name = "clawft:agent/steps@0.2.0#poll")]
extern "C" fn poll(task: u32) -> *mut Returned {
    stand(instance::with_turns(|turns| turns.poll(task)))
}

/// `supply: func(task: u32, results: list<host-result>) -> result<progress, error>`
#[unsafe(export_name = "clawft:agent/steps@0.2.0#supply")]
unsafe extern "C" fn supply(task: u32, results: *mut HostResult, count: usize) -> *mut Returned {
    // SAFETY: the host hands over a list of records, as the interface says.
    let results = unsafe { bytes(results, count) };
    let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
    for result in &results {
        // SAFETY: each has a text and a list of bytes, which are taken once.
        parts.push(unsafe {
            (
                text(result.head, result.head_length),
                bytes(result.body, result.body_length),
            )
        });
    }
    let mut supplied = Vec::new();
    for (result, (head, body)) in results.iter().zip(&parts) {
        supplied.push(Supplied {
            call: result.call,
            status: result.status,
            has_more: result.has_more,
            head: head.as_bytes(),
            body,
        });
    }
    stand(instance::with_turns(|turns| {
        instance::with(|agent| turns.take(agent, task, &supplied))
    }))
}

/// `cancel: func(task: u32) -> result<progress, error>`
#[unsafe(export_name = "clawft:agent/steps@0.2.0#cancel")]
extern "C" fn cancel(task: u32) -> *mut Returned {
    stand(instance::with_turns(|turns| {
        instance::with(|agent| turns.cancel(agent, task))
    }))
}

/// A `result<progress, error>`.
fn stand(progress: Result<Progress>) -> *mut Returned {
    let mut returned = Returned::fresh();
    let result = progress.map(|progress| match progress {
        Progress::Over(answer) => returned.text(2, answer),
        Progress::Waiting(calls) => {
            returned.area[1] = 1;
            let mut records = Vec::new();
            frame::each_call(&calls, &mut |flags_op, call, head, body| {
                let of = |part: &[u8]| pair(part.as_ptr().addr() as u32, part.len() as u32);
                records.extend_from_slice(&[pair(call, flags_op), of(head), of(body)]);
            });
            returned.frame = calls;
            returned.list(2, records, 3);
        }
    });
    returned.finish(result)
}
