//! Runs a core module and writes down all that can be seen of it from outside: results, traps,
//! calls of the host in their order, memory and globals after every call that returned.
//!
//! What a panic says on its way is not counted: from the first `env.panic_message` on, host calls
//! are left out. After a trap the instance is thrown away, for what memory holds then is specified
//! for no panic.

use crate::generated::random::Random;
use std::collections::BTreeMap;
use wasmtime::{
    Caller, Config, Engine, Extern, ExternType, Func, FuncType, Instance, Linker, Module, OptLevel,
    Store, Trap, Val, ValType,
};

/// A program that takes more is broken, or was broken. Not a result: passes change how much is
/// used.
const FUEL: u64 = 20_000_000;

/// Calls of the host that one call may make.
const MOST_CALLS: usize = 20_000;

/// The import through which a generated program says that it is panicking.
pub const PANIC: (&str, &str) = ("env", "panic_message");

/// What to call.
#[derive(Debug, Clone, PartialEq)]
pub enum Callee {
    /// An exported function.
    Export(String),
    /// A slot of the exported table.
    Slot(u64),
}

/// One call, with the seed of its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What to call.
    pub callee: Callee,
    /// Integers, as many as it takes; other types are made from them.
    pub arguments: Vec<i32>,
}

/// A value as bits; of references, whether it is null; all NaNs are one.
pub type Value = u128;

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// With results.
    Returned(Vec<Value>),
    /// In a trap of this kind.
    Trapped(Trap),
    /// In a trap, after the program had said that it panics.
    Panicked,
    /// The instance could not be made, or there was nothing to call.
    Impossible(String),
}

/// What was seen of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// How it ended.
    pub end: End,
    /// The calls of the host before any panic, by name, with arguments.
    pub host: Vec<(String, Vec<Value>)>,
    /// Exported globals after it returned.
    pub globals: Vec<(String, Value)>,
    /// Bytes that are not as they were when the instance was new, after it returned.
    pub memory: BTreeMap<u32, u8>,
}

/// All calls of a workload.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Memory when the instance is new.
    pub image: Vec<u8>,
    /// One for each call.
    pub calls: Vec<Seen>,
}

/// The engine for all runs: quick to compile, and with a bound on how long a program runs.
pub fn engine() -> Engine {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .wasm_memory64(true)
        .wasm_custom_page_sizes(true)
        .wasm_wide_arithmetic(true)
        .cranelift_opt_level(OptLevel::None)
        .wasm_backtrace_max_frames(None);
    Engine::new(&config).expect("the engine's settings go together")
}

/// Compiles a module, which takes most of a short run.
pub fn compile(engine: &Engine, module: &[u8]) -> Result<Module, String> {
    Module::new(engine, module).map_err(|e| format!("{e:#}"))
}

/// What to call in `module`: each exported function several times, with what can be seen of memory
/// asked for in between, and the slots of an exported table.
pub fn workload(module: &Module, seed: u64) -> Vec<Call> {
    let mut random = Random::new(seed);
    let mut exports = Vec::new();
    let mut table = 0;
    for export in module.exports() {
        match export.ty() {
            ExternType::Func(_) if !is_start(export.name()) => {
                exports.push(export.name().to_owned());
            }
            ExternType::Table(ty) => table = ty.minimum().min(40),
            _ => {}
        }
    }
    if exports.is_empty() {
        return Vec::new();
    }
    let mut call = |callee| Call {
        callee,
        arguments: (0..4).map(|_| random.argument()).collect(),
    };
    let mut calls = Vec::new();
    for round in 0..ROUNDS {
        for export in &exports {
            calls.push(call(Callee::Export(export.clone())));
        }
        if round == 0 {
            calls.extend((0..table).map(|slot| call(Callee::Slot(slot))));
        }
    }
    calls
}

/// How often each export is called.
const ROUNDS: usize = 6;

/// What a host calls once, before anything else.
fn is_start(name: &str) -> bool {
    name == "_initialize" || name == "__wasm_call_ctors"
}

