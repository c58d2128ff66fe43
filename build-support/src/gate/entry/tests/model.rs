//! The rules in other words, and what is built and asked at random.

use crate::config::{Allowance, Config, Tolerance};
use crate::report::{Because, Codecs, Report, Size, Sizes, sample};

/// What is built: sizes, and which tools and codecs made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) sizes: [u64; 3],
    pub(super) tool: u8,
    pub(super) codecs: [u8; 2],
}

/// What is asked of the ratchet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    Lower,
    Rebase,
    Raise,
    RaiseWithoutReason,
}

/// Numbers that are the same on every run (splitmix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A file near the one before, as changes make them; now and then far from it, or of other
    /// makings.
    pub(super) fn built(&mut self, before: Built) -> Built {
        let sizes = before.sizes.map(|size| match self.below(12) {
            0 => 1 + self.below(20_000),
            1 => size,
            2..=4 => size.saturating_sub(self.below(size / 50 + 2)).max(1),
            _ => size + self.below(size / 60 + 3),
        });
        let rarely = |random: &mut Self, before: u8| match random.below(9) {
            0 => (random.below(3)) as u8,
            _ => before,
        };
        Built {
            sizes,
            tool: rarely(self, before.tool),
            codecs: before.codecs.map(|codec| rarely(self, codec)),
        }
    }

    pub(super) fn asked(&mut self) -> Asked {
        match self.below(10) {
            0..=3 => Asked::Nothing,
            4..=6 => Asked::Lower,
            7 => Asked::Rebase,
            8 => Asked::Raise,
            _ => Asked::RaiseWithoutReason,
        }
    }
}

pub(super) fn report(built: Built) -> Report {
    let [raw, gzip, brotli] = built.sizes;
    let mut report = sample::report(&[("app::run", raw)]);
    report.toolchain.rustc = format!("rustc 1.{}", built.tool);
    report.sizes = Sizes { raw, gzip, brotli };
    report.codecs = Codecs {
        gzip: format!("zlib {}", built.codecs[0]),
        brotli: format!("brotli {}", built.codecs[1]),
    };
    report
}

pub(super) fn config(random: &mut Random) -> Config {
    let mut allowance = |most| Allowance {
        share: random.below(most),
        bytes: random.below(40),
    };
    Config {
        ratchet: Tolerance {
            raw: allowance(20_000),
            compressed: allowance(30_000),
            drift: allowance(60_000),
        },
        ..Config::without_package("app")
    }
}

/// The rules in other words: per size the baseline, the anchor and the codec, and the tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) tool: u8,
    pub(super) sizes: [(u64, u64, u8); 3],
    pub(super) raises: usize,
}

impl Model {
    pub(super) fn begin(built: Built) -> Self {
        let codec = [0, built.codecs[0], built.codecs[1]];
        let size = |i: usize| (built.sizes[i], built.sizes[i], codec[i]);
        Self {
            tool: built.tool,
            sizes: [size(0), size(1), size(2)],
            raises: 0,
        }
    }

    pub(super) fn ask(&mut self, asked: Asked, built: Built, drift: Allowance) -> bool {
        let new = Self::begin(built);
        let same_tool = self.tool == built.tool;
        let comparable = |i: usize, own: &Self| own.sizes[i].2 == new.sizes[i].2;
        let same_codecs = (0..3).all(|i| comparable(i, self));
        let grew = (0..3).any(|i| new.sizes[i].0 > self.sizes[i].0);
        match asked {
            Asked::Nothing => true,
            Asked::RaiseWithoutReason => false,
            Asked::Raise if grew || !same_tool || !same_codecs => {
                let raises = self.raises + 1;
                *self = Self { raises, ..new };
                true
            }
            Asked::Raise | Asked::Lower | Asked::Rebase if same_tool => {
                for i in 0..3 {
                    let (baseline, anchor, _) = self.sizes[i];
                    let now = new.sizes[i].0;
                    if comparable(i, self) {
                        let baseline = baseline.min(now);
                        self.sizes[i] = (baseline, anchor.min(baseline), self.sizes[i].2);
                    } else if asked == Asked::Rebase {
                        self.sizes[i] = new.sizes[i];
                    }
                }
                true
            }
            Asked::Raise | Asked::Lower => false,
            Asked::Rebase => {
                let far = |i: usize| {
                    let anchor = self.sizes[i].1;
                    comparable(i, self) && new.sizes[i].0 > anchor + drift.of(anchor)
                };
                if (0..3).any(far) {
                    return false;
                }
                for i in 0..3 {
                    let now = new.sizes[i].0;
                    self.sizes[i] = if comparable(i, self) {
                        (now, self.sizes[i].1.min(now), self.sizes[i].2)
                    } else {
                        new.sizes[i]
                    };
                }
                self.tool = built.tool;
                true
            }
        }
    }

    /// What the gate should object to.
    pub(super) fn objections(&self, built: Built, tolerance: &Tolerance) -> Vec<(Size, Because)> {
        if self.tool != built.tool {
            return Vec::new();
        }
        let codec = [0, built.codecs[0], built.codecs[1]];
        let mut found = Vec::new();
        for (i, size) in Size::ALL.into_iter().enumerate() {
            let (baseline, anchor, own) = self.sizes[i];
            let allowed = [tolerance.raw, tolerance.compressed, tolerance.compressed][i];
            let now = built.sizes[i];
            if own != codec[i] {
                continue;
            } else if now > baseline + allowed.of(baseline) {
                found.push((size, Because::Ratchet));
            } else if now > anchor + tolerance.drift.of(anchor) {
                found.push((size, Because::Drift));
            }
        }
        found
    }
}
