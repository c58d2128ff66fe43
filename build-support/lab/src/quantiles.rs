//! What is kept of many samples of a time.

use serde::{Deserialize, Serialize};

/// A distribution of times, in nanoseconds. Each figure is one of the samples (nearest rank), never
/// a mean of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many samples there were.
    pub samples: u64,
    /// The shortest.
    pub min_ns: u64,
    /// Half of them took no longer.
    pub median_ns: u64,
    /// Nine of ten took no longer.
    pub p90_ns: u64,
    /// 99 of 100 took no longer; with fewer than 100 samples that is the longest.
    pub p99_ns: u64,
}

impl Quantiles {
    /// Of `samples` in nanoseconds; `None` where there are none.
    pub fn of(mut samples: Vec<u64>) -> Option<Self> {
        samples.sort_unstable();
        let rank = |per_cent| nearest_rank(&samples, per_cent);
        Some(Self {
            samples: samples.len() as u64,
            min_ns: *samples.first()?,
            median_ns: rank(50)?,
            p90_ns: rank(90)?,
            p99_ns: rank(99)?,
        })
    }
}

/// The least of `sorted` that so many per cent of them are not above; `None` where there are none.
pub fn nearest_rank(sorted: &[u64], per_cent: usize) -> Option<u64> {
    let place = (sorted.len() * per_cent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::Quantiles;

    #[test]
    fn ranks_are_the_nearest() {
        let ranks = |samples: Vec<u64>| {
            let q = Quantiles::of(samples).unwrap();
            (q.samples, q.min_ns, q.median_ns, q.p90_ns, q.p99_ns)
        };
        assert_eq!(ranks((1..=100).rev().collect()), (100, 1, 50, 90, 99));
        assert_eq!(ranks((1..=200).collect()), (200, 1, 100, 180, 198));
        assert_eq!(ranks(vec![7]), (1, 7, 7, 7, 7));
        assert_eq!(ranks(vec![9, 1]), (2, 1, 1, 9, 9));
        assert_eq!(ranks(vec![3, 1, 2]), (3, 1, 2, 3, 3));
        assert_eq!(Quantiles::of(Vec::new()), None);
    }
}
