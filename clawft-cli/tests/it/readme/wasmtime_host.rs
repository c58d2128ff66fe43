//! The host of `clawft-wasm/README.md`: the body of [`run`] stands there.

use std::path::Path;
use wasmtime::component::{Component, Linker, ResourceTable, Val};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

struct Host {
    table: ResourceTable,
    wasi: WasiCtx,
}

impl Host {
    fn at(folder: &Path) -> wasmtime::Result<Host> {
        let mut wasi = WasiCtx::builder();
        wasi.preopened_dir(folder, "/", FsPerms::ReadWrite)?;
        let (table, wasi) = (ResourceTable::new(), wasi.build());
        Ok(Host { table, wasi })
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (ctx, table) = (&mut self.wasi, &mut self.table);
        WasiCtxView { ctx, table }
    }
}

#[rustfmt::skip] // As it stands in the document.
pub fn run(file: &Path, folder: &Path) -> wasmtime::Result<String> {
    let engine = Engine::default();
    let component = Component::from_file(&engine, file)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    clawft_cli::wasm::no_http(&mut linker, &component)?; // this one talks to no model
    let mut store = Store::new(&engine, Host::at(folder)?); // its WASI: `folder` and nothing else
    let agent = linker.instantiate(&mut store, &component)?;
    let at = agent.get_export_index(&mut store, None, "clawft:agent/agent@0.2.0");
    let mut get = |name| agent.get_export_index(&mut store, at.as_ref(), name).expect("it has it");
    let [init, say] = ["init", "process-message"].map(&mut get);
    let init = agent.get_func(&mut store, init).expect("a function");
    init.call(&mut store, &[Val::String("{}".into())], &mut [Val::Bool(false)])?;
    let say = agent.get_typed_func::<(&str, &str), (String,)>(&mut store, say)?;
    Ok(say.call(&mut store, ("work", "hello"))?.0)
}
