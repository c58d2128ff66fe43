//! The symbol table of a relocatable object, and relocations, which refer to it by number.

use crate::generated::object::{Relocation, Symbol, Target, flag};
use wasm_encoder::Encode as _;

/// An entry of the symbol table.
pub enum Entry<'a> {
    Function {
        flags: u32,
        index: u32,
        name: &'a str,
    },
    Data {
        symbol: &'a Symbol,
        segment: u32,
    },
    Elsewhere {
        name: &'a str,
    },
    StackPointer,
    Table,
}

/// The symbol table of an object.
#[derive(Default)]
pub struct Symbols<'a> {
    entries: Vec<Entry<'a>>,
}

impl<'a> Symbols<'a> {
    /// Adds an entry.
    pub fn add(&mut self, entry: Entry<'a>) {
        self.entries.push(entry);
    }

    /// The number of a function or of data, by its name.
    pub fn find(&self, wanted: &str) -> Option<u32> {
        let at = self.entries.iter().position(|entry| match entry {
            Entry::Function { name, .. } | Entry::Elsewhere { name } => *name == wanted,
            Entry::Data { symbol, .. } => symbol.name == wanted,
            _ => false,
        });
        at.map(|at| at as u32)
    }

    /// The same, of what is surely there.
    pub fn function(&self, name: &str) -> u32 {
        self.find(name)
            .unwrap_or_else(|| panic!("{name} is in no symbol table"))
    }

    /// The number of the stack pointer or the table.
    pub fn special(&self, wanted: fn(&Entry<'_>) -> bool) -> u32 {
        self.entries
            .iter()
            .position(wanted)
            .expect("every object has it") as u32
    }

    /// The subsection's bytes.
    pub fn encode(&self) -> Vec<u8> {
        const FUNCTION: u8 = 0;
        const DATA: u8 = 1;
        const GLOBAL: u8 = 2;
        const TABLE: u8 = 5;
        let mut out = Vec::new();
        (self.entries.len() as u32).encode(&mut out);
        for entry in &self.entries {
            match entry {
                Entry::Function { flags, index, name } => {
                    out.push(FUNCTION);
                    flags.encode(&mut out);
                    index.encode(&mut out);
                    // An undefined symbol has the import's name, unless it says otherwise.
                    if flags & flag::UNDEFINED == 0 || flags & flag::EXPLICIT_NAME != 0 {
                        name.encode(&mut out);
                    }
                }
                Entry::Data { symbol, segment } => {
                    out.push(DATA);
                    symbol.flags.encode(&mut out);
                    written(&symbol.name).encode(&mut out);
                    segment.encode(&mut out);
                    (symbol.offset as u32).encode(&mut out);
                    (symbol.size as u32).encode(&mut out);
                }
                Entry::Elsewhere { name } => {
                    out.push(DATA);
                    flag::UNDEFINED.encode(&mut out);
                    written(name).encode(&mut out);
                }
                Entry::StackPointer => {
                    out.push(GLOBAL);
                    flag::UNDEFINED.encode(&mut out);
                    0u32.encode(&mut out);
                }
                Entry::Table => {
                    out.push(TABLE);
                    (flag::UNDEFINED | flag::NO_STRIP).encode(&mut out);
                    0u32.encode(&mut out);
                }
            }
        }
        out
    }

    /// The entries of a relocation section, with the place of each in it.
    pub fn relocations(&self, all: &[(usize, &Relocation)]) -> Vec<u8> {
        let mut out = Vec::new();
        (all.len() as u32).encode(&mut out);
        for (offset, relocation) in all {
            out.push(relocation.kind);
            (*offset as u32).encode(&mut out);
            let index = match &relocation.target {
                Target::Call(name) | Target::Slot(name) | Target::Address(name, _) => {
                    self.function(name)
                }
                Target::Type(index) => *index,
                Target::Table => self.special(|e| matches!(e, Entry::Table)),
                Target::StackPointer => self.special(|e| matches!(e, Entry::StackPointer)),
            };
            index.encode(&mut out);
            if let Target::Address(_, addend) = relocation.target {
                addend.encode(&mut out);
            }
        }
        out
    }
}

/// Names of one object may be those of another's too: what stands before the last slash keeps them
/// apart here.
fn written(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
