//! One relocation: what stands at its place, compared with what its symbol says must stand there.

use super::symbol_table::Symbol;
use crate::wasm::linked::module::LinkedModule;
use crate::wasm::linked::refusal::Refusal;
use wasmparser::{BinaryReader, RelocationEntry, RelocationType as Type};

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
    /// A data symbol, by its position in [`Relocations::data`](super::Relocations::data).
    Data(u32),
    /// A table slot, by its position in [`LinkedModule::slots`].
    Slot(u32),
    /// Nothing that can be dead: an index, an absolute address, a weak symbol that is not there.
    Nothing,
}

/// A relocation as the file has it.
pub struct Entry<'a> {
    pub linked: &'a LinkedModule<'a>,
    /// The symbols that relocations refer to by number.
    pub symbols: &'a [Symbol],
    /// The section that it is in.
    pub section: &'static str,
    /// Its place in the file; the bytes that it covers are there.
    pub at: usize,
    pub entry: RelocationEntry,
}

/// The value that must stand at a relocation's place, and what it refers to.
type Expected = (u32, Target);

impl Entry<'_> {
    /// Reads what stands there, and checks it.
    ///
    /// # Errors
    /// A [`Refusal`] for a type that is not known, a symbol that is not there or of the wrong kind,
    /// and for bytes that say something else.
    pub fn resolve(&self) -> Result<Reloc, Refusal> {
        let (operand, actual) = self.operand()?;
        let actual = actual.ok_or_else(|| self.stale("no padded number stands there".into()))?;
        let (expected, target) = self.expected(actual)?;
        if actual != expected {
            return Err(self.stale(format!("{actual} stands there, not {expected}")));
        }
        Ok(Reloc {
            at: self.at,
            operand,
            target,
        })
    }

    /// What kind of operand is filled in, and the number in it.
    fn operand(&self) -> Result<(Operand, Option<u32>), Refusal> {
        Ok(match self.entry.ty {
            Type::FunctionIndexLeb => (Operand::Function, self.unsigned()),
            // Relative to a base that is a known number in a static module.
            Type::TableIndexSleb
            | Type::MemoryAddrSleb
            | Type::MemoryAddrRelSleb
            | Type::TableIndexRelSleb => (Operand::Constant, self.signed()),
            Type::MemoryAddrLeb => (Operand::Offset, self.unsigned()),
            Type::TypeIndexLeb
            | Type::GlobalIndexLeb
            | Type::EventIndexLeb
            | Type::TableNumberLeb => (Operand::Index, self.unsigned()),
            Type::TableIndexI32 | Type::MemoryAddrI32 | Type::MemoryAddrLocrelI32 => {
                (Operand::Word, Some(self.word()))
            }
            other => {
                return Err(Refusal::UnknownRelocation {
                    kind: format!("{other:?}"),
                    section: self.section,
                });
            }
        })
    }

    fn expected(&self, actual: u32) -> Result<Expected, Refusal> {
        let index = self.entry.index;
        if self.entry.ty == Type::TypeIndexLeb {
            return Ok((index, Target::Nothing));
        }
        let symbol = self.symbols.get(index as usize).ok_or_else(|| {
            Refusal::Symbols(format!("there is no symbol {index} ({})", self.section))
        })?;
        match (self.entry.ty, symbol) {
            (Type::FunctionIndexLeb, Symbol::Function(index)) => {
                Ok((*index, Target::Function(*index)))
            }
            (Type::TableIndexSleb | Type::TableIndexI32, Symbol::Function(index)) => {
                self.slot(actual, *index)
            }
            (Type::TableIndexRelSleb, Symbol::Function(index)) => {
                self.relative_slot(actual, *index)
            }
            (
                Type::GlobalIndexLeb | Type::EventIndexLeb | Type::TableNumberLeb,
                Symbol::Index(index),
            ) => Ok((*index, Target::Nothing)),
            (Type::GlobalIndexLeb, symbol) => self.global(actual, symbol),
            (_, symbol) => self.address(actual, symbol).ok_or_else(|| {
                Refusal::Symbols(format!(
                    "symbol {index} is not of the kind that its relocation in `{}` wants",
                    self.section
                ))
            }),
        }
    }

    /// The slot that holds a function.
    fn slot(&self, actual: u32, function: u32) -> Result<Expected, Refusal> {
        match self.linked.slot(actual) {
            Some(slot) if self.linked.slots[slot].function == function => {
                Ok((actual, Target::Slot(slot as u32)))
            }
            // A weak function that is not there: its pointer is null.
            None if actual == 0 => Ok((0, Target::Nothing)),
            _ => Err(self.stale(format!(
                "slot {actual} of the table does not hold function {function}"
            ))),
        }
    }

    /// The table begins at slot 1 unless the linker was told otherwise.
    fn relative_slot(&self, actual: u32, function: u32) -> Result<Expected, Refusal> {
        let slot = [actual.wrapping_add(1), actual]
            .into_iter()
            .filter_map(|number| self.linked.slot(number))
            .find(|slot| self.linked.slots[*slot].function == function)
            .ok_or_else(|| self.stale(format!("no slot of function {function} is meant")))?;
        Ok((actual, Target::Slot(slot as u32)))
    }

    /// The address stands in a global that the linker made for it: what is left of
    /// position-independent code (`@GOT`) in a static module.
    fn global(&self, actual: u32, symbol: &Symbol) -> Result<Expected, Refusal> {
        let held = self.linked.globals.get(actual as usize).copied().flatten();
        let target = match (symbol, held) {
            (Symbol::Data { position, address }, Some(held)) if held == *address => {
                Target::Data(*position)
            }
            (Symbol::Function(index), Some(held)) => match self.linked.slot(held) {
                Some(slot) if self.linked.slots[slot].function == *index => {
                    Target::Slot(slot as u32)
                }
                _ => {
                    return Err(
                        self.stale(format!("global {actual} holds no slot of function {index}"))
                    );
                }
            },
            (Symbol::Absolute { address, .. }, Some(held)) if held == *address => Target::Nothing,
            (Symbol::Undefined, Some(0)) => Target::Nothing,
            _ => {
                return Err(self.stale(format!(
                    "global {actual} does not hold the symbol's address"
                )));
            }
        };
        Ok((actual, target))
    }

    /// An address in memory; none where the relocation is not of one, or the symbol has none.
    fn address(&self, actual: u32, symbol: &Symbol) -> Option<Expected> {
        let addend = self.entry.addend as u32;
        let (is_local, is_relative) = match self.entry.ty {
            Type::MemoryAddrSleb | Type::MemoryAddrLeb | Type::MemoryAddrI32 => (false, false),
            Type::MemoryAddrRelSleb => (false, true),
            Type::MemoryAddrLocrelI32 => (true, true),
            _ => return None,
        };
        match symbol {
            Symbol::Data { position, address } => {
                let base = if is_local { self.own_address() } else { 0 };
                let value = address.wrapping_add(addend).wrapping_sub(base);
                Some((value, Target::Data(*position)))
            }
            Symbol::Absolute { address, .. } if !is_local => {
                Some((address.wrapping_add(addend), Target::Nothing))
            }
            Symbol::Undefined if !is_relative => {
                Some((if actual == addend { addend } else { 0 }, Target::Nothing))
            }
            _ => None,
        }
    }

    /// The address in memory of the place itself; 0 outside of every segment.
    fn own_address(&self) -> u32 {
        let mut segments = self.linked.segments.iter();
        segments
            .find(|segment| segment.range.contains(&self.at))
            .map_or(0, |segment| {
                let offset = (self.at - segment.range.start) as u32;
                segment.address.wrapping_add(offset)
            })
    }

    fn stale(&self, what: String) -> Refusal {
        Refusal::Stale {
            section: self.section,
            offset: self.at as u64,
            what,
        }
    }

    fn word(&self) -> u32 {
        let bytes = &self.linked.module.bytes[self.at..self.at + 4];
        u32::from_le_bytes(bytes.try_into().expect("four bytes"))
    }

    /// The padded LEB128 numbers that the linker leaves room for: five bytes, all used.
    fn unsigned(&self) -> Option<u32> {
        let mut reader = BinaryReader::new(&self.linked.module.bytes[self.at..self.at + 5], 0);
        let value = reader.read_var_u32().ok()?;
        reader.eof().then_some(value)
    }

    fn signed(&self) -> Option<u32> {
        let mut reader = BinaryReader::new(&self.linked.module.bytes[self.at..self.at + 5], 0);
        let value = reader.read_var_i32().ok()?;
        reader.eof().then_some(value as u32)
    }
}
