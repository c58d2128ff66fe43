//! Which crate defines a function whose name does not say it: what is exported under a name of its
//! own (`#[no_mangle]`, `main`, the functions of a component's world). The libraries that were
//! linked list what they define, and the linked file what is known in one object alone, which is
//! C's; what none of them does, and neither the linker, is the linked crate's own.
//!
//! Who reads the libraries is `project::definers`.

use super::rows::{Attribution, RowKind};
use crate::wasm::path;
use std::collections::BTreeMap;

/// The crates of the symbols that have none in their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definers {
    /// The crate that is linked; none where it is not known.
    linked: Option<String>,
    /// What libraries define; no crate where several do, and where it is another language's.
    libraries: BTreeMap<String, Option<String>>,
}

impl Definers {
    /// For what is linked as `krate`.
    pub fn new(krate: &str) -> Self {
        Self {
            linked: Some(krate.replace('-', "_")),
            libraries: BTreeMap::new(),
        }
    }

    /// Notes that a library defines `symbol`: that of a crate, or of another language.
    pub fn add(&mut self, symbol: &str, krate: Option<&str>) {
        let name = path::demangle(symbol);
        if path::says_its_crate(&name) {
            return;
        }
        let krate = krate.map(str::to_owned);
        let known = self.libraries.entry(name).or_insert_with(|| krate.clone());
        if *known != krate {
            *known = None;
        }
    }

    /// Notes that `symbol` is known in one object alone: no Rust function without a path of its own
    /// is, so it is another language's, whatever library it came from.
    pub fn add_local(&mut self, symbol: &str) {
        let name = path::demangle(symbol);
        if !path::says_its_crate(&name) {
            self.libraries.insert(name, None);
        }
    }

    /// Writes the crates into the rows of the module that was linked: the first of its file.
    pub fn name(&self, attribution: &mut Attribution) {
        for row in &mut attribution.rows {
            let is_linked = row.core.unwrap_or(0) == 0 && row.kind == RowKind::Function;
            if is_linked && !row.name.starts_with('[') && !path::says_its_crate(&row.name) {
                row.krate = self.of(&row.name).map(str::to_owned);
            }
        }
    }

    fn of(&self, name: &str) -> Option<&str> {
        match self.libraries.get(name) {
            // The compiler writes it for a program; a C library has one for programs in C.
            _ if is_entry(name) => self.linked.as_deref(),
            Some(library) => library.as_deref(),
            None if is_linkers_own(name) || is_cxx(name) => None,
            None => self.linked.as_deref(),
        }
    }
}

/// What the linker makes, and the start-up objects that come with a C library.
fn is_linkers_own(name: &str) -> bool {
    name.starts_with("__wasm_")
        || name.ends_with(".command_export")
        || matches!(name, "_start" | "_initialize")
}

/// What a start-up object calls (`entry_name` of rustc's WASI targets).
fn is_entry(name: &str) -> bool {
    matches!(name, "main" | "__main_void" | "__main_argc_argv")
}

fn is_cxx(name: &str) -> bool {
    name.starts_with("_Z") || name.ends_with(')') || name.contains("::") && !path::is_rust(name)
}

#[cfg(test)]
mod tests {
    use super::Definers;
    use crate::attribution::{Attribution, Row, RowKind};

    /// Protects limits on a crate: what it exports counts, and nothing of another's does.
    #[test]
    fn what_no_library_defines_is_the_linked_crates() {
        let mut definers = Definers::new("my-app");
        definers.add("_ZN3dep1f17h0123456789abcdefE", Some("dep"));
        definers.add("dep_function", Some("dep"));
        definers.add("memcpy", Some("compiler_builtins"));
        definers.add("memcpy", None);
        definers.add("sqlite3_open", None);
        definers.add("__main_void", None);
        definers.add_local("dlmalloc");
        definers.add_local("_ZN3dep1l17h0123456789abcdefE");
        definers.add("_RNvCs3Ks1mVPDHNs_7___rustc11___rdl_alloc", Some("std"));
        let cases = [
            (
                RowKind::Function,
                "app:agent/agent@0.1.0#process-message",
                "my_app",
            ),
            (RowKind::Function, "main", "my_app"),
            (RowKind::Function, "__main_void", "my_app"),
            (RowKind::Function, "__rustc::__rust_alloc", "my_app"),
            (RowKind::Function, "__rustc::__rdl_alloc", "std"),
            (RowKind::Function, "dep_function", "dep"),
            (RowKind::Function, "dep::f", "dep"),
            (RowKind::Function, "memcpy", "[no crate]"),
            (RowKind::Function, "sqlite3_open", "[no crate]"),
            (RowKind::Function, "dlmalloc", "[no crate]"),
            (RowKind::Function, "dep::l", "dep"),
            (RowKind::Function, "_ZN3foo3barEi", "[no crate]"),
            (RowKind::Function, "foo::bar(int) const", "[no crate]"),
            (RowKind::Function, "__wasm_call_ctors", "[no crate]"),
            (RowKind::Function, "run.command_export", "[no crate]"),
            (RowKind::Function, "_start", "[no crate]"),
            (RowKind::Function, "[function 3]", "[unnamed]"),
            (RowKind::Data, "TABLE", "[data]"),
        ];
        let rows = cases.map(|(kind, name, _)| Row::new(kind, name.to_owned(), 1));
        let mut of_another = Row::new(RowKind::Function, "shim".to_owned(), 1);
        of_another.core = Some(1);
        let mut all = Attribution {
            bytes: 19,
            rows: rows.into_iter().chain([of_another]).collect(),
        };
        definers.name(&mut all);
        for (row, (_, name, krate)) in all.rows.iter().zip(cases) {
            assert_eq!(row.krate(), krate, "{name}");
            assert_eq!(row.module().split("::").next(), Some(krate), "{name}");
        }
        assert_eq!(all.rows[18].krate(), "[no crate]");
    }
}
