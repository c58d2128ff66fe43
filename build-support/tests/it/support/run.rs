//! What comes out of a build, run in wasmtime.

use wasmtime::component::{self, Component, ResourceTable};
use wasmtime::{Engine, Linker, Module, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView, p2};

/// More than any of them prints.
const OUTPUT: usize = 4096;

/// Calls an export of a library on a host whose every function traps: what it computes needs none.
pub fn library(module: &[u8], export: &str, number: u64) -> u64 {
    let engine = Engine::default();
    let module = Module::new(&engine, module).unwrap();
    let mut linker: Linker<()> = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&module).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    // A library for no system has nothing to initialise.
    if let Ok(start) = instance.get_typed_func::<(), ()>(&mut store, "_initialize") {
        start.call(&mut store, ()).unwrap();
    }
    let function = instance.get_typed_func::<u64, u64>(&mut store, export);
    function.unwrap().call(&mut store, number).unwrap()
}

/// Runs a program, of either kind, and gives what it printed.
pub fn program(file: &[u8], args: &[&str]) -> String {
    program_with(file, args, &[], "")
}

/// The same with an environment and something to read.
pub fn program_with(file: &[u8], args: &[&str], env: &[(&str, &str)], stdin: &str) -> String {
    let stdout = MemoryOutputPipe::new(OUTPUT);
    let mut context = WasiCtxBuilder::new();
    context.args(args).envs(env).stdout(stdout.clone());
    context.stdin(MemoryInputPipe::new(stdin.to_owned()));
    if wasmparser::Parser::is_component(file) {
        run_component(file, context.build());
    } else {
        run_module(file, context.build_p1());
    }
    String::from_utf8(stdout.contents().to_vec()).unwrap()
}

/// Whether a file is a program rather than a library.
pub fn is_program(file: &[u8]) -> bool {
    wasmparser::Parser::is_component(file) || {
        let module = Module::new(&Engine::default(), file).unwrap();
        module.get_export("_start").is_some()
    }
}

/// A preview 1 command.
fn run_module(module: &[u8], context: WasiP1Ctx) {
    let engine = Engine::default();
    let module = Module::new(&engine, module).unwrap();
    let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |context| context).unwrap();
    let mut store = Store::new(&engine, context);
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start");
    start.unwrap().call(&mut store, ()).unwrap();
}

/// A WASI 0.2 command.
fn run_component(component: &[u8], context: WasiCtx) {
    let engine = Engine::default();
    let component = Component::new(&engine, component).unwrap();
    let mut linker = component::Linker::new(&engine);
    p2::add_to_linker_sync(&mut linker).unwrap();
    let host = Host {
        context,
        table: ResourceTable::new(),
    };
    let mut store = Store::new(&engine, host);
    let command = Command::instantiate(&mut store, &component, &linker).unwrap();
    assert_eq!(command.wasi_cli_run().call_run(&mut store).unwrap(), Ok(()));
}

/// What a host has for a component.
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
