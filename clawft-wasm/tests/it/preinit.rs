//! Pre-initialising, and what it relies on: `init` asks the host for nothing, so that an instance
//! can be kept as a file after it, and be started from that under another host.
//!
//! In the first two tests every import traps. That they do is shown by the next call, which needs
//! the host's directory. That a pre-initialised file plays the transcript is `transcript.rs`'s.

use crate::engines::{Component as InWasmtime, Node, Reactor, Wasmi, build, timeless};
use build_support::agent::preinit;
use build_support::wasm::artifact::Artifact;
use std::path::Path;
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
        .get_export_index(&mut store, None, build_support::agent::component::INTERFACE)
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

type Start = fn(&Path, &Path) -> Box<dyn crate::engines::Engine>;

const STARTS: [(&str, Start); 4] = [
    ("wasm32-wasip1", |file, root| {
        Box::new(Reactor::new(file, root))
    }),
    ("wasm32-wasip1", |file, root| {
        Box::new(Node::new(file, root))
    }),
    ("wasm32-wasip1", |file, root| {
        Box::new(Wasmi::new(file, root))
    }),
    ("wasm32-wasip2", |file, root| {
        Box::new(InWasmtime::new(file, root))
    }),
];

/// The configuration is in the file, and gives way to a later one.
#[test]
fn the_configuration_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ready.wasm");
    for (target, start) in STARTS {
        let shipped = build(target, &[]).shipped;
        let plain = Artifact::read(&shipped).unwrap();
        let ready = preinit::run(&shipped, &plain, r#"{"tools": ["read_file"]}"#).unwrap();
        std::fs::write(&file, ready.bytes()).unwrap();

        let mut configured = start(&shipped, folder.path());
        configured.init(r#"{"tools": ["read_file"]}"#).unwrap();
        let mut agent = start(&file, folder.path());
        let capabilities = timeless(&agent.capabilities());
        assert_eq!(
            capabilities,
            timeless(&configured.capabilities()),
            "{target}"
        );
        let refused = timeless(&agent.say("s", "write a.txt: b"));
        assert!(
            refused.to_string().contains("tool_disabled"),
            "{target}: {refused}"
        );

        agent.init("{}").unwrap();
        let done = timeless(&agent.say("s", "write a.txt: b"));
        assert!(
            !done.to_string().contains("tool_disabled"),
            "{target}: {done}"
        );
    }
}

/// Bytes are the same for the same file and configuration, and the failures say whose they are.
#[test]
fn a_snapshot_is_reproducible_and_refuses_clearly() {
    for target in ["wasm32-wasip1", "wasm32-wasip2"] {
        let shipped = build(target, &[]).shipped;
        let plain = Artifact::read(&shipped).unwrap();
        let run = |config| preinit::run(&shipped, &plain, config);
        assert_eq!(run("{}").unwrap().bytes(), run("{}").unwrap().bytes());
        let error = run("{\"tools\": 7}").err().unwrap().to_string();
        assert!(error.contains("config.tools"), "{target}: {error}");
    }
    let module = b"\0asm\x01\0\0\0".to_vec();
    let name = Path::new("empty.wasm");
    let module = Artifact::new(module, name).unwrap();
    let error = preinit::run(name, &module, "{}").err().unwrap().to_string();
    assert!(
        error.contains("empty.wasm: it does not export `memory`"),
        "{error}"
    );
}