/// Runs `calls` on `module`, on a new instance at first and after every trap.
pub fn run(module: &Module, calls: &[Call]) -> Result<Run, String> {
    let linker = linker(module).map_err(|e| format!("{e:#}"))?;
    let mut run = Run::default();
    let mut live: Option<Session> = None;
    for call in calls {
        let mut session = match live.take() {
            Some(session) => session,
            None => match Session::new(module, &linker) {
                Ok(session) => session,
                Err(error) => {
                    run.calls.push(Seen::nothing(End::Impossible(error)));
                    continue;
                }
            },
        };
        if run.image.is_empty() {
            run.image.clone_from(&session.image);
        }
        let seen = session.call(call);
        if matches!(seen.end, End::Returned(_)) {
            live = Some(session);
        }
        run.calls.push(seen);
    }
    Ok(run)
}

#[derive(Default)]
struct Host {
    calls: Vec<(String, Vec<Value>)>,
    answered: u64,
    panicked: bool,
}

struct Session {
    store: Store<Host>,
    instance: Instance,
    image: Vec<u8>,
}

impl Session {
    fn new(module: &Module, linker: &Linker<Host>) -> Result<Self, String> {
        let mut store = Store::new(module.engine(), Host::default());
        store.set_fuel(FUEL).expect("fuel is switched on");
        let instance = linker.instantiate(&mut store, module).map_err(|error| {
            match error.downcast_ref::<Trap>() {
                Some(trap) => trap.to_string(),
                None => format!("{error:#}"),
            }
        })?;
        let mut session = Self {
            store,
            instance,
            image: Vec::new(),
        };
        session.image = session.memory().to_vec();
        for name in ["_initialize", "__wasm_call_ctors"] {
            if let Some(start) = session.instance.get_func(&mut session.store, name) {
                start
                    .call(&mut session.store, &[], &mut [])
                    .map_err(|error| format!("{name}: {error:#}"))?;
            }
        }
        Ok(session)
    }

    fn memory(&mut self) -> &[u8] {
        let exports: Vec<Extern> = self
            .instance
            .exports(&mut self.store)
            .map(wasmtime::Export::into_extern)
            .collect();
        let memory = exports.into_iter().find_map(Extern::into_memory);
        memory.map_or(&[], |memory| memory.data(&self.store))
    }

    fn callee(&mut self, callee: &Callee) -> Option<Func> {
        match callee {
            Callee::Export(name) => self.instance.get_func(&mut self.store, name),
            Callee::Slot(slot) => {
                let exports: Vec<Extern> = self
                    .instance
                    .exports(&mut self.store)
                    .map(wasmtime::Export::into_extern)
                    .collect();
                let table = exports.into_iter().find_map(Extern::into_table)?;
                let entry = table.get(&mut self.store, *slot)?;
                entry.as_func().flatten().copied()
            }
        }
    }

    fn call(&mut self, call: &Call) -> Seen {
        let Some(function) = self.callee(&call.callee) else {
            return Seen::nothing(End::Impossible("nothing to call".to_owned()));
        };
        *self.store.data_mut() = Host::default();
        self.store.set_fuel(FUEL).expect("fuel is switched on");
        let ty = function.ty(&self.store);
        let numbers = call.arguments.iter().cycle();
        let arguments: Vec<Val> = ty
            .params()
            .zip(numbers)
            .map(|(t, n)| make(&t, *n))
            .collect();
        let mut results: Vec<Val> = ty.results().map(|ty| make(&ty, 0)).collect();
        let done = function.call(&mut self.store, &arguments, &mut results);
        let host = std::mem::take(self.store.data_mut());
        let mut seen = Seen::nothing(match done {
            Ok(()) => End::Returned(results.iter().map(bits).collect()),
            Err(_) if host.panicked => End::Panicked,
            Err(error) => match error.downcast_ref::<Trap>() {
                Some(trap) => End::Trapped(*trap),
                None => End::Impossible(format!("{error:#}")),
            },
        });
        seen.host = host.calls;
        if matches!(seen.end, End::Returned(_)) {
            seen.globals = self.globals();
            let image = std::mem::take(&mut self.image);
            seen.memory = changes(&image, self.memory());
            self.image = image;
        }
        seen
    }

