//! The linker's relocations (`linking`, `reloc.CODE`, `reloc.DATA`, written with
//! `--emit-relocs`): every operand and every word of data that holds an address, a function or a table
//! slot. Each entry is compared with the bytes it speaks of before anything is built on it.
//!
//! Format: the WebAssembly tool conventions, `Linking.md`.

use super::linked::Linked;
use super::refusal::Refusal;
use wasmparser::{BinaryReader, Linking, RelocationType, SymbolFlags, SymbolInfo};

/// Symbols of the linker's own that are used as numbers: nobody reaches data from them.
const MARKS_NO_DATA: &[&str] = &[
    "__heap_base",
    "__heap_end",
    "__data_end",
    "__stack_low",
    "__stack_high",
    "__memory_base",
    "__table_base",
    "__dso_handle",
    "__wasm_first_page_end",
];
const CODE: &str = "reloc.CODE";
const DATA: &str = "reloc.DATA";

/// What the linker says about the file.
#[derive(Default)]
pub struct Relocations {
    /// The data symbols that take room in a segment.
    pub data: Vec<DataSymbol>,
    /// The linker's name of each function, by its index; `None` for those that the linker made itself.
    pub names: Vec<Option<String>>,
    /// Functions that must stay whatever refers to them.
    pub kept: Vec<u32>,
    /// Addresses that code or data got from the linker without a symbol of their own, such as the ends of a
    /// segment (`__start_x`): whoever has one may walk over the segment.
    pub walked: Vec<u32>,
    /// The relocations of the code section, by place.
    pub in_code: Vec<Reloc>,
    /// The relocations of the data section, by place.
    pub in_data: Vec<Reloc>,
}

impl Relocations {
    /// Whether a function may be one that the linker wrote, which has calls but no relocations.
    pub fn is_linkers_own(&self, function: u32) -> bool {
        match &self.names[function as usize] {
            None => true,
            Some(name) => name.starts_with("__wasm_") || name.ends_with(".command_export"),
        }
    }
}

/// A named piece of a data segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSymbol {
    /// The linker's name.
    pub name: String,
    /// The bytes in the file.
    pub start: usize,
    /// The end of them; the same as the start for a symbol of no size.
    pub end: usize,
    /// Whether it must stay whatever refers to it.
    pub kept: bool,
}

/// An operand or word that the linker filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reloc {
    /// Its place in the file.
    pub at: usize,
    /// What stands there.
    pub operand: Operand,
    /// What it means.
    pub target: Target,
}

/// What kind of operand a relocation fills in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// A function index.
    Function,
    /// The constant of an `i32.const`.
    Constant,
    /// The offset of a load or store.
    Offset,
    /// An index of a type, global, table or tag.
    Index,
    /// A word of data.
    Word,
}

/// What a relocation refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A function.
    Function(u32),
    /// A data symbol, by its position in [`Relocations::data`].
    Data(u32),
    /// A table slot, by its position in [`Linked::slots`].
    Slot(u32),
    /// Nothing that can be dead: an index, an absolute address, a weak symbol that is not there.
    Nothing,
}

/// A symbol as relocations see it.
enum Symbol {
    Function(u32),
    Data { position: u32, address: u32 },
    Absolute { address: u32, marks_data: bool },
    Index(u32),
    Undefined,
    Other,
}

/// Reads and checks them.
///
/// # Errors
/// A [`Refusal`] for anything that is missing, unknown, or not what the bytes say.
pub fn read(linked: &Linked<'_>) -> Result<Relocations, Refusal> {
    let mut relocations = Relocations {
        names: vec![None; linked.functions.len()],
        ..Relocations::default()
    };
    let symbols = symbols(linked, &mut relocations)?;
    for section in &linked.relocations {
        let (range, name) = match section.section_index() {
            index if index == linked.code.1 && !linked.code.0.is_empty() => (&linked.code.0, CODE),
            index if index == linked.data.1 && !linked.data.0.is_empty() => (&linked.data.0, DATA),
            // Of a custom section: debug information.
            _ => continue,
        };
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
            relocs.push(resolve(linked, &symbols, &entry, at, name)?);
            if let Some(Symbol::Absolute {
                address,
                marks_data: true,
            }) = symbols.get(entry.index as usize)
                && entry.ty != RelocationType::TypeIndexLeb
            {
                relocations.walked.push(*address);
            }
        }
        relocs.sort_by_key(|reloc| reloc.at);
        match name {
            CODE => relocations.in_code = relocs,
            _ => relocations.in_data = relocs,
        }
    }
    if relocations.in_code.is_empty() && !linked.bodies.is_empty() {
        return Err(Refusal::Missing(CODE));
    }
    Ok(relocations)
}

