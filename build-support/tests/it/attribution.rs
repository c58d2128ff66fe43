//! Who takes the room: exact on what is really shipped, on files from elsewhere, on damaged and on
//! large ones.

use crate::support::agent::{self, Built};
use crate::support::ended::{self, Ended, tool};
use crate::support::workspace::workspace;
use arbitrary::Unstructured;
use build_support::attribution::diff::{self, What};
use build_support::attribution::groups::{self, Grouping};
use build_support::attribution::{self, Attribution, Row, RowKind};
use build_support::config::Config;
use build_support::passes::{Job, pipeline};
use build_support::passes::{optimize, snip, strip, sweep};
use build_support::report::subject::{self, Subject};
use build_support::wasm::Module;
use build_support::wasm::artifact::Artifact;
use build_support::wasm::call_graph;
use build_support::wasm::features;
use std::fs;
use std::path::Path;
use wasm_encoder::{CodeSection, Function, FunctionSection, NameMap, NameSection, TypeSection};

const TARGETS: [&str; 2] = ["wasm32-wasip1", "wasm32-wasip2"];

#[track_caller]
fn well(args: &[&str]) -> String {
    ended::well(&workspace(), args)
}

/// Every grouping sums to the file, and the groups hold as many items as the rows.
#[track_caller]
fn exact(attribution: &Attribution, length: u64) {
    assert_eq!(attribution.bytes, length);
    for by in Grouping::ALL {
        let groups = groups::run(attribution, by);
        assert_eq!(
            groups.iter().map(|g| g.bytes).sum::<u64>(),
            length,
            "{by:?}"
        );
    }
}

/// The bytes of one kind, and those of them that nothing names.
fn named(attribution: &Attribution, kind: RowKind) -> (u64, u64) {
    let sum = |test: fn(&Row) -> bool| {
        let rows = attribution.rows.iter().filter(|row| row.kind == kind);
        rows.filter(|row| test(row)).map(|row| row.bytes).sum()
    };
    (sum(|_| true), sum(|row| row.name.starts_with('[')))
}

/// Protects the figures people act on: shipped and linked, on both targets, to the byte, by real
/// names.
#[test]
fn the_agent_is_attributed_to_the_byte() {
    for target in TARGETS {
        let Built {
            report,
            shipped,
            linked,
            ..
        } = agent::built(target);
        let of_report = subject::read(&report).unwrap();
        let length = |file: &Path| fs::metadata(file).unwrap().len();
        let all = &of_report.attribution;
        exact(all, length(&shipped));
        exact(
            &subject::read(&linked).unwrap().attribution,
            length(&linked),
        );
        let of_file = subject::read(&shipped).unwrap();
        exact(&of_file.attribution, length(&shipped));

        assert_eq!(of_report.missing, None);
        assert_eq!(of_report.artifact, of_file.artifact);
        let functions = |a: &Attribution| {
            let rows = a.rows.iter().filter(|row| row.kind == RowKind::Function);
            let mut all: Vec<_> = rows
                .flat_map(|r| r.functions.iter().map(|f| (r.core, *f)))
                .collect();
            all.sort_unstable();
            all
        };
        assert_eq!(functions(all), functions(&of_file.attribution), "{target}");
        let (code, unnamed) = named(all, RowKind::Function);
        assert_eq!(code, named(&of_file.attribution, RowKind::Function).0);
        // The encoder of components makes a function or two without names.
        assert!(
            unnamed * 200 <= code,
            "{target}: {unnamed} of {code} bytes of code"
        );
        let (data, unnamed) = named(all, RowKind::Data);
        assert!(
            unnamed * 10 <= data,
            "{target}: {unnamed} of {data} bytes of data"
        );
        for krate in ["clawft_wasm", "clawft_types", "alloc", "core"] {
            let groups = groups::run(all, Grouping::Crate);
            assert!(
                groups.iter().any(|group| group.name == krate),
                "{target}: no {krate}"
            );
        }

        let report = report.to_str().unwrap();
        let text = well(&["analyze", report]);
        assert!(
            text.contains("dominators") && text.contains("clawft_wasm::agent"),
            "{text}"
        );
        let why = well(&["analyze", report, "--why", "json::read::parse_deep"]);
        assert!(
            why.contains("  export ") && why.contains("clawft_types::json::read::parse_deep"),
            "{why}"
        );
        let same = well(&["diff", report, report]);
        assert_eq!(same.matches("nothing changed").count(), 4, "{same}");
    }
}

