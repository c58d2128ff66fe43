//! The allocation statistics of shipped files, read as a host reads them: by the documented layout
//! of the record, as JSON, through the WIT interface. And what counting costs, and that nobody pays
//! who did not ask for it.

use crate::engines::build;
use crate::engines::traced::{FUEL, INTERFACE, Traced};
use serde_json::Value;
use wasmtime::component::Component;
use wasmtime::{Config, Engine, Module};

/// The features of the builds that are read.
const BUILDS: [&[&str]; 3] = [
    &["alloc-tracing"],
    &["alloc-talc", "alloc-tracing"],
    &["alloc-lol-free", "alloc-tracing"],
];

/// What was counted must be the same in both forms, agree with itself, and with the memory that the
/// engine granted.
#[track_caller]
fn agrees(agent: &mut Traced) -> Value {
    let read = agent.read();
    assert_eq!(read, agent.read(), "reading is not counted");
    assert_eq!(read, agent.json());
    let number = |name: &str| read[name].as_u64().unwrap();
    let memory = agent.memory();
    let heap = memory - agent.0.memory().initial;
    assert_eq!(number("linear_memory_bytes"), memory);
    assert_eq!(number("heap_bytes"), heap);
    let peak = number("peak_live_bytes");
    assert!(number("live_bytes") <= peak && peak <= heap, "{read}");
    let unused = (heap - peak) * 1_000_000;
    assert_eq!(number("fragmentation_ppm"), unused / heap);
    let by_size = read["by_size"].as_array().unwrap();
    let all: u64 = by_size.iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(number("allocations"), all);
    read
}

/// What the C ABI's `clawft_alloc` and `clawft_free` must have been counted as. Each is one call of
/// the allocator.
struct Model(Value);

impl Model {
    fn add(&mut self, name: &str, amount: i64) {
        self.0[name] = (self.0[name].as_i64().unwrap() + amount).into();
    }

    fn allocated(&mut self, size: u32) {
        let class = match size {
            0..=64 => 0,
            65..=256 => 1,
            257..=1024 => 2,
            1025..=4096 => 3,
            _ => 4,
        };
        let count = self.0["by_size"][class].as_u64().unwrap();
        self.0["by_size"][class] = (count + 1).into();
        self.add("allocations", 1);
        self.add("live_blocks", 1);
        self.add("allocated_bytes", size.into());
        self.add("live_bytes", size.into());
        let (peak, live) = (&self.0["peak_live_bytes"], &self.0["live_bytes"]);
        self.0["peak_live_bytes"] = peak.as_u64().max(live.as_u64()).into();
    }

    fn freed(&mut self, size: u32) {
        self.add("deallocations", 1);
        self.add("live_blocks", -1);
        self.add("freed_bytes", size.into());
        self.add("live_bytes", -i64::from(size));
    }

    fn reset(&mut self) {
        for (name, value) in self.0.as_object_mut().unwrap() {
            match name.as_str() {
                "live_blocks" | "live_bytes" | "peak_live_bytes" => {}
                "by_size" => *value = [0; 5].as_slice().into(),
                _ => *value = 0.into(),
            }
        }
        self.0["peak_live_bytes"] = self.0["live_bytes"].clone();
    }
}

