//! The committed baseline: whole, readable, and what it says of the shipped files is what is
//! shipped.

use crate::agent;
use build_support::baseline::file::File;
use build_support::config::Config;
use build_support::gate;
use build_support::gate::entries::Entries;
use build_support::gate::entry::Entry;
use build_support::measure::sizes;
use build_support::ops::build;
use build_support::project::listener::Silent;
use build_support::project::package::Wanted;
use build_support::report::{Report, Sizes};
use lab::alloc_compare::Allocator;
use lab::baseline::{Baseline, Figures};

fn whole() -> File {
    let file = File::path(&agent());
    File::read(&file).unwrap().expect("it is committed")
}

/// What was measured, as it is committed.
pub fn committed() -> Baseline {
    let measured = whole().measured.expect("`cargo baseline` wrote its part");
    measured.read(&File::path(&agent())).unwrap()
}

/// FR-11: every part is there, and nothing was left open.
#[test]
fn it_is_whole() {
    let (package, baseline) = (agent(), committed());
    let text = std::fs::read_to_string(File::path(&package)).unwrap();
    assert!(!text.contains(": null"));
    assert_eq!(baseline.package, package.name);
    assert_eq!(baseline.codecs, sizes::codecs());
    let targets: Vec<_> = baseline.targets.keys().cloned().collect();
    let mut expected = package.targets.clone();
    expected.sort();
    assert_eq!(targets, expected);
    for (target, figures) in &baseline.targets {
        assert!(!figures.toolchain.rustc.is_empty() && !figures.toolchain.std.is_empty());
        assert_eq!(figures.stages[0].name, "linked", "{target}");
        let last = figures.stages.last().unwrap();
        assert_eq!(last.bytes, figures.sizes.raw, "{target}");
        assert!(figures.preinit.raw > figures.sizes.raw, "{target}");
        let of_allocators = &baseline.allocators.sizes[target];
        assert_eq!(of_allocators.len(), Allocator::ALL.len());
        // It is named as a feature there, which gives symbols other hashes and functions another
        // order: a compressor sees that, in less than half a hundredth. The bytes are as many.
        let (named, shipped) = (of_allocators[&figures.allocator], figures.sizes);
        let near = |one: u64, other: u64| one.abs_diff(other) * 200 <= other;
        assert!(
            named.raw == shipped.raw
                && near(named.gzip, shipped.gzip)
                && near(named.brotli, shipped.brotli),
            "{target}: run `cargo baseline --only sizes --only allocators`"
        );
    }
    // Each target plain and pre-initialised.
    assert_eq!(baseline.startup.files.len(), 2 * targets.len());
    assert_eq!(baseline.memory.len(), 2 * targets.len());
    assert!(baseline.startup.node.is_some());
    assert!(baseline.native.bytes > 0 && baseline.native.process.samples >= 100);
}

/// The allocator that the baseline names is the one that the manifest makes the default.
#[test]
fn the_default_allocator_is_the_manifests() {
    let manifest = std::fs::read_to_string(agent().manifest).unwrap();
    let line = format!("default = [\"{}\"]", Allocator::DEFAULT.feature());
    assert!(manifest.lines().any(|l| l == line), "{line}");
}

/// The figures are those of this very commit: to the byte where the toolchain here made them, and
/// within what this toolchain's own entry of the ratchet allows where another did. A toolchain that
/// nothing is known of has to be taken over.
#[test]
fn what_it_says_is_shipped_is_shipped() {
    let (package, whole, baseline) = (agent(), whole(), committed());
    for (target, figures) in &baseline.targets {
        let folder = package.outputs(target);
        let shipped =
            build::run(&package, target, &Wanted::default(), &folder, &mut Silent).unwrap();
        let config = package.config(Some(target)).unwrap();
        let entries = whole.entries(&package.name, target);
        stands(&shipped.report, figures, entries, &config).unwrap();
    }
}

