//! The rules of the ratchet and of the gate over it, on many random histories and against a model of their own.

use super::{Entry, Refused};
use crate::config::{Allowance, Config, Tolerance};
use crate::gate;
use crate::gate::succession::{Weakened, succeeds};
use crate::report::{Because, Codecs, Report, Size, Sizes, sample};

/// How many histories are played, and how many steps each has.
const HISTORIES: u64 = 2_000;
const STEPS: usize = 24;

/// What is built: sizes, and which tools and codecs made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Built {
    sizes: [u64; 3],
    tool: u8,
    codecs: [u8; 2],
}

/// What is asked of the ratchet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Lower,
    Rebase,
    Raise,
    RaiseWithoutReason,
}

/// Numbers that are the same on every run (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A file near the one before, as changes make them; now and then far from it, or of other makings.
    fn built(&mut self, before: Built) -> Built {
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

    fn asked(&mut self) -> Asked {
        match self.below(10) {
            0..=3 => Asked::Nothing,
            4..=6 => Asked::Lower,
            7 => Asked::Rebase,
            8 => Asked::Raise,
            _ => Asked::RaiseWithoutReason,
        }
    }
}

fn report(built: Built) -> Report {
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

fn config(random: &mut Random) -> Config {
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

/// The rules in other words: per size what is held, the anchor and the codec, and the tool.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Model {
    tool: u8,
    sizes: [(u64, u64, u8); 3],
    raises: usize,
}

impl Model {
    fn begin(built: Built) -> Self {
        let codec = [0, built.codecs[0], built.codecs[1]];
        let size = |i: usize| (built.sizes[i], built.sizes[i], codec[i]);
        Self {
            tool: built.tool,
            sizes: [size(0), size(1), size(2)],
            raises: 0,
        }
    }

    fn ask(&mut self, asked: Asked, built: Built, drift: Allowance) -> bool {
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
                    let (held, anchor, _) = self.sizes[i];
                    let now = new.sizes[i].0;
                    if comparable(i, self) {
                        let held = held.min(now);
                        self.sizes[i] = (held, anchor.min(held), self.sizes[i].2);
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
    fn objections(&self, built: Built, tolerance: &Tolerance) -> Vec<(Size, Because)> {
        if self.tool != built.tool {
            return Vec::new();
        }
        let codec = [0, built.codecs[0], built.codecs[1]];
        let mut found = Vec::new();
        for (i, size) in Size::ALL.into_iter().enumerate() {
            let (held, anchor, own) = self.sizes[i];
            let allowed = [tolerance.raw, tolerance.compressed, tolerance.compressed][i];
            let now = built.sizes[i];
            if own != codec[i] {
                continue;
            } else if now > held + allowed.of(held) {
                found.push((size, Because::Ratchet));
            } else if now > anchor + tolerance.drift.of(anchor) {
                found.push((size, Because::Drift));
            }
        }
        found
    }
}

fn ask(
    held: &Entry,
    asked: Asked,
    report: &Report,
    tolerance: &Tolerance,
) -> Result<Entry, Refused> {
    match asked {
        Asked::Nothing => Ok(held.clone()),
        Asked::Lower => held.lower(report),
        Asked::Rebase => held.rebase(report, tolerance, "c0ffee"),
        Asked::Raise => held.raise(report, "it is worth it", "c0ffee"),
        Asked::RaiseWithoutReason => held.raise(report, " \n", "c0ffee"),
    }
}

fn objections(report: &Report, config: &Config, held: &Entry) -> Vec<(Size, Because)> {
    let verdict = gate::decide(report, config, Some(held));
    let found = verdict
        .grown
        .iter()
        .map(|growth| (growth.size, growth.because));
    found.collect()
}

/// The decision table: over many histories, what is held and what is objected to is what the model says; nothing goes up
/// by itself; every record can be told to have come from every one before it.
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
        let mut held = Entry::begin(&report(built));
        let mut model = Model::begin(built);
        let mut past = vec![held.clone()];
        for step in 0..STEPS {
            let at = format!("history {seed}, step {step}");
            built = random.built(built);
            let (now, asked) = (report(built), random.asked());

            let found = objections(&now, &config, &held);
            assert_eq!(
                found,
                model.objections(built, tolerance),
                "{at}: {built:?} {held:?}"
            );
            assert_eq!(
                found,
                objections(&now, &config, &held),
                "{at}: not the same again"
            );
            passed += usize::from(found.is_empty());
            failed += usize::from(!found.is_empty());

            let done = ask(&held, asked, &now, tolerance);
            let before = model.clone();
            let expected = model.ask(asked, built, tolerance.drift);
            assert_eq!(done.is_ok(), expected, "{at}: {asked:?} {done:?}");
            let Ok(after) = done else {
                assert_eq!(model, before, "{at}");
                refused += 1;
                continue;
            };
            never_by_itself(asked, &held, &after, &at);
            for (i, size) in Size::ALL.into_iter().enumerate() {
                let own = (after.sizes.get(size), after.anchor.get(size));
                let (expected, anchor, _) = model.sizes[i];
                assert_eq!(own, (expected, anchor), "{at}: {size:?} after {asked:?}");
                assert!(own.1 <= own.0, "{at}: an anchor above what is held");
            }
            assert_eq!(after.raises.len(), model.raises, "{at}");
            assert_eq!(after.contents.sum(), Some(after.sizes.raw), "{at}");
            raised += after.raises.len() - held.raises.len();
            held = after;
            for earlier in &past {
                let raises = succeeds(earlier, &held, tolerance);
                let raises = raises.unwrap_or_else(|why| panic!("{at}: {why:?}"));
                assert_eq!(raises.len(), held.raises.len() - earlier.raises.len());
            }
            past.push(held.clone());
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

/// A smaller file, a wider tolerance or more that is held never makes a verdict worse.
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
        let held = Entry::begin(&report(built([4_000, 2_000, 1_000].map(&mut near))));
        let now = [4_000, 2_000, 1_000].map(&mut near);
        let smaller = now.map(|size| size - near(100) % 40);
        let worst = objections(&report(built(now)), &config, &held);
        let sizes = |found: Vec<(Size, Because)>| found.into_iter().map(|(size, _)| size).collect();
        let all: Vec<Size> = sizes(worst);
        let more = Entry {
            sizes: held.sizes.map(|size| held.sizes.get(size) + 7),
            anchor: held.anchor.map(|size| held.anchor.get(size) + 7),
            ..held.clone()
        };
        for better in [
            objections(&report(built(smaller)), &config, &held),
            objections(&report(built(now)), &wider, &held),
            objections(&report(built(now)), &config, &more),
        ] {
            let better: Vec<Size> = sizes(better);
            assert!(better.iter().all(|size| all.contains(size)), "{seed}");
        }
    }
}

/// Ten harmless steps do not pass as ten: whatever passes between two raises is within one tolerance of the least that
/// was held, and within one drift of it however many toolchains came by.
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
    let mut held = Entry::begin(&report(built));
    let mut passed = 0;
    for _ in 0..10 {
        built.sizes[0] += 200;
        let now = report(built);
        passed += usize::from(objections(&now, &config, &held).is_empty());
        held = held.lower(&now).unwrap();
    }
    assert_eq!((passed, held.sizes.raw), (2, 100_000));

    // Each toolchain brings 400 bytes, which is less than a tolerance; at the sixth it is 2% and over.
    let mut built = Built {
        sizes: [100_000, 40_000, 30_000],
        ..built
    };
    for tool in 1..=5 {
        (built.sizes[0], built.tool) = (100_000 + 400 * u64::from(tool), tool);
        let now = report(built);
        assert_eq!(
            objections(&now, &config, &held),
            [],
            "not blamed on the change"
        );
        assert_eq!(held.lower(&now), Err(Refused::Toolchain));
        held = held.rebase(&now, &config.ratchet, "c").unwrap();
    }
    assert_eq!((held.sizes.raw, held.anchor.raw), (102_000, 100_000));
    built.sizes[0] += 1;
    let now = report(built);
    assert_eq!(
        objections(&now, &config, &held),
        [(Size::Raw, Because::Drift)]
    );
    built.tool = 6;
    let now = report(built);
    let refused = held.rebase(&now, &config.ratchet, "c");
    assert_eq!(refused, Err(Refused::Drift(Size::Raw)));
    let raised = held
        .raise(&now, "the new toolchain is worth it", "c")
        .unwrap();
    assert_eq!((raised.sizes.raw, raised.anchor.raw), (102_001, 102_001));
}

/// A record that was changed by hand to hold more is told from one that came by its ways.
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
        edited(&|held| held.sizes.raw -= 1),
        Ok(0),
        "tighter is no offence"
    );
    let size = Size::Raw;
    let (held, most) = (1_201, 1_200);
    assert_eq!(
        edited(&|held| held.sizes.raw += 1),
        Err(Weakened::Size { size, held, most })
    );
    let anchor = 1_201;
    assert_eq!(
        edited(&|held| held.anchor.raw += 1),
        Err(Weakened::Anchor { size, anchor, most })
    );
    assert_eq!(edited(&|held| held.raises.clear()), Err(Weakened::Raises));
    assert_eq!(
        edited(&|held| held.raises[0].to.raw += 9),
        Err(Weakened::Raises)
    );
    assert_eq!(
        edited(&|held| held.toolchain.rustc.clear()),
        Err(Weakened::Toolchain)
    );
    assert_eq!(
        edited(&|held| held.codecs.gzip.clear()),
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
