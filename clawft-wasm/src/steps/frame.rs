//! The frames between a turn and its host.
//!
//! Little-endian, everything at multiples of 4, the rest zero:
//!
//! | at | frame of calls | frame of results |
//! |---|---|---|
//! | 0 | `u32` `CLH1` (0x31484C43) | `CLR1` (0x31524C43) |
//! | 4 | `u32` bytes of the whole frame | the same |
//! | 8 | `u32` task | the same |
//! | 12 | `u32` count | the same |
//! | 16 | `u16` op, `u16` flags: 1 may be repeated, 2 wants parts, 4 wants no result | `i16` status, 0 or minus the number of an error, `u16` flags: 1 more parts follow |
//! | + 4 | `u32` call, never used twice in an instance | the same |
//! | + 8 | `u32` bytes of head, `u32` bytes of body | the same |
//! | + 16 | head (JSON), body, zeros to a multiple of 4 | the same |

use clawft_types::json::decimal;
use clawft_types::{AgentError, ErrorCode, Result};
use core_alloc::vec::Vec;

/// The largest frame that is taken, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

const CALLS: u32 = 0x3148_4C43;
const RESULTS: u32 = 0x3152_4C43;

/// Bytes of a frame, and of a record in it, before what is in them.
const HEAD: usize = 16;

/// What the host is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// A request: `method, url, headers, timeout_ms, credential`; the result has `status, headers`,
    /// and the body in parts.
    Fetch = 500,
    /// A tool of the host's: `name, arguments`; the result has `output`.
    Tool = 506,
    /// A part of the answer to be shown: the body is its text.
    Show = 507,
    /// Time: `for_ms`; the result has `now_ms`.
    Wait = 508,
    /// Whether the user agrees to a call of a tool: `name, arguments`; the result has `approved`.
    Ask = 509,
}

/// A result, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supplied<'a> {
    /// The call it is of.
    pub call: u32,
    /// 0, or minus the number of an error.
    pub status: i16,
    /// Whether more parts follow.
    pub has_more: bool,
    /// JSON, or nothing in further parts.
    pub head: &'a [u8],
    /// Bytes.
    pub body: &'a [u8],
}

/// Adds the record of a call.
pub fn push(records: &mut Vec<u8>, op: Op, call: u32, head: &[u8], body: &[u8]) {
    let flags: u32 = match op {
        // What has no body is to be had.
        Op::Fetch => 2 | u32::from(body.is_empty()),
        Op::Tool => 0,
        Op::Show => 4,
        Op::Wait | Op::Ask => 1,
    };
    for word in [op as u32 | flags << 16, call, length(head), length(body)] {
        records.extend_from_slice(&word.to_le_bytes());
    }
    records.extend_from_slice(head);
    records.extend_from_slice(body);
    while !records.len().is_multiple_of(4) {
        records.push(0);
    }
}

/// A frame of these records.
pub fn finish(task: u32, count: u32, records: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    for word in [CALLS, length(records) + 16, task, count] {
        frame.extend_from_slice(&word.to_le_bytes());
    }
    frame.extend_from_slice(records);
    frame
}

/// Hands op and flags, number, head and body of each call in a frame of ours to `take`.
#[cfg(any(all(target_os = "wasi", target_env = "p2"), test))]
pub fn each_call<'a>(frame: &'a [u8], take: &mut dyn FnMut(u32, u32, &'a [u8], &'a [u8])) {
    let mut at = HEAD;
    while let (Some(first), Some((call, next))) = (word(frame, at), record(frame, at)) {
        take(first, call.call, call.head, call.body);
        at = next;
    }
}

fn length(bytes: &[u8]) -> u32 {
    // A request has at most 4 MiB.
    bytes.len() as u32
}

/// The results in a frame for `task`.
///
/// # Errors
///
/// `invalid_arguments` with the place, for what is no frame.
pub fn read(frame: &[u8], task: u32) -> Result<Vec<Supplied<'_>>> {
    let is_whole = word(frame, 4) == Some(frame.len() as u32) && frame.len() <= MAX_BYTES;
    if word(frame, 0) != Some(RESULTS) {
        return Err(wrong("is not CLR1", 0));
    }
    if !is_whole {
        return Err(wrong(
            "is not the length of the frame, or more than 4 MiB",
            4,
        ));
    }
    if word(frame, 8) != Some(task) {
        return Err(wrong("is of another task", 8));
    }
    let mut results = Vec::new();
    let mut at = HEAD;
    for _ in 0..word(frame, 12).unwrap_or_default() {
        let Some((result, next)) = record(frame, at) else {
            return Err(wrong("is not a whole result", at));
        };
        results.push(result);
        at = next;
    }
    if at != frame.len() {
        return Err(wrong("is more than the results", at));
    }
    Ok(results)
}

/// The record at `at`, and where the next one is.
fn record(frame: &[u8], at: usize) -> Option<(Supplied<'_>, usize)> {
    let first = word(frame, at)?;
    let head_end = (at + HEAD).checked_add(word(frame, at + 8)? as usize)?;
    let body_end = head_end.checked_add(word(frame, at + 12)? as usize)?;
    let result = Supplied {
        call: word(frame, at + 4)?,
        // The lower half, as it stands.
        status: (first & 0xFFFF) as u16 as i16,
        has_more: first >> 16 & 1 == 1,
        head: frame.get(at + HEAD..head_end)?,
        body: frame.get(head_end..body_end)?,
    };
    let next = body_end.checked_next_multiple_of(4)?;
    (next <= frame.len()).then_some((result, next))
}

fn word(frame: &[u8], at: usize) -> Option<u32> {
    let bytes = frame.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn wrong(what: &str, at: usize) -> core_alloc::boxed::Box<AgentError> {
    let place = decimal(at as u64);
    let message = "a frame: what stands at byte {} {}";
    AgentError::new(ErrorCode::InvalidArguments, message, &[&place, what])
}
