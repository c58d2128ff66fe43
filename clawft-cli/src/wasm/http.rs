//! A component's own HTTP, which goes nowhere: in steps it sends nothing itself.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceType};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable};

/// Links `wasi:http`, as `component` imports it, to functions that trap. What it shares with the
/// rest of WASI has the types of `wasmtime-wasi`, which is to be linked as well.
///
/// # Errors
/// Where it is linked already.
pub fn no_http<T: 'static>(linker: &mut Linker<T>, component: &Component) -> wasmtime::Result<()> {
    let engine = linker.engine().clone();
    for (name, import) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(interface) = import.ty else {
            continue;
        };
        if !name.starts_with("wasi:http/") {
            continue;
        }
        let mut linked = linker.instance(name)?;
        for (item, export) in interface.exports(&engine) {
            match export.ty {
                ComponentItem::ComponentFunc(_) => {
                    linked.func_new(item, |_, _, _, _| wasmtime::bail!("it has no network"))?;
                }
                ComponentItem::Resource(_) => {
                    linked.resource(item, resource(item), |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The resource of this name.
fn resource(name: &str) -> ResourceType {
    match name {
        "pollable" => ResourceType::host::<DynPollable>(),
        "input-stream" => ResourceType::host::<DynInputStream>(),
        "output-stream" => ResourceType::host::<DynOutputStream>(),
        _ => ResourceType::host::<()>(),
    }
}