#[test]
fn every_allocation_through_the_c_abi_is_counted() {
    for features in BUILDS {
        let mut agent = Traced::start(&Engine::default(), "wasm32-wasip1", features);
        agrees(&mut agent);
        let mut model = Model(agent.read());
        let mut live: Vec<(u32, u32)> = Vec::new();
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = |bound: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 33) as usize % bound
        };
        for turn in 0..1500 {
            match random(100) {
                0..55 => {
                    let size = match random(40) {
                        // Nearly 2 GiB: the second time at the latest there is no room for it.
                        0 if turn > 1000 => i32::MAX as u32,
                        1..6 => [64, 256, 1024, 4096][random(4)] + random(3) as u32 - 1,
                        _ => 1 + random(6000) as u32,
                    };
                    match agent.call("clawft_alloc", &[size]) {
                        0 => model.add("failed", 1),
                        at => {
                            model.allocated(size);
                            live.push((at, size));
                        }
                    }
                }
                55..99 if !live.is_empty() => {
                    let (at, size) = live.swap_remove(random(live.len()));
                    agent.call("clawft_free", &[at, size]);
                    model.freed(size);
                }
                99 => {
                    agent.reset();
                    model.reset();
                }
                _ => {}
            }
            let read = agent.read();
            // What the allocator makes of the memory is its own affair.
            for name in ["linear_memory_bytes", "heap_bytes", "fragmentation_ppm"] {
                model.0[name] = read[name].clone();
            }
            assert_eq!(read, model.0, "{features:?}, turn {turn}");
        }
        let last = agrees(&mut agent);
        assert!(
            last["failed"].as_u64() > Some(0),
            "nothing was refused: {last}"
        );
    }
}

/// A leak would show here: of a session of a bounded length nothing may stay that grows with the
/// messages.
#[test]
fn what_an_agent_keeps_does_not_grow() {
    let engine = Engine::default();
    for target in ["wasm32-wasip1", "wasm32-wasip2"] {
        for features in BUILDS {
            let mut agent = Traced::start(&engine, target, features);
            let talk = |agent: &mut Traced| {
                for message in ["hello", "remember colour: green", "recall colour"].repeat(10) {
                    agent.say(message);
                }
                agrees(agent)
            };
            let before = talk(&mut agent);
            let live = agent.read()["live_bytes"].clone();
            agent.reset();
            let reset = agent.read();
            assert_eq!(reset["live_bytes"], live, "{target}, {features:?}");
            assert_eq!(reset["peak_live_bytes"], live, "{target}, {features:?}");
            assert_eq!(reset["allocations"], 0, "{target}, {features:?}");
            let after = talk(&mut agent);
            let live = |read: &Value| read["live_bytes"].as_i64().unwrap();
            let grown = live(&after) - live(&before);
            assert!(grown.abs() < 64, "{target}, {features:?}: {grown} bytes");
            for name in ["allocations", "deallocations", "reallocations"] {
                assert!(after[name].as_u64() > Some(100), "{after}");
            }
        }
    }
}

/// Instructions are counted, not time: the figure is the same on any machine.
#[test]
fn tracing_costs_less_than_a_tenth() {
    let engine = Engine::new(Config::new().consume_fuel(true)).unwrap();
    for (plain, traced) in [
        (&[][..], BUILDS[0]),
        (&["alloc-talc"], BUILDS[1]),
        (&["alloc-lol-free"], BUILDS[2]),
    ] {
        let spent = |features: &[&str]| {
            let mut agent = Traced::start(&engine, "wasm32-wasip1", features);
            for message in ["hello", "remember colour: green", "recall colour"].repeat(30) {
                agent.say(message);
            }
            FUEL - agent.0.store().get_fuel().unwrap()
        };
        let (without, with) = (spent(plain), spent(traced));
        println!("{traced:?}: {without} -> {with} instructions");
        assert!(with > without && with * 10 < without * 11);
    }
}

/// Protects production: who does not ask for tracing gets none of it.
#[test]
fn only_traced_files_export_it() {
    let engine = Engine::default();
    for (features, expected) in [(&[][..], 0), (BUILDS[0], 3)] {
        let module = Module::from_file(&engine, build("wasm32-wasip1", features).shipped).unwrap();
        let of_it = |name: &&str| name.contains("_alloc_");
        let found = module.exports().map(|export| export.name().to_owned());
        assert_eq!(
            found.filter(|name| of_it(&name.as_str())).count(),
            expected,
            "{features:?}"
        );
        let file = build("wasm32-wasip2", features).shipped;
        let component = Component::from_file(&engine, file).unwrap();
        let index = component.get_export_index(None, INTERFACE);
        assert_eq!(index.is_some(), expected > 0, "{features:?}");
    }
}
