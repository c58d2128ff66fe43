//! The allocator of the wasm file, chosen by feature; native builds keep the system's.
//!
//! | feature | allocator |
//! |---|---|
//! | `alloc-dlmalloc` (default) | dlmalloc: general, the one Rust's own std uses on wasm |
//! | `alloc-talc` | talc: smaller and faster, takes precedence over the default |
//! | `alloc-lol` | lol_alloc's free list: the smallest that gives memory back |
//!
//! lol_alloc also has leaking allocators, smaller still. A session is written out anew with every
//! message, so a leak would be of the size of the history per message: the reactor could not live.
//! Its free list is searched from the front, which is slow with many live allocations.

#[cfg(all(feature = "alloc-talc", feature = "alloc-lol"))]
compile_error!(
    "features `alloc-talc` and `alloc-lol` exclude each other: enable one of them, or neither for dlmalloc"
);

#[cfg(all(
    target_family = "wasm",
    not(any(
        feature = "alloc-dlmalloc",
        feature = "alloc-talc",
        feature = "alloc-lol"
    ))
))]
compile_error!(
    "clawft-wasm needs an allocator on wasm: enable one of the features `alloc-dlmalloc` (default), \
     `alloc-talc`, `alloc-lol`"
);

#[cfg(all(target_family = "wasm", feature = "alloc-talc"))]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

// SAFETY: the targets have no threads (neither wasip1 nor wasip2 has atomics), so nothing allocates
// at the same time as something else.
#[cfg(all(
    target_family = "wasm",
    feature = "alloc-lol",
    not(feature = "alloc-talc")
))]
#[allow(unsafe_code)]
#[global_allocator]
static ALLOCATOR: lol_alloc::AssumeSingleThreaded<lol_alloc::FreeListAllocator> =
    unsafe { lol_alloc::AssumeSingleThreaded::new(lol_alloc::FreeListAllocator::new()) };

#[cfg(all(
    target_family = "wasm",
    feature = "alloc-dlmalloc",
    not(any(feature = "alloc-talc", feature = "alloc-lol"))
))]
#[allow(unsafe_code)]
mod dlmalloc_of_eight {
    use core::alloc::{GlobalAlloc, Layout};
    use core::cell::UnsafeCell;

    use dlmalloc::Dlmalloc;

    /// dlmalloc through its C interface, which aligns to 8 bytes. Nothing in the agent wants more, and the code
    /// for more would be carried along, because the alignment is a parameter.
    struct Allocator(UnsafeCell<Dlmalloc>);

    #[global_allocator]
    static ALLOCATOR: Allocator = Allocator(UnsafeCell::new(Dlmalloc::new()));

    /// What every allocation is aligned to: two words.
    const ALIGN: usize = 2 * size_of::<usize>();

    // SAFETY: the targets have no threads, so nobody shares it.
    unsafe impl Sync for Allocator {}

    // SAFETY: what is handed out comes from dlmalloc, is aligned to `ALIGN`, and refused where that is too
    // little. No call is inside another: dlmalloc calls nothing of ours.
    unsafe impl GlobalAlloc for Allocator {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            if layout.align() > ALIGN {
                return core::ptr::null_mut();
            }
            // SAFETY: the only reference there is, for the time of this call.
            unsafe { (*self.0.get()).c_malloc(layout.size()) }
        }

        unsafe fn dealloc(&self, pointer: *mut u8, _: Layout) {
            // SAFETY: as in `alloc`; the pointer comes from there.
            unsafe { (*self.0.get()).c_free(pointer) }
        }

        unsafe fn realloc(&self, pointer: *mut u8, _: Layout, size: usize) -> *mut u8 {
            // SAFETY: as in `alloc`; the pointer comes from there, and its alignment is kept.
            unsafe { (*self.0.get()).c_realloc(pointer, size) }
        }
    }
}
