//! The counters against a model that is kept by hand, after every one of thousands of random calls.

use std::alloc::System;

use super::statistics::{VERSION, fragmentation_ppm};
use super::*;

/// The system's allocator, which can be told to refuse, and says which of its functions were
/// called.
#[derive(Default)]
struct Inner {
    refuses: Cell<bool>,
    calls: Cell<[usize; 4]>,
}

impl Inner {
    fn called(&self, function: usize) -> bool {
        let mut calls = self.calls.get();
        calls[function] += 1;
        self.calls.set(calls);
        self.refuses.get()
    }
}

// SAFETY: the system's allocator is one, and a null pointer is a refusal.
unsafe impl GlobalAlloc for Inner {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.called(0) {
            return core::ptr::null_mut();
        }
        // SAFETY: handed on to our caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if self.called(1) {
            return core::ptr::null_mut();
        }
        // SAFETY: handed on to our caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.called(2);
        // SAFETY: handed on to our caller.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if self.called(3) {
            return core::ptr::null_mut();
        }
        // SAFETY: handed on to our caller.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// xorshift64*, by Vigna.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    /// Often at the edge of a class, else small, rarely large.
    fn size(&mut self) -> usize {
        match self.below(8) {
            0..3 => [64, 256, 1024, 4096][self.below(4)] + self.below(3) - 1,
            3..7 => 1 + self.below(2000),
            _ => 1 + self.below(200_000),
        }
    }
}

/// What must have been counted, in the most obvious way.
fn nothing_yet() -> Statistics {
    Statistics {
        version: VERSION,
        length: 144,
        by_size: [0; 5],
        allocations: 0,
        deallocations: 0,
        reallocations: 0,
        failed: 0,
        live_blocks: 0,
        live_bytes: 0,
        peak_live_bytes: 0,
        allocated_bytes: 0,
        freed_bytes: 0,
        linear_memory_bytes: 0,
        heap_bytes: 0,
        fragmentation_ppm: 0,
    }
}

#[test]
fn every_counter_is_right_after_every_call() {
    for seed in 1..=20 {
        play(&mut Random(seed), 2000);
    }
}

/// A traced allocator beside a model of what it must count.
struct Play {
    traced: Traced<Inner>,
    model: Statistics,
    /// Calls of each function of the allocator within.
    made: [usize; 4],
    live: Vec<(*mut u8, Layout)>,
}

fn play(random: &mut Random, calls: usize) {
    let mut play = Play {
        traced: Traced::new(Inner::default()),
        model: nothing_yet(),
        made: [0; 4],
        live: Vec::new(),
    };
    for _ in 0..calls {
        let refuses = random.below(8) == 0;
        play.traced.inner.refuses.set(refuses);
        let layout = Layout::from_size_align(random.size(), 1 << random.below(5)).unwrap();
        match random.below(40) {
            0 => play.reset(),
            kind @ 1..20 => play.allocate(kind % 2, layout, refuses),
            20..30 if !play.live.is_empty() => {
                play.reallocate(random.below(play.live.len()), layout.size(), refuses);
            }
            30.. if !play.live.is_empty() => play.deallocate(random.below(play.live.len())),
            _ => {}
        }
        assert_eq!(play.traced.counters.statistics(), play.model);
        let calls = play.traced.inner.calls.get();
        assert_eq!(calls, play.made, "each is its inner's own");
    }
    for (block, layout) in play.live {
        // SAFETY: the block is live and has this layout.
        unsafe { play.traced.dealloc(block, layout) };
    }
    let left = play.traced.counters.statistics();
    assert_eq!((left.live_blocks, left.live_bytes), (0, 0));
}

impl Play {
    fn reset(&mut self) {
        self.traced.counters.reset();
        let Statistics {
            live_blocks,
            live_bytes,
            ..
        } = self.model;
        self.model = Statistics {
            live_blocks,
            live_bytes,
            peak_live_bytes: live_bytes,
            ..nothing_yet()
        };
    }

    fn allocate(&mut self, zeroed: usize, layout: Layout, refuses: bool) {
        self.made[zeroed] += 1;
        // SAFETY: no size is 0.
        let block = unsafe {
            match zeroed {
                0 => self.traced.alloc(layout),
                _ => self.traced.alloc_zeroed(layout),
            }
        };
        assert_eq!(block.is_null(), refuses);
        if refuses {
            self.model.failed += 1;
            return;
        }
        let class = match layout.size() {
            0..=64 => 0,
            65..=256 => 1,
            257..=1024 => 2,
            1025..=4096 => 3,
            _ => 4,
        };
        self.model.by_size[class] += 1;
        self.model.allocations += 1;
        self.model.live_blocks += 1;
        self.took(layout.size() as u64);
        self.live.push((block, layout));
    }

    fn reallocate(&mut self, at: usize, size: usize, refuses: bool) {
        let (block, before) = self.live[at];
        let after = Layout::from_size_align(size, before.align()).unwrap();
        self.made[3] += 1;
        // SAFETY: the block is live and has this layout; no size is 0.
        let moved = unsafe { self.traced.realloc(block, before, size) };
        assert_eq!(moved.is_null(), refuses);
        if refuses {
            self.model.failed += 1;
            return;
        }
        self.model.reallocations += 1;
        self.gave_back(before.size() as u64);
        self.took(size as u64);
        self.live[at] = (moved, after);
    }

    fn deallocate(&mut self, at: usize) {
        let (block, layout) = self.live.swap_remove(at);
        self.made[2] += 1;
        // SAFETY: the block was live and has this layout.
        unsafe { self.traced.dealloc(block, layout) };
        self.model.deallocations += 1;
        self.model.live_blocks -= 1;
        self.gave_back(layout.size() as u64);
    }

    fn took(&mut self, bytes: u64) {
        let model = &mut self.model;
        model.allocated_bytes += bytes;
        model.live_bytes += bytes;
        model.peak_live_bytes = model.peak_live_bytes.max(model.live_bytes);
    }

    fn gave_back(&mut self, bytes: u64) {
        self.model.freed_bytes += bytes;
        self.model.live_bytes -= bytes;
    }
}

/// Protects the ratio's ends: no heap is no division, all of memory no overflow.
#[test]
fn fragmentation() {
    for (heap, peak, ppm) in [
        (0, 0, 0),
        (65_536, 0, 1_000_000),
        (65_536, 65_536, 0),
        (65_536, 16_384, 750_000),
        (65_536, 70_000, 0),
        (1 << 32, 1, 999_999),
    ] {
        assert_eq!(fragmentation_ppm(heap, peak), ppm, "{heap} {peak}");
    }
}

#[test]
fn json_has_every_field_but_the_length() {
    let statistics = Statistics {
        by_size: [1, 2, 3, 4, u64::MAX],
        allocations: 6,
        deallocations: 7,
        reallocations: 8,
        failed: 9,
        live_blocks: 10,
        live_bytes: 11,
        peak_live_bytes: 12,
        allocated_bytes: 13,
        freed_bytes: 14,
        linear_memory_bytes: 15,
        heap_bytes: 16,
        fragmentation_ppm: 17,
        ..nothing_yet()
    };
    let json: serde_json::Value = serde_json::from_str(&statistics.to_json()).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "version": 1, "by_size": [1, 2, 3, 4, u64::MAX], "allocations": 6, "deallocations": 7, "reallocations": 8,
            "failed": 9, "live_blocks": 10, "live_bytes": 11, "peak_live_bytes": 12, "allocated_bytes": 13,
            "freed_bytes": 14, "linear_memory_bytes": 15, "heap_bytes": 16, "fragmentation_ppm": 17,
        })
    );
}
