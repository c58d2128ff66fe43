//! The panic entry points that `snip` may replace by a trap, by family, each with what is given up. All
//! give up the message; none gives up the trap.
//!
//! A rule names a place in the standard library's source; [`plan`](super::plan) additionally asks the
//! code itself whether the function can return.

use crate::wasm::path::{Owner, RustPath};

/// A family of panic entry points.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name in reports.
    pub name: &'static str,
    /// What is lost when it is snipped.
    pub gives_up: &'static str,
    matches: fn(&RustPath) -> bool,
}

/// The built-in families, tried in order.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "core::panicking",
        gives_up: "the message and location of panics, assertions, bounds and arithmetic checks",
        matches: |p| under(p, &["core", "panicking"]),
    },
    Family {
        name: "unwrap and expect",
        gives_up: "the message of unwrap, expect and of RefCell's borrow checks",
        matches: |p| {
            under(p, &["core", "option"])
                && last(p, |l| l == "unwrap_failed" || l == "expect_failed")
                || under(p, &["core", "result"]) && last(p, |l| l == "unwrap_failed")
                || under(p, &["core", "cell"]) && last(p, |l| l.starts_with("panic_already_"))
        },
    },
    Family {
        name: "slice, str and number checks",
        gives_up: "the index and length in the message of a failed index, range or conversion",
        matches: |p| {
            (under(p, &["core", "slice"])
                || under(p, &["core", "str"])
                || under(p, &["core", "num"])
                || under(p, &["core", "array"]))
                && last(p, |l| {
                    l.ends_with("_fail")
                        || l.ends_with("_fail_rt")
                        || l.ends_with("_panic")
                        || l == "do_panic"
                })
        },
    },
    Family {
        name: "collection checks",
        gives_up: "the index and length in the message of Vec::remove, insert, swap_remove, split_off",
        matches: |p| {
            let in_alloc = match &p.owner {
                Owner::Module => p.krate() == "alloc",
                Owner::Type(this) => this.starts_with("alloc::"),
                Owner::Trait(_) => false,
            };
            in_alloc && last(p, |l| l == "assert_failed")
        },
    },
    Family {
        name: "allocation failure",
        gives_up: "the size in the message of a failed allocation or an overflowing capacity",
        matches: |p| {
            under(p, &["alloc", "alloc"])
                && last(p, |l| {
                    l == "handle_alloc_error" || l == "rt_error" || l == "ct_error"
                })
                || under(p, &["alloc", "raw_vec"])
                    && last(p, |l| l == "handle_error" || l == "capacity_overflow")
                || under(p, &["std", "alloc"])
                    && last(p, |l| l == "rust_oom" || l == "default_alloc_error_hook")
                || only(
                    p,
                    &[
                        "__rust_alloc_error_handler",
                        "__rdl_oom",
                        "__rg_oom",
                        "__rdl_alloc_error_handler",
                        "rust_oom",
                    ],
                )
        },
    },
    Family {
        name: "panic machinery of std",
        gives_up: "the panic hook (set_hook is never called), the backtrace and the payload",
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
            p.owner == Owner::Module
                && p.segments.len() == 3
                && under(p, &["std", "panicking"])
                && last(p, |l| ENTRIES.contains(&l))
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

/// A free function somewhere below a module, closures within it left out: they are called by others.
fn under(path: &RustPath, module: &[&str]) -> bool {
    path.owner == Owner::Module
        && path.segments.len() > module.len()
        && path
            .segments
            .iter()
            .zip(module)
            .all(|(have, want)| have == want)
        && !path.segments.iter().any(|s| s.starts_with('{'))
}

fn last(path: &RustPath, test: impl Fn(&str) -> bool) -> bool {
    path.segments.last().is_some_and(|l| test(l))
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
