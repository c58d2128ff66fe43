//! The counters against a model that is kept by hand, after every one of thousands of random calls.

use std::alloc::System;

use super::statistics::{VERSION, fragmentation_ppm};
use super::*;

/// The system's allocator, which can be told to refuse, and says which of its functions were called.
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
        match self.called(0) {
            true => core::ptr::null_mut(),
            // SAFETY: handed on to our caller.
            false => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match self.called(1) {
            true => core::ptr::null_mut(),
            // SAFETY: handed on to our caller.
            false => unsafe { System.alloc_zeroed(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.called(2);
        // SAFETY: handed on to our caller.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        match self.called(3) {
            true => core::ptr::null_mut(),
            // SAFETY: handed on to our caller.
            false => unsafe { System.realloc(block, layout, size) },
        }
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

fn play(random: &mut Random, calls: usize) {
    let traced = Traced::new(Inner::default());
    let mut model = nothing_yet();
    let mut made = [0; 4];
    let mut live: Vec<(*mut u8, Layout)> = Vec::new();
    for _ in 0..calls {
        let refuses = random.below(8) == 0;
        traced.inner.refuses.set(refuses);
        let layout = Layout::from_size_align(random.size(), 1 << random.below(5)).unwrap();
        match random.below(40) {
            0 => {
                traced.counters.reset();
                let (live_blocks, live_bytes) = (model.live_blocks, model.live_bytes);
                model = Statistics {
                    live_blocks,
                    live_bytes,
                    peak_live_bytes: live_bytes,
                    ..nothing_yet()
                };
            }
            kind @ 1..20 => {
                let zeroed = kind % 2;
                made[zeroed] += 1;
                // SAFETY: no size is 0.
                let block = unsafe {
                    match zeroed {
                        0 => traced.alloc(layout),
                        _ => traced.alloc_zeroed(layout),
                    }
                };
                assert_eq!(block.is_null(), refuses);
                if refuses {
                    model.failed += 1;
                } else {
                    let class = match layout.size() {
                        0..=64 => 0,
                        65..=256 => 1,
                        257..=1024 => 2,
                        1025..=4096 => 3,
                        _ => 4,
                    };
                    model.by_size[class] += 1;
                    model.allocations += 1;
                    model.live_blocks += 1;
                    took(&mut model, layout.size() as u64);
                    live.push((block, layout));
                }
            }
            20..30 if !live.is_empty() => {
                let at = random.below(live.len());
                let (block, before) = live[at];
                let after = Layout::from_size_align(layout.size(), before.align()).unwrap();
                made[3] += 1;
                // SAFETY: the block is live and has this layout; no size is 0.
                let moved = unsafe { traced.realloc(block, before, after.size()) };
                assert_eq!(moved.is_null(), refuses);
                if refuses {
                    model.failed += 1;
                } else {
                    model.reallocations += 1;
                    gave_back(&mut model, before.size() as u64);
                    took(&mut model, after.size() as u64);
                    live[at] = (moved, after);
                }
            }
            30.. if !live.is_empty() => {
                let (block, layout) = live.swap_remove(random.below(live.len()));
                made[2] += 1;
                // SAFETY: the block was live and has this layout.
                unsafe { traced.dealloc(block, layout) };
                model.deallocations += 1;
                model.live_blocks -= 1;
                gave_back(&mut model, layout.size() as u64);
            }
            _ => {}
        }
        assert_eq!(traced.counters.statistics(), model);
        assert_eq!(traced.inner.calls.get(), made, "each is its inner's own");
    }
    for (block, layout) in live {
        // SAFETY: the block is live and has this layout.
        unsafe { traced.dealloc(block, layout) };
    }
    let left = traced.counters.statistics();
    assert_eq!((left.live_blocks, left.live_bytes), (0, 0));
}

fn took(model: &mut Statistics, bytes: u64) {
    model.allocated_bytes += bytes;
    model.live_bytes += bytes;
    model.peak_live_bytes = model.peak_live_bytes.max(model.live_bytes);
}

fn gave_back(model: &mut Statistics, bytes: u64) {
    model.freed_bytes += bytes;
    model.live_bytes -= bytes;
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
