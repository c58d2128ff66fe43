//! The rules of the ratchet and of the gate over it, on many random histories and against a model
//! of their own.

mod model;
mod sets;

use super::{Entry, Refused};
use crate::config::{Allowance, Config, Tolerance};
use crate::gate;
use crate::gate::succession::{Weakened, succeeds};
use crate::report::{Because, Report, Size};
use model::{Asked, Built, Model, Random, config, report};

/// How many histories are played, and how many steps each has.
const HISTORIES: u64 = 2_000;
const STEPS: usize = 24;

fn ask(
    entry: &Entry,
    asked: Asked,
    report: &Report,
    tolerance: &Tolerance,
) -> Result<Entry, Refused> {
    match asked {
        Asked::Nothing => Ok(entry.clone()),
        Asked::Lower => entry.lower(report),
        Asked::Rebase => entry.rebase(report, tolerance, "c0ffee"),
        Asked::Raise => entry.raise(report, "it is worth it", "c0ffee"),
        Asked::RaiseWithoutReason => entry.raise(report, " \n", "c0ffee"),
    }
}

fn objections(report: &Report, config: &Config, entry: &Entry) -> Vec<(Size, Because)> {
    let verdict = gate::decide(report, config, Some(entry));
    let found = verdict
        .grown
        .iter()
        .map(|growth| (growth.size, growth.because));
    found.collect()
}

/// The decision table: over many histories, the baseline and what is objected to are what the model
/// says; nothing goes up by itself; every record can be told to have come from every one before it.
#[test]
fn histories_follow_the_rules() {
    let (mut passed, mut failed, mut raised, mut refused) = (0, 0, 0, 0);
    for seed in 0..HISTORIES {
        let mut random = Random(seed);
        let config = config(&mut random);
        let tolerance = &config.ratchet;
        let mut built = Built {
            sizes: [5_000, 2_000, 1_500].map(|size| size + random.below(size)),
            tool: 0,
            codecs: [0, 0],
        };
        let mut entry = Entry::begin(&report(built));
        let mut model = Model::begin(built);
        let mut past = vec![entry.clone()];
        for step in 0..STEPS {
            let at = format!("history {seed}, step {step}");
            built = random.built(built);
            let (now, asked) = (report(built), random.asked());

            let found = objections(&now, &config, &entry);
            assert_eq!(
                found,
                model.objections(built, tolerance),
                "{at}: {built:?} {entry:?}"
            );
            assert_eq!(
                found,
                objections(&now, &config, &entry),
                "{at}: not the same again"
            );
            passed += usize::from(found.is_empty());
            failed += usize::from(!found.is_empty());

            let done = ask(&entry, asked, &now, tolerance);
            let before = model.clone();
            let expected = model.ask(asked, built, tolerance.drift);
            assert_eq!(done.is_ok(), expected, "{at}: {asked:?} {done:?}");
            let Ok(after) = done else {
                assert_eq!(model, before, "{at}");
                refused += 1;
                continue;
            };
            never_by_itself(asked, &entry, &after, &at);
            for (i, size) in Size::ALL.into_iter().enumerate() {
                let own = (after.sizes.get(size), after.anchor.get(size));
                let (expected, anchor, _) = model.sizes[i];
                assert_eq!(own, (expected, anchor), "{at}: {size:?} after {asked:?}");
                assert!(own.1 <= own.0, "{at}: an anchor above the baseline");
            }
            assert_eq!(after.raises.len(), model.raises, "{at}");
            assert_eq!(after.contents.sum(), Some(after.sizes.raw), "{at}");
            raised += after.raises.len() - entry.raises.len();
            entry = after;
            for earlier in &past {
                let raises = succeeds(earlier, &entry, tolerance);
                let raises = raises.unwrap_or_else(|why| panic!("{at}: {why:?}"));
                assert_eq!(raises.len(), entry.raises.len() - earlier.raises.len());
            }
            past.push(entry.clone());
        }
    }
    // The histories are worth something: every outcome is there, and often.
    for often in [passed, failed, raised, refused] {
        assert!(often > 1_000, "{passed} {failed} {raised} {refused}");
    }
}

