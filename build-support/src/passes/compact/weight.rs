//! By what a step is kept: the size that is to be small, and those that must not grow for it.

use crate::report;

/// The sizes of a module that count, in bytes: the first is to be small, the others must not grow
/// for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weight(pub Vec<u64>);

/// Weighs a module.
pub type Weigh<'a> = dyn Fn(&[u8]) -> Weight + Sync + 'a;

/// The two ways of weighing: compressing well takes longer than all else here.
#[derive(Clone, Copy)]
pub struct Scales<'a> {
    /// The size that comes first in both.
    pub minimized: report::Size,
    /// What is counted in the end, for a few modules.
    pub exact: &'a Weigh<'a>,
    /// Nearly that, for comparing many.
    pub near: &'a Weigh<'a>,
}

/// One size of a module, in bytes.
pub type Size<'a> = dyn Fn(&[u8]) -> u64 + 'a;

impl Weight {
    /// The raw size alone.
    pub fn raw(module: &[u8]) -> Self {
        Self(vec![module.len() as u64])
    }

    /// Whether nothing is more.
    pub fn is_within(&self, limit: &Weight) -> bool {
        self.0.iter().zip(&limit.0).all(|(own, most)| own <= most)
    }

    /// Whether it stands for something smaller: nothing that counts is larger, and something is
    /// less.
    pub fn is_less(&self, than: &Weight) -> bool {
        self.is_within(than) && self != than
    }
}
