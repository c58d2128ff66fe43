//! Which source function each byte of code was written in: DWARF's account of what was inlined
//! where. It is of a linked file that was built with it; what is shipped has none.
//!
//! Formats: DWARF 4 and 5, "Inlinable and Inlined Subroutines"; for WebAssembly, addresses count
//! from the contents of the code section (tool conventions, `DWARF for WebAssembly`).

mod lines;

use super::module::{Module, as_usize};
use super::path;
use super::read_error::ReadError;
use gimli::{
    AttributeValue, DebugInfoOffset, DebuggingInformationEntry, Dwarf, EndianSlice, LittleEndian,
};
use lines::{Bytes, Unit};
use std::collections::HashMap;

type Entry<'a> = DebuggingInformationEntry<Bytes<'a>>;

/// Where nothing is known of a byte.
const UNKNOWN: u32 = u32::MAX;
/// How often a byte may be told anew, on the average: so deep functions are inlined in each other
/// at most.
const DEPTH: usize = 256;
/// How many references lead from an entry to the one with the name.
const REFERENCES: usize = 8;

/// The source functions of a module's code.
#[derive(Debug, Default)]
pub struct Origins {
    /// Each function once.
    pub functions: Vec<Source>,
    /// By the offset in the code section's contents, an index of them.
    by_byte: Vec<u32>,
}

/// A function as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source {
    /// Its path, demangled; its name alone where no more is said.
    pub name: String,
    /// The crate whose sources it stands in, where the name does not say it.
    pub krate: Option<String>,
}

impl Origins {
    /// How many bytes in a range of the code section are of which function; without those of which
    /// nothing is said.
    pub fn within(&self, range: std::ops::Range<usize>) -> HashMap<u32, u64> {
        let mut found = HashMap::new();
        for function in self.by_byte.get(range).unwrap_or_default() {
            if *function != UNKNOWN {
                *found.entry(*function).or_default() += 1;
            }
        }
        found
    }
}

/// Reads it; none where the module has no debug information.
///
/// # Errors
/// A [`ReadError`] where that cannot be read.
pub fn read(module: &Module<'_>) -> Result<Option<Origins>, ReadError> {
    let section = |name: &str| {
        let found = module.customs.iter().find(|custom| custom.name() == name);
        found.map(|custom| custom.data())
    };
    let Some(info) = section(".debug_info") else {
        return Ok(None);
    };
    let broken = |error: gimli::Error| ReadError {
        offset: (info.as_ptr() as u64).saturating_sub(module.bytes.as_ptr() as u64),
        message: format!("the debug information cannot be read: {error}"),
    };
    let dwarf = Dwarf::load(|id| {
        let bytes = section(id.name()).unwrap_or_default();
        Ok::<_, gimli::Error>(EndianSlice::new(bytes, LittleEndian))
    });
    let (code, _) = module.section(super::sections::CODE);
    let mut reader = Reader::new(dwarf.map_err(broken)?, code.len());
    reader.names().map_err(broken)?;
    reader.paint().map_err(broken)?;
    Ok(Some(reader.finish()))
}

/// Where a function's body, its length left out, is in the code section's contents.
pub fn place(module: &Module<'_>, position: usize) -> std::ops::Range<usize> {
    let (code, _) = module.section(super::sections::CODE);
    let body = as_usize(&module.bodies[position].range());
    body.start - code.start..body.end - code.start
}

struct Reader<'a> {
    dwarf: Dwarf<Bytes<'a>>,
    /// What the entries of functions say, by their place.
    named: HashMap<DebugInfoOffset, Named>,
    numbers: HashMap<String, u32>,
    origins: Origins,
    /// What is known of the name of each function.
    names: Vec<Name>,
    /// The crates of the files that the bytes of each function with half a name come from.
    votes: HashMap<u32, HashMap<String, u64>>,
    /// How many bytes may still be told.
    left: usize,
}

/// What a name says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    /// The crate, too.
    Path,
    /// What the linker calls it.
    Symbol,
    /// The last part of a path: line tables alone have no more.
    Last,
}

/// What an entry says of its function.
enum Named {
    Symbol(String),
    Name(String),
    Elsewhere(DebugInfoOffset),
}

impl<'a> Reader<'a> {
    fn new(dwarf: Dwarf<Bytes<'a>>, code: usize) -> Self {
        Self {
            dwarf,
            named: HashMap::new(),
            numbers: HashMap::new(),
            origins: Origins {
                functions: Vec::new(),
                by_byte: vec![UNKNOWN; code],
            },
            names: Vec::new(),
            votes: HashMap::new(),
            left: code.saturating_mul(DEPTH),
        }
    }

    /// Reads what functions are called.
    fn names(&mut self) -> gimli::Result<()> {
        let mut units = self.dwarf.units();
        while let Some(header) = units.next()? {
            let unit = self.dwarf.unit(header)?;
            let mut entries = unit.entries();
            while let Some(entry) = entries.next_dfs()? {
                if entry.tag() == gimli::DW_TAG_subprogram
                    && let Some(at) = entry.offset().to_debug_info_offset(&unit.header)
                    && let Some(named) = self.named(&unit, entry)?
                {
                    self.named.insert(at, named);
                }
            }
        }
        Ok(())
    }

