//! The fixture of `alloc-compare`, in the engine: the allocators give what they must, their
//! statistics count every call, and a workload computes the same whatever the allocator and the
//! target.

mod model;
#[path = "../../../../fixtures/allocators/src/random.rs"]
#[allow(dead_code)]
mod random;

use crate::agent;
use build_support::agent::host::Host;
use build_support::engine::program::Program;
use build_support::project::listener::Silent;
use build_support::system::process;
use build_support::wasm::artifact::Artifact;
use lab::alloc_compare::{self, Allocator, Export, Number, Session, Statistics, Tracing, Workload};
use lab::transcript::Transcript;
use model::Model;
use std::path::{Path, PathBuf};
use wasmtime::Engine;

const TARGETS: [&str; 2] = ["wasm32-wasip1", "wasm32-wasip2"];

/// One of each family that takes memory back.
const ALLOCATORS: [Allocator; 3] = [Allocator::Dlmalloc, Allocator::Talc, Allocator::LolFree];

/// How many random calls are made before and after the reset.
const CALLS: u32 = 5_000;

/// The traced fixture; a second call finds nothing changed.
fn build(target: &str, allocator: Allocator) -> PathBuf {
    ship(target, allocator, Tracing::On)
}

fn ship(target: &str, allocator: Allocator, tracing: Tracing) -> PathBuf {
    let fixture = alloc_compare::fixture(&agent()).unwrap();
    let shipped = alloc_compare::ship(&fixture, target, allocator, tracing, &mut Silent);
    shipped.unwrap().files.shipped
}

fn program(file: &Path) -> Program {
    Program::compile(&Engine::default(), file, &Artifact::read(file).unwrap()).unwrap()
}

/// The fixture with what it exports for this test.
struct Exerciser {
    host: Host,
    model: Model,
    name: String,
}

impl Exerciser {
    fn start(target: &str, allocator: Allocator) -> Self {
        let mut host = Host::start(&program(&build(target, allocator)), None).unwrap();
        let before = Statistics::read(&mut host).unwrap();
        Self {
            host,
            model: Model::from(before),
            name: format!("{allocator} on {target}"),
        }
    }

    fn call(&mut self, name: &str, args: &[Number]) -> u64 {
        let export = Export::find(&mut self.host, name).unwrap();
        export.call(&mut self.host, args).unwrap()
    }

    fn exercise(&mut self, seed: u64) {
        let faults = self.call("exercise", &[Number::U64(seed), Number::U32(CALLS)]);
        assert_eq!(
            faults, 0,
            "{}: calls were not answered as they must be",
            self.name
        );
        self.model.exercise(seed, CALLS);
        self.agrees("after random calls");
    }

    fn reset(&mut self) {
        Statistics::reset(&mut self.host).unwrap();
        self.model.reset();
        self.agrees("after the reset");
    }

    fn clear(&mut self) {
        let spoilt = self.call("clear", &[]);
        assert_eq!(spoilt, 0, "{}: blocks were spoilt", self.name);
        self.model.clear();
        self.agrees("after all was given back");
    }

    /// What the module counted is what the model did; memory is as the engine granted it.
    #[track_caller]
    fn agrees(&mut self, when: &str) {
        let read = Statistics::read(&mut self.host).unwrap();
        let memory = self.host.memory();
        let heap = memory.now - memory.initial;
        let unused = heap.saturating_sub(self.model.counted.peak_live_bytes);
        let expected = Statistics {
            linear_memory_bytes: memory.now,
            heap_bytes: heap,
            fragmentation_ppm: (unused * 1_000_000).checked_div(heap).unwrap_or(0),
            ..self.model.counted
        };
        assert_eq!(read, expected, "{}, {when}", self.name);
    }
}

/// The property: whatever is asked of an allocator, what is given is sound, what cannot be given is
/// refused, and every call is counted once and rightly, a reset with live blocks included.
#[test]
fn every_call_is_answered_and_counted() {
    for target in TARGETS {
        for allocator in ALLOCATORS {
            let mut exerciser = Exerciser::start(target, allocator);
            exerciser.exercise(1);
            // Protects the test: of everything it is about there was some.
            let counted = exerciser.model.counted;
            assert!(
                counted.by_size.iter().all(|count| *count > 100),
                "{counted:?}"
            );
            assert!(
                counted.failed > 100 && counted.reallocations > 1_000,
                "{counted:?}"
            );
            assert!(
                counted.live_blocks > 100,
                "the reset meets live blocks: {counted:?}"
            );
            exerciser.reset();
            exerciser.exercise(2);
            exerciser.clear();
            assert_eq!(exerciser.model.counted.live_bytes, 0);
        }
    }
}

/// Protects the comparison: every allocator on every target does the same work.
#[test]
fn workloads_compute_the_same_everywhere() {
    let said = Transcript::of(&agent()).unwrap();
    let mut first: Option<Vec<u64>> = None;
    for target in TARGETS {
        for allocator in ALLOCATORS {
            let file = build(target, allocator);
            let program = program(&file);
            // The transcript takes its time; `cargo alloc-compare` compares it.
            let workloads = Workload::ALL.into_iter().filter(|w| w.number().is_some());
            let checksum = |workload| {
                let mut session = Session::start(&program, &file, workload, &said).unwrap();
                let passage = session.run().unwrap();
                assert_ne!(passage.checksum, 0, "{workload} computes nothing");
                passage.checksum
            };
            let checksums: Vec<u64> = workloads.map(checksum).collect();
            let first = first.get_or_insert_with(|| checksums.clone());
            assert_eq!(*first, checksums, "{allocator} on {target}");
        }
    }
    // Protects the test: a workload that ignored its number would be the same everywhere too.
    let mut distinct = first.unwrap();
    distinct.dedup();
    assert!(distinct.len() > 6, "{distinct:?}");
}

/// NFR-05: after 10,000 mixed allocations less than 5% of the memory grown for the heap is lost. It
/// is counted, and the same on every machine: what the plain build grew, beside the peak of live
/// bytes that the traced one counted.
#[test]
fn the_default_allocator_loses_little_memory() {
    let said = Transcript::of(&agent()).unwrap();
    for target in TARGETS {
        let [(grown, _), (_, peak)] = [Tracing::Off, Tracing::On].map(|tracing| {
            let file = ship(target, Allocator::DEFAULT, tracing);
            let program = program(&file);
            let mut session = Session::start(&program, &file, Workload::Mixed, &said).unwrap();
            session.run().unwrap();
            let memory = session.memory();
            let peak = matches!(tracing, Tracing::On)
                .then(|| Statistics::read(session.host()).unwrap().peak_live_bytes);
            (memory.now - memory.initial, peak.unwrap_or_default())
        });
        assert!(
            peak > 1_000_000 && grown >= peak,
            "{target}: {peak} of {grown}"
        );
        let lost = (grown - peak) as f64 / grown as f64;
        assert!(
            lost < alloc_compare::MOST_LOST,
            "{target}: {lost} of {grown} bytes"
        );
    }
}

/// Protects the exit codes: what is asked for wrongly is an error before anything is built.
#[test]
fn wrong_requests_are_errors() {
    for (args, expected) in [
        (["--weights", "speed=1"], "no criterion"),
        (["--weights", "size=-1"], "no weight"),
        (["--allocator", "wee"], "there are dlmalloc"),
        (["--samples", "0"], "0 is not in"),
    ] {
        let mut command = process::command(env!("CARGO_BIN_EXE_lab"));
        let output = command.arg("alloc-compare").args(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{expected} in {said}");
    }
}
