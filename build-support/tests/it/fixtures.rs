//! The fixtures' real workloads: whatever the passes make of a program gives in both engines, byte
//! for byte, what the linked program gives. `BLESS=1` writes that down.

mod engines;
mod packing;
mod workload;

/// The programs are those that the lab measures.
#[path = "../../lab/src/size_bench/fixtures.rs"]
#[allow(dead_code)]
mod programs;

use crate::support::golden;
use build_support::analyze::sweep::{self, Link};
use build_support::attribution::{self, Attribution, Row, RowKind};
use build_support::config::Config;
use build_support::ops::build;
use build_support::passes::{self, optimize};
use build_support::passes::{Job, pipeline};
use build_support::project::compile::Linked;
use build_support::project::listener::Silent;
use build_support::project::package::{Package, Wanted};
use build_support::wasm::artifact::Artifact;
use build_support::wasm::{Module, features};
use programs::Fixture;
use std::path::Path;

/// How far a program has gone through the passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Linked,
    Snipped,
    Swept,
    /// What the sweep proved dead is there to be found: a wrong proof shows in what the program
    /// gives.
    Poisoned,
}

const VERSIONS: [Version; 4] = [
    Version::Linked,
    Version::Snipped,
    Version::Swept,
    Version::Poisoned,
];

#[test]
fn json_gives_the_same_in_every_version() {
    check("json");
}

#[test]
fn orders_give_the_same_in_every_version() {
    check("orders");
}

#[test]
fn plugins_give_the_same_in_every_version() {
    check("plugins");
}

#[test]
fn the_matcher_gives_the_same_in_every_version() {
    check("matcher");
}

#[test]
fn callbacks_give_the_same_in_every_version() {
    check("callbacks");
}

#[test]
fn futures_give_the_same_in_every_version() {
    check("futures");
}

fn linked(fixture: &Fixture) -> Linked {
    let (package, features) = (&fixture.package, Wanted::default());
    build::compile(package, &fixture.config, &features, &mut Silent).unwrap()
}

/// Protects the answer to "why is this still there": the chain begins outside and ends at the
/// symbol, and what is dead is said to be.
#[test]
fn what_stays_and_what_goes_is_explained() {
    let fixture = programs::find(&agent(), Some("json")).unwrap().remove(0);
    let linked = linked(&fixture);
    let artifact = Artifact::new(linked.bytes.clone(), &linked.path).unwrap();
    let analysis = pipeline::analyze(
        &fixture.config.snip,
        fixture.config.sweep.enabled,
        &linked.path,
        &artifact,
    )
    .unwrap();
    let snipped = analysis.plans[0].snipped();
    let module = Module::read(&linked.bytes).unwrap();
    let explain = |symbol: &str| sweep::explain(&module, &snipped, symbol).unwrap();
    let alive = &explain("core::fmt::write")[0];
    assert!(
        matches!(alive.chain.first(), Some(Link::Root(root)) if root.starts_with("export ")),
        "{alive:?}"
    );
    assert_eq!(
        alive.chain.last(),
        Some(&Link::Call("core::fmt::write".to_owned()))
    );
    let dead: Vec<_> = analysis
        .swept()
        .into_iter()
        .filter(|swept| swept.reason == "unreachable functions")
        .flat_map(|swept| swept.pieces)
        .collect();
    assert!(dead.len() > 50, "{} functions are dead", dead.len());
    assert!(explain(&dead[0].name).iter().any(|e| e.chain.is_empty()));
    assert_eq!(explain("no::such::symbol"), []);
}

/// Protects against a fixture that is measured and never run.
#[test]
fn every_fixture_has_a_workload() {
    for fixture in programs::find(&agent(), None).unwrap() {
        if fixture.uses_std {
            assert!(!workload::read(&fixture.package.name).is_empty());
        }
    }
}