    fn named(&self, unit: &Unit<'a>, entry: &Entry<'a>) -> gimli::Result<Option<Named>> {
        let text = |name| {
            let value = entry.attr_value(name);
            let text = value.map(|value| self.dwarf.attr_string(unit, value));
            let text = text.transpose()?;
            Ok::<_, gimli::Error>(text.map(|text| text.to_string_lossy().into_owned()))
        };
        for symbol in [gimli::DW_AT_linkage_name, gimli::DW_AT_MIPS_linkage_name] {
            if let Some(symbol) = text(symbol)? {
                return Ok(Some(Named::Symbol(symbol)));
            }
        }
        if let Some(at) = reference(unit, entry) {
            return Ok(Some(Named::Elsewhere(at)));
        }
        Ok(text(gimli::DW_AT_name)?.map(Named::Name))
    }

    /// Tells every byte its innermost function: those further in come later.
    fn paint(&mut self) -> gimli::Result<()> {
        let mut units = self.dwarf.units();
        while let Some(header) = units.next()? {
            let unit = self.dwarf.unit(header)?;
            let lines = lines::read(&self.dwarf, &unit)?;
            let is_rust = language(&unit)? == Some(gimli::DW_LANG_Rust);
            let mut painted = Vec::new();
            let mut entries = unit.entries();
            while let Some(entry) = entries.next_dfs()? {
                let function = match entry.tag() {
                    gimli::DW_TAG_subprogram => entry.offset().to_debug_info_offset(&unit.header),
                    gimli::DW_TAG_inlined_subroutine => reference(&unit, entry),
                    _ => continue,
                };
                let Some(function) = function.and_then(|at| self.number(at)) else {
                    continue;
                };
                let mut ranges = self.dwarf.die_ranges(&unit, entry)?;
                while let Some(range) = ranges.next()? {
                    let length = self.origins.by_byte.len() as u64;
                    // What the linker dropped has addresses that are none.
                    if range.begin >= range.end || range.end > length {
                        continue;
                    }
                    let range = range.begin as usize..range.end as usize;
                    self.left = self.left.saturating_sub(range.len());
                    if self.left == 0 {
                        return Ok(());
                    }
                    self.origins.by_byte[range.clone()].fill(function);
                    painted.push(range);
                }
            }
            // Folders of C have a `src`, too, and are no crates.
            if is_rust {
                self.vote(&lines, painted);
            }
        }
        Ok(())
    }

    /// The crates of files, for functions whose names do not say theirs.
    fn vote(&mut self, lines: &lines::Lines, mut painted: Vec<std::ops::Range<usize>>) {
        painted.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut end = 0;
        for range in painted {
            for at in range.start.max(end)..range.end {
                let function = self.origins.by_byte[at];
                if let Some(krate) = lines.krate(at as u64)
                    && self.names[function as usize] != Name::Path
                {
                    let votes = self.votes.entry(function).or_default();
                    match votes.get_mut(krate) {
                        Some(count) => *count += 1,
                        None => drop(votes.insert(krate.to_owned(), 1)),
                    }
                }
            }
            end = end.max(range.end);
        }
    }

    /// The number of the function that an entry is of.
    fn number(&mut self, mut at: DebugInfoOffset) -> Option<u32> {
        for _ in 0..REFERENCES {
            let (name, says) = match self.named.get(&at)? {
                Named::Elsewhere(other) => {
                    at = *other;
                    continue;
                }
                Named::Symbol(symbol) => (path::demangle(symbol), Name::Symbol),
                Named::Name(name) => (name.clone(), Name::Last),
            };
            let is_path = path::says_its_crate(&name);
            let next = self.numbers.len() as u32;
            let number = *self.numbers.entry(name.clone()).or_insert(next);
            if number == next {
                let krate = None;
                self.origins.functions.push(Source { name, krate });
                self.names.push(if is_path { Name::Path } else { says });
            }
            return Some(number);
        }
        None
    }

    fn finish(mut self) -> Origins {
        for (function, votes) in self.votes {
            let votes = votes.into_iter().map(|(krate, count)| (count, krate));
            let Some((_, krate)) = votes.max() else {
                continue;
            };
            let source = &mut self.origins.functions[function as usize];
            if self.names[function as usize] == Name::Last {
                source.name = format!("{krate}::…::{}", source.name);
            }
            source.krate = Some(krate);
        }
        self.origins
    }
}

/// What the sources of a unit are written in.
fn language(unit: &Unit<'_>) -> gimli::Result<Option<gimli::DwLang>> {
    let mut entries = unit.entries();
    let entry = entries.next_dfs()?;
    let value = entry.and_then(|entry| entry.attr_value(gimli::DW_AT_language));
    Ok(match value {
        Some(AttributeValue::Language(language)) => Some(language),
        _ => None,
    })
}

/// The entry that another one is an instance of.
fn reference(unit: &Unit<'_>, entry: &Entry<'_>) -> Option<DebugInfoOffset> {
    let origin = entry.attr_value(gimli::DW_AT_abstract_origin);
    match origin.or_else(|| entry.attr_value(gimli::DW_AT_specification))? {
        AttributeValue::UnitRef(at) => at.to_debug_info_offset(&unit.header),
        AttributeValue::DebugInfoRef(at) => Some(at),
        _ => None,
    }
}
