//! Hashes that are the same on every machine and in every run. Not for keys that somebody chooses
//! to collide: what they only suggest is compared, or does no harm where it is wrong.

use std::hash::{BuildHasherDefault, Hasher};

/// For maps whose keys are hashes already.
pub type ByHash = BuildHasherDefault<Itself>;

/// A hasher that gives the number it gets.
#[derive(Default)]
pub struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes
            .iter()
            .fold(self.0, |hash, byte| mix(hash, u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// The hash of bytes.
pub fn of(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(bytes.len() as u64, |hash, byte| mix(hash, u64::from(*byte)))
}

/// A hash with one number more (the finaliser of SplitMix64, Steele, Lea and Flood 2014).
pub fn mix(hash: u64, number: u64) -> u64 {
    let mut mixed = (hash.rotate_left(23) ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
