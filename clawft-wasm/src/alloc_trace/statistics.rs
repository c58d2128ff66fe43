//! What is read of the counters: a record with a fixed layout, and the same as JSON.

use clawft_types::json::Writer;
use core_alloc::string::String;

/// The version of the record's layout. It grows when a field changes or goes; a new field only
/// makes it longer.
pub const VERSION: u32 = 1;

/// The largest size of each class, in bytes; a last class has what is larger. Powers of two, from
/// small to large.
pub const CLASSES: [u64; 4] = [64, 256, 1024, 4096];

/// What an allocator was asked for since the start or the last reset, with what is live and the
/// memory there is.
///
/// A host reads it from linear memory by this layout. All numbers are little-endian and without
/// sign.
///
/// | offset | bytes | field | |
/// |--:|--:|---|---|
/// | 0 | 4 | `version` | of this layout, 1 |
/// | 4 | 4 | `length` | of the record in bytes, 144 |
/// | 8 | 5 × 8 | `by_size` | allocations of at most 64, 256, 1,024, 4,096 bytes, and of more |
/// | 48 | 8 | `allocations` | all of them |
/// | 56 | 8 | `deallocations` | |
/// | 64 | 8 | `reallocations` | |
/// | 72 | 8 | `failed` | calls that were refused, which nothing else counts |
/// | 80 | 8 | `live_blocks` | allocated and not freed, whenever that was |
/// | 88 | 8 | `live_bytes` | in these blocks |
/// | 96 | 8 | `peak_live_bytes` | the most since the start or the reset |
/// | 104 | 8 | `allocated_bytes` | by allocations and reallocations |
/// | 112 | 8 | `freed_bytes` | by deallocations and reallocations |
/// | 120 | 8 | `linear_memory_bytes` | all of the memory now; it never shrinks |
/// | 128 | 8 | `heap_bytes` | what of it was grown since the start |
/// | 136 | 8 | `fragmentation_ppm` | the part of the heap that even the peak did not use, in parts per million |
///
/// Counts have 64 bits because a long life wraps around 32, memory because all of it is 2^32 bytes.
/// On a host, where there is no linear memory, the last three are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
#[allow(missing_docs, reason = "the table above has them")]
pub struct Statistics {
    pub version: u32,
    pub length: u32,
    pub by_size: [u64; CLASSES.len() + 1],
    pub allocations: u64,
    pub deallocations: u64,
    pub reallocations: u64,
    pub failed: u64,
    pub live_blocks: u64,
    pub live_bytes: u64,
    pub peak_live_bytes: u64,
    pub allocated_bytes: u64,
    pub freed_bytes: u64,
    pub linear_memory_bytes: u64,
    pub heap_bytes: u64,
    pub fragmentation_ppm: u64,
}

impl Statistics {
    /// An object with the fields of the record, but for its length.
    pub fn to_json(&self) -> String {
        let mut out = Writer::new();
        out.open("{");
        out.unsigned_member("version", self.version.into());
        out.key("by_size");
        out.open("[");
        for count in self.by_size {
            out.unsigned(count);
        }
        out.close("]");
        for (name, value) in [
            ("allocations", self.allocations),
            ("deallocations", self.deallocations),
            ("reallocations", self.reallocations),
            ("failed", self.failed),
            ("live_blocks", self.live_blocks),
            ("live_bytes", self.live_bytes),
            ("peak_live_bytes", self.peak_live_bytes),
            ("allocated_bytes", self.allocated_bytes),
            ("freed_bytes", self.freed_bytes),
            ("linear_memory_bytes", self.linear_memory_bytes),
            ("heap_bytes", self.heap_bytes),
            ("fragmentation_ppm", self.fragmentation_ppm),
        ] {
            out.unsigned_member(name, value);
        }
        out.close("}");
        out.finish()
    }
}

/// The part of the heap that even the peak of live bytes did not use, in parts per million; 0
/// without a heap.
pub fn fragmentation_ppm(heap_bytes: u64, peak_live_bytes: u64) -> u64 {
    let unused = heap_bytes.saturating_sub(peak_live_bytes);
    // A heap has at most 2^32 bytes: no product is too large.
    (unused * 1_000_000).checked_div(heap_bytes).unwrap_or(0)
}
