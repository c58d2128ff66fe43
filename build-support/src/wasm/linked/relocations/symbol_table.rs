//! The linker's symbol table (`linking`): what relocations refer to by number.

use crate::wasm::linked::module::LinkedModule;
use crate::wasm::linked::refusal::Refusal;
use wasmparser::{DefinedDataSymbol, Linking, SymbolFlags, SymbolInfo};

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

/// The symbols of a module.
pub struct SymbolTable {
    /// All of them, by the number that relocations use.
    pub symbols: Vec<Symbol>,
    /// Those of data that take room in a segment.
    pub data: Vec<DataSymbol>,
    /// The linker's name of each function, by its index; `None` for those that the linker made
    /// itself.
    pub names: Vec<Option<String>>,
    /// Functions that must stay whatever refers to them.
    pub kept: Vec<u32>,
}

/// A symbol as relocations see it.
pub enum Symbol {
    /// A function, by its index.
    Function(u32),
    /// A position in [`SymbolTable::data`], and the address.
    Data { position: u32, address: u32 },
    /// An address without bytes, and whether whoever has it may reach data from it.
    Absolute { address: u32, marks_data: bool },
    /// An index of a global, table or tag.
    Index(u32),
    /// Weak data that is not there.
    Undefined,
    /// A section.
    Other,
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

/// Reads the symbol table.
///
/// # Errors
/// A [`Refusal`] where it is missing, cannot be read, or names what is not there.
pub fn read(linked: &LinkedModule<'_>) -> Result<SymbolTable, Refusal> {
    let section = linked.linking.as_ref().ok_or(Refusal::Missing("linking"))?;
    let mut table = SymbolTable {
        symbols: Vec::new(),
        data: Vec::new(),
        names: vec![None; linked.module.functions.len()],
        kept: Vec::new(),
    };
    for subsection in section.subsections() {
        let Linking::SymbolTable(symbols) = subsection? else {
            continue;
        };
        for symbol in symbols {
            let symbol = table.symbol(linked, &symbol?)?;
            table.symbols.push(symbol);
        }
    }
    Ok(table)
}

impl SymbolTable {
    fn symbol(
        &mut self,
        linked: &LinkedModule<'_>,
        symbol: &SymbolInfo<'_>,
    ) -> Result<Symbol, Refusal> {
        Ok(match symbol {
            SymbolInfo::Func { flags, index, name } => {
                let Some(slot) = self.names.get_mut(*index as usize) else {
                    return Err(Refusal::Symbols(format!(
                        "function {index} of symbol `{}` does not exist",
                        name.unwrap_or("?")
                    )));
                };
                if let (Some(name), None) = (name, &slot) {
                    *slot = Some((*name).to_owned());
                }
                if keeps(*flags) {
                    self.kept.push(*index);
                }
                Symbol::Function(*index)
            }
            SymbolInfo::Data {
                flags,
                name,
                symbol: Some(symbol),
            } if flags.contains(SymbolFlags::ABSOLUTE) => Symbol::Absolute {
                address: symbol.offset,
                marks_data: !MARKS_NO_DATA.contains(name),
            },
            SymbolInfo::Data {
                flags,
                name,
                symbol: Some(symbol),
            } => self.data(linked, name, keeps(*flags), symbol)?,
            SymbolInfo::Data { symbol: None, .. } => Symbol::Undefined,
            SymbolInfo::Global { index, .. }
            | SymbolInfo::Event { index, .. }
            | SymbolInfo::Table { index, .. } => Symbol::Index(*index),
            SymbolInfo::Section { .. } => Symbol::Other,
        })
    }

    fn data(
        &mut self,
        linked: &LinkedModule<'_>,
        name: &str,
        kept: bool,
        symbol: &DefinedDataSymbol,
    ) -> Result<Symbol, Refusal> {
        let place = linked.segments.get(symbol.index as usize).map(|segment| {
            let start = segment.range.start + symbol.offset as usize;
            (segment, start, start + symbol.size as usize)
        });
        let Some((segment, start, end)) = place.filter(|(s, _, end)| *end <= s.range.end) else {
            return Err(Refusal::Symbols(format!(
                "`{name}` lies at {}..{} of segment {}, which is not there",
                symbol.offset,
                u64::from(symbol.offset) + u64::from(symbol.size),
                symbol.index
            )));
        };
        let position = self.data.len() as u32;
        self.data.push(DataSymbol {
            name: name.to_owned(),
            start,
            end,
            kept,
        });
        Ok(Symbol::Data {
            position,
            address: segment.address.wrapping_add(symbol.offset),
        })
    }
}

fn keeps(flags: SymbolFlags) -> bool {
    flags.intersects(SymbolFlags::NO_STRIP | SymbolFlags::EXPORTED)
}
