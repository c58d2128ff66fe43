//! What a call returns, laid out as the canonical ABI has it.
//!
//! The host reads it after the call and before any other: it is kept until the next one, and there
//! is nothing for the host to give back.

use core::cell::Cell;

use clawft_types::{AgentError, Message, Result};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

/// What one call returns, with all that it points at.
#[repr(C)]
#[derive(Default)]
pub struct Returned {
    /// The value, by words: of a `result` the first says whether it is an error, and the value or
    /// the error begins at the second.
    pub area: [u32; 17],
    texts: Vec<String>,
    lists: Vec<Vec<u64>>,
    /// A frame that a list points into.
    pub frame: Vec<u8>,
    /// Messages that a list points into.
    pub messages: Vec<Message>,
}

struct Last(Cell<*mut Returned>);

// SAFETY: WASI 0.2 has no threads: nobody to share with.
unsafe impl Sync for Last {}

static LAST: Last = Last(Cell::new(core::ptr::null_mut()));

impl Returned {
    /// Of a call that begins; what the one before has returned is freed.
    pub fn fresh() -> Box<Self> {
        let last = LAST.0.replace(core::ptr::null_mut());
        if !last.is_null() {
            // SAFETY: it comes from `finish`, and nobody has it any more.
            drop(unsafe { Box::from_raw(last) });
        }
        Box::default()
    }

    /// Hands it to the host: the value that it has, or the error.
    pub fn finish(mut self: Box<Self>, result: Result<()>) -> *mut Returned {
        if let Err(error) = result {
            self.area[0] = 1;
            self.error(1, *error);
        }
        let returned = Box::into_raw(self);
        LAST.0.set(returned);
        returned
    }

    /// Keeps a text; gives it as a record has it.
    pub fn keep(&mut self, text: String) -> u64 {
        let record = place(&text);
        self.texts.push(text);
        record
    }

    /// Keeps a list of records of so many double words; gives it as a record has it.
    pub fn keep_list(&mut self, records: Vec<u64>, size: usize) -> u64 {
        let count = records.len() / size;
        let record = pair(records.as_ptr().addr() as u32, count as u32);
        self.lists.push(records);
        record
    }

    /// Puts a text at this word.
    pub fn text(&mut self, at: usize, text: String) {
        let record = self.keep(text);
        self.put(at, record);
    }

    /// Puts a list of records of so many double words at this word.
    pub fn list(&mut self, at: usize, records: Vec<u64>, size: usize) {
        let record = self.keep_list(records, size);
        self.put(at, record);
    }

    /// Puts an error at this word.
    pub fn error(&mut self, at: usize, error: AgentError) {
        // The cases of the WIT enum are those of the type, in the same order, from 0 instead of 1.
        self.put(at, u64::from(error.code.number()) - 1);
        self.text(at + 1, error.message);
        let retry = u32::try_from(error.retry_after_ms).unwrap_or(u32::MAX);
        self.put(at + 3, pair(u32::from(retry > 0), retry));
    }

    fn put(&mut self, at: usize, record: u64) {
        let halves = [record as u32, (record >> 32) as u32];
        for (to, half) in self.area.iter_mut().skip(at).zip(halves) {
            *to = half;
        }
    }
}

/// Where a text is, as a record has it.
pub fn place(text: &str) -> u64 {
    pair(text.as_ptr().addr() as u32, text.len() as u32)
}

/// Two words as one: the first is the lower half, which is before the other in memory.
pub fn pair(first: u32, second: u32) -> u64 {
    u64::from(first) | u64::from(second) << 32
}
