//! How wizer reads the state of a [`Host`]: through exports that it has added itself, so that their
//! absence or another type is a fault of it or of us, and panics.

use crate::agent::host::Host;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wasmtime::component::{ComponentNamedList, Lift, WasmList};
use wasmtime::{AsContext as _, Val};
use wasmtime_wizer::{ComponentInstanceState, InstanceState, SnapshotVal, ValType};

/// The state of a core module or of a component.
pub struct State<'a> {
    pub host: &'a mut Host,
    pub stack: Stack,
}

/// The end of the stack, where it is known. All below is dead where the stack pointer stands there
/// again.
#[derive(Debug, Clone, Copy)]
pub struct Stack(pub Option<u32>);

impl Stack {
    /// Takes note of the value of a global. Where the stack is known there is only one that
    /// changes, its pointer. (wizer asks for the globals first.)
    fn global(&mut self, value: i32) {
        self.0 = self.0.filter(|end| *end == value.cast_unsigned());
    }

    /// `memory` without what calls have left on the stack.
    fn cleared(self, memory: &[u8]) -> Vec<u8> {
        let mut memory = memory.to_vec();
        let end = self.0.map_or(0, |end| end as usize).min(memory.len());
        memory[..end].fill(0);
        memory
    }
}

/// What `future` gives. Nothing here waits, so it gives it at once.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("reading an instance's state waits for nothing"),
    }
}

impl InstanceState for State<'_> {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        let (store, instance) = self.host.core().expect("a core module");
        let global = instance.get_global(&mut *store, name);
        match global.expect("an export of wizer's").get(store) {
            Val::I32(value) => {
                self.stack.global(value);
                SnapshotVal::I32(value)
            }
            Val::I64(value) => SnapshotVal::I64(value),
            Val::F32(bits) => SnapshotVal::F32(bits),
            Val::F64(bits) => SnapshotVal::F64(bits),
            Val::V128(value) => SnapshotVal::V128(value.as_u128()),
            other => unreachable!("wizer refuses globals of the type of {other:?}"),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        let (store, instance) = self.host.core().expect("a core module");
        let memory = instance.get_memory(&mut *store, name);
        let memory = memory.expect("an export of wizer's").data(store);
        contents(&self.stack.cleared(memory));
    }
}

impl State<'_> {
    /// What `function` of the exported `interface` gives.
    fn call<T>(&mut self, interface: &str, function: &str) -> T
    where
        (T,): ComponentNamedList + Lift + 'static,
    {
        let (store, instance) = self.host.component().expect("a component");
        let index = instance
            .get_export_index(&mut *store, None, interface)
            .and_then(|index| instance.get_export_index(&mut *store, Some(&index), function))
            .expect("an export of wizer's");
        let function = instance.get_typed_func::<(), (T,)>(&mut *store, index);
        let (value,) = function
            .and_then(|function| function.call(&mut *store, ()))
            .expect("a function of wizer's, which only reads");
        value
    }
}

impl ComponentInstanceState for State<'_> {
    async fn call_func_ret_list_u8(
        &mut self,
        interface: &str,
        function: &str,
        contents: impl FnOnce(&[u8]) + Send,
    ) {
        let memory: WasmList<u8> = self.call(interface, function);
        let memory = memory.as_le_slice(self.host.store_ref().as_context());
        contents(&self.stack.cleared(memory));
    }

    async fn call_func_ret_s32(&mut self, interface: &str, function: &str) -> i32 {
        let value = self.call(interface, function);
        self.stack.global(value);
        value
    }

    async fn call_func_ret_s64(&mut self, interface: &str, function: &str) -> i64 {
        self.call(interface, function)
    }

    async fn call_func_ret_f32(&mut self, interface: &str, function: &str) -> u32 {
        self.call::<f32>(interface, function).to_bits()
    }

    async fn call_func_ret_f64(&mut self, interface: &str, function: &str) -> u64 {
        self.call::<f64>(interface, function).to_bits()
    }
}
