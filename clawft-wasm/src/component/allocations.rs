//! What the component exports besides in a build with the feature `alloc-tracing`:
//! `wit/allocations.wit`.

use core_alloc::string::String;

use super::Component;
use super::bindings::exports::clawft::agent::allocations::{Guest, Statistics};
use crate::alloc;

impl Guest for Component {
    fn read() -> Statistics {
        let now = alloc::statistics();
        Statistics {
            by_size: now.by_size.into(),
            allocations: now.allocations,
            deallocations: now.deallocations,
            reallocations: now.reallocations,
            failed: now.failed,
            live_blocks: now.live_blocks,
            live_bytes: now.live_bytes,
            peak_live_bytes: now.peak_live_bytes,
            allocated_bytes: now.allocated_bytes,
            freed_bytes: now.freed_bytes,
            linear_memory_bytes: now.linear_memory_bytes,
            heap_bytes: now.heap_bytes,
            fragmentation_ppm: now.fragmentation_ppm,
        }
    }

    fn json() -> String {
        alloc::statistics_json()
    }

    fn reset() {
        alloc::reset();
    }
}
