//! A shipped agent with allocation tracing in wasmtime, for what it exports besides: the record in
//! memory, read by its documented layout, or the WIT interface.

use super::build;
use build_support::agent::host::Host;
use build_support::engine::program::Program;
use build_support::wasm::artifact::Artifact;
use serde_json::{Map, Value};
use wasmtime::Engine;
use wasmtime::component::Val;

/// The interface of traced components.
pub const INTERFACE: &str = "clawft:agent/allocations@0.1.0";

/// What a store begins with, if its engine counts instructions.
pub const FUEL: u64 = u64::MAX;

/// The record as `clawft_wasm::alloc_trace::Statistics` documents it: the offset of each field
/// after the version, the length, and the five counts by size. All are of 8 bytes.
const LAYOUT: [(usize, &str); 12] = [
    (48, "allocations"),
    (56, "deallocations"),
    (64, "reallocations"),
    (72, "failed"),
    (80, "live_blocks"),
    (88, "live_bytes"),
    (96, "peak_live_bytes"),
    (104, "allocated_bytes"),
    (112, "freed_bytes"),
    (120, "linear_memory_bytes"),
    (128, "heap_bytes"),
    (136, "fragmentation_ppm"),
];

/// An agent without a folder: what it allocates does not depend on where that would be.
pub struct Traced(pub Host);

impl Traced {
    /// Builds and starts the agent.
    pub fn start(engine: &Engine, target: &str, features: &[&str]) -> Self {
        let file = build(target, features).shipped;
        let artifact = Artifact::read(&file).unwrap();
        let program = Program::compile(engine, &file, &artifact).unwrap();
        let mut store = program.store(None).unwrap();
        // Refused where the engine does not count.
        let _ = store.set_fuel(FUEL);
        let mut host = Host::instantiate(&program, store).unwrap();
        host.init(r#"{"limits": {"max_history": 8}}"#).unwrap();
        Self(host)
    }

    /// Calls an export of the reactor.
    pub fn call(&mut self, name: &str, args: &[u32]) -> u32 {
        let (store, instance) = self.0.core().unwrap();
        let func = instance.get_func(&mut *store, name).unwrap();
        let args: Vec<_> = args.iter().map(|arg| (*arg as i32).into()).collect();
        let mut results = vec![wasmtime::Val::I32(0); func.ty(&*store).results().len()];
        func.call(store, &args, &mut results).unwrap();
        results.first().map_or(0, |result| result.unwrap_i32()) as u32
    }

    /// Calls a function of the component's interface.
    fn ask(&mut self, name: &str) -> Option<Val> {
        let (store, instance) = self.0.component().unwrap();
        let interface = instance.get_export_index(&mut *store, None, INTERFACE);
        let index = instance.get_export_index(&mut *store, interface.as_ref(), name);
        let func = instance.get_func(&mut *store, index.unwrap()).unwrap();
        let mut results = vec![Val::Bool(false); func.ty(&*store).results().len()];
        func.call(store, &[], &mut results).unwrap();
        results.pop()
    }

    fn bytes(&mut self, at: u32, length: u32) -> Vec<u8> {
        let (store, instance) = self.0.core().unwrap();
        let memory = instance.get_memory(&mut *store, "memory").unwrap();
        memory.data(store)[at as usize..][..length as usize].to_vec()
    }

    /// The linear memory in bytes, as the engine has it; inside a component it cannot be looked at.
    pub fn memory(&mut self) -> u64 {
        match self.0.core() {
            Some((store, instance)) => {
                let memory = instance.get_memory(&mut *store, "memory").unwrap();
                memory.data_size(store) as u64
            }
            None => self.0.memory().now,
        }
    }

    fn is_core(&mut self) -> bool {
        self.0.core().is_some()
    }

    /// The statistics, by the names of the JSON. Allocates nothing in the agent.
    pub fn read(&mut self) -> Value {
        if !self.is_core() {
            return lifted(self.ask("read").unwrap());
        }
        let at = self.call("clawft_alloc_statistics", &[]);
        let record = self.bytes(at, 144);
        assert_eq!(record[..8], [1, 0, 0, 0, 144, 0, 0, 0], "version, length");
        let number = |at: usize| u64::from_le_bytes(record[at..at + 8].try_into().unwrap());
        let mut fields: Map<_, _> = LAYOUT
            .iter()
            .map(|(at, name)| ((*name).to_owned(), number(*at).into()))
            .collect();
        let by_size: Vec<_> = (8..48).step_by(8).map(number).collect();
        fields.insert("by_size".to_owned(), by_size.into());
        fields.into()
    }

    /// The same as the agent's own JSON.
    pub fn json(&mut self) -> Value {
        let text = if self.is_core() {
            assert_eq!(self.call("clawft_alloc_statistics_json", &[]), 0);
            let at = self.call("clawft_answer_ptr", &[]);
            let length = self.call("clawft_answer_len", &[]);
            String::from_utf8(self.bytes(at, length)).unwrap()
        } else if let Some(Val::String(text)) = self.ask("json") {
            text
        } else {
            panic!("json() gives no text");
        };
        let mut json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json.as_object_mut().unwrap().remove("version").unwrap(), 1);
        json
    }

    /// Has the agent count anew.
    pub fn reset(&mut self) {
        if self.is_core() {
            self.call("clawft_alloc_reset", &[]);
        } else {
            self.ask("reset");
        }
    }

    /// Sends a message of one session.
    pub fn say(&mut self, message: &str) {
        let answer = self.0.process_message("s", message).unwrap();
        assert!(answer.contains("\"ok\":true"), "{answer}");
    }
}

/// The record of the WIT interface, with the names of the JSON.
fn lifted(value: Val) -> Value {
    match value {
        Val::U64(number) => number.into(),
        Val::Tuple(values) => values.into_iter().map(lifted).collect(),
        Val::Record(fields) => {
            let renamed = |(name, value): (String, Val)| (name.replace('-', "_"), lifted(value));
            Value::Object(fields.into_iter().map(renamed).collect())
        }
        other => panic!("{other:?}"),
    }
}
