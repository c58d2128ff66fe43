//! What is measured of the real agent before and while it runs: how long it takes until it is
//! there, how much memory it has, and the precompiled files that are loaded on the way. No test
//! looks at a clock: what is measured must be whole and in order, not fast.

mod precompiled;
mod profile;

use crate::agent;
use crate::baseline::committed;
use build_support::ops::build;
use build_support::ops::ship::Files;
use build_support::project::listener::Silent;
use build_support::project::package::Wanted;
use build_support::system::process;
use build_support::wasm::artifact::FileKind;
use lab::quantiles::Quantiles;
use lab::startup::{self, Milestones, Mode, Plan, Process, Samples, Startup, Subject, targets};
use lab::transcript::Transcript;
use lab::variants::{self, Variants};
use std::path::Path;

/// Builds the agent as `cargo wasm` does; a second call finds nothing changed.
fn shipped(target: &str) -> Files {
    let package = agent();
    let folder = package.outputs(target);
    build::run(&package, target, &Wanted::default(), &folder, &mut Silent)
        .unwrap()
        .files
}

fn transcript() -> Transcript {
    Transcript::of(&agent()).unwrap()
}

fn measure(samples: Samples, node: Option<&Path>) -> Startup {
    let transcript = transcript();
    let made = variants::make(&agent(), &transcript, &mut Silent).unwrap();
    let subjects: Vec<_> = made
        .iter()
        .flat_map(Variants::files)
        .map(|variant| Subject {
            label: variant.label,
            file: variant.file,
            config: (!variant.initialised).then(|| transcript.config()),
        })
        .collect();
    let plan = Plan {
        subjects: &subjects,
        message: (
            &transcript.messages[0].session,
            &transcript.messages[0].message,
        ),
        samples,
        tool: Path::new(env!("CARGO_BIN_EXE_lab")),
        node,
    };
    startup::run(&plan, &mut |_| {}).unwrap()
}

/// Protects against a way of starting that silently was not measured, and against figures that
/// cannot be.
#[test]
fn every_way_is_measured() {
    let node = process::on_path("node").expect("node is needed for this test: install nodejs 20");
    let samples = Samples {
        cold: 2,
        warm: 5,
        process: 1,
    };
    let startup = measure(samples, Some(&node));
    assert!(startup.node.as_ref().unwrap().starts_with('v'));
    let [component, ready_component, reactor, ready_reactor] = startup.files.as_slice() else {
        panic!("{startup:?}");
    };
    assert_eq!(
        (component.kind, reactor.kind),
        (FileKind::Component, FileKind::Core)
    );
    let modes = |file: &startup::FileTimes| file.modes.iter().map(|m| m.mode).collect::<Vec<_>>();
    assert_eq!(modes(component), Mode::WASMTIME);
    assert_eq!(modes(reactor)[..5], Mode::WASMTIME);
    assert_eq!(modes(reactor)[5..], [Mode::NodeCold, Mode::NodeWarm]);
    for file in &startup.files {
        assert!(file.precompiled_bytes > file.bytes, "{}", file.label);
        for mode in &file.modes {
            let expected = match mode.mode {
                Mode::ColdCranelift | Mode::ColdWinch | Mode::NodeCold => 2,
                _ => 5,
            };
            in_order(&mode.times, expected, mode.mode.name());
        }
        let instructions = file.instructions;
        assert!(instructions.configured < instructions.answered);
    }
    for (plain, ready) in [(component, ready_component), (reactor, ready_reactor)] {
        assert_eq!(modes(ready), modes(plain));
        let (plain, ready) = (plain.instructions, ready.instructions);
        assert!(plain.instance < plain.configured, "init costs something");
        assert_eq!(ready.instance, ready.configured, "and is not called again");
    }
    let processes: Vec<_> = startup.processes.iter().map(|p| p.process).collect();
    assert_eq!(
        processes,
        [
            Process::ToolIdle,
            Process::NodeIdle,
            Process::ToolAnswers,
            Process::ToolAnswers,
            Process::ToolAnswers,
            Process::NodeAnswers,
            Process::ToolAnswers,
            Process::NodeAnswers
        ]
    );
    // NFR-03 and NFR-04, by what times are made of, against the committed figures.
    let baseline = committed();
    let shipped = build::shipped(&agent(), &Wanted::default(), &mut Silent).unwrap();
    let made_by = |target: &String| &baseline.targets[target].toolchain;
    let mut made = shipped.iter();
    let same = made.all(|(target, shipped)| shipped.report.toolchain == *made_by(target));
    let grown = targets::grown(&startup, &baseline.startup, same);
    assert!(grown.is_empty(), "{}", grown.join("\n"));
    // Every required target is about something that was measured.
    for target in targets::TARGETS {
        assert!(modes(component).contains(&target.mode), "{target:?}");
    }
}

/// Protects what is said of the instructions: they do not depend on the moment.
#[test]
fn instructions_are_the_same_in_every_run() {
    let samples = Samples {
        cold: 1,
        warm: 1,
        process: 1,
    };
    let counted = || {
        let startup = measure(samples, None);
        assert_eq!(startup.node, None);
        let counts = startup.files.iter().map(|file| {
            let counts = file.instructions;
            (counts.instance, counts.configured)
        });
        counts.collect::<Vec<_>>()
    };
    assert_eq!(counted(), counted());
}

/// Quantiles rise, and a later point is never before an earlier one.
fn in_order(times: &Milestones<Quantiles>, samples: u64, what: &str) {
    let points = [times.instance, times.configured, times.answered];
    for q in points {
        assert_eq!(q.samples, samples, "{what}");
        let rising = [Some(q.min_ns), Some(q.median_ns), q.p90_ns, q.p99_ns];
        assert!(rising.iter().flatten().is_sorted(), "{what}: {q:?}");
        // So few samples say nothing of the hundredth.
        assert_eq!((q.p90_ns, q.p99_ns), (None, None), "{what}");
    }
    for later in points.windows(2) {
        assert!(later[0].min_ns <= later[1].min_ns, "{what}: {times:?}");
        assert!(
            later[0].median_ns <= later[1].median_ns,
            "{what}: {times:?}"
        );
    }
}
