//! The panic entry points that `snip` may replace by a trap, by family, each with what is given up.
//! All give up the message; none gives up the trap.
//!
//! A rule names a place in the standard library's source; [`plan`](super::plan) additionally asks
//! the code itself whether the function can return.

use crate::wasm::path::{Owner, RustPath};

/// A family of panic entry points.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name in reports.
    pub name: &'static str,
    matches: fn(&RustPath) -> bool,
}

/// The built-in families, tried in order.
pub const FAMILIES: &[Family] = &[
    // Gives up the message and location of panics, assertions, bounds and arithmetic checks.
    Family {
        name: "core::panicking",
        matches: |p| below(p, &["core", "panicking"], &["*"]),
    },
    // Gives up the message of unwrap, expect and of RefCell's borrow checks.
    Family {
        name: "unwrap and expect",
        matches: |p| {
            below(p, &["core", "option"], &["unwrap_failed", "expect_failed"])
                || below(p, &["core", "result"], &["unwrap_failed"])
                || below(p, &["core", "cell"], &["panic_already_*"])
        },
    },
    // Gives up the index and length in the message of a failed index, range or conversion.
    Family {
        name: "slice, str and number checks",
        matches: |p| {
            let checks = &["*_fail", "*_fail_rt", "*_panic", "do_panic"];
            let modules = ["slice", "str", "num", "array"];
            modules
                .iter()
                .any(|module| below(p, &["core", module], checks))
        },
    },
    // Gives up the index and length in the message of Vec::remove, insert, swap_remove, split_off.
    Family {
        name: "collection checks",
        matches: |p| {
            let in_alloc = match &p.owner {
                Owner::Module => p.krate() == "alloc",
                Owner::Type(this) => this.starts_with("alloc::"),
                Owner::Trait(_) => false,
            };
            in_alloc
                && p.segments
                    .last()
                    .is_some_and(|last| last == "assert_failed")
        },
    },
    // Gives up the size in the message of a failed allocation or an overflowing capacity.
    Family {
        name: "allocation failure",
        matches: |p| {
            let alloc = &["handle_alloc_error", "rt_error", "ct_error"];
            let std = &["rust_oom", "default_alloc_error_hook"];
            below(p, &["alloc", "alloc"], alloc)
                || below(
                    p,
                    &["alloc", "raw_vec"],
                    &["handle_error", "capacity_overflow"],
                )
                || below(p, &["std", "alloc"], std)
                || only(
                    p,
                    &["__rust_alloc_error_handler", "__rdl_alloc_error_handler"],
                )
                || only(p, &["__rdl_oom", "__rg_oom", "rust_oom"])
        },
    },
    // Gives up the panic hook (set_hook is never called), the backtrace and the payload.
    Family {
        name: "panic machinery of std",
        matches: |p| {
            const ENTRIES: &[&str] = &[
                "begin_panic",
                "begin_panic_handler",
                "panic_handler",
                "panic_with_hook",
                "rust_panic_with_hook",
                "rust_panic_without_hook",
                "resume_unwind",
            ];
            p.segments.len() == 3 && below(p, &["std", "panicking"], ENTRIES)
                || only(p, &["rust_begin_unwind", "rust_panic"])
        },
    },
];

impl Family {
    /// The family `path` belongs to.
    pub fn of(path: &RustPath) -> Option<&'static Family> {
        FAMILIES.iter().find(|family| (family.matches)(path))
    }
}

/// A free function of one of `names` somewhere below a module, closures within it left out: they
/// are called by others. A `*` at either end of a name stands for anything.
fn below(path: &RustPath, module: &[&str], names: &[&str]) -> bool {
    let Some((last, _)) = path.segments.split_last() else {
        return false;
    };
    path.owner == Owner::Module
        && path.segments.len() > module.len()
        && path
            .segments
            .iter()
            .zip(module)
            .all(|(have, want)| have == want)
        && !path.segments.iter().any(|segment| segment.starts_with('{'))
        && names.iter().any(
            |name| match (name.strip_prefix('*'), name.strip_suffix('*')) {
                (Some(end), _) => last.ends_with(end),
                (None, Some(start)) => last.starts_with(start),
                (None, None) => last == name,
            },
        )
}

/// A compiler-made symbol: plain, or below the `__rustc` pseudo crate of v0.
fn only(path: &RustPath, names: &[&str]) -> bool {
    let own = match path.segments.as_slice() {
        [name] => name,
        [krate, name] if krate == "__rustc" => name,
        _ => return false,
    };
    path.owner == Owner::Module && names.contains(&own.as_str())
}
