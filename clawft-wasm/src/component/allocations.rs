//! What the component exports besides in a build with the feature `alloc-tracing`:
//! `wit/allocations.wit`.

use core::cell::Cell;
use core::mem::{MaybeUninit, offset_of};

use super::returned::Returned;
use crate::alloc;
use crate::alloc_trace::Statistics;

struct Record(Cell<MaybeUninit<Statistics>>);

// SAFETY: WASI 0.2 has no threads: nobody to share with.
unsafe impl Sync for Record {}

/// The record of the last call: reading it takes no memory of the heap.
static RECORD: Record = Record(Cell::new(MaybeUninit::uninit()));

/// `read: func() -> statistics`
#[unsafe(export_name = "clawft:agent/allocations@0.1.0#read")]
extern "C" fn read() -> *const u64 {
    RECORD.0.set(MaybeUninit::new(alloc::statistics()));
    // The record of the interface is that of the type from there on, field by field.
    RECORD
        .0
        .as_ptr()
        .cast::<u64>()
        .wrapping_byte_add(offset_of!(Statistics, by_size))
}

/// `json: func() -> string`
#[unsafe(export_name = "clawft:agent/allocations@0.1.0#json")]
extern "C" fn json() -> *mut Returned {
    // First: what was returned last is freed then.
    let json = alloc::statistics_json();
    let mut returned = Returned::fresh();
    returned.text(0, json);
    returned.finish(Ok(()))
}

/// `reset: func()`
#[unsafe(export_name = "clawft:agent/allocations@0.1.0#reset")]
extern "C" fn reset() {
    alloc::reset();
}
