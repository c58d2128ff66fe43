//! Goldens of all that a person sees of the budget: the mistakes in a manifest, a limit that does
//! not hold, the report. `BLESS=1 cargo test -p build-support --test it config::` writes them anew.
//!
//! `config/*.toml` are manifests. Those named `over-*` are right and are held against a fixed
//! report; all others are wrong. What is said stands beside each in a `.stderr`.

use crate::support::golden::{self, golden};
use crate::support::report as sample;
use build_support::Error;
use build_support::attribution::Attribution;
use build_support::config::{self, Config, Measure};
use build_support::gate;
use build_support::output::{diagnostic, text};
use build_support::report::{Figures, Report, Size, Sizes, Snipped, Stage, Toolchain};
use build_support::wasm::artifact::FileKind;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const TARGET: &str = "wasm32-wasip2";
const ROOT: &str = "/ws";
const MANIFEST: &str = "/ws/clawft-wasm/Cargo.toml";
const REPORT: &str = "target/budget/wasm32-wasip2/report.json";
const LINKED: &str = "target/budget/wasm32-wasip2/clawft_wasm.linked.wasm";

#[test]
fn every_mistake_is_pointed_at() {
    let mut seen = BTreeSet::new();
    for case in cases(|name| !name.starts_with("over-")) {
        let source = read(&case);
        let Err(Error::Config(mistakes)) = config::parse(Path::new(MANIFEST), &source, TARGET)
        else {
            panic!("{}: nothing is wrong with it", case.display());
        };
        let places: Vec<usize> = mistakes.iter().map(|mistake| mistake.span.start).collect();
        assert!(
            places.is_sorted(),
            "{}: not in the order of the file",
            case.display()
        );
        seen.extend(mistakes.iter().map(|mistake| mistake.code));
        golden(
            &case.with_extension("stderr"),
            &diagnostic::draw_all(&mistakes, Path::new(ROOT), false),
        );
    }
    assert_eq!(
        seen,
        BTreeSet::from(config::code::ALL),
        "a kind of mistake has no golden"
    );
}

#[test]
fn a_limit_that_does_not_hold_is_explained() {
    for case in cases(|name| name.starts_with("over-")) {
        let config = configuration(&case);
        let report = judged(&config);
        let verdict = gate::decide(&report, &config, None);
        assert!(
            !verdict.within(),
            "{}: is within its budget",
            case.display()
        );
        let diagnostics = diagnostic::limits(&verdict, &report, &config, Path::new(REPORT));
        // Sizes are one, at the first of them.
        let is_size = |measure: &Measure| matches!(measure, Measure::Size(_));
        let mut breaches = verdict.exceeded.clone();
        let mut seen = false;
        breaches.retain(|breach| {
            let again = is_size(&breach.limit.measure) && seen;
            seen |= is_size(&breach.limit.measure);
            !again
        });
        assert_eq!(diagnostics.len(), breaches.len());
        for (diagnostic, breach) in diagnostics.iter().zip(&breaches) {
            let line = config.source[..diagnostic.span.start]
                .rsplit('\n')
                .next()
                .unwrap_or_default();
            assert!(
                line.trim_start().starts_with(breach.limit.measure.key()),
                "points at {line:?}"
            );
        }
        golden(
            &case.with_extension("stderr"),
            &diagnostic::draw_all(&diagnostics, Path::new(ROOT), false),
        );
    }
}

#[test]
fn the_report_is_readable_at_a_glance() {
    let files = [
        LINKED.replace(".linked", ""),
        LINKED.into(),
        "target/budget/wasm32-wasip2/report.json".into(),
    ];
    let within = parse(
        "[package]\nname = \"clawft-wasm\"\n[package.metadata.budget.limits]\nraw = \"320 KiB\"\ngzip = \"130 KiB\"",
    );
    let over = configuration(&folder().join("over-two.toml"));
    for (name, config) in [
        ("report-within.stdout", within),
        ("report-over.stdout", over),
    ] {
        let drawn = text::draw(&judged(&config), &files, false);
        assert_eq!(drawn, text::draw(&judged(&config), &files, false));
        for line in drawn.lines() {
            assert!(
                line.chars().count() <= 100 && line == line.trim_end(),
                "{line:?}"
            );
        }
        golden(&folder().join(name), &drawn);
    }
}

#[test]
fn every_golden_has_its_case() {
    if golden::blessing() {
        return; // the other tests are writing them
    }
    for golden in files("stderr") {
        assert!(
            golden.with_extension("toml").exists(),
            "{} is left over",
            golden.display()
        );
    }
    let shown: Vec<_> = files("stdout")
        .iter()
        .filter_map(|file| file.file_name()?.to_str().map(str::to_owned))
        .collect();
    assert_eq!(shown, ["report-over.stdout", "report-within.stdout"]);
}

