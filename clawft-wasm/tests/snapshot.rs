//! What pre-initialising relies on: `init` asks the host for nothing, so that an instance can be kept as a file
//! after it, and be started from that under another host.
//!
//! Every import traps here. That they do is shown by the next call, which needs the host's directory.

mod engines;

use engines::build;
use wasmtime::component::{self, Component, Val};
use wasmtime::{Engine, Linker, Module, Store};

const CONFIG: &str = r#"{"model": "offline", "limits": {"max_history": 7}}"#;

#[test]
fn wasip1_is_configured_without_a_host() {
    let engine = Engine::default();
    let module = Module::from_file(&engine, build("wasm32-wasip1", &[]).shipped).unwrap();
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&module).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    let start = instance.get_typed_func::<(), ()>(&mut store, "_initialize");
    let alloc = instance.get_typed_func::<u32, u32>(&mut store, "clawft_alloc");
    let init = instance.get_typed_func::<(u32, u32), i32>(&mut store, "clawft_init");
    let capabilities = instance.get_typed_func::<(), i32>(&mut store, "clawft_capabilities");

    start.unwrap().call(&mut store, ()).unwrap();
    let length = CONFIG.len() as u32;
    let at = alloc.unwrap().call(&mut store, length).unwrap();
    memory
        .write(&mut store, at as usize, CONFIG.as_bytes())
        .unwrap();
    let init = init.unwrap();
    for _ in ["first", "again"] {
        assert_eq!(init.call(&mut store, (at, length)).unwrap(), 0);
    }
    capabilities.unwrap().call(&mut store, ()).unwrap_err();
}

#[test]
fn wasip2_is_configured_without_a_host() {
    let engine = Engine::default();
    let file = build("wasm32-wasip2", &[]).shipped;
    let component = Component::from_file(&engine, file).unwrap();
    let mut linker = component::Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let agent = instance
        .get_export_index(&mut store, None, build_support::host::INTERFACE)
        .unwrap();
    let mut call = |name: &str, args: &[Val]| {
        let index = instance.get_export_index(&mut store, Some(&agent), name);
        let mut results = [Val::Bool(false)];
        instance
            .get_func(&mut store, index.unwrap())
            .unwrap()
            .call(&mut store, args, &mut results)
            .map(|()| results)
    };

    for _ in ["first", "again"] {
        let [result] = call("init", &[Val::String(CONFIG.to_owned())]).unwrap();
        assert_eq!(result, Val::Result(Ok(None)));
    }
    call("capabilities", &[]).unwrap_err();
}
