//! How many instructions it takes until there is an instance of a file, whatever the file is:
//! segments and globals, the start function, and a reactor's `_initialize`. Counted by wasmtime's
//! fuel, so the figure is the same on every machine. How long a start takes, and what the agent
//! does after it, is the lab's business.

use crate::engine::program::{self, Compiled, State};
use crate::engine::setup::Setup;
use crate::error::{Error, Result};
use crate::wasm::artifact::Artifact;
use std::path::Path;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{self, Component, ResourceType};
use wasmtime::{Engine, Linker, Module, Store, Trap};
use wasmtime_wasi::{WasiCtx, p1};

/// A start that takes more does not count as one that ends.
const MOST: u64 = 1 << 32;

/// What an engine runs in a reactor before anything else.
const INITIALIZE: &str = "_initialize";

/// Counts. The instance finds WASI with no folder, arguments or environment; whatever else it
/// imports is a function that traps when it is called, or a memory, table or global as empty as its
/// type allows.
///
/// # Errors
/// [`Error::Input`] where `artifact`, which came from `file`, cannot be instantiated, traps at
/// once, or does not come to an end: then there is no figure to hold a limit against.
pub fn run(file: &Path, artifact: &Artifact) -> Result<u64> {
    run_up_to(MOST, file, artifact)
}

fn run_up_to(most: u64, file: &Path, artifact: &Artifact) -> Result<u64> {
    let engine = Setup::counted().engine()?;
    let error = match count(most, &engine, artifact) {
        Ok(instructions) => return Ok(instructions),
        Err(error) => error,
    };
    let cannot = "the limit on `start` cannot be held against it";
    let missing = super::engine::missing(artifact)?;
    if !missing.is_empty() {
        let names = missing.join(", ");
        return Err(Error::input(
            file,
            format!("{cannot}: the wasmtime that counts is built without {names}"),
            "remove the limit on `start`",
        ));
    }
    let reason = match error.downcast_ref() {
        Some(Trap::OutOfFuel) => format!("it is not there after {most} instructions"),
        // Without the backtrace, which has numbers for names.
        Some(trap) => format!("{trap}"),
        None => format!("{error:#}"),
    };
    Err(Error::input(
        file,
        format!("{cannot}: {reason}"),
        "the start may use WASI, without folders, and nothing else from outside: take from it what calls \
         other imports or traps, or remove the limit on `start`",
    ))
}

fn count(most: u64, engine: &Engine, artifact: &Artifact) -> wasmtime::Result<u64> {
    let mut store = program::store(engine, WasiCtx::builder());
    store.set_fuel(most)?;
    match Compiled::new(engine, artifact)? {
        Compiled::Core(module) => core(engine, &mut store, &module)?,
        Compiled::Component(component) => within(engine, &mut store, &component)?,
    }
    Ok(most - store.get_fuel()?)
}

fn core(engine: &Engine, store: &mut Store<State>, module: &Module) -> wasmtime::Result<()> {
    let mut linker = Linker::new(engine);
    p1::add_to_linker_sync(&mut linker, State::wasi)?;
    linker.define_unknown_imports_as_traps(module)?;
    linker.define_unknown_imports_as_default_values(&mut *store, module)?;
    let instance = linker.instantiate(&mut *store, module)?;
    if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut *store, INITIALIZE) {
        initialize.call(&mut *store, ())?;
    }
    Ok(())
}

/// What the host knows of WASI 0.2, by package.
const WASI: [&str; 6] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];

fn within(
    engine: &Engine,
    store: &mut Store<State>,
    component: &Component,
) -> wasmtime::Result<()> {
    let mut linker = component::Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let ty = component.component_type();
    for (name, import) in ty.imports(engine) {
        if !WASI.iter().any(|package| name.starts_with(package)) {
            trap(engine, &mut linker.root(), name, &import.ty)?;
        }
    }
    let prepared = match linker.instantiate_pre(component) {
        Ok(prepared) => prepared,
        // Where an import takes WASI's own types for granted, all of it has to come from one hand.
        Err(_) => {
            let mut linker = component::Linker::new(engine);
            linker.define_unknown_imports_as_traps(component)?;
            linker.instantiate_pre(component)?
        }
    };
    prepared.instantiate(store).map(|_| ())
}

