//! Allocation tracing (feature `alloc-tracing`): what the allocator is asked for, whichever it is.
//!
//! [`Traced`] stands around an allocator, [`Counters`] is what it keeps, [`Statistics`] what is
//! read of it. `alloc` puts it around the agent's allocator and speaks for that one;
//! `c_abi::allocations` and `component::allocations` export what it says.
//!
//! - Bytes are those that were asked for, without what an allocator adds to them.
//! - A reallocation counts as one, and neither as an allocation nor as a deallocation. Its old size
//!   is freed and its new size allocated; the peak is taken after both.
//! - A call that the allocator refuses counts as failed and in nothing else.
//! - A reset leaves what is live as it is, in bytes and in blocks, takes it for the peak, and sets
//!   the rest to 0. Blocks that are older than the reset count when they are freed.
//! - Linear memory never shrinks: a reset has nothing to do with it, and the heap is all that was
//!   grown since the start.
//!
//! Whatever can be derived is derived when it is read: a traced program is to be like one that is
//! not.
#![allow(unsafe_code)]

mod statistics;

pub use statistics::{CLASSES, Statistics};

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;

/// An allocator whose calls are counted.
#[derive(Debug)]
pub struct Traced<A> {
    inner: A,
    /// What was counted.
    pub counters: Counters,
}

impl<A> Traced<A> {
    /// Counts the calls to `inner`.
    pub const fn new(inner: A) -> Self {
        Traced {
            inner,
            counters: Counters::new(),
        }
    }
}

// SAFETY: the targets have no threads (no atomics, no shared memory): nobody shares the counters.
#[cfg(target_family = "wasm")]
unsafe impl<A: Sync> Sync for Traced<A> {}

// SAFETY: every call is handed on as it is, and so is what comes back. Counting neither allocates
// nor panics.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Traced<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: handed on to our caller.
        let block = unsafe { self.inner.alloc(layout) };
        self.counters.allocated(block, layout);
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: handed on to our caller.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        self.counters.allocated(block, layout);
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: handed on to our caller.
        unsafe { self.inner.dealloc(block, layout) };
        self.counters.deallocated(layout);
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: handed on to our caller.
        let block = unsafe { self.inner.realloc(block, layout, size) };
        self.counters.reallocated(block, layout, size);
        block
    }
}

/// How many numbers of leading zeros a size can have.
const WIDTHS: usize = usize::BITS as usize + 1;

/// What is counted at every call.
#[derive(Debug)]
pub struct Counters {
    /// Allocations by the leading zeros of their size less one. That costs no comparison, and the
    /// classes are powers of two.
    by_zeros: [Cell<u64>; WIDTHS],
    /// Bytes, those that were live at the reset among them. What is live is the difference to
    /// `freed`.
    allocated: Cell<u64>,
    freed: Cell<u64>,
    peak: Cell<u64>,
    deallocations: Cell<u64>,
    reallocations: Cell<u64>,
    failed: Cell<u64>,
    live_bytes_at_reset: Cell<u64>,
    live_blocks_at_reset: Cell<u64>,
}

impl Counters {
    const fn new() -> Self {
        Counters {
            by_zeros: [const { Cell::new(0) }; WIDTHS],
            allocated: Cell::new(0),
            freed: Cell::new(0),
            peak: Cell::new(0),
            deallocations: Cell::new(0),
            reallocations: Cell::new(0),
            failed: Cell::new(0),
            live_bytes_at_reset: Cell::new(0),
            live_blocks_at_reset: Cell::new(0),
        }
    }

    fn allocated(&self, block: *mut u8, layout: Layout) {
        if block.is_null() {
            return add(&self.failed, 1);
        }
        // Nobody may ask a `GlobalAlloc` for 0 bytes.
        let zeros = (layout.size() - 1).leading_zeros();
        add(&self.by_zeros[zeros as usize], 1);
        self.take(layout.size());
    }

    fn deallocated(&self, layout: Layout) {
        add(&self.deallocations, 1);
        add(&self.freed, layout.size());
    }

    fn reallocated(&self, block: *mut u8, before: Layout, size: usize) {
        if block.is_null() {
            return add(&self.failed, 1);
        }
        add(&self.reallocations, 1);
        add(&self.freed, before.size());
        self.take(size);
    }

    fn take(&self, size: usize) {
        add(&self.allocated, size);
        let live = self.live_bytes();
        if live > self.peak.get() {
            self.peak.set(live);
        }
    }

    fn live_bytes(&self) -> u64 {
        self.allocated.get() - self.freed.get()
    }

    /// What was counted so far.
    pub fn statistics(&self) -> Statistics {
        let mut by_size = [0; CLASSES.len() + 1];
        for (zeros, count) in self.by_zeros.iter().enumerate() {
            // A size less one of so many bits is a size of at most two to their power.
            let bits = usize::BITS - zeros as u32;
            let class = CLASSES
                .iter()
                .position(|limit| bits <= limit.trailing_zeros());
            by_size[class.unwrap_or(CLASSES.len())] += count.get();
        }
        let allocations = by_size.iter().sum();
        let (linear_memory_bytes, heap_bytes) = memory();
        Statistics {
            version: statistics::VERSION,
            length: size_of::<Statistics>() as u32,
            by_size,
            allocations,
            deallocations: self.deallocations.get(),
            reallocations: self.reallocations.get(),
            failed: self.failed.get(),
            live_blocks: self.live_blocks_at_reset.get() + allocations - self.deallocations.get(),
            live_bytes: self.live_bytes(),
            peak_live_bytes: self.peak.get(),
            allocated_bytes: self.allocated.get() - self.live_bytes_at_reset.get(),
            freed_bytes: self.freed.get(),
            linear_memory_bytes,
            heap_bytes,
            fragmentation_ppm: statistics::fragmentation_ppm(heap_bytes, self.peak.get()),
        }
    }

    /// Begins to count anew; what is live stays live.
    pub fn reset(&self) {
        let live = self.statistics();
        self.by_zeros.iter().for_each(|count| count.set(0));
        self.allocated.set(live.live_bytes);
        self.freed.set(0);
        self.peak.set(live.live_bytes);
        self.deallocations.set(0);
        self.reallocations.set(0);
        self.failed.set(0);
        self.live_bytes_at_reset.set(live.live_bytes);
        self.live_blocks_at_reset.set(live.live_blocks);
    }
}

fn add(counter: &Cell<u64>, amount: usize) {
    counter.set(counter.get() + amount as u64);
}

/// The linear memory there is, and what of it was grown for the heap, in bytes.
#[cfg(target_family = "wasm")]
fn memory() -> (u64, u64) {
    unsafe extern "C" {
        /// Where the memory that the module begins with ends. Made by the linker; there is nothing
        /// at it.
        static __heap_end: u8;
    }
    let now = core::arch::wasm32::memory_size(0) as u64 * 65_536;
    (now, now - (&raw const __heap_end).addr() as u64)
}

/// A host's memory is its own business.
#[cfg(not(target_family = "wasm"))]
fn memory() -> (u64, u64) {
    (0, 0)
}

#[cfg(test)]
mod tests;