fn never_by_itself(asked: Asked, before: &Entry, after: &Entry, at: &str) {
    let raised = after.raises.len() > before.raises.len();
    let rebases = after.rebases.len() > before.rebases.len();
    for size in Size::ALL {
        let grew = after.sizes.get(size) > before.sizes.get(size);
        assert!(
            !grew || raised || rebases,
            "{at}: {size:?} grew by {asked:?}"
        );
        let other = super::codec(&before.codecs, size) != super::codec(&after.codecs, size);
        let drifts = after.anchor.get(size) > before.anchor.get(size);
        assert!(
            !drifts || raised || other,
            "{at}: anchor of {size:?} by {asked:?}"
        );
    }
    assert!(
        !raised || asked == Asked::Raise,
        "{at}: a raise by {asked:?}"
    );
    assert!(
        !rebases || asked == Asked::Rebase,
        "{at}: rebases by {asked:?}"
    );
    if asked == Asked::Nothing {
        assert_eq!(before, after, "{at}");
    }
}

/// A smaller file, a wider tolerance or a larger baseline never makes a verdict worse.
#[test]
fn verdicts_are_monotone() {
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let config = config(&mut random);
        let mut wider = config.clone();
        for allowance in [
            &mut wider.ratchet.raw,
            &mut wider.ratchet.compressed,
            &mut wider.ratchet.drift,
        ] {
            allowance.share += random.below(1_000);
            allowance.bytes += random.below(10);
        }
        let mut near = |size: u64| size + random.below(size / 20);
        let built = |sizes| Built {
            sizes,
            tool: 0,
            codecs: [0, 0],
        };
        let entry = Entry::begin(&report(built([4_000, 2_000, 1_000].map(&mut near))));
        let now = [4_000, 2_000, 1_000].map(&mut near);
        let smaller = now.map(|size| size - near(100) % 40);
        let worst = objections(&report(built(now)), &config, &entry);
        let sizes = |found: Vec<(Size, Because)>| found.into_iter().map(|(size, _)| size).collect();
        let all: Vec<Size> = sizes(worst);
        let more = Entry {
            sizes: entry.sizes.map(|size| entry.sizes.get(size) + 7),
            anchor: entry.anchor.map(|size| entry.anchor.get(size) + 7),
            ..entry.clone()
        };
        for better in [
            objections(&report(built(smaller)), &config, &entry),
            objections(&report(built(now)), &wider, &entry),
            objections(&report(built(now)), &config, &more),
        ] {
            let better: Vec<Size> = sizes(better);
            assert!(better.iter().all(|size| all.contains(size)), "{seed}");
        }
    }
}

