use super::{Reason, Score, Weights, recommend, run, weights};
use crate::alloc_compare::figures::{Candidate, OfTarget, Pages, Ratios, Run};
use crate::alloc_compare::{Allocator, CountQuantiles, Statistics, Workload};
use crate::quantiles::Quantiles;
use build_support::report::Sizes;

fn candidate(
    allocator: Allocator,
    gzip: u64,
    runs: [(Workload, u64, [u64; 3], u64); 2],
) -> Candidate {
    let quantiles = CountQuantiles::of(vec![1]).unwrap();
    let sizes = Sizes {
        raw: gzip * 2,
        gzip,
        brotli: gzip,
    };
    let run =
        |(workload, instructions, [start, high, again], peak_live_bytes): (_, _, [u64; 3], _)| {
            Run {
                ratios: Ratios::of(
                    workload,
                    Pages { start, high, again },
                    peak_live_bytes,
                    [1, 1],
                ),
                workload,
                checksum: String::new(),
                instructions,
                operation_instructions: quantiles,
                traced_instructions: instructions,
                operation_time: Quantiles::of(vec![1]).unwrap(),
                pages: Pages { start, high, again },
                asked: Statistics {
                    peak_live_bytes,
                    ..Statistics::default()
                },
            }
        };
    Candidate {
        allocator,
        linked: sizes,
        shipped: sizes,
        life: Vec::new(),
        runs: runs.map(run).into(),
    }
}

fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-9, "{actual}, not {expected}");
}

/// Protects the arithmetic of every criterion, by hand: two allocators, two workloads.
#[test]
fn marks_are_what_the_figures_say() {
    let page = 65_536;
    let target = OfTarget {
        target: "t".to_owned(),
        candidates: vec![
            candidate(
                Allocator::Dlmalloc,
                1_000,
                [
                    (Workload::Mixed, 200, [2, 12, 12], 9 * page),
                    (Workload::Small, 100, [2, 4, 5], page),
                ],
            ),
            candidate(
                Allocator::Lol,
                800,
                [
                    (Workload::Mixed, 100, [2, 22, 42], 9 * page),
                    (Workload::Small, 50, [2, 4, 6], page),
                ],
            ),
        ],
    };
    let scores = run(&[target], &Weights::DEFAULT);
    let score = |allocator| *scores.iter().find(|s| s.allocator == allocator).unwrap();
    let (dlmalloc, lol) = (score(Allocator::Dlmalloc), score(Allocator::Lol));
    close(dlmalloc.marks.size, 0.8);
    close(dlmalloc.marks.throughput, 0.5);
    close(dlmalloc.marks.fragmentation, 0.9);
    close(dlmalloc.marks.reclamation, (1.0 + 0.5) / 2.0);
    close(dlmalloc.marks.maturity, 1.0);
    close(
        dlmalloc.total,
        0.3 * 0.8 + 0.2 * 0.5 + 0.2 * 0.9 + 0.15 * 0.75 + 0.15,
    );
    close(lol.marks.size, 1.0);
    close(lol.marks.throughput, 1.0);
    close(lol.marks.fragmentation, 0.45);
    close(lol.marks.reclamation, 0.0);
    assert_eq!(scores[0].allocator, Allocator::Dlmalloc, "{scores:?}");
}

fn score(allocator: Allocator, total: f64) -> Score {
    Score {
        allocator,
        marks: Weights::DEFAULT,
        total,
    }
}

#[test]
fn the_default_stays_within_a_tenth() {
    let talc = score(Allocator::Talc, 0.80);
    let choice = |default| {
        let all = [talc, score(Allocator::Dlmalloc, default)];
        let found = recommend(&all, &Weights::DEFAULT).unwrap();
        (found.choice, found.reason)
    };
    assert_eq!(choice(0.90), (Allocator::Dlmalloc, Reason::Highest));
    assert_eq!(choice(0.73), (Allocator::Dlmalloc, Reason::ProvenAndClose));
    assert_eq!(choice(0.71), (Allocator::Talc, Reason::Highest));
}

/// Protects long-lived agents: whatever its score, what never frees is for one message.
#[test]
fn what_leaks_is_never_the_choice() {
    let all = [score(Allocator::Lol, 0.99), score(Allocator::LolFree, 0.5)];
    let found = recommend(&all, &Weights::DEFAULT).unwrap();
    assert_eq!(found.choice, Allocator::LolFree);
    assert_eq!(recommend(&all[..1], &Weights::DEFAULT), None);
}

#[test]
fn weights_need_not_make_a_hundred() {
    let given = weights("size=1, maturity=0.5").unwrap();
    assert_eq!(given.size, 1.0);
    assert_eq!(given.maturity, 0.5);
    assert_eq!(given.throughput, Weights::DEFAULT.throughput);
    let only = weights("size=0.1,throughput=0,fragmentation=0,reclamation=0,maturity=0").unwrap();
    let marks = Weights {
        size: 0.7,
        ..Weights::DEFAULT
    };
    close(marks.mean(&only), 0.7);
}

#[test]
fn wrong_weights_say_what_is_wrong() {
    for (text, expected) in [
        ("", "has no `=`"),
        ("size", "has no `=`"),
        ("size=30,", "has no `=`"),
        ("speed=1", "there are size, throughput"),
        ("size=-1", "is no weight"),
        ("size=x", "is no weight"),
        ("size=NaN", "is no weight"),
        ("size=inf", "is no weight"),
        ("size=1,size=2", "given twice"),
        (
            "size=0,throughput=0,fragmentation=0,reclamation=0,maturity=0",
            "all weights are 0",
        ),
    ] {
        let message = weights(text).unwrap_err();
        assert!(message.contains(expected), "{text}: {message}");
    }
}

/// Protects short lives from marks that are about long ones.
#[test]
fn one_message_needs_no_memory_back() {
    let score = |allocator, size, reclamation| Score {
        allocator,
        marks: Weights {
            size,
            throughput: 0.9,
            fragmentation: reclamation,
            reclamation,
            maturity: 0.5,
        },
        total: size / 2.0 + reclamation / 2.0,
    };
    let all = [
        score(Allocator::Dlmalloc, 0.8, 1.0),
        score(Allocator::Lol, 1.0, 0.0),
    ];
    let found = recommend(&all, &Weights::DEFAULT).unwrap();
    assert_eq!(found.choice, Allocator::Dlmalloc);
    assert_eq!(found.per_message, Allocator::Lol);
    let only = weights("size=0,throughput=0,maturity=0").unwrap();
    assert!(recommend(&all, &only).is_some());
}
