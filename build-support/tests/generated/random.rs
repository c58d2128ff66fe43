//! Numbers from a seed (SplitMix64, Steele et al. 2014): the same seed gives the same program on
//! every machine and with every version of any crate.

/// A generator of numbers.
pub struct Random(u64);

impl Random {
    /// Starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// A number from `start` up to and with `last`.
    pub fn between(&mut self, start: usize, last: usize) -> usize {
        start + self.below(last - start + 1)
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// As many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.bits() as u8).collect()
    }

    /// An argument: mostly small, sometimes at an edge, sometimes anything.
    pub fn argument(&mut self) -> i32 {
        const EDGES: [i32; 8] = [0, 1, -1, i32::MIN, i32::MAX, 255, 256, 65_536];
        match self.below(10) {
            0..6 => self.below(20) as i32 - 3,
            6..8 => *self.pick(&EDGES),
            _ => self.bits() as i32,
        }
    }
}
