//! What came out, run in wasmtime.

use wasmtime::component::{self, Component, ResourceTable};
use wasmtime::{Engine, Linker, Module, Store};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView, p2};

/// Calls the library on a host without WASI: what it computes needs none.
pub fn digits(module: &[u8], number: u64) -> u64 {
    let engine = Engine::default();
    let module = Module::new(&engine, module).unwrap();
    let mut linker: Linker<()> = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&module).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let mut call = |name: &str| instance.get_func(&mut store, name).unwrap();
    let (start, digits) = (call("_initialize"), call("digits"));
    start
        .typed::<(), ()>(&store)
        .unwrap()
        .call(&mut store, ())
        .unwrap();
    let digits = digits.typed::<u64, u64>(&store).unwrap();
    digits.call(&mut store, number).unwrap()
}

struct Host {
    context: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.context,
            table: &mut self.table,
        }
    }
}

/// Runs a WASI 0.2 command and gives what it printed.
pub fn component(component: &[u8], args: &[&str]) -> String {
    let engine = Engine::default();
    let component = Component::new(&engine, component).unwrap();
    let mut linker = component::Linker::new(&engine);
    p2::add_to_linker_sync(&mut linker).unwrap();
    let stdout = MemoryOutputPipe::new(4096);
    let host = Host {
        context: WasiCtxBuilder::new()
            .args(args)
            .stdout(stdout.clone())
            .build(),
        table: ResourceTable::new(),
    };
    let mut store = Store::new(&engine, host);
    let command = Command::instantiate(&mut store, &component, &linker).unwrap();
    let ended = command.wasi_cli_run().call_run(&mut store).unwrap();
    assert_eq!(ended, Ok(()));
    String::from_utf8(stdout.contents().to_vec()).unwrap()
}
