//! Backtraces of the real agent as it is shipped, from real engines, named by its symbol map,
//! against what the same trap is called in the linked file, which has its names.

use crate::support::agent::{self, Built};
use crate::support::ended::{self, Ended};
use crate::support::workspace::{self, workspace};
use build_support::attribution::RowKind;
use build_support::ops::symbol_map::SymbolMap;
use build_support::report::{self, Report};
use build_support::system::process;
use build_support::wasm::path::demangle;
use std::fs;
use std::path::Path;
use wasmtime::component::{self, Component};
use wasmtime::{Engine, Linker, Module, Store, Val, WasmBacktrace};

const P1: &str = "wasm32-wasip1";
const P2: &str = "wasm32-wasip2";

/// Runs the tool with `input` on its standard input.
fn tool(args: &[&str], input: &str) -> Ended {
    Ended::of_input(&mut ended::tool(&workspace(), args), input.as_bytes())
}

#[track_caller]
fn well(args: &[&str], input: &str) -> String {
    let Ended { stdout, stderr, .. } = tool(args, input).with(0);
    assert!(!stderr.contains("frames"), "{stderr}");
    stdout
}

fn symbolicate(built: &Built, trace: &str) -> String {
    well(&["symbolicate", built.shipped.to_str().unwrap()], trace)
}

/// How a core module with the agent in it is called.
struct Abi {
    /// Called first, where there is something to be called first.
    start: Option<&'static str>,
    allocate: fn(i32) -> (&'static str, Vec<Val>),
    init: &'static str,
    respond: &'static str,
}

/// Has the agent answer on a host whose every function traps; gives the error.
fn trap(module: &Path, abi: &Abi) -> wasmtime::Error {
    let engine = Engine::default();
    let module = Module::from_file(&engine, module).unwrap();
    let mut linker: Linker<()> = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&module).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    if let Some(start) = abi.start {
        let start = instance.get_func(&mut store, start).unwrap();
        start.call(&mut store, &[], &mut []).unwrap();
    }
    let text = |store: &mut Store<()>, text: &[u8]| {
        let (name, args) = (abi.allocate)(text.len() as i32);
        let mut at = [Val::I32(0)];
        let allocator = instance.get_func(&mut *store, name).unwrap();
        allocator.call(&mut *store, &args, &mut at).unwrap();
        let memory = instance.get_memory(&mut *store, "memory").unwrap();
        let place = at[0].unwrap_i32() as u32 as usize;
        memory.write(&mut *store, place, text).unwrap();
        [at[0], Val::I32(text.len() as i32)]
    };
    let config = text(&mut store, b"{}");
    let words = [text(&mut store, b"session"), text(&mut store, b"hello")].concat();
    let mut result = [Val::I32(0)];
    let init = instance.get_func(&mut store, abi.init).unwrap();
    init.call(&mut store, &config, &mut result).unwrap();
    let respond = instance.get_func(&mut store, abi.respond).unwrap();
    respond.call(&mut store, &words, &mut result).unwrap_err()
}

fn trap_p1(module: &Path) -> wasmtime::Error {
    let abi = Abi {
        start: Some("_initialize"),
        allocate: |length| ("clawft_alloc", vec![Val::I32(length)]),
        init: "clawft_init",
        respond: "clawft_process_message",
    };
    trap(module, &abi)
}

/// The linked file for wasip2 is a core module, with the exports the component is made from.
fn trap_linked_p2(module: &Path) -> wasmtime::Error {
    let abi = Abi {
        start: None,
        allocate: |length| ("cabi_realloc", [0, 0, 1, length].map(Val::I32).to_vec()),
        init: "clawft:agent/agent@0.1.0#init",
        respond: "clawft:agent/agent@0.1.0#process-message",
    };
    trap(module, &abi)
}

fn trap_component(file: &Path) -> wasmtime::Error {
    let engine = Engine::default();
    let component = Component::from_file(&engine, file).unwrap();
    let mut linker: component::Linker<()> = component::Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let interface = instance.get_export_index(&mut store, None, "clawft:agent/agent@0.1.0");
    let mut call = |name: &str, args: &[&str]| {
        let index = instance.get_export_index(&mut store, interface.as_ref(), name);
        let function = instance.get_func(&mut store, index.unwrap()).unwrap();
        let args: Vec<_> = args
            .iter()
            .map(|text| component::Val::String((*text).into()))
            .collect();
        function.call(&mut store, &args, &mut [component::Val::Bool(false)])
    };
    call("init", &["{}"]).unwrap();
    call("process-message", &["session", "hello"]).unwrap_err()
}

/// What the frames are called by the engine itself, from a name section.
fn real_names(error: &wasmtime::Error) -> Vec<String> {
    let frames = error.downcast_ref::<WasmBacktrace>().unwrap().frames();
    let name = |frame: &wasmtime::FrameInfo| demangle(frame.func_name().expect("it has names"));
    frames.iter().map(name).collect()
}

