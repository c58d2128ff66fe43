//! What is kept of many samples of a time.

use serde::{Deserialize, Deserializer, Serialize};

/// A distribution of times, in nanoseconds. Each figure is one of the samples (nearest rank), never
/// a mean of two, and is there where so many samples say something of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// How many samples there were.
    pub samples: u64,
    /// The shortest.
    pub min_ns: u64,
    /// Half of them took no longer.
    pub median_ns: u64,
    /// Between which two samples the median of all that could be taken is, with 95% confidence,
    /// whatever the distribution; of six samples or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_95_ns: Option<[u64; 2]>,
    /// Nine of ten took no longer; of ten samples or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90_ns: Option<u64>,
    /// 99 of 100 took no longer; of 100 samples or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ns: Option<u64>,
}

/// How many samples a quantile is of at least: with fewer it is the longest, under another name.
const LEAST_P90: u64 = 10;
const LEAST_P99: u64 = 100;

impl Quantiles {
    /// Of `samples` in nanoseconds; `None` where there are none.
    pub fn of(mut samples: Vec<u64>) -> Option<Self> {
        samples.sort_unstable();
        let rank = |per_cent| nearest_rank(&samples, per_cent);
        let median_95_ns = median_ranks(samples.len()).map(|ranks| ranks.map(|at| samples[at]));
        let all = Self {
            samples: samples.len() as u64,
            min_ns: *samples.first()?,
            median_ns: rank(50)?,
            median_95_ns,
            p90_ns: rank(90),
            p99_ns: rank(99),
        };
        Some(all.supported())
    }

    /// Without what so few samples say nothing of.
    fn supported(self) -> Self {
        Self {
            p90_ns: self.p90_ns.filter(|_| self.samples >= LEAST_P90),
            p99_ns: self.p99_ns.filter(|_| self.samples >= LEAST_P99),
            ..self
        }
    }
}

/// Older files have a 99th percentile of any number of samples, and no interval.
impl<'de> Deserialize<'de> for Quantiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            samples: u64,
            min_ns: u64,
            median_ns: u64,
            #[serde(default)]
            median_95_ns: Option<[u64; 2]>,
            #[serde(default)]
            p90_ns: Option<u64>,
            #[serde(default)]
            p99_ns: Option<u64>,
        }
        let Written {
            samples,
            min_ns,
            median_ns,
            median_95_ns,
            p90_ns,
            p99_ns,
        } = Written::deserialize(deserializer)?;
        let written = Self {
            samples,
            min_ns,
            median_ns,
            median_95_ns,
            p90_ns,
            p99_ns,
        };
        Ok(written.supported())
    }
}

/// The least of `sorted` that so many per cent of them are not above; `None` where there are none.
pub fn nearest_rank(sorted: &[u64], per_cent: usize) -> Option<u64> {
    let place = (sorted.len() * per_cent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied()
}

/// Which of `count` sorted samples the true median is between with 95% confidence at least: each is
/// above it or below it like a coin, so that the number below is binomial. None where even the
/// shortest and the longest do not make it so sure.
fn median_ranks(count: usize) -> Option<[usize; 2]> {
    // The share of all outcomes in which `k` are below, from its logarithm: 2^-count is no number
    // for large counts.
    let mut log = -(count as f64) * std::f64::consts::LN_2;
    let (mut below, mut low) = (0.0, None);
    for k in 0..count.div_ceil(2) {
        below += log.exp();
        if below > 0.025 {
            break;
        }
        low = Some(k);
        log += ((count - k) as f64).ln() - ((k + 1) as f64).ln();
    }
    low.map(|low| [low, count - 1 - low])
}

#[cfg(test)]
mod tests {
    use super::{Quantiles, median_ranks};

    #[test]
    fn ranks_are_the_nearest() {
        let ranks = |samples: Vec<u64>| {
            let q = Quantiles::of(samples).unwrap();
            (q.samples, q.min_ns, q.median_ns, q.p90_ns, q.p99_ns)
        };
        assert_eq!(
            ranks((1..=100).rev().collect()),
            (100, 1, 50, Some(90), Some(99))
        );
        assert_eq!(
            ranks((1..=200).collect()),
            (200, 1, 100, Some(180), Some(198))
        );
        assert_eq!(ranks((1..=10).collect()), (10, 1, 5, Some(9), None));
        assert_eq!(ranks(vec![7]), (1, 7, 7, None, None));
        assert_eq!(ranks(vec![9, 1]), (2, 1, 1, None, None));
        assert_eq!(Quantiles::of(Vec::new()), None);
    }

    /// The ranks of tables of the sign test, counted from 1 there.
    #[test]
    fn the_interval_of_the_median_is_the_sign_tests() {
        for (count, expected) in [
            (0, None),
            (5, None),
            (6, Some([1, 6])),
            (9, Some([2, 8])),
            (10, Some([2, 9])),
            (20, Some([6, 15])),
            (30, Some([10, 21])),
            (100, Some([40, 61])),
        ] {
            let ranks = median_ranks(count).map(|ranks| ranks.map(|rank| rank + 1));
            assert_eq!(ranks, expected, "{count}");
        }
        let [low, high] = median_ranks(100_000).unwrap();
        assert!(
            low + high == 99_999 && (49_680..49_700).contains(&low),
            "{low}"
        );
    }

    /// Protects whoever reads an old file from figures that so few samples do not give.
    #[test]
    fn what_few_samples_do_not_say_is_not_read() {
        let read = |samples: u64| {
            let old = format!(
                "{{\"samples\":{samples},\"min_ns\":1,\"median_ns\":2,\"p90_ns\":3,\"p99_ns\":4}}"
            );
            let read: Quantiles = serde_json::from_str(&old).unwrap();
            serde_json::to_string(&read).unwrap()
        };
        assert!(read(100).contains("\"p99_ns\":4"));
        assert!(!read(99).contains("p99_ns") && read(99).contains("p90_ns"));
        assert!(!read(9).contains("p90_ns"));
    }
}
