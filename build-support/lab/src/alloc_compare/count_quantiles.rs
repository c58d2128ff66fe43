//! How instructions are spread over the steps of a workload: what a latency is made of, the same on
//! every machine.

use crate::quantiles::nearest_rank;
use serde::{Deserialize, Serialize};

/// Instructions for each operation; every figure is that of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountQuantiles {
    /// The least.
    pub min: u64,
    /// Half of the steps took no more.
    pub median: u64,
    /// Nine of ten took no more.
    pub p90: u64,
    /// The most.
    pub max: u64,
}

impl CountQuantiles {
    /// Of the samples; `None` where there are none.
    pub fn of(mut samples: Vec<u64>) -> Option<Self> {
        samples.sort_unstable();
        Some(Self {
            min: *samples.first()?,
            median: nearest_rank(&samples, 50)?,
            p90: nearest_rank(&samples, 90)?,
            max: *samples.last()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::CountQuantiles;

    #[test]
    fn every_figure_is_a_sample() {
        let quantiles = CountQuantiles::of((1..=20).rev().collect()).unwrap();
        let CountQuantiles {
            min,
            median,
            p90,
            max,
        } = quantiles;
        assert_eq!([min, median, p90, max], [1, 10, 18, 20]);
        assert_eq!(CountQuantiles::of(Vec::new()), None);
    }
}
