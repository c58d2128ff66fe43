//! The entries of several toolchains together, on random histories and against the rules in other
//! words.

use super::model::{Asked, Built, Model, Random};
use crate::config::{Allowance, Tolerance};
use crate::gate::entries::{Entries, fingerprint};
use crate::gate::entry::{Entry, Refused};
use crate::gate::succession::{Weakened, first_fault};
use crate::report::{Report, Size};
use std::collections::BTreeMap;

const HISTORIES: u64 = 1_000;
const STEPS: usize = 24;

/// Those of these numbers have a standard library built from sources.
const FROM_SOURCES: [u8; 2] = [2, 4];

/// As of a [`Built`], of one of five toolchains.
fn report(built: Built) -> Report {
    let mut report = super::report(built);
    if FROM_SOURCES.contains(&built.tool) {
        report.toolchain.std = format!("built from sources (1.{})", built.tool);
    }
    report
}

/// The rules in other words.
#[derive(Debug, Clone, PartialEq)]
struct Set(BTreeMap<u8, Model>);

impl Set {
    fn nearest(&self, tool: u8) -> Option<&Model> {
        let from_sources = |tool: u8| FROM_SOURCES.contains(&tool);
        let far = |model: &&Model| {
            let other = from_sources(model.tool) != from_sources(tool);
            let std = other || (from_sources(tool) && model.tool != tool);
            let differences = usize::from(model.tool != tool) + usize::from(std);
            (other, differences, model.sizes[0].1)
        };
        self.0.values().min_by_key(far)
    }

    fn ask(&mut self, asked: Asked, built: Built, drift: Allowance) -> bool {
        let tool = built.tool;
        let own = self.0.get(&tool).cloned();
        let same =
            |model: &&Model| FROM_SOURCES.contains(&model.tool) == FROM_SOURCES.contains(&tool);
        let mut next = match (asked, own.clone()) {
            (Asked::Nothing, _) => return true,
            (Asked::RaiseWithoutReason, _) | (Asked::Lower, None) => return false,
            (_, Some(own)) => own,
            (Asked::Rebase, None) => match self.nearest(tool).filter(same) {
                Some(model) => model.clone(),
                None => {
                    self.0.insert(tool, Model::begin(built));
                    return true;
                }
            },
            (Asked::Raise, None) => self.nearest(tool).unwrap().clone(),
        };
        if !next.ask(asked, built, drift) {
            return false;
        }
        if let Some(own) = own.filter(|own| next.raises > own.raises) {
            for model in self.0.values_mut().filter(|model| model.tool != tool) {
                model.raises += 1;
                for i in 0..3 {
                    let (size, _, codec) = model.sizes[i];
                    let raised = size * next.sizes[i].0 / own.sizes[i].0;
                    model.sizes[i] = (size.max(raised), size.max(raised), codec);
                }
            }
        }
        self.0.insert(tool, next);
        true
    }
}

fn ask(
    entries: &mut Entries,
    asked: Asked,
    report: &Report,
    tolerance: &Tolerance,
) -> Result<(), Refused> {
    match asked {
        Asked::Nothing => Ok(()),
        Asked::Lower => entries.lower(report),
        Asked::Rebase => entries.take_over(report, tolerance, "c0ffee"),
        Asked::Raise => entries.raise(report, "it is worth it", "c0ffee"),
        Asked::RaiseWithoutReason => entries.raise(report, " \n", "c0ffee"),
    }
}

fn sizes(entry: &Entry) -> [(u64, u64); 3] {
    Size::ALL.map(|size| (entry.sizes.get(size), entry.anchor.get(size)))
}

