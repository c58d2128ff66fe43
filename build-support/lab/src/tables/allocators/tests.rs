use super::{exact, page, recommendation, times};
use crate::alloc_compare::{
    Allocator, Candidate, Comparison, CountQuantiles, MemoryAt, OfTarget, Pages, Ratios, Reason,
    Recommendation, Run, SCHEMA, Score, Statistics, Weights, Workload, WorkloadSize,
};
use crate::quantiles::Quantiles;
use crate::tables;
use build_support::report::{Sizes, Toolchain};

fn candidate(allocator: Allocator, raw: u64, instructions: u64) -> Candidate {
    let pages = Pages {
        start: 5,
        high: 29,
        again: 29,
    };
    let peak = 1_500_000;
    let both = [instructions, instructions + instructions / 10];
    let sizes = |raw| Sizes {
        raw,
        gzip: raw / 2,
        brotli: raw / 3,
    };
    Candidate {
        allocator,
        linked: sizes(raw * 2),
        shipped: sizes(raw),
        life: vec![MemoryAt {
            transcripts: 100,
            pages: 1_721,
        }],
        runs: vec![Run {
            workload: Workload::Mixed,
            checksum: "0".to_owned(),
            instructions,
            operation_instructions: CountQuantiles::of(vec![611]).unwrap(),
            traced_instructions: both[1],
            operation_time: Quantiles::of([vec![87; 98], vec![12_345; 2]].concat()).unwrap(),
            pages,
            asked: Statistics {
                peak_live_bytes: peak,
                ..Statistics::default()
            },
            ratios: Ratios::of(Workload::Mixed, pages, peak, both),
        }],
    }
}

fn comparison() -> Comparison {
    let score = |allocator, total| Score {
        allocator,
        marks: Weights::DEFAULT,
        total,
    };
    Comparison {
        schema: SCHEMA,
        toolchain: Toolchain {
            rustc: "rustc 1.96.0".to_owned(),
            ..Toolchain::default()
        },
        engine: "wasmtime 48".to_owned(),
        extents: vec![WorkloadSize {
            workload: Workload::Mixed,
            steps: 20,
            operations: 500,
        }],
        targets: vec![OfTarget {
            target: "wasm32-wasip1".to_owned(),
            candidates: vec![
                candidate(Allocator::Dlmalloc, 46_106, 1_000_000),
                candidate(Allocator::Lol, 38_556, 700_000),
            ],
        }],
        weights: Weights::DEFAULT,
        scores: vec![score(Allocator::Lol, 0.9), score(Allocator::Dlmalloc, 0.8)],
        recommendation: Recommendation {
            choice: Allocator::Dlmalloc,
            reason: Reason::Highest,
            per_message: Allocator::Lol,
        },
        measured_millis: 61_000.0,
    }
}

/// The line of `text` that begins with `first` below the line that holds `title`.
fn line(text: &str, title: &str, first: &str) -> String {
    let below = text.lines().skip_while(|line| !line.contains(title));
    let line = below
        .skip(1)
        .find(|line| line.trim_start_matches("| ").starts_with(first));
    let words = line.unwrap_or_default().split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

/// Protects NFR-05 and its edge, and from an allocator that was not measured.
#[test]
fn memory_that_is_lost_is_told() {
    let mut comparison = comparison();
    let mut lost = |fragmentation: f64| {
        let runs = &mut comparison.targets[0].candidates[0].runs;
        runs[0].ratios.fragmentation = fragmentation;
        comparison.lost().len()
    };
    assert_eq!([lost(0.049), lost(0.05), lost(f64::NAN)], [0, 1, 1]);
    comparison.targets[0].candidates.remove(0);
    assert_eq!(comparison.lost().len(), 1);
}

/// Protects that what is drawn is what was measured, in both forms.
#[test]
fn figures_stand_where_they_belong() {
    let comparison = comparison();
    let (page, text) = (page(&comparison), tables::alloc_tables(&comparison, false));
    let both = |title: &str, first: &str, expected: &str| {
        assert_eq!(line(&text, title, first), expected);
        let cells = line(&page, title, first).replace(['|'], " ");
        let cells = cells.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(cells, expected);
    };
    both(
        "agent's size",
        "lol",
        "lol 77,112 38,556 -7,550 19,278 -3,775 12,852 -2,516",
    );
    both("wasip1: instructions", "mixed", "mixed 611 0.700");
    both("wasip1: pages", "mixed", "mixed 5 → 29 5 → 29");
    both(
        "heap after",
        "lol",
        "lol 1,500,000 1,572,864 4.6% 0.5% 0 100.0%",
    );
    both("long life", "lol", "lol 1,721");
    both("tracing costs", "mixed", "mixed +10.0% +10.0%");
    assert_eq!(
        line(&text, "wall time", "mixed"),
        "mixed 87 ns 12.3 µs 87 ns 12.3 µs"
    );
    assert_eq!(
        line(&page, "wall time", "mixed"),
        "| mixed | dlmalloc | 87 | 87 | 87 | 12,345 | 100 |"
    );
    assert!(
        text.ends_with("measured in 61.0 s after the builds\n"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}') && tables::alloc_tables(&comparison, true).contains('\u{1b}'));
}

/// Protects the document from what changes with every run: above the wall times there is none of
/// it.
#[test]
fn times_come_last_in_the_document() {
    let mut other = comparison();
    other.measured_millis = 1.0;
    for candidate in &mut other.targets[0].candidates {
        candidate.runs[0].operation_time = Quantiles::of(vec![7]).unwrap();
    }
    let (one, other) = (page(&comparison()), page(&other));
    let above = |page: &str| page.split("## Wall times").next().unwrap().to_owned();
    assert_ne!(one, other);
    assert_eq!(above(&one), above(&other));
    assert!(one.starts_with("<!-- Written by"), "{one}");
}

#[test]
fn every_row_has_a_cell_for_each_head() {
    let found = comparison();
    for section in exact(&found).into_iter().chain(times(&found)) {
        let table = section.table.markdown();
        let cells = |line: &str| line.matches('|').count();
        let head = table.lines().next().map(cells);
        for line in table.lines() {
            assert_eq!(Some(cells(line)), head, "{section:?}");
        }
    }
}

#[test]
fn the_recommendation_says_why() {
    let mut found = comparison();
    let said = recommendation(&found);
    assert!(
        said.starts_with("dlmalloc: the highest score of those that take"),
        "{said}"
    );
    assert!(said.contains("one message alone it would be lol"), "{said}");
    found.recommendation.reason = Reason::ProvenAndClose;
    found.recommendation.per_message = Allocator::Talc;
    let said = recommendation(&found);
    assert!(
        said.contains("within a tenth of the best, dlmalloc") && said.contains("would be talc"),
        "{said}"
    );
}
