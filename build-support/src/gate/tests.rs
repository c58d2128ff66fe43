use super::Verdict;
use crate::attribution::Attribution;
use crate::config::{Config, Limit, Measure};
use crate::report::{Report, Size, Sizes, sample};

pub(crate) fn report(sizes: Sizes) -> Report {
    Report {
        sizes,
        attribution: Attribution {
            bytes: 1_000,
            rows: vec![sample::function("app::run", 250, &[]); 12],
        },
        ..sample::report(&[])
    }
}

pub(crate) fn config(limits: [Option<u64>; 3]) -> Config {
    let mut config = Config {
        source: "0123456789".into(),
        ..Config::without_package("app")
    };
    for (i, limit) in limits.into_iter().enumerate() {
        if let Some(most) = limit {
            config.limits.set(Limit {
                most,
                span: i..i + 1,
                measure: Measure::Size(Size::ALL[i]),
            });
        }
    }
    config
}

/// By the limits alone.
fn decide(report: &Report, config: &Config) -> Verdict {
    super::decide(report, config, None)
}

pub(crate) fn sizes([raw, gzip, brotli]: [u64; 3]) -> Sizes {
    Sizes { raw, gzip, brotli }
}

/// Values around the interesting places: each other, KiB boundaries, the ends.
const VALUES: [u64; 9] = [
    1,
    2,
    1_023,
    1_024,
    1_025,
    307_200,
    307_201,
    u64::MAX - 1,
    u64::MAX,
];

#[test]
fn exactly_the_limit_passes_and_one_byte_over_fails() {
    for limit in VALUES.into_iter().filter(|&limit| limit < u64::MAX) {
        for (i, measure) in Measure::WHOLE.into_iter().take(3).enumerate() {
            let mut limits = [None; 3];
            limits[i] = Some(limit);
            let at = |n: u64| {
                let mut all = [u64::MAX; 3];
                all[i] = n;
                decide(&report(sizes(all)), &config(limits))
            };
            assert!(
                at(limit).within() && at(limit - 1).within(),
                "{measure:?} {limit}"
            );
            let over = at(limit + 1);
            assert_eq!(over.exceeded.len(), 1);
            assert_eq!(
                (over.exceeded[0].actual, &over.exceeded[0].limit.measure),
                (limit + 1, &measure)
            );
        }
    }
}

/// Over all pairs of values: each measure is decided alone, smaller sizes and larger limits never
/// make a verdict worse, and the same input gives the same verdict.
#[test]
fn is_monotone_and_independent_by_measure() {
    let over = |size: u64, limit: Option<u64>| limit.is_some_and(|limit| size > limit);
    let limits: Vec<Option<u64>> = std::iter::once(None).chain(VALUES.map(Some)).collect();
    for &a in &VALUES {
        for &b in &VALUES {
            for &first in &limits {
                for &second in &limits {
                    let (given, allowed) =
                        (report(sizes([a, b, a])), config([first, second, first]));
                    let verdict = decide(&given, &allowed);
                    let expected = [over(a, first), over(b, second), over(a, first)];
                    let found = Size::ALL.map(|size| {
                        let measure = Measure::Size(size);
                        verdict.exceeded.iter().any(|e| e.limit.measure == measure)
                    });
                    assert_eq!(found, expected);
                    assert_eq!(verdict, decide(&given, &allowed));
                    let smaller = decide(&report(sizes([a - 1, b - 1, a - 1])), &allowed);
                    assert!(smaller.exceeded.len() <= verdict.exceeded.len());
                    let looser =
                        config([first, second, first].map(|l| l.map(|l| l.saturating_add(1))));
                    assert!(decide(&given, &looser).exceeded.len() <= verdict.exceeded.len());
                }
            }
        }
    }
}

#[test]
fn no_limit_is_never_exceeded() {
    let verdict = decide(&report(sizes([u64::MAX; 3])), &config([None; 3]));
    assert!(verdict.within() && verdict.record().within && verdict.record().exceeded.is_empty());
}

#[test]
fn the_record_says_what_the_verdict_does() {
    let record = decide(
        &report(sizes([11, 5, 30])),
        &config([Some(10), Some(5), Some(7)]),
    )
    .record();
    let shown: Vec<_> = record
        .exceeded
        .iter()
        .map(|e| (e.measure.as_str(), e.actual, e.limit))
        .collect();
    assert_eq!(
        (record.within, shown),
        (false, vec![("raw", 11, 10), ("brotli", 30, 7)])
    );
}