    fn globals(&mut self) -> Vec<(String, Value)> {
        let exports: Vec<(String, Extern)> = self
            .instance
            .exports(&mut self.store)
            .map(|export| (export.name().to_owned(), export.into_extern()))
            .collect();
        let mut globals = Vec::new();
        for (name, export) in exports {
            if let Some(global) = export.into_global() {
                globals.push((name, bits(&global.get(&mut self.store))));
            }
        }
        globals
    }
}

impl Seen {
    fn nothing(end: End) -> Self {
        Self {
            end,
            host: Vec::new(),
            globals: Vec::new(),
            memory: BTreeMap::new(),
        }
    }
}

/// A host that writes down every call and answers with numbers that depend on nothing but their
/// count.
fn linker(module: &Module) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(module.engine());
    for import in module.imports() {
        let ExternType::Func(ty) = import.ty() else {
            continue;
        };
        let place = (import.module(), import.name());
        let name = format!("{}.{}", place.0, place.1);
        let is_panic = place == PANIC;
        let results: Vec<ValType> = FuncType::results(&ty).collect();
        let answer = move |mut caller: Caller<'_, Host>, given: &[Val], out: &mut [Val]| {
            // A loop of calls without end would be remembered call by call.
            if caller.data().calls.len() >= MOST_CALLS {
                return Err(Trap::OutOfFuel.into());
            }
            let host = caller.data_mut();
            host.panicked |= is_panic;
            if !host.panicked {
                host.calls
                    .push((name.clone(), given.iter().map(bits).collect()));
            }
            for (slot, ty) in out.iter_mut().zip(&results) {
                host.answered += 1;
                *slot = make(ty, host.answered as i32 * 37);
            }
            Ok(())
        };
        linker.func_new(place.0, place.1, ty, answer)?;
    }
    Ok(linker)
}

fn make(ty: &ValType, number: i32) -> Val {
    match ty {
        ValType::I32 => Val::I32(number),
        ValType::I64 => Val::I64(i64::from(number) << (number & 31)),
        ValType::F32 => Val::F32((number as f32 / 4.0).to_bits()),
        ValType::F64 => Val::F64((f64::from(number) / 4.0).to_bits()),
        ValType::V128 => Val::V128(u128::from(number as u32).into()),
        ValType::Ref(ty) => Val::null_ref(ty.heap_type()),
    }
}

fn bits(value: &Val) -> Value {
    match value {
        Val::I32(number) => Value::from(*number as u32),
        Val::I64(number) => Value::from(*number as u64),
        Val::F32(number) if f32::from_bits(*number).is_nan() => Value::from(f32::NAN.to_bits()),
        Val::F32(number) => Value::from(*number),
        Val::F64(number) if f64::from_bits(*number).is_nan() => Value::from(f64::NAN.to_bits()),
        Val::F64(number) => Value::from(*number),
        Val::V128(number) => number.as_u128(),
        reference => Value::from(reference.ref_().is_some_and(|r| !r.is_null())),
    }
}

/// The bytes of `now` that are not as in `image`; what grew was zero.
fn changes(image: &[u8], now: &[u8]) -> BTreeMap<u32, u8> {
    const CHUNK: usize = 256;
    let mut changes = BTreeMap::new();
    for (number, chunk) in now.chunks(CHUNK).enumerate() {
        let start = number * CHUNK;
        let before = image.get(start..start + chunk.len()).unwrap_or(&[]);
        if chunk != before {
            for (at, byte) in chunk.iter().enumerate() {
                if *byte != before.get(at).copied().unwrap_or(0) {
                    changes.insert((start + at) as u32, *byte);
                }
            }
        }
    }
    changes
}
