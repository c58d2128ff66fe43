//! The wasip1 reactor in wasmtime.

use super::Abi;
use std::path::Path;
use wasmtime::{Engine, Instance, Linker, Memory, Module, Store, Val};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, WasiCtx};

pub struct Reactor {
    store: Store<WasiP1Ctx>,
    instance: Instance,
    memory: Memory,
}

impl Reactor {
    pub fn new(file: &Path, root: &Path) -> Self {
        let engine = Engine::default();
        let module = Module::from_file(&engine, file).unwrap();
        let mut linker = Linker::new(&engine);
        p1::add_to_linker_sync(&mut linker, |context| context).unwrap();
        let context = WasiCtx::builder()
            .preopened_dir(root, "/", FsPerms::ReadWrite)
            .unwrap()
            .build_p1();
        let mut store = Store::new(&engine, context);
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        let mut reactor = Self {
            store,
            instance,
            memory,
        };
        // A pre-initialised file does not export it.
        if reactor
            .instance
            .get_func(&mut reactor.store, "_initialize")
            .is_some()
        {
            reactor.run("_initialize", &[]);
        }
        reactor
    }

    fn invoke(&mut self, export: &str, args: &[i32], results: &mut [Val]) {
        let func = self
            .instance
            .get_func(&mut self.store, export)
            .unwrap_or_else(|| panic!("no export {export}"));
        let args: Vec<_> = args.iter().map(|arg| Val::I32(*arg)).collect();
        func.call(&mut self.store, &args, results)
            .unwrap_or_else(|e| panic!("{export}: {e:#}"));
    }
}

impl Abi for Reactor {
    fn call(&mut self, export: &str, args: &[i32]) -> i32 {
        let mut results = [Val::I32(0)];
        self.invoke(export, args, &mut results);
        results[0].unwrap_i32()
    }

    fn run(&mut self, export: &str, args: &[i32]) {
        self.invoke(export, args, &mut []);
    }

    fn write(&mut self, at: i32, bytes: &[u8]) {
        self.memory
            .write(&mut self.store, at as u32 as usize, bytes)
            .unwrap();
    }

    fn read(&mut self, at: i32, length: i32) -> Vec<u8> {
        let mut bytes = vec![0; length as u32 as usize];
        self.memory
            .read(&mut self.store, at as u32 as usize, &mut bytes)
            .unwrap();
        bytes
    }
}