/// The entries are what the rules say; nothing but what was asked for changes one, and a raise the
/// others; all there are can be told to have come from all there were.
#[test]
fn histories_of_several_toolchains_follow_the_rules() {
    let (mut begun, mut carried, mut refused) = (0, 0, 0);
    for seed in 0..HISTORIES {
        let mut random = Random(seed);
        let config = super::config(&mut random);
        let tolerance = &config.ratchet;
        let mut built = Built {
            sizes: [5_000, 2_000, 1_500].map(|size| size + random.below(size)),
            tool: random.below(5) as u8,
            codecs: [0, 0],
        };
        let (mut entries, mut model) = (Entries::default(), Set(BTreeMap::new()));
        entries.lower(&report(built)).unwrap();
        model.0.insert(built.tool, Model::begin(built));
        let mut past = vec![entries.clone()];
        for step in 0..STEPS {
            let at = format!("history {seed}, step {step}");
            built = random.built(built);
            if random.below(3) == 0 {
                built.tool = random.below(5) as u8;
            }
            let (now, asked) = (report(built), random.asked());
            let own = fingerprint(&now.toolchain);
            let before = entries.clone();
            let done = ask(&mut entries, asked, &now, tolerance);
            let expected = model.ask(asked, built, tolerance.drift);
            assert_eq!(done.is_ok(), expected, "{at}: {asked:?} {done:?}");
            let shown: Vec<_> = entries.iter().map(|(_, entry)| sizes(entry)).collect();
            let mut rules: Vec<_> = model.0.values().collect();
            rules.sort_by_key(|model| {
                fingerprint(
                    &report(Built {
                        tool: model.tool,
                        ..built
                    })
                    .toolchain,
                )
            });
            let rules: Vec<_> = rules
                .iter()
                .map(|model| model.sizes.map(|(size, anchor, _)| (size, anchor)))
                .collect();
            assert_eq!(shown, rules, "{at}: {asked:?}");
            refused += usize::from(done.is_err());
            begun += entries.iter().count() - before.iter().count();
            for (key, entry) in entries.iter() {
                assert!(entry.is_whole(), "{at}");
                if let Some(was) = before.get(key).filter(|was| key != own && *was != entry) {
                    let raise = &entry.raises[was.raises.len()];
                    assert_eq!(raise.carried.as_ref(), Some(&own), "{at}: {asked:?}");
                    carried += 1;
                }
            }
            for earlier in &past {
                assert_eq!(
                    first_fault(earlier, &entries, tolerance),
                    None,
                    "{at}: {asked:?}"
                );
            }
            past.push(entries.clone());
        }
    }
    for often in [begun, carried, refused] {
        assert!(often > 1_000, "{begun} {carried} {refused}");
    }
}

/// Protects every entry from a change that does not build with its toolchain, and the rule of what
/// may begin.
#[test]
fn what_was_added_or_loosened_by_hand_is_seen() {
    let built = |raw, tool| {
        report(Built {
            sizes: [raw, 400, 300],
            tool,
            codecs: [0, 0],
        })
    };
    let tolerance = Tolerance::default();
    let key = |tool| fingerprint(&built(1, tool).toolchain);
    let mut before = Entries::default();
    before.lower(&built(10_000, 0)).unwrap();
    before
        .take_over(&built(10_100, 1), &tolerance, "c")
        .unwrap();
    assert_eq!(
        before.clone().take_over(&built(10_300, 3), &tolerance, "c"),
        Err(Refused::Drift(Size::Raw)),
        "further from the first than the drift lets it, by whatever toolchain"
    );
    let fault = |edit: &dyn Fn(&mut Entries)| {
        let mut after = before.clone();
        edit(&mut after);
        first_fault(&before, &after, &tolerance)
    };
    assert_eq!(fault(&|_| {}), None);
    // Another way to get the library: nothing there is a measure of it.
    let begins = |entries: &mut Entries| {
        entries
            .take_over(&built(20_000, 2), &tolerance, "c")
            .unwrap()
    };
    assert_eq!(fault(&begins), None);
    // The same way: what begins without a record is forged.
    let forged = |entries: &mut Entries| entries.set(Entry::begin(&built(10_050, 3)));
    assert!(matches!(fault(&forged), Some((at, _)) if at == key(3)));
    let loosened = |entries: &mut Entries| {
        let mut entry = entries.get(&key(1)).unwrap().clone();
        entry.sizes.raw += 5_000;
        entries.set(entry);
    };
    assert!(matches!(fault(&loosened), Some((at, Weakened::Size { .. })) if at == key(1)));
    // What nobody uses any more may go.
    assert_eq!(fault(&|entries| entries.restore(&key(0), None)), None);
    // A raise is one of all toolchains, by the same share.
    let mut after = before.clone();
    after.raise(&built(12_000, 0), "a parser", "c").unwrap();
    let other = after.get(&key(1)).unwrap();
    assert_eq!((other.sizes.raw, other.anchor.raw), (12_120, 12_120));
    assert_eq!(other.raises[0].carried, Some(key(0)));
    assert_eq!(
        other.contents.sum(),
        Some(10_100),
        "what grew there is not known"
    );
    assert_eq!(first_fault(&before, &after, &tolerance), None);
    after.lower(&built(12_020, 1)).unwrap();
    assert_eq!(after.get(&key(1)).unwrap().contents.sum(), Some(12_020));
}
