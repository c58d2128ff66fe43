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
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
