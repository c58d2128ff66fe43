//! Who takes room in the linked file: functions and data segments by size, with their crates.

use crate::analyze::path::RustPath;
use crate::analyze::symbols::Symbols;
use crate::report::Contributor;

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
