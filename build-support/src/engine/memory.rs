//! How much linear memory an instance has, and may have: its engine asks here before it grants any.

use wasmtime::ResourceLimiter;

/// The most linear memory an instance gets, in bytes, all memories together; what it asks for
/// beyond that is refused, as by a machine that has no more. Twice what the agent has after 100
/// transcripts with an allocator that takes nothing back.
pub const MOST: u64 = 256 << 20;

/// The most elements a table gets.
const MOST_ELEMENTS: usize = 1_000_000;

/// Linear memory as the engine granted it, in bytes, all memories of the instance together. It
/// never shrinks.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// When the instance was made.
    pub initial: u64,
    /// Now, which is the highest it has been.
    pub now: u64,
    /// What was last asked for, in case the engine cannot give it after all.
    last: u64,
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.last = 0;
        let more = (desired - current) as u64;
        if self.now + more > MOST {
            return Ok(false);
        }
        self.last = more;
        self.now += more;
        // The engine asks for a memory's first pages as if it grew from nothing.
        if current == 0 {
            self.initial += desired as u64;
        }
        Ok(true)
    }

    /// Follows the question where that was answered yes, e.g. beyond the memory's maximum.
    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.now -= std::mem::take(&mut self.last);
        Ok(())
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= MOST_ELEMENTS)
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;
    use wasmtime::{Engine, Instance, Module, Store};

    /// Protects the high-water mark from memory that was asked for and not given.
    #[test]
    fn what_was_refused_does_not_count() {
        let engine = Engine::default();
        let text = "(module (memory 2 3) (func (export \"grow\") (param i32) (result i32)
            local.get 0 memory.grow))";
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut store = Store::new(&engine, Memory::default());
        store.limiter(|memory| memory);
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let grow = instance
            .get_typed_func::<i32, i32>(&mut store, "grow")
            .unwrap();
        let mut pages = |by| {
            let before = grow.call(&mut store, by).unwrap();
            let memory = store.data();
            (before, memory.initial >> 16, memory.now >> 16)
        };
        assert_eq!(pages(0), (2, 2, 2));
        assert_eq!(pages(2), (-1, 2, 2));
        assert_eq!(pages(1), (2, 2, 3));
        assert_eq!(pages(65_536), (-1, 2, 3));
    }
}