/// The names in wasmtime's text.
fn named_by_wasmtime(text: &str) -> Vec<String> {
    let frames = text
        .lines()
        .filter_map(|line| line.split_once(" - <unknown>!"));
    frames.map(|(_, name)| name.trim_end().to_owned()).collect()
}

/// The names in V8's text.
fn named_by_v8(text: &str) -> Vec<String> {
    let frames = text.lines().filter(|line| line.contains("wasm-function["));
    let frames = frames.filter_map(|line| line.trim().strip_prefix("at ")?.split_once(" (wasm://"));
    frames.map(|(name, _)| name.to_owned()).collect()
}

/// Inlining leaves frames out, and outlining adds some, called after where their code is from;
/// neither changes other names or their order. The outermost is the export's.
#[track_caller]
fn are_of(named: &[String], real: &[String]) {
    let mut left = real.iter();
    let mut own = named
        .iter()
        .filter(|name| !name.starts_with("outlined from "));
    let all = own.all(|name| left.any(|real| real == name));
    assert!(all && named.len() > 1, "{named:#?} of {real:#?}");
    assert_eq!(named.last(), real.last());
}

/// Protects what a person sees after a crash in production: real names, in wasmtime and in node,
/// for a module.
#[test]
fn traces_of_the_shipped_module_have_the_names_of_the_linked_one() {
    let built = agent::built(P1);
    let real = real_names(&trap_p1(&built.linked));
    let trace = format!("{:?}", trap_p1(&built.shipped));
    assert!(trace.contains("<wasm function "), "{trace}");
    let named = symbolicate(&built, &trace);
    are_of(&named_by_wasmtime(&named), &real);
    let others = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("<unknown>!"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(others(&named), others(&trace), "nothing else changes");

    let in_node = |file: &Path| {
        let mut node = process::command(workspace::program(&["node"], "nodejs"));
        node.args(["--stack-trace-limit=50", "--input-type=module", "-e", NODE]);
        Ended::of(node.arg(file)).stdout
    };
    let trace = in_node(&built.shipped);
    assert!(trace.contains("wasm-function["), "{trace}");
    let named = symbolicate(&built, &trace);
    are_of(&named_by_v8(&named), &real);
    assert_eq!(named.lines().count(), trace.lines().count());
    // What node itself calls them, where it has the names.
    let by_node: Vec<_> = named_by_v8(&in_node(&built.linked))
        .iter()
        .map(|name| {
            let name = name
                .rsplit_once(".wasm.")
                .map_or(name.as_str(), |(_, name)| name);
            demangle(name)
        })
        .collect();
    are_of(&named_by_v8(&named), &by_node);
}

/// Instantiates the file with functions that throw, calls the agent, and prints the stack.
const NODE: &str = r#"
import { readFileSync } from "node:fs";
const module = new WebAssembly.Module(readFileSync(process.argv[1]));
const imports = {};
for (const { module: from, name } of WebAssembly.Module.imports(module))
  (imports[from] ??= {})[name] = () => { throw new Error("the host has had enough"); };
const { exports } = new WebAssembly.Instance(module, imports);
exports._initialize();
const put = (text) => {
  const at = exports.clawft_alloc(text.length);
  new Uint8Array(exports.memory.buffer).set(new TextEncoder().encode(text), at);
  return [at, text.length];
};
exports.clawft_init(...put("{}"));
const words = [...put("session"), ...put("hello")];
try { exports.clawft_process_message(...words); } catch (error) { console.log(error.stack); }
"#;

/// Protects the same in a component, where wasmtime counts from the beginning of the component and
/// the index alone does not say which module a frame is of.
#[test]
fn traces_of_the_shipped_component_have_the_names_of_the_linked_module() {
    let built = agent::built(P2);
    let real = real_names(&trap_linked_p2(&built.linked));
    let map = SymbolMap::read(&built.symbols).unwrap();
    assert!(map.modules.len() > 1, "then there is nothing to tell apart");
    let trace = format!("{:?}", trap_component(&built.shipped));
    let named = symbolicate(&built, &trace);
    let own = |name: &String| name.strip_suffix(" [core module 0]").map(str::to_owned);
    let ours: Vec<_> = named_by_wasmtime(&named).iter().filter_map(own).collect();
    are_of(&ours, &real);
    assert!(!named.contains("one of {"), "{named}");
}

/// Protects the link between the two files a build leaves: names as in the report, places as in the
/// file.
#[test]
fn the_map_is_the_attribution_with_places() {
    for target in [P1, P2] {
        let built = agent::built(target);
        let json = fs::read_to_string(&built.report).unwrap();
        let report: Report = report::json::read(&built.report, &json).unwrap();
        let map = SymbolMap::read(&built.symbols).unwrap();
        map.scope(&built.shipped, &fs::read(&built.shipped).unwrap())
            .unwrap();
        for module in &map.modules {
            let names = report.attribution.functions(module.core);
            let own: Vec<_> = module
                .functions
                .iter()
                .filter(|f| f.body.is_some())
                .collect();
            assert_eq!(own.len(), names.len());
            for function in own {
                assert_eq!(names.get(&function.index), Some(&function.name.as_str()));
            }
            let imports = module.functions.iter().filter(|f| f.body.is_none());
            assert!(imports.into_iter().all(|f| f.name.contains('.')));
        }
        let rows = report
            .attribution
            .rows
            .iter()
            .filter(|row| row.kind == RowKind::Function);
        let functions = map.modules.iter().flat_map(|m| &m.functions);
        // A body's length stands in front of it, in as few bytes as it takes.
        let with_length = |bytes: u64| bytes + u64::from((64 - bytes.leading_zeros()).div_ceil(7));
        let bodies: u64 = functions
            .filter_map(|f| f.body)
            .map(|b| with_length(b.bytes))
            .sum();
        assert_eq!(bodies, rows.map(|row| row.bytes).sum::<u64>());
    }
}

/// Protects the tests above, which must see a map that is wrong, and users, who are told.
#[test]
fn a_wrong_map_is_seen_and_one_of_another_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let built = agent::built(P1);
    let mut map = SymbolMap::read(&built.symbols).unwrap();
    for function in &mut map.modules[0].functions {
        function.index += 1;
    }
    let wrong = folder.path().join("wrong.symbols.json");
    fs::write(&wrong, map.write()).unwrap();
    let trace = format!("{:?}", trap_p1(&built.shipped));
    let args = ["symbolicate", "--map", wrong.to_str().unwrap()];
    let Ended { stdout, stderr, .. } = tool(&args, &trace);
    assert!(
        stderr.contains("the trace is of another build than the map"),
        "{stderr}"
    );
    let named = named_by_wasmtime(&stdout);
    let real = real_names(&trap_p1(&built.linked));
    assert!(
        named
            .iter()
            .all(|name| name.ends_with("[the offset is not in it]")),
        "{named:?}"
    );
    let without: Vec<_> = named
        .iter()
        .filter_map(|name| name.split_once(" ["))
        .collect();
    assert!(
        !without
            .iter()
            .any(|(name, _)| real.iter().any(|real| real == name)),
        "{named:?}"
    );

    let linked = built.linked.to_str().unwrap();
    let symbols = built.symbols.to_str().unwrap();
    let refused = tool(&["symbolicate", "--map", symbols, linked], &trace).with(2);
    let message = "the symbol map is of another file";
    assert!(refused.stderr.contains(message) && refused.stdout.is_empty());

    // A file that has its names needs no map.
    let trace = format!(
        "0: 0x1 - <unknown>!<wasm function {}>\n",
        map.modules[0].functions.len() + 5
    );
    assert_ne!(tool(&["symbolicate", linked], &trace).with(0).stdout, trace);
}