/// Protects the shipped bytes from their own explanation: with names kept, the optimiser gives what
/// it gives without.
#[test]
fn names_do_not_decide_the_bytes() {
    let linked = agent::built("wasm32-wasip1").linked;
    let input = Artifact::read(&linked).unwrap();
    let mut config = Config::without_package("agent");
    (config.snip.enabled, config.sweep.enabled) = (true, true);
    let analysis = pipeline::analyze(&config.snip, true, &linked, &input).unwrap();
    let job = Job::new(&linked, analysis.plans);
    let swept = sweep::run(&job, input).unwrap().artifact;
    let snipped = snip::run(&job, swept).unwrap().artifact;
    let plain = optimize::without_stale_sections(snipped.bytes()).unwrap();
    let plain = strip::drop_customs(&plain, "test", |name| name == "name").unwrap();
    let features = features::run(&plain, &linked).unwrap();
    let without = optimize::built_in(&plain, &features).unwrap();
    let without = Artifact::new(without, &linked).unwrap();
    let with = optimize::run(&job, snipped).unwrap();
    let nameless: Vec<_> = (with.names[0].functions.iter().enumerate())
        .filter(|(_, name)| name.is_none())
        .collect();
    assert!(
        nameless.is_empty(),
        "{nameless:?} of {}",
        with.names[0].functions.len()
    );
    let strip = |artifact| strip::run(&job, artifact).unwrap().artifact;
    assert!(strip(with.artifact) == strip(without));
}

/// Protects the explanation of growth: two builds that differ by an allocator.
#[test]
fn two_builds_differ_by_what_was_changed() {
    let old = agent::built(TARGETS[0]).report;
    let new = agent::built_with(TARGETS[0], &["--features", "alloc-lol"]).report;
    let read = |file: &Path| subject::read(file).unwrap().attribution;
    let (old_rows, new_rows) = (read(&old), read(&new));
    let diff = diff::run(&old_rows, &new_rows, &Grouping::ALL).unwrap();
    let difference = i128::from(new_rows.bytes) - i128::from(old_rows.bytes);
    assert_ne!(difference, 0);
    assert!(diff.by.iter().all(|changes| changes.delta() == difference));
    let crates = &diff.by[1].changes;
    let what = |name: &str| crates.iter().find(|c| c.name == name).map(|c| c.what);
    assert_eq!(what("dlmalloc"), Some(What::Vanished), "{crates:?}");
    assert_eq!(what("lol_alloc"), Some(What::Appeared), "{crates:?}");
    assert!(
        diff.by[4].unchanged > 50,
        "what was only compiled anew is no change"
    );
    let text = well(&["diff", old.to_str().unwrap(), new.to_str().unwrap()]);
    assert!(
        text.contains("vanished") && text.contains("dlmalloc"),
        "{text}"
    );
}

/// Protects against what no compiler of ours writes: modules of a generator, whatever they use.
#[test]
fn modules_from_elsewhere_are_exact() {
    let mut seed = 1_u64;
    let mut exactly = 0;
    for _ in 0..100 {
        let mut bytes = vec![0; 3_000];
        for byte in &mut bytes {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (seed >> 56) as u8;
        }
        let config = wasm_smith::Config {
            gc_enabled: false,
            ..wasm_smith::Config::default()
        };
        let mut source = Unstructured::new(&bytes);
        let module = wasm_smith::Module::new(config, &mut source)
            .unwrap()
            .to_bytes();
        let Ok(artifact) = Artifact::new(module, Path::new("a.wasm")) else {
            continue;
        };
        let all = attribution::of_file(Path::new("a.wasm"), &artifact).unwrap();
        exact(&all, artifact.len());
        let graph = call_graph::read(&Module::read(artifact.bytes()).unwrap()).unwrap();
        assert!(graph.retained().len() <= graph.functions() as usize);
        exactly += 1;
    }
    assert!(exactly >= 30, "only {exactly} modules were valid");
}

