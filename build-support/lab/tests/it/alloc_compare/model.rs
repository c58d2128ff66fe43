//! The books of `fixtures/allocators/src/exercise.rs`, kept without an allocator: the same random
//! numbers say what is asked for, and the documentation of the statistics what has to be counted.

use super::random::Random;
use lab::alloc_compare::Statistics;
use std::collections::HashMap;

/// As in the fixture.
const ROOM: u32 = 256;
const EDGES: [u32; 12] = [
    1, 63, 64, 65, 256, 257, 1_024, 1_025, 4_096, 4_097, 65_536, 200_000,
];

/// What must have been counted.
pub struct Model {
    pub counted: Statistics,
    /// The sizes of live blocks, by place.
    blocks: HashMap<u32, u64>,
}

impl Model {
    /// Beginning with what was there.
    pub fn from(counted: Statistics) -> Self {
        Self {
            counted,
            blocks: HashMap::new(),
        }
    }

    /// `count` random calls.
    pub fn exercise(&mut self, seed: u64, count: u32) {
        let mut random = Random::new(seed);
        for _ in 0..count {
            let place = random.below(ROOM);
            let size = u64::from(size(&mut random));
            let _align = random.below(4);
            let (choice, _mark) = (random.below(16), random.bits());
            match (self.blocks.get(&place).copied(), choice) {
                (None, 0 | 1) | (Some(_), 0) => self.counted.failed += 1,
                (None, _) => self.allocate(place, size),
                (Some(before), 1..8) => self.resize(place, before, size),
                (Some(before), _) => self.free(place, before),
            }
        }
    }

    /// What is live stays live, and is the peak.
    pub fn reset(&mut self) {
        let Statistics {
            live_blocks,
            live_bytes,
            ..
        } = self.counted;
        self.counted = Statistics {
            live_blocks,
            live_bytes,
            peak_live_bytes: live_bytes,
            ..Statistics::default()
        };
    }

    /// Everything is given back.
    pub fn clear(&mut self) {
        for (place, size) in self.blocks.clone() {
            self.free(place, size);
        }
    }

    fn allocate(&mut self, place: u32, size: u64) {
        let class = match size {
            ..=64 => 0,
            65..=256 => 1,
            257..=1_024 => 2,
            1_025..=4_096 => 3,
            _ => 4,
        };
        self.counted.by_size[class] += 1;
        self.counted.allocations += 1;
        self.counted.live_blocks += 1;
        self.take(place, size);
    }

    fn resize(&mut self, place: u32, before: u64, size: u64) {
        self.counted.reallocations += 1;
        self.give(before);
        self.take(place, size);
    }

    fn free(&mut self, place: u32, size: u64) {
        self.counted.deallocations += 1;
        self.counted.live_blocks -= 1;
        self.give(size);
        self.blocks.remove(&place);
    }

    fn take(&mut self, place: u32, size: u64) {
        self.counted.allocated_bytes += size;
        self.counted.live_bytes += size;
        let peak = &mut self.counted.peak_live_bytes;
        *peak = (*peak).max(self.counted.live_bytes);
        self.blocks.insert(place, size);
    }

    fn give(&mut self, size: u64) {
        self.counted.freed_bytes += size;
        self.counted.live_bytes -= size;
    }
}

fn size(random: &mut Random) -> u32 {
    match random.below(4) {
        0 => EDGES[random.below(EDGES.len() as u32) as usize],
        _ => random.size(),
    }
}
