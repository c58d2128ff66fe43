//! What is in the linked file, by crate: what bans look for. The size of the shipped one
//! by crate is `attribution`'s business.

use crate::wasm::path::RustPath;
use crate::wasm::symbols::Symbols;

/// Something that has bytes in the linked file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contributor {
    /// Demangled name, without hash.
    pub name: String,
    /// The crate it belongs to, or `[data]`, `[unnamed]`.
    pub krate: String,
    /// Size in the linked file, in bytes.
    pub bytes: u64,
}

/// Every function and data segment, largest first; same-sized ones by name.
pub fn run(symbols: &Symbols) -> Vec<Contributor> {
    let functions = symbols.functions.iter().map(|function| {
        let (name, krate) = match &function.name {
            Some(name) => (name.clone(), RustPath::parse(name).krate().to_owned()),
            None => (
                format!("function {}", function.index),
                "[unnamed]".to_owned(),
            ),
        };
        Contributor {
            name,
            krate,
            bytes: function.bytes,
        }
    });
    let data = symbols.segments.iter().map(|segment| Contributor {
        name: segment.name.clone(),
        krate: "[data]".to_owned(),
        bytes: segment.bytes,
    });
    let mut all: Vec<_> = functions.chain(data).collect();
    all.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    all
}
