//! What the C ABI has besides in a build with the feature `alloc-tracing`.
//!
//! | function | does |
//! |---|---|
//! | `clawft_alloc_statistics() -> ptr` | the [record](Statistics) as of now, which the next call of this function overwrites |
//! | `clawft_alloc_statistics_json() -> status` | the same as JSON text; it is an answer like others |
//! | `clawft_alloc_reset()` | begins to count anew |
//!
//! Reading the record takes no memory of the heap. The JSON text does, and counts afterwards; so
//! does the answer before it, which is freed.

use core::cell::Cell;
use core::mem::MaybeUninit;

use crate::alloc;
use crate::alloc_trace::Statistics;

struct Record(Cell<MaybeUninit<Statistics>>);

// SAFETY: wasip1 has no threads: nobody to share with.
unsafe impl Sync for Record {}

/// The record of the last call.
static RECORD: Record = Record(Cell::new(MaybeUninit::uninit()));
const _: () = assert!(
    size_of::<Record>() <= crate::budget::ALLOCATION_RECORD,
    "the record is larger than `allocation-record` in [package.metadata.budget.constants]"
);

/// The statistics as of now.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_alloc_statistics() -> *const Statistics {
    RECORD.0.set(MaybeUninit::new(alloc::statistics()));
    RECORD.0.as_ptr().cast()
}

/// Answers with the statistics as of now.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_alloc_statistics_json() -> i32 {
    super::finish(Ok(alloc::statistics_json()))
}

/// Begins to count anew.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_alloc_reset() {
    alloc::reset();
}