fn trap(
    engine: &Engine,
    linker: &mut component::LinkerInstance<'_, State>,
    name: &str,
    item: &ComponentItem,
) -> wasmtime::Result<()> {
    match item {
        ComponentItem::ComponentFunc(_) => {
            let message = format!("unknown import: `{name}` has not been defined");
            linker.func_new(name, move |_, _, _, _| {
                Err(wasmtime::Error::msg(message.clone()))
            })
        }
        ComponentItem::ComponentInstance(instance) => {
            let mut inner = linker.instance(name)?;
            for (name, export) in instance.exports(engine) {
                trap(engine, &mut inner, name, &export.ty)?;
            }
            Ok(())
        }
        ComponentItem::Resource(_) => {
            linker.resource(name, ResourceType::host::<()>(), |_, _| Ok(()))
        }
        // Types need nobody to give them; what is left over the engine names when it refuses.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::run_up_to;
    use crate::wasm::artifact::Artifact;
    use std::path::Path;

    fn count(text: &str) -> Result<u64, String> {
        let artifact = Artifact::new(wat::parse_str(text).unwrap(), Path::new("x.wasm")).unwrap();
        run_up_to(100_000, Path::new("x.wasm"), &artifact).map_err(|error| error.to_string())
    }

    /// Protects the figure: what runs at the start counts, what only could run does not, and twice
    /// the work is more.
    #[test]
    fn what_runs_at_the_start_is_counted() {
        let looped = |rounds: u32, how: &str| {
            format!(
                "(module (func $f {how} (local i32) (local.set 0 (i32.const {rounds}))
                   (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))) {})",
                if how.is_empty() { "(start $f)" } else { "" }
            )
        };
        let initialize = "(export \"_initialize\")";
        assert_eq!(count("(module (func (export \"run\") (nop)))"), Ok(0));
        assert_eq!(count(&looped(10, "(export \"run\")")), Ok(0));
        for how in ["", initialize] {
            let [ten, twenty] = [10, 20].map(|rounds| count(&looped(rounds, how)).unwrap());
            assert!(ten >= 10 && twenty >= ten + 10, "{how}: {ten}, {twenty}");
            assert_eq!(count(&looped(10, how)), Ok(ten));
        }
    }

    /// Foreign files import what nobody here knows: that must not keep them from having a figure.
    #[test]
    fn imports_of_any_kind_are_given() {
        let core = r#"(module
            (import "env" "log" (func (param i32) (result f64)))
            (import "env" "memory" (memory 2 4)) (import "env" "table" (table 3 funcref))
            (import "env" "base" (global i32)) (import "env" "top" (global (mut i64)))
            (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
            (func $f (global.set 1 (i64.const 1)) (i32.store (i32.const 0) (i32.const 1))) (start $f))"#;
        assert!(count(core).unwrap() > 0);
        let component = r#"(component
            (import "wasi:cli/environment@0.2.0" (instance
                (export "get-arguments" (func (result (list string))))))
            (import "some:host/things@1.0.0" (instance (export "go" (func))
                (export "thing" (type (sub resource)))))
            (core module $m (func $f (nop)) (start $f)) (core instance (instantiate $m)))"#;
        assert!(count(component).unwrap() > 0);
        // A resource that two imports share, one of them WASI's.
        let shared = r#"(component
            (import "wasi:io/error@0.2.0" (instance $io (export "error" (type (sub resource)))))
            (alias export $io "error" (type $error))
            (import "some:host/things@1.0.0" (instance
                (alias outer 1 $error (type $outer))
                (export "error" (type $e (eq $outer)))
                (export "go" (func (param "e" (own $e))))))
            (core module $m (func $f (nop)) (start $f)) (core instance (instantiate $m)))"#;
        assert!(count(shared).unwrap() > 0);
    }

    /// A start that cannot be counted is an error that says what to do, never a figure.
    #[test]
    fn a_start_without_an_end_or_with_a_trap_is_refused() {
        let cases = [
            ("(module (func $f unreachable) (start $f))", "unreachable"),
            (
                "(module (import \"env\" \"go\" (func $f)) (start $f))",
                "unknown import: `env::go`",
            ),
            (
                "(module (func $f (loop (br 0))) (start $f))",
                "not there after 100000 instructions",
            ),
            (
                "(module (memory 1) (data (i32.const 65536) \"x\"))",
                "out of bounds",
            ),
        ];
        for (text, expected) in cases {
            let message = count(text).unwrap_err();
            assert!(message.contains(expected), "{message}");
            assert!(
                message.starts_with("x.wasm: the limit on `start`"),
                "{message}"
            );
            assert!(message.contains("help: "), "{message}");
        }
    }
}