/// Protects logs: what is not text, or has no end of line, goes through untouched.
#[test]
fn other_bytes_go_through() {
    let folder = tempfile::tempdir().unwrap();
    let module = wat::parse_str("(module (func $app::run))").unwrap();
    let file = folder.path().join("app.wasm");
    fs::write(&file, module).unwrap();
    let log = folder.path().join("log");
    let long = [b"at wasm-function[0]".repeat(10_000), b"\n".to_vec()].concat();
    let bytes = [
        b"\xff\xfe <wasm function 0>\r\n",
        long.as_slice(),
        b"<wasm function 0>",
    ]
    .concat();
    fs::write(&log, &bytes).unwrap();
    let args = [
        "symbolicate",
        file.to_str().unwrap(),
        "--trace",
        log.to_str().unwrap(),
    ];
    // It is not UTF-8, as nothing else that the tool writes.
    let output = ended::tool(&workspace(), &args).output().unwrap();
    let expected = [
        &bytes[..bytes.len() - b"<wasm function 0>".len()],
        b"app::run",
    ]
    .concat();
    assert!(output.stdout == expected);
}

/// Protects files that went through `optimize` alone, as what wasm-bindgen makes does.
#[test]
fn what_was_optimised_has_a_map_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let module = r#"(module (import "env" "log" (func)) (func $unused (unreachable))
        (func $app::run (export "run") (call 0)))"#;
    fs::write(path("app.wasm"), wat::parse_str(module).unwrap()).unwrap();
    let (app, small, map) = (
        path("app.wasm"),
        path("small.wasm"),
        path("small.symbols.json"),
    );
    well(&["optimize", &app, "-o", &small, "--symbols", &map], "");
    let trace = "#00: 0x0 - $f1\n#01: 0x0 - $f0\n";
    let named = well(&["symbolicate", &small], trace);
    assert_eq!(named, "#00: 0x0 - app::run\n#01: 0x0 - env.log\n");
}