/// Damaged names, symbols and relocations in a file that is valid but for them, and damaged
/// reports: an error or a result, and what is a result is exact.
#[test]
fn damaged_input_is_an_error_or_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let built = agent::built("wasm32-wasip1");
    let (report, linked) = (built.report, built.linked);
    // Beside the report there is the file that it is of.
    fs::copy(built.shipped, folder.path().join("clawft_wasm.wasm")).unwrap();
    let mut seed = 7_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 20) as usize % below
    };
    let whole = fs::read(&linked).unwrap();
    let (mut results, mut errors) = (0, 0);
    for _ in 0..1_500 {
        let mut bytes = whole.clone();
        for _ in 0..1 + random(3) {
            let at = 8 + random(bytes.len() - 8);
            bytes[at] ^= 1 << random(8);
        }
        let length = bytes.len() as u64;
        let attributed = Artifact::new(bytes, &linked).and_then(|artifact| {
            let module = Module::read(artifact.bytes()).unwrap();
            let graph = call_graph::read(&module);
            assert!(graph.is_ok_and(|graph| !graph.retained().is_empty()));
            attribution::of_file(&linked, &artifact)
        });
        match attributed {
            Ok(attribution) => {
                exact(&attribution, length);
                results += 1;
            }
            Err(_) => errors += 1,
        }
    }
    assert!(
        results > 100 && errors > 100,
        "{results} results, {errors} errors"
    );

    let text = fs::read(&report).unwrap();
    let damaged = folder.path().join("damaged.json");
    for turn in 0..200 {
        let mut bytes = text.clone();
        match turn % 2 {
            0 => bytes.truncate(random(text.len())),
            _ => {
                let at = random(text.len());
                bytes[at] = b"0129,:{}[]\"x"[random(12)];
            }
        }
        fs::write(&damaged, &bytes).unwrap();
        if let Ok(Subject { attribution, .. }) = subject::read(&damaged) {
            exact(&attribution, attribution.bytes);
        }
    }
    let args = ["diff", damaged.to_str().unwrap(), "Cargo.toml"];
    Ended::of(&mut tool(&workspace(), &args)).with(2);
}

/// A module of `functions` functions of about 250 bytes, each with a long name and calls to others.
fn large(functions: u32) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let (mut section, mut code, mut names) =
        (FunctionSection::new(), CodeSection::new(), NameMap::new());
    for i in 0..functions {
        section.function(0);
        let mut body = Function::new([]);
        for j in 1..=8 {
            body.instructions()
                .call(i.wrapping_mul(j).wrapping_add(j) % functions);
        }
        for _ in 0..230 {
            body.instructions().nop();
        }
        body.instructions().end();
        code.function(&body);
        let name = format!("_ZN3app6module7generic12Type$LT$T$GT$6method17h{i:016x}E");
        names.append(i, &name.replace("module", &format!("mod{:03}", i % 1_000)));
    }
    let mut name = NameSection::new();
    name.functions(&names);
    let mut exports = wasm_encoder::ExportSection::new();
    exports.export("run", wasm_encoder::ExportKind::Func, 0);
    let mut module = wasm_encoder::Module::new();
    module
        .section(&types)
        .section(&section)
        .section(&exports)
        .section(&code)
        .section(&name);
    module.finish()
}

/// Protects large files: ten megabytes and 40,000 functions are exact, too. (How long that takes is
/// for a benchmark.)
#[test]
fn a_large_module_is_exact() {
    let file = Path::new("large.wasm");
    let functions = 40_000;
    let artifact = Artifact::new(large(functions), file).unwrap();
    assert!(artifact.len() > 10_000_000);
    let all = attribution::of_file(file, &artifact).unwrap();
    exact(&all, artifact.len());
    let graph = call_graph::read(&Module::read(artifact.bytes()).unwrap()).unwrap();
    assert!(!graph.retained().is_empty());
    graph.why(&[functions - 1]);
    diff::run(&all, &all, &Grouping::ALL).unwrap();
}
