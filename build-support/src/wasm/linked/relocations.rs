//! The linker's relocations (`linking`, `reloc.CODE`, `reloc.DATA`, written with `--emit-relocs`):
//! every operand and every word of data that holds an address, a function or a table slot. Each
//! entry is compared with the bytes it speaks of before anything is built on it.
//!
//! Format: the WebAssembly tool conventions, `Linking.md`.

mod entry;
mod symbol_table;

pub use entry::{Operand, Reloc, Target};
pub use symbol_table::DataSymbol;

use super::module::LinkedModule;
use super::refusal::Refusal;
use crate::wasm::{ReadError, sections};
use entry::Entry;
use std::ops::Range;
use symbol_table::{Symbol, SymbolTable};
use wasmparser::{BinaryReaderError, RelocSectionReader, RelocationType};

const CODE: &str = "reloc.CODE";
const DATA: &str = "reloc.DATA";

/// What the linker says about the file.
#[derive(Default)]
pub struct Relocations {
    /// The data symbols that take room in a segment.
    pub data: Vec<DataSymbol>,
    /// The linker's name of each function, by its index; `None` for those that the linker made
    /// itself.
    pub names: Vec<Option<String>>,
    /// Functions that must stay whatever refers to them.
    pub kept: Vec<u32>,
    /// Addresses that code or data got from the linker without a symbol of their own, such as the
    /// ends of a segment (`__start_x`): whoever has one may walk over the segment.
    pub walked: Vec<u32>,
    /// The relocations of the code section, by place.
    pub in_code: Vec<Reloc>,
    /// The relocations of the data section, by place.
    pub in_data: Vec<Reloc>,
}

/// Reads and checks them.
///
/// # Errors
/// A [`Refusal`] for anything that is missing, unknown, or not what the bytes say.
pub fn read(linked: &LinkedModule<'_>) -> Result<Relocations, Refusal> {
    let SymbolTable {
        symbols,
        data,
        names,
        kept,
    } = symbol_table::read(linked)?;
    let mut relocations = Relocations {
        data,
        names,
        kept,
        ..Relocations::default()
    };
    for section in &linked.relocations {
        // Those of a custom section are of debug information.
        let index = section.section_index() as usize;
        let contents = linked.module.sections.get(index);
        match contents.map(|(id, contents)| (*id, contents)) {
            Some((sections::CODE, contents)) => {
                relocations.in_code =
                    relocations.section(linked, &symbols, section, (CODE, contents))?;
            }
            Some((sections::DATA, contents)) => {
                relocations.in_data =
                    relocations.section(linked, &symbols, section, (DATA, contents))?;
            }
            _ => {}
        }
    }
    // Code that only counts has no address in it.
    let has_places = !relocations.data.is_empty() || !linked.slots.is_empty();
    if relocations.in_code.is_empty() && !linked.module.bodies.is_empty() && has_places {
        return Err(Refusal::Missing(CODE));
    }
    Ok(relocations)
}

impl Relocations {
    /// Whether a function may be one that the linker wrote, which has calls but no relocations.
    pub fn is_linkers_own(&self, function: u32) -> bool {
        match &self.names[function as usize] {
            None => true,
            Some(name) => name.starts_with("__wasm_") || name.ends_with(".command_export"),
        }
    }

    fn section(
        &mut self,
        linked: &LinkedModule<'_>,
        symbols: &[Symbol],
        section: &RelocSectionReader<'_>,
        (name, range): (&'static str, &Range<usize>),
    ) -> Result<Vec<Reloc>, Refusal> {
        let mut relocs = Vec::new();
        for entry in section.entries() {
            let entry = entry.map_err(|error| unknown(&error, name))?;
            let at = range.start + entry.offset as usize;
            if at + entry.ty.extent() > range.end {
                return Err(Refusal::Stale {
                    section: name,
                    offset: at as u64,
                    what: "it points behind its section".into(),
                });
            }
            if let Some(Symbol::Absolute {
                address,
                marks_data: true,
            }) = symbols.get(entry.index as usize)
                && entry.ty != RelocationType::TypeIndexLeb
            {
                self.walked.push(*address);
            }
            let entry = Entry {
                linked,
                symbols,
                section: name,
                at,
                entry,
            };
            relocs.push(entry.resolve()?);
        }
        relocs.sort_by_key(|reloc| reloc.at);
        Ok(relocs)
    }
}

/// The reader stops at a relocation type that it does not know.
fn unknown(error: &BinaryReaderError, section: &'static str) -> Refusal {
    let words = error.message();
    match words
        .strip_prefix("invalid leading byte (")
        .and_then(|rest| rest.split_once(')'))
    {
        Some((number, rest)) if rest.contains("RelocEntryType") => Refusal::UnknownRelocation {
            kind: number.to_owned(),
            section,
        },
        _ => Refusal::Broken(ReadError {
            offset: error.offset(),
            message: format!("{section}: {words}"),
        }),
    }
}
