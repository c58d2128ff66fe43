//! What functions and data are called, for people: demangled, without hashes, and where the
//! compiler gave no name, by what they hold.

use super::module::{self, LinkedModule};
use super::ranges;
use super::refusal::Refusal;
use super::relocations::{self, DataSymbol, Relocations, Target};
use crate::wasm::{Module, path};
use std::ops::Range;

/// How much of a text stands for it.
const PREVIEW: usize = 48;

/// The data symbols of a linked module: their bytes in the file, and their names for people. None
/// where there are no relocations, or none of these bytes.
pub fn data_names(module: &Module<'_>) -> Vec<(Range<usize>, String)> {
    let read = || {
        let linked = module::read(module)?;
        let relocations = relocations::read(&linked)?;
        let named = relocations.data.iter().map(|symbol| {
            let name = vtable(&linked, &relocations, symbol);
            (symbol.start..symbol.end, name)
        });
        Ok::<_, Refusal>(named.collect())
    };
    read().unwrap_or_default()
}

/// The name of a function: the linker's, or that of its export.
pub fn function(linked: &LinkedModule<'_>, relocations: &Relocations, function: u32) -> String {
    if let Some(Some(name)) = relocations.names.get(function as usize) {
        return path::demangle(name);
    }
    let mut exports = linked.module.exported_functions();
    match exports.find(|export| export.index == function) {
        Some(export) => format!("export {}", export.name),
        None => format!("function {function}"),
    }
}

/// The name of a data symbol. What the compiler made for constants has names with hashes, which
/// differ from build to build: a text goes by its beginning.
pub fn data(linked: &LinkedModule<'_>, symbol: &DataSymbol) -> String {
    let name = symbol.name.strip_prefix(".L").unwrap_or(&symbol.name);
    if let Some(function) = name.strip_prefix("switch.table.") {
        // A number behind it tells tables of one function apart.
        let function = function.trim_end_matches(|c: char| c.is_ascii_digit());
        let function = path::demangle(function.trim_end_matches('.'));
        return format!("{}{function}", path::SWITCH_TABLE);
    }
    if !is_anonymous(name) {
        return path::demangle(name);
    }
    let bytes = &linked.module.bytes[symbol.start..symbol.end];
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&0) && !bytes.is_empty() => {
            let preview: String = text.chars().take(PREVIEW).collect();
            let rest = if preview.len() < text.len() {
                "…"
            } else {
                ""
            };
            format!("{preview:?}{rest}")
        }
        _ => format!("{}{} bytes", path::ANONYMOUS, symbol.end - symbol.start),
    }
}

/// The name of data with function pointers in it: a vtable goes by its last method, for the first
/// is often shared.
pub fn vtable(linked: &LinkedModule<'_>, relocations: &Relocations, symbol: &DataSymbol) -> String {
    let name = symbol.name.strip_prefix(".L").unwrap_or(&symbol.name);
    let relocs = ranges::within(&relocations.in_data, &(symbol.start..symbol.end));
    let last = relocs.iter().rev().find_map(|reloc| match reloc.target {
        Target::Slot(slot) => Some(linked.slots[slot as usize].function),
        _ => None,
    });
    match last {
        Some(last) if is_anonymous(name) => {
            format!("{}{}", path::VTABLE, function(linked, relocations, last))
        }
        _ => data(linked, symbol),
    }
}

/// `anon.<hash>.<number>`: a constant of rustc; or LLVM's own `.str`, `__unnamed_1`.
fn is_anonymous(name: &str) -> bool {
    name.starts_with("anon.")
        || name.starts_with("str.")
        || name.starts_with(".str")
        || name.starts_with("__unnamed_")
}
