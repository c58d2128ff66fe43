//! By what files are compared where one of several is kept: one size that is to be small, and those
//! that must not grow for it.

use super::sizes::{Size, Sizes};

/// What is minimised, and what must not grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    minimize: Size,
    /// With the one that is minimised and the raw size, in the order they are shown.
    held: Vec<Size>,
}

impl Default for Metric {
    fn default() -> Self {
        Self::new(Size::Raw, [])
    }
}

impl Metric {
    /// `minimize` is to be small; neither it nor the raw size nor any that is `limited` may grow.
    pub fn new(minimize: Size, limited: impl IntoIterator<Item = Size>) -> Self {
        let mut held: Vec<_> = limited.into_iter().chain([minimize, Size::Raw]).collect();
        held.sort();
        held.dedup();
        Self { minimize, held }
    }

    /// What is to be small.
    pub fn minimized(&self) -> Size {
        self.minimize
    }

    /// The sizes that count, the minimised one among them.
    pub fn held(&self) -> &[Size] {
        &self.held
    }

    /// Whether `new` is no larger than `old` in any size that counts.
    pub fn allows(&self, new: &Sizes, old: &Sizes) -> bool {
        let mut held = self.held.iter();
        held.all(|size| new.get(*size) <= old.get(*size))
    }

    /// Whether `new` may stand for `old`, and is smaller.
    pub fn prefers(&self, new: &Sizes, old: &Sizes) -> bool {
        self.allows(new, old) && new.get(self.minimize) < old.get(self.minimize)
    }
}

#[cfg(test)]
mod tests {
    use super::{Metric, Size, Sizes};

    fn sizes(raw: u64, gzip: u64, brotli: u64) -> Sizes {
        Sizes { raw, gzip, brotli }
    }

    /// Protects whoever limits a codec: what is smaller by another never wins over it.
    #[test]
    fn what_counts_does_not_grow() {
        let old = sizes(100, 50, 40);
        let prefers = |minimize, limited: &[Size], new| {
            Metric::new(minimize, limited.iter().copied()).prefers(&new, &old)
        };
        let larger_by_gzip = sizes(80, 51, 40);
        assert!(prefers(Size::Raw, &[], larger_by_gzip));
        assert!(prefers(Size::Raw, &[Size::Brotli], larger_by_gzip));
        assert!(!prefers(Size::Raw, &[Size::Gzip], larger_by_gzip));
        assert!(!prefers(Size::Gzip, &[], sizes(101, 30, 30)), "raw grows");
        assert!(prefers(Size::Gzip, &[], sizes(100, 49, 60)));
        assert!(!prefers(Size::Raw, &[], sizes(100, 10, 10)), "no smaller");
        assert!(Metric::default().allows(&sizes(100, 60, 60), &old));
    }
}
