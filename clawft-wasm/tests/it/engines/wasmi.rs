//! The wasip1 reactor in wasmi, an interpreter of the kind embedded devices use.

use super::Abi;
use std::path::Path;
use wasmi::{Engine, Instance, Linker, Memory, Module, Store, Val};
use wasmi_wasi::wasi_common::sync::{Dir, WasiCtxBuilder, ambient_authority};
use wasmi_wasi::{WasiCtx, add_to_linker};

pub struct Wasmi {
    store: Store<WasiCtx>,
    instance: Instance,
    memory: Memory,
}

impl Wasmi {
    pub fn new(file: &Path, root: &Path) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, std::fs::read(file).unwrap()).unwrap();
        let root = Dir::open_ambient_dir(root, ambient_authority()).unwrap();
        let context = WasiCtxBuilder::new()
            .preopened_dir(root, "/")
            .unwrap()
            .build();
        let mut store = Store::new(&engine, context);
        let mut linker = Linker::new(&engine);
        add_to_linker(&mut linker, |context| context).unwrap();
        let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
        let memory = instance.get_memory(&store, "memory").unwrap();
        let mut wasmi = Self {
            store,
            instance,
            memory,
        };
        // A pre-initialised file does not export it.
        if wasmi
            .instance
            .get_func(&wasmi.store, "_initialize")
            .is_some()
        {
            wasmi.run("_initialize", &[]);
        }
        wasmi
    }

    fn invoke(&mut self, export: &str, args: &[i32], results: &mut [Val]) {
        let func = self
            .instance
            .get_func(&self.store, export)
            .unwrap_or_else(|| panic!("no export {export}"));
        let args: Vec<_> = args.iter().map(|arg| Val::I32(*arg)).collect();
        func.call(&mut self.store, &args, results)
            .unwrap_or_else(|e| panic!("{export}: {e}"));
    }
}

impl Abi for Wasmi {
    fn call(&mut self, export: &str, args: &[i32]) -> i32 {
        let mut results = [Val::I32(0)];
        self.invoke(export, args, &mut results);
        results[0].i32().unwrap()
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
            .read(&self.store, at as u32 as usize, &mut bytes)
            .unwrap();
        bytes
    }
}