/// The reader stops at a relocation type that it does not know.
fn unknown(error: &wasmparser::BinaryReaderError, section: &'static str) -> Refusal {
    let words = error.message();
    match words
        .strip_prefix("invalid leading byte (")
        .and_then(|rest| rest.split_once(')'))
    {
        Some((number, rest)) if rest.contains("RelocEntryType") => Refusal::UnknownRelocation {
            kind: number.to_owned(),
            section,
        },
        _ => Refusal::Broken {
            offset: error.offset(),
            message: format!("{section}: {words}"),
        },
    }
}

fn symbols(linked: &Linked<'_>, relocations: &mut Relocations) -> Result<Vec<Symbol>, Refusal> {
    let section = linked.linking.as_ref().ok_or(Refusal::Missing("linking"))?;
    let mut symbols = Vec::new();
    for subsection in section.subsections() {
        let Linking::SymbolTable(table) = subsection? else {
            continue;
        };
        for symbol in table {
            symbols.push(self::symbol(linked, relocations, &symbol?)?);
        }
    }
    Ok(symbols)
}

fn symbol(
    linked: &Linked<'_>,
    relocations: &mut Relocations,
    symbol: &SymbolInfo<'_>,
) -> Result<Symbol, Refusal> {
    let keeps =
        |flags: &SymbolFlags| flags.intersects(SymbolFlags::NO_STRIP | SymbolFlags::EXPORTED);
    Ok(match symbol {
        SymbolInfo::Func { flags, index, name } => {
            let Some(slot) = relocations.names.get_mut(*index as usize) else {
                return Err(Refusal::Symbols(format!(
                    "function {index} of symbol `{}` does not exist",
                    name.unwrap_or("?")
                )));
            };
            if let (Some(name), None) = (name, &slot) {
                *slot = Some((*name).to_owned());
            }
            if keeps(flags) {
                relocations.kept.push(*index);
            }
            Symbol::Function(*index)
        }
        SymbolInfo::Data {
            flags,
            name,
            symbol: Some(symbol),
        } => {
            if flags.contains(SymbolFlags::ABSOLUTE) {
                return Ok(Symbol::Absolute {
                    address: symbol.offset,
                    marks_data: !MARKS_NO_DATA.contains(name),
                });
            }
            let outside = || {
                Refusal::Symbols(format!(
                    "`{name}` lies at {}..{} of segment {}, which is not there",
                    symbol.offset,
                    u64::from(symbol.offset) + u64::from(symbol.size),
                    symbol.index
                ))
            };
            let segment = linked
                .segments
                .get(symbol.index as usize)
                .ok_or_else(outside)?;
            let start = segment.range.start + symbol.offset as usize;
            let end = start + symbol.size as usize;
            if end > segment.range.end {
                return Err(outside());
            }
            let position = relocations.data.len() as u32;
            relocations.data.push(DataSymbol {
                name: (*name).to_owned(),
                start,
                end,
                kept: keeps(flags),
            });
            Symbol::Data {
                position,
                address: segment.address.wrapping_add(symbol.offset),
            }
        }
        SymbolInfo::Data { symbol: None, .. } => Symbol::Undefined,
        SymbolInfo::Global { index, .. }
        | SymbolInfo::Event { index, .. }
        | SymbolInfo::Table { index, .. } => Symbol::Index(*index),
        SymbolInfo::Section { .. } => Symbol::Other,
    })
}