/// Ten harmless steps do not pass as ten: whatever is accepted between two raises is within one
/// tolerance of the least baseline, and within one drift of it however many toolchains came by.
#[test]
fn small_steps_do_not_add_up() {
    let config = Config {
        ratchet: Tolerance {
            raw: Allowance {
                share: 5_000,
                bytes: 0,
            },
            compressed: Allowance {
                share: 10_000,
                bytes: 0,
            },
            drift: Allowance {
                share: 20_000,
                bytes: 0,
            },
        },
        ..Config::without_package("app")
    };
    let mut built = Built {
        sizes: [100_000, 40_000, 30_000],
        tool: 0,
        codecs: [0, 0],
    };
    let mut entry = Entry::begin(&report(built));
    let mut passed = 0;
    for _ in 0..10 {
        built.sizes[0] += 200;
        let now = report(built);
        passed += usize::from(objections(&now, &config, &entry).is_empty());
        entry = entry.lower(&now).unwrap();
    }
    assert_eq!((passed, entry.sizes.raw), (2, 100_000));

    // Each toolchain brings 400 bytes, which is less than a tolerance; at the sixth it is 2% and
    // over.
    let mut built = Built {
        sizes: [100_000, 40_000, 30_000],
        ..built
    };
    for tool in 1..=5 {
        (built.sizes[0], built.tool) = (100_000 + 400 * u64::from(tool), tool);
        let now = report(built);
        assert_eq!(
            objections(&now, &config, &entry),
            [],
            "not blamed on the change"
        );
        assert_eq!(entry.lower(&now), Err(Refused::Toolchain));
        entry = entry.rebase(&now, &config.ratchet, "c").unwrap();
    }
    assert_eq!((entry.sizes.raw, entry.anchor.raw), (102_000, 100_000));
    built.sizes[0] += 1;
    let now = report(built);
    assert_eq!(
        objections(&now, &config, &entry),
        [(Size::Raw, Because::Drift)]
    );
    built.tool = 6;
    let now = report(built);
    let refused = entry.rebase(&now, &config.ratchet, "c");
    assert_eq!(refused, Err(Refused::Drift(Size::Raw)));
    let raised = entry
        .raise(&now, "the new toolchain is worth it", "c")
        .unwrap();
    assert_eq!((raised.sizes.raw, raised.anchor.raw), (102_001, 102_001));
}

/// A record that was changed by hand to allow more is told from one that came by its ways.
#[test]
fn what_was_loosened_by_hand_is_seen() {
    let built = |raw, tool| Built {
        sizes: [raw, 400, 300],
        tool,
        codecs: [0, 0],
    };
    let tolerance = Tolerance::default();
    let first = Entry::begin(&report(built(1_000, 0)));
    let before = first
        .raise(&report(built(1_200, 0)), "a parser", "a")
        .unwrap();
    let seen = |after: &Entry| succeeds(&before, after, &tolerance).map(<[_]>::len);
    let edited = |edit: &dyn Fn(&mut Entry)| {
        let mut after = before.clone();
        edit(&mut after);
        seen(&after)
    };
    assert_eq!(seen(&before), Ok(0));
    assert_eq!(
        edited(&|entry| entry.sizes.raw -= 1),
        Ok(0),
        "tighter is no offence"
    );
    let size = Size::Raw;
    let (bytes, most) = (1_201, 1_200);
    assert_eq!(
        edited(&|entry| entry.sizes.raw += 1),
        Err(Weakened::Size { size, bytes, most })
    );
    assert_eq!(
        edited(&|entry| entry.anchor.raw += 1),
        Err(Weakened::Anchor { size, bytes, most })
    );
    assert_eq!(edited(&|entry| entry.raises.clear()), Err(Weakened::Raises));
    assert_eq!(
        edited(&|entry| entry.raises[0].to.raw += 9),
        Err(Weakened::Raises)
    );
    assert_eq!(
        edited(&|entry| entry.toolchain.rustc.clear()),
        Err(Weakened::Toolchain)
    );
    assert_eq!(
        edited(&|entry| entry.codecs.gzip.clear()),
        Err(Weakened::Toolchain)
    );
    let raised = before
        .raise(&report(built(1_500, 0)), "another", "b")
        .unwrap();
    assert_eq!(seen(&raised), Ok(1));
    let mut silent = raised.clone();
    silent.raises[1].reason = " ".into();
    assert_eq!(seen(&silent), Err(Weakened::NoReason));
    let mut more = raised.clone();
    more.sizes.raw += 1;
    assert!(matches!(seen(&more), Err(Weakened::Size { .. })));
    let rebases = before
        .rebase(&report(built(1_210, 1)), &tolerance, "b")
        .unwrap();
    assert_eq!(seen(&rebases), Ok(0));
    let mut far = rebases.clone();
    far.sizes.raw = 5_000;
    assert!(matches!(seen(&far), Err(Weakened::Size { .. })));
    let forgotten = succeeds(&rebases, &before, &tolerance);
    assert_eq!(forgotten, Err(Weakened::Rebases));
}
