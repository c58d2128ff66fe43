//! The allocator of the wasm file, chosen by feature; native builds keep the system's.
//!
//! | feature | allocator |
//! |---|---|
//! | `alloc-dlmalloc` (default) | dlmalloc: general, the one Rust's own std uses on wasm |
//! | `alloc-talc` | talc |
//! | `alloc-talc-small` | talc without what makes it larger: nothing is resized in place, and memory that was grown is not joined with what was there |
//! | `alloc-lol` | lol_alloc's bump allocator, which **never takes anything back** |
//! | `alloc-lol-free` | lol_alloc's free list, searched from the front: slow with many free blocks |
//!
//! The leaking one is for short lives. A session is written out anew with every message, so what is
//! lost with each is of the size of the history.
//!
//! `build.rs` decides between the features, and says so as `cfg(allocator = "…")`: exactly one
//! `chosen` below is compiled. With the feature `alloc-tracing` it stands in an
//! `alloc_trace::Traced`, and [`statistics`] says what it was asked for.

#[cfg(feature = "alloc-tracing")]
use core_alloc::string::String;

#[cfg(feature = "alloc-tracing")]
use crate::alloc_trace::{Statistics, Traced};

#[cfg(not(feature = "alloc-tracing"))]
#[global_allocator]
static ALLOCATOR: chosen::Allocator = chosen::new();

#[cfg(feature = "alloc-tracing")]
#[global_allocator]
static ALLOCATOR: Traced<chosen::Allocator> = Traced::new(chosen::new());

/// What the agent's allocator was asked for. Takes no memory of the heap.
#[cfg(feature = "alloc-tracing")]
pub fn statistics() -> Statistics {
    ALLOCATOR.counters.statistics()
}

/// [`statistics`], as JSON. What the text itself takes is not in it.
#[cfg(feature = "alloc-tracing")]
pub fn statistics_json() -> String {
    statistics().to_json()
}

/// Begins to count anew; what is live stays live.
#[cfg(feature = "alloc-tracing")]
pub fn reset() {
    ALLOCATOR.counters.reset();
}

#[cfg(allocator = "talc")]
mod chosen {
    use talc::wasm;

    pub type Allocator = wasm::WasmDynamicTalc;

    pub const fn new() -> Allocator {
        wasm::new_wasm_dynamic_allocator()
    }
}

#[cfg(allocator = "talc-small")]
mod chosen {
    use talc::{cell, wasm};

    pub type Allocator = cell::TalcSyncCell<wasm::WasmGrowAndClaim, wasm::WasmBinning>;

    pub const fn new() -> Allocator {
        cell::TalcSyncCell::new_wasm(wasm::WasmGrowAndClaim)
    }
}

#[cfg(allocator = "lol")]
mod chosen {
    use lol_alloc::{AssumeSingleThreaded, LeakingAllocator};

    pub type Allocator = AssumeSingleThreaded<LeakingAllocator>;

    #[allow(unsafe_code)]
    pub const fn new() -> Allocator {
        // SAFETY: the targets have no threads (neither wasip1 nor wasip2 has atomics), so nothing
        // allocates at the same time as something else.
        unsafe { AssumeSingleThreaded::new(LeakingAllocator::new()) }
    }
}

#[cfg(allocator = "lol-free")]
mod chosen {
    use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

    pub type Allocator = AssumeSingleThreaded<FreeListAllocator>;

    #[allow(unsafe_code)]
    pub const fn new() -> Allocator {
        // SAFETY: the targets have no threads (neither wasip1 nor wasip2 has atomics), so nothing
        // allocates at the same time as something else.
        unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) }
    }
}

#[cfg(allocator = "dlmalloc")]
#[allow(unsafe_code)]
mod chosen {
    use core::alloc::{GlobalAlloc, Layout};
    use core::cell::UnsafeCell;

    use dlmalloc::Dlmalloc;

    /// dlmalloc through its C interface, which aligns to 8 bytes. Nothing in the agent wants more,
    /// and the code for more would be carried along, because the alignment is a parameter.
    pub struct Allocator(UnsafeCell<Dlmalloc>);

    pub const fn new() -> Allocator {
        Allocator(UnsafeCell::new(Dlmalloc::new()))
    }

    /// What every allocation is aligned to: two words.
    const ALIGN: usize = 2 * size_of::<usize>();

    // SAFETY: the targets have no threads, so nobody shares it.
    unsafe impl Sync for Allocator {}

    // SAFETY: what is handed out comes from dlmalloc, is aligned to `ALIGN`, and refused where that
    // is too little. No call is inside another: dlmalloc calls nothing of ours.
    unsafe impl GlobalAlloc for Allocator {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            if layout.align() > ALIGN {
                return core::ptr::null_mut();
            }
            // SAFETY: the only reference there is, for the time of this call.
            unsafe { (*self.0.get()).c_malloc(layout.size()) }
        }

        unsafe fn dealloc(&self, pointer: *mut u8, _: Layout) {
            // SAFETY: as in `alloc`; the pointer comes from there.
            unsafe { (*self.0.get()).c_free(pointer) }
        }

        unsafe fn realloc(&self, pointer: *mut u8, _: Layout, size: usize) -> *mut u8 {
            // SAFETY: as in `alloc`; the pointer comes from there, and its alignment is kept.
            unsafe { (*self.0.get()).c_realloc(pointer, size) }
        }
    }
}