fn resolve(
    linked: &Linked<'_>,
    symbols: &[Symbol],
    entry: &wasmparser::RelocationEntry,
    at: usize,
    section: &'static str,
) -> Result<Reloc, Refusal> {
    use RelocationType as Type;
    let stale = |what: String| Refusal::Stale {
        section,
        offset: at as u64,
        what,
    };
    let word = || {
        let bytes = linked.bytes[at..at + 4].try_into().expect("four bytes");
        u32::from_le_bytes(bytes)
    };
    let (operand, actual) = match entry.ty {
        Type::FunctionIndexLeb => (Operand::Function, unsigned(linked, at)),
        // Relative to a base that is a known number in a static module.
        Type::TableIndexSleb
        | Type::MemoryAddrSleb
        | Type::MemoryAddrRelSleb
        | Type::TableIndexRelSleb => (Operand::Constant, signed(linked, at)),
        Type::MemoryAddrLeb => (Operand::Offset, unsigned(linked, at)),
        Type::TypeIndexLeb | Type::GlobalIndexLeb | Type::EventIndexLeb | Type::TableNumberLeb => {
            (Operand::Index, unsigned(linked, at))
        }
        Type::TableIndexI32 | Type::MemoryAddrI32 | Type::MemoryAddrLocrelI32 => {
            (Operand::Word, Some(word()))
        }
        other => {
            return Err(Refusal::UnknownRelocation {
                kind: format!("{other:?}"),
                section,
            });
        }
    };
    let actual = actual.ok_or_else(|| stale("no padded number stands there".into()))?;
    let symbol = match entry.ty {
        Type::TypeIndexLeb => &Symbol::Index(entry.index),
        _ => symbols.get(entry.index as usize).ok_or_else(|| {
            Refusal::Symbols(format!("there is no symbol {} ({section})", entry.index))
        })?,
    };
    let addend = entry.addend as u32;
    let (expected, target) = match (entry.ty, symbol) {
        (Type::FunctionIndexLeb, Symbol::Function(index)) => (*index, Target::Function(*index)),
        (Type::TableIndexSleb | Type::TableIndexI32, Symbol::Function(index)) => {
            match linked.slot(actual) {
                Some(position) if linked.slots[position].function == *index => {
                    (actual, Target::Slot(position as u32))
                }
                // A weak function that is not there: its pointer is null.
                None if actual == 0 => (0, Target::Nothing),
                _ => {
                    return Err(stale(format!(
                        "slot {actual} of the table does not hold function {index}"
                    )));
                }
            }
        }
        (
            Type::TypeIndexLeb | Type::GlobalIndexLeb | Type::EventIndexLeb | Type::TableNumberLeb,
            Symbol::Index(index),
        ) => (*index, Target::Nothing),
        // The address stands in a global that the linker made for it: what is left of position-independent
        // code (`@GOT`) in a static module.
        (Type::GlobalIndexLeb, symbol) => {
            let held = linked.globals.get(actual as usize).copied().flatten();
            let target = match (symbol, held) {
                (Symbol::Data { position, address }, Some(held)) if held == *address => {
                    Target::Data(*position)
                }
                (Symbol::Function(index), Some(held)) => match linked.slot(held) {
                    Some(slot) if linked.slots[slot].function == *index => {
                        Target::Slot(slot as u32)
                    }
                    _ => {
                        return Err(stale(format!(
                            "global {actual} holds no slot of function {index}"
                        )));
                    }
                },
                (Symbol::Absolute { address, .. }, Some(held)) if held == *address => {
                    Target::Nothing
                }
                (Symbol::Undefined, Some(0)) => Target::Nothing,
                _ => {
                    return Err(stale(format!(
                        "global {actual} does not hold the symbol's address"
                    )));
                }
            };
            (actual, target)
        }
        (Type::TableIndexRelSleb, Symbol::Function(index)) => {
            // The table begins at slot 1 unless the linker was told otherwise.
            let slot = [actual.wrapping_add(1), actual]
                .into_iter()
                .filter_map(|number| linked.slot(number))
                .find(|slot| linked.slots[*slot].function == *index)
                .ok_or_else(|| stale(format!("no slot of function {index} is meant")))?;
            (actual, Target::Slot(slot as u32))
        }
        (
            Type::MemoryAddrSleb
            | Type::MemoryAddrLeb
            | Type::MemoryAddrI32
            | Type::MemoryAddrRelSleb,
            Symbol::Data { position, address },
        ) => (address.wrapping_add(addend), Target::Data(*position)),
        (Type::MemoryAddrLocrelI32, Symbol::Data { position, address }) => (
            address
                .wrapping_add(addend)
                .wrapping_sub(address_of(linked, at).unwrap_or(0)),
            Target::Data(*position),
        ),
        (
            Type::MemoryAddrSleb
            | Type::MemoryAddrLeb
            | Type::MemoryAddrI32
            | Type::MemoryAddrRelSleb,
            Symbol::Absolute { address, .. },
        ) => (address.wrapping_add(addend), Target::Nothing),
        (Type::MemoryAddrSleb | Type::MemoryAddrLeb | Type::MemoryAddrI32, Symbol::Undefined) => {
            (if actual == addend { addend } else { 0 }, Target::Nothing)
        }
        _ => {
            return Err(Refusal::Symbols(format!(
                "symbol {} is not of the kind that its relocation in `{section}` wants",
                entry.index
            )));
        }
    };
    if actual != expected {
        return Err(stale(format!("{actual} stands there, not {expected}")));
    }
    Ok(Reloc {
        at,
        operand,
        target,
    })
}

/// The address in memory of a byte of the data section.
fn address_of(linked: &Linked<'_>, at: usize) -> Option<u32> {
    let segment = linked.segments.iter().find(|s| s.range.contains(&at))?;
    Some(
        segment
            .address
            .wrapping_add((at - segment.range.start) as u32),
    )
}

/// The padded LEB128 numbers that the linker leaves room for: five bytes, all used.
fn unsigned(linked: &Linked<'_>, at: usize) -> Option<u32> {
    let mut reader = BinaryReader::new(&linked.bytes[at..at + 5], 0);
    let value = reader.read_var_u32().ok()?;
    reader.eof().then_some(value)
}

fn signed(linked: &Linked<'_>, at: usize) -> Option<u32> {
    let mut reader = BinaryReader::new(&linked.bytes[at..at + 5], 0);
    let value = reader.read_var_i32().ok()?;
    reader.eof().then_some(value as u32)
}
