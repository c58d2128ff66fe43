//! What the projects' files do, in wasmtime.

use wasmtime::component::{self, Component, ResourceTable};
use wasmtime::{Engine, Linker, Module, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView, p2};

/// A program's or a library's answer to a number.
pub fn answer(file: &[u8], number: u64) -> u64 {
    let text = match (
        component::Component::new(&Engine::default(), file).is_ok(),
        exports(file, "_start"),
    ) {
        (true, _) => of_component(file, number),
        (false, true) => of_program(file, number),
        (false, false) => return of_library(file, number),
    };
    text.trim().parse().unwrap()
}

fn exports(file: &[u8], name: &str) -> bool {
    let module = Module::new(&Engine::default(), file);
    module.is_ok_and(|module| module.exports().any(|export| export.name() == name))
}

fn of_library(file: &[u8], number: u64) -> u64 {
    let engine = Engine::default();
    let module = Module::new(&engine, file).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine)
        .instantiate(&mut store, &module)
        .unwrap();
    let answer = instance
        .get_typed_func::<u64, u64>(&mut store, "answer")
        .unwrap();
    answer.call(&mut store, number).unwrap()
}

fn context(number: u64, stdout: &MemoryOutputPipe) -> WasiCtxBuilder {
    let mut context = WasiCtxBuilder::new();
    context
        .args(&["app", &number.to_string()])
        .stdout(stdout.clone());
    context
}

fn of_program(file: &[u8], number: u64) -> String {
    let engine = Engine::default();
    let module = Module::new(&engine, file).unwrap();
    let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |context| context).unwrap();
    let stdout = MemoryOutputPipe::new(4096);
    let mut store = Store::new(&engine, context(number, &stdout).build_p1());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let start = instance
        .get_typed_func::<(), ()>(&mut store, "_start")
        .unwrap();
    start.call(&mut store, ()).unwrap();
    String::from_utf8(stdout.contents().to_vec()).unwrap()
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

fn of_component(file: &[u8], number: u64) -> String {
    let engine = Engine::default();
    let component = Component::new(&engine, file).unwrap();
    let mut linker = component::Linker::new(&engine);
    p2::add_to_linker_sync(&mut linker).unwrap();
    let stdout = MemoryOutputPipe::new(4096);
    let host = Host {
        context: context(number, &stdout).build(),
        table: ResourceTable::new(),
    };
    let mut store = Store::new(&engine, host);
    let command = Command::instantiate(&mut store, &component, &linker).unwrap();
    assert_eq!(command.wasi_cli_run().call_run(&mut store).unwrap(), Ok(()));
    String::from_utf8(stdout.contents().to_vec()).unwrap()
}