/// The manifest of the agent itself: the contract of FR-05, for both targets of C-02.
#[test]
fn the_agents_own_manifest_states_the_contract() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clawft-wasm/Cargo.toml");
    for target in ["wasm32-wasip2", "wasm32-wasip1"] {
        let config = config::load(&manifest, target).unwrap_or_else(|error| panic!("{error:#?}"));
        assert_eq!(
            (config.package.as_str(), config.profile.as_str()),
            ("clawft-wasm", "release-wasm")
        );
        assert_eq!(config.targets, ["wasm32-wasip2", "wasm32-wasip1"]);
        let contract = [(Size::Raw, 300), (Size::Gzip, 120), (Size::Brotli, 100)];
        for (size, kib) in contract {
            let limit = config.limits.get(&Measure::Size(size));
            assert!(
                limit.is_some_and(|limit| limit.most <= kib * 1_024),
                "{target}: {limit:?}"
            );
        }
    }
}

fn parse(source: &str) -> Config {
    config::parse(Path::new(MANIFEST), source, TARGET).unwrap_or_else(|error| panic!("{error:#?}"))
}

fn configuration(case: &Path) -> Config {
    parse(&read(case))
}

/// A made-up run, with what the gate says of it by `config`.
fn judged(config: &Config) -> Report {
    let stage = |name: &str, bytes, millis, note: &str| Stage {
        name: name.into(),
        bytes,
        millis,
        note: note.into(),
        steps: Vec::new(),
    };
    let snipped = |function: &str, bytes| Snipped {
        function: function.into(),
        family: "core::panicking".into(),
        bytes,
    };
    let mut report = Report {
        package: config.package.clone(),
        target: config.target.clone(),
        kind: FileKind::Component,
        toolchain: Toolchain {
            rustc: "rustc 1.95.0 (59807616e 2026-04-14)".into(),
            std: "built from sources".into(),
            wasm_opt: "wasm-opt 116 (built in)".into(),
            build_support: "0.1.0".into(),
        },
        stages: vec![
            stage("link", 1_412_338, 8_120.4, "names and relocations kept"),
            stage("snip", 1_398_207, 41.26, "37 functions"),
            stage(
                "optimize",
                1_004_410,
                2_961.0,
                "4 rounds of -Oz; wasm-opt 116 (built in) kept over 132",
            ),
            stage(
                "strip",
                311_801,
                3.04,
                "name, producers, target_features, 9 of .debug_*",
            ),
            stage("componentize", 312_400, 12.5, "world clawft:agent/agent"),
            stage("validate", 312_400, 1.75, ""),
        ],
        sizes: Sizes {
            raw: 312_400,
            gzip: 111_616,
            brotli: 93_000,
        },
        figures: Figures {
            functions: 412,
            memory: 327_680,
            start: Some(5_120),
        },
        snipped: vec![
            snipped("core::panicking::panic_fmt", 7_204),
            snipped("core::panicking::panic_bounds_check", 81),
            snipped("core::option::expect_failed", 77),
            snipped("core::result::unwrap_failed", 77),
        ],
        attribution: Attribution {
            bytes: 312_400,
            rows: vec![
                sample::function("clawft_wasm::agent::pipeline::Pipeline::run", 24_311, &[]),
                sample::function("serde_json::de::Deserializer<R>::parse_value", 14_020, &[]),
                sample::function(
                    "<clawft_types::config::_::<impl serde::de::Deserialize for clawft_types::config::Provider>::deserialize::Visitor as serde::de::Visitor>::visit_map",
                    9_870,
                    &[],
                ),
                sample::function("[data].rodata", 8_192, &[]),
                sample::function("clawft_wasm::agent::tools::edit_file::run", 6_001, &[]),
                sample::function("dlmalloc::dlmalloc::Dlmalloc<A>::malloc", 5_120, &[]),
                sample::function(
                    "core::num::flt2dec::strategy::dragon::format_shortest",
                    4_999,
                    &[],
                ),
                sample::function(
                    "core::fmt::float::float_to_decimal_common_exact",
                    2_048,
                    &[],
                ),
                sample::function("alloc::raw_vec::finish_grow", 981, &[]),
                sample::function("memcpy", 612, &[]),
                sample::function("memmove", 611, &[]),
            ],
        },
        features: vec!["bulk-memory".into(), "sign-ext".into()],
        ..sample::report(&[])
    };
    report.budget = gate::budget(&report, config);
    report.verdict = gate::decide(&report, config, None).record();
    report
}

fn folder() -> PathBuf {
    golden::beside("config")
}

fn cases(choose: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let chosen = |file: &PathBuf| {
        file.file_stem()
            .and_then(|stem| stem.to_str())
            .is_some_and(&choose)
    };
    let found: Vec<PathBuf> = files("toml").into_iter().filter(chosen).collect();
    assert!(!found.is_empty(), "no cases in {}", folder().display());
    found
}

fn files(extension: &str) -> Vec<PathBuf> {
    let folder = folder();
    let entries = folder
        .read_dir()
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries.map(|entry| {
        entry
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .path()
    });
    let mut files: Vec<PathBuf> = files
        .filter(|file| file.extension().is_some_and(|e| e == extension))
        .collect();
    files.sort();
    files
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