fn check(name: &str) {
    let fixture = programs::find(&agent(), Some(name)).unwrap().remove(0);
    let linked = linked(&fixture);
    let cases = workload::read(name);
    if golden::blessing() {
        workload::bless(name, &engines::wasmtime(&linked.bytes, &cases));
    }
    let expected = workload::expected(name);
    assert_eq!(
        expected.len(),
        cases.len(),
        "run with BLESS=1 and look at the change"
    );
    let folder = tempfile::tempdir().unwrap();
    for version in VERSIONS {
        let module = make(&fixture, &linked, version);
        let file = folder.path().join("module.wasm");
        std::fs::write(&file, &module).unwrap();
        if version == Version::Swept {
            // What is dead must not leave zeros behind, nor more segments than it saves.
            let (actual, best) = packing::weigh(&module);
            assert!(
                actual <= best + 2,
                "{name}: the data takes {actual} bytes, {best} would do"
            );
        }
        let gave = [
            ("wasmtime", engines::wasmtime(&module, &cases)),
            (
                "node",
                engines::node(&file, &workload::folder(name).join("workload.json")),
            ),
        ];
        for (engine, outcomes) in gave {
            assert_eq!(outcomes.len(), cases.len(), "{name}, {version:?}, {engine}");
            for (number, (outcome, expected)) in outcomes.iter().zip(&expected).enumerate() {
                assert_eq!(
                    outcome, expected,
                    "{name}, {version:?}, {engine}, case {number}"
                );
            }
        }
    }
}

fn make(fixture: &Fixture, linked: &Linked, version: Version) -> Vec<u8> {
    let mut config = fixture.config.clone();
    if version == Version::Linked {
        return linked.bytes.clone();
    }
    set(&mut config, version);
    let artifact = Artifact::new(linked.bytes.clone(), &linked.path).unwrap();
    let analysis =
        pipeline::analyze(&config.snip, config.sweep.enabled, &linked.path, &artifact).unwrap();
    let job = Job {
        poison: config.sweep.poison,
        ..Job::new(&linked.path, analysis.plans)
    };
    let product = pipeline::run(&job, artifact.clone(), &mut |_| {}).unwrap();
    if version == Version::Swept {
        assert!(product.artifact.bytes() == without_names(&job, artifact));
    }
    named(&attribution::shipped(&product.names, &product.artifact).unwrap());
    product.artifact.bytes().to_vec()
}

/// What the optimiser gives where no name goes in: names must not decide what is shipped.
fn without_names(job: &Job<'_>, linked: Artifact) -> Vec<u8> {
    let swept = passes::sweep::run(job, linked).unwrap().artifact;
    let snipped = passes::snip::run(job, swept).unwrap().artifact;
    let plain = optimize::without_stale_sections(snipped.bytes()).unwrap();
    let plain = passes::strip::drop_customs(&plain, "test", |name| name == "name").unwrap();
    let features = features::run(&plain, job.file).unwrap();
    let optimized = optimize::built_in(&plain, &features).unwrap();
    let optimized = Artifact::new(optimized, job.file).unwrap();
    let stripped = passes::strip::run(job, optimized).unwrap();
    stripped.artifact.bytes().to_vec()
}

/// Protects the names of what is shipped: next to everything in code and data has one. (That the
/// rows sum to the file the attribution checks itself.)
#[track_caller]
fn named(attribution: &Attribution) {
    for kind in [RowKind::Function, RowKind::Data] {
        let of = |named: fn(&Row) -> bool| -> u64 {
            let rows = attribution.rows.iter().filter(|row| row.kind == kind);
            rows.filter(|row| named(row)).map(|row| row.bytes).sum()
        };
        let (all, unnamed) = (of(|_| true), of(|row| row.name.starts_with('[')));
        assert!(
            unnamed * 10 <= all,
            "{kind:?}: {unnamed} of {all} bytes have no name"
        );
    }
}

fn set(config: &mut Config, version: Version) {
    config.snip.enabled = version != Version::Linked;
    config.sweep.enabled = matches!(version, Version::Swept | Version::Poisoned);
    config.sweep.poison = version == Version::Poisoned;
}

/// The package with a budget: the fixtures are beside it.
fn agent() -> Package {
    Package::at(&Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("clawft-wasm")).unwrap()
}