/// Whether what was built is what the baseline says.
fn stands(
    report: &Report,
    figures: &Figures,
    entries: Option<&Entries>,
    config: &Config,
) -> Result<(), String> {
    let target = &report.target;
    if report.toolchain == figures.toolchain {
        return if report.sizes == figures.sizes {
            Ok(())
        } else {
            Err(format!(
                "{target}: it is {:?} and not {:?}: run `cargo baseline --only sizes --only allocators` and commit what it writes",
                report.sizes, figures.sizes
            ))
        };
    }
    let own = entries.and_then(|entries| entries.of(&report.toolchain));
    let Some(own) = own else {
        return Err(format!(
            "{target}: baseline.json has nothing of {:?}: run `cargo gate --update --toolchain` and commit what it writes",
            report.toolchain
        ));
    };
    let verdict = gate::decide(report, config, Some(own));
    if verdict.grown.is_empty() && verdict.unjudged.is_none() {
        Ok(())
    } else {
        Err(format!(
            "{target}: {:?} {:?}",
            verdict.grown, verdict.unjudged
        ))
    }
}

/// Protects the test above from passing whatever is built.
#[test]
fn what_is_not_what_it_says_is_told() {
    let (package, baseline) = (agent(), committed());
    let (target, figures) = baseline.targets.iter().next().unwrap();
    let config = package.config(Some(target)).unwrap();
    let folder = package.outputs(target);
    let built = build::run(&package, target, &Wanted::default(), &folder, &mut Silent);
    let mut report = built.unwrap().report;
    report.toolchain = figures.toolchain.clone();
    report.sizes = figures.sizes;
    let mut entries = Entries::default();
    entries.set(Entry::begin(&report));
    let said = |report: &Report| {
        let stands = stands(report, figures, Some(&entries), &config);
        stands.err().unwrap_or_default()
    };
    assert_eq!(said(&report), "");
    report.sizes.gzip += 1;
    assert!(said(&report).contains("cargo baseline --only sizes"));
    report.sizes = figures.sizes;
    report.toolchain.rustc.push('!');
    assert!(said(&report).contains("cargo gate --update --toolchain"));
    entries.set(Entry::begin(&report));
    let said = |report: &Report| stands(report, figures, Some(&entries), &config);
    assert_eq!(said(&report), Ok(()));
    report.sizes.raw += report.sizes.raw / 100;
    assert!(said(&report).is_err());
}

/// Protects the history: an entry when sizes change, none when they do not.
#[test]
fn sizes_that_change_are_remembered() {
    let before = committed();
    let mut same = before.clone();
    same.history.clear();
    same.remember(&before, "abc");
    assert_eq!(same.history, before.history);

    let mut other = before.clone();
    let figures = other.targets.values_mut().next().unwrap();
    figures.sizes = Sizes {
        raw: figures.sizes.raw - 1,
        ..figures.sizes
    };
    other.remember(&before, "abc");
    assert_eq!(other.history.len(), before.history.len() + 1);
    assert_eq!(other.history[0].until, "abc");
    assert_eq!(other.history[0].targets, before.shipped());
}

#[test]
fn what_is_no_baseline_is_refused_clearly() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("baseline.json");
    assert!(File::read(&file).unwrap().is_none());
    let text = std::fs::read_to_string(File::path(&agent())).unwrap();
    let other_layout = text.replacen("\"schema\": 3", "\"schema\": 4", 1);
    let unknown = text.replacen("\"schema\": 3", "\"schema\": 3, \"mood\": 7", 1);
    let held = text
        .find("\"anchor\"")
        .expect("the ratchet holds something");
    let raw = text[..held].rfind("\"raw\": ").expect("raw is held") + "\"raw\": ".len();
    let false_sum = format!("{}1{}", &text[..raw], &text[raw..]);
    for (text, expected) in [
        ("", "line 1"),
        ("{\"schema\": \"x\"}", "invalid type"),
        ("{}", "missing field"),
        (&text[..text.len() / 2], "EOF"),
        (other_layout.as_str(), "version 4"),
        (false_sum.as_str(), "do not sum to the 1"),
        (unknown.as_str(), "unknown field `mood`"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = File::read(&file).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(
            error.contains("baseline.json") && error.contains("help:"),
            "{error}"
        );
    }
    // To the byte: what is only read and written must not change.
    whole().write(&file).unwrap();
    let written = std::fs::read_to_string(&file).unwrap();
    let original = std::fs::read_to_string(File::path(&agent())).unwrap();
    assert_eq!(written, original);

    // In a workspace that has nothing but a ratchet, there is nothing else in it.
    File::default().write(&file).unwrap();
    assert_eq!(File::read(&file).unwrap(), Some(File::default()));
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, "{\n  \"schema\": 3\n}\n");
}
