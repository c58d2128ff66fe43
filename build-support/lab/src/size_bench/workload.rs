//! How many instructions a program takes for its workload, as wasmtime's fuel counts them: the same
//! on every machine. What the program writes tells that it did the same.

use build_support::engine::setup::Setup;
use build_support::error::{Error, Result};
use build_support::wasm::artifact::{Artifact, FileKind};
use std::path::Path;
use wasmtime::{Linker, Module, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{I32Exit, WasiCtxBuilder};

/// No program of the fixtures takes more.
const MOST: u64 = 10_000_000_000;
/// What is kept of what a program writes, in bytes.
const WRITTEN: usize = 1 << 20;

/// What each program gets on its command line; the last is its standard input.
const WORKLOADS: [(&str, &[&str], &str); 2] = [
    (
        "matcher",
        &["(?i)([a-z]+)@([a-z]+)\\.(org|net)", "$2 $1"],
        "Ann@example.org and bob@example.net\nnobody here\nCARL@EXAMPLE.ORG, dora@example.com\n",
    ),
    (
        "orders",
        &[],
        r#"{"orders":[{"id":1,"item":"tea","price":2.5,"count":3},{"id":2,"item":"pot","price":19}]}"#,
    ),
];

/// What a program did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The instructions.
    pub instructions: u64,
    /// What it wrote to standard output.
    pub written: Vec<u8>,
}

/// Runs a command of WASI preview 1; nothing for any other file.
///
/// # Errors
/// [`Error::Input`] where it traps or does not come to an end.
pub fn run(name: &str, file: &Path, artifact: &Artifact) -> Result<Option<Run>> {
    let is_command = artifact.kind() == FileKind::Core
        && artifact.modules().is_ok_and(|modules| {
            let mut exports = modules.iter().flat_map(|module| &module.exports);
            exports.any(|export| export.name == "_start")
        });
    if !is_command {
        return Ok(None);
    }
    let help = "its workload stands in size_bench/workload.rs";
    let wrong = |error: wasmtime::Error| Error::input(file, format!("{error:#}"), help);
    command(name, artifact).map(Some).map_err(wrong)
}

fn command(name: &str, artifact: &Artifact) -> wasmtime::Result<Run> {
    let engine = Setup::counted()
        .engine()
        .map_err(|error| wasmtime::Error::msg(error.to_string()))?;
    let workload = WORKLOADS.iter().find(|workload| workload.0 == name);
    let (args, input) = workload.map_or((&[][..], ""), |(_, args, input)| (args, input));
    let written = MemoryOutputPipe::new(WRITTEN);
    let mut wasi = WasiCtxBuilder::new();
    wasi.arg(name).args(args);
    wasi.stdin(MemoryInputPipe::new(input.as_bytes().to_vec()));
    wasi.stdout(written.clone());
    let mut linker = Linker::<WasiP1Ctx>::new(&engine);
    p1::add_to_linker_sync(&mut linker, |wasi| wasi)?;
    let mut store = Store::new(&engine, wasi.build_p1());
    store.set_fuel(MOST)?;
    let module = Module::new(&engine, artifact.bytes())?;
    let instance = linker.instantiate(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    if let Err(error) = start.call(&mut store, ()) {
        // A command ends by that; with what code is its own affair.
        error.downcast::<I32Exit>()?;
    }
    Ok(Run {
        instructions: MOST - store.get_fuel()?,
        written: written.contents().to_vec(),
    })
}
