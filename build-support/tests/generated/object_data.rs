//! The data of a generated object program: statics that point at statics and at functions, strings
//! that the linker merges, overlapping symbols, bytes between symbols, pointers to the end.
//!
//! Whoever generates code asks here what may be read where, so that no access is out of bounds.

use crate::generated::object::{Relocation, Segment, Symbol, Target, flag, kind};
use crate::generated::random::Random;
use std::ops::Range;

/// What a cell of data holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// The address of a byte of other data, with so many bytes behind it; perhaps none.
    Pointer { to: usize, at: usize, room: usize },
    /// The addresses of the first byte and of the end of a range of other data; two words.
    Bounds { to: usize, range: Range<usize> },
    /// The address and the length of a range of other data; two words.
    Slice { to: usize, range: Range<usize> },
    /// The table slot of a function.
    Function(String),
    /// Null at first; code stores the address of one of these, which have four bytes or more.
    Variable(Vec<usize>),
}

/// Data with a name.
#[derive(Debug, Clone)]
pub struct Datum {
    /// Its symbols: name, first byte, size. The first is the whole.
    pub symbols: Vec<(String, usize, usize)>,
    /// The object file that defines it.
    pub file: usize,
    /// Whether only that file sees it.
    pub local: bool,
    /// Its bytes.
    pub size: usize,
    /// Bytes behind it that have no symbol.
    pub tail: usize,
    /// Whether it may be written.
    pub writable: bool,
    /// Its cells.
    pub cells: Vec<(usize, Cell)>,
    /// Where it has bytes that mean nothing.
    pub raw: Range<usize>,
}

/// All data, and the segments it lies in.
#[derive(Debug, Default)]
pub struct Data {
    /// The data.
    pub all: Vec<Datum>,
    /// The segments, with the file of each.
    pub segments: Vec<(usize, Segment)>,
}

/// Strings that share their ends and beginnings, as messages and paths do.
const WORDS: [&str; 10] = [
    "src/lib.rs",
    "lib.rs",
    "index out of bounds",
    "bounds",
    "called `unwrap` on `None`",
    "None",
    "a",
    "",
    "src/deep/er/mod.rs",
    "caf\u{e9}",
];

impl Data {
    /// Data that code in `file` may name, and that `fits`.
    pub fn seen_from(&self, file: usize, fits: impl Fn(&Datum) -> bool) -> Vec<usize> {
        let seen = |datum: &Datum| (!datum.local || datum.file == file) && fits(datum);
        (0..self.all.len())
            .filter(|at| seen(&self.all[*at]))
            .collect()
    }

    /// How code names `count` bytes of a datum from `at` on: by any symbol that covers them.
    pub fn address(&self, datum: usize, at: usize, count: usize, random: &mut Random) -> Target {
        let datum = &self.all[datum];
        let covering: Vec<_> = datum
            .symbols
            .iter()
            .filter(|(_, start, size)| *start <= at && at + count <= start + size)
            .collect();
        // Bytes without a symbol are reached from the one before them.
        let (name, start, _) = match covering.is_empty() {
            true => &datum.symbols[0],
            false => *random.pick(&covering),
        };
        Target::Address(name.clone(), at as i32 - *start as i32)
    }

    /// Adds a datum of random bytes with `cells` in it, and gives its number.
    pub fn add(
        &mut self,
        file: usize,
        writable: bool,
        cells: Vec<Cell>,
        random: &mut Random,
    ) -> usize {
        let number = self.all.len();
        let local = random.chance(40);
        let name = match local {
            true => format!("{file}/.Lanon.{number}"),
            false => format!("datum_{number}"),
        };
        let before = 4 * random.below(3);
        let words: usize = cells.iter().map(Cell::words).sum();
        let raw = match random.chance(50) && before > 0 {
            true => 0..before,
            false => before + 4 * words..before + 4 * words + random.between(4, 40),
        };
        let size = (before + 4 * words).max(raw.end);
        let mut datum = Datum {
            symbols: vec![(name, 0, size)],
            file,
            local,
            size,
            tail: if random.chance(15) {
                random.between(1, 9)
            } else {
                0
            },
            writable,
            cells: Vec::new(),
            raw,
        };
        let mut bytes = random.bytes(size + datum.tail);
        if random.chance(15) {
            bytes.fill(0);
        }
        let mut relocations = Vec::new();
        let mut at = before;
        for cell in cells {
            bytes[at..at + 4 * cell.words()].fill(0);
            self.fill(&cell, at, &mut bytes, &mut relocations, random);
            let words = cell.words();
            datum.cells.push((at, cell));
            at += 4 * words;
        }
        while random.chance(20) {
            let start = random.below(size);
            let name = format!("{}.part{}", datum.symbols[0].0, datum.symbols.len());
            datum
                .symbols
                .push((name, start, random.between(0, size - start)));
        }
        self.place(&datum, bytes, relocations, random);
        self.all.push(datum);
        number
    }

    fn fill(
        &self,
        cell: &Cell,
        at: usize,
        bytes: &mut [u8],
        relocations: &mut Vec<Relocation>,
        random: &mut Random,
    ) {
        let mut relocate = |offset, kind, target| {
            relocations.push(Relocation {
                offset,
                kind,
                target,
            })
        };
        match cell {
            Cell::Pointer {
                to,
                at: inner,
                room,
            } => {
                let target = self.address(*to, *inner, *room, random);
                relocate(at, kind::MEMORY_ADDR_I32, target);
            }
            Cell::Bounds { to, range } => {
                let first = self.address(*to, range.start, range.len(), random);
                let Target::Address(name, addend) = first.clone() else {
                    unreachable!("an address is one")
                };
                relocate(at, kind::MEMORY_ADDR_I32, first);
                let end = Target::Address(name, addend + range.len() as i32);
                relocate(at + 4, kind::MEMORY_ADDR_I32, end);
            }
            Cell::Slice { to, range } => {
                let target = self.address(*to, range.start, range.len(), random);
                relocate(at, kind::MEMORY_ADDR_I32, target);
                bytes[at + 4..at + 8].copy_from_slice(&(range.len() as u32).to_le_bytes());
            }
            Cell::Function(name) => relocate(at, kind::TABLE_INDEX_I32, Target::Slot(name.clone())),
            Cell::Variable(_) => {}
        }
    }

    /// Gives a datum a segment of its own, or a place in the last one of its file and kind.
    fn place(
        &mut self,
        datum: &Datum,
        bytes: Vec<u8>,
        mut relocations: Vec<Relocation>,
        random: &mut Random,
    ) {
        let prefix = match (
            datum.writable,
            bytes.iter().all(|b| *b == 0) && relocations.is_empty(),
        ) {
            (true, true) => ".bss",
            (true, false) => ".data",
            _ => ".rodata",
        };
        let flags = if datum.local {
            flag::LOCAL
        } else {
            *random.pick(&[0, flag::HIDDEN, flag::WEAK])
        };
        let mut symbols: Vec<Symbol> = datum
            .symbols
            .iter()
            .map(|(name, offset, size)| Symbol {
                name: name.clone(),
                flags,
                offset: *offset,
                size: *size,
            })
            .collect();
        let shared = random.chance(25);
        if let Some((file, segment)) = self.segments.last_mut()
            && shared
            && *file == datum.file
            && segment.name.starts_with(&format!("{prefix}."))
            && !segment.strings
        {
            let start = segment.bytes.len().next_multiple_of(4);
            segment.bytes.resize(start, 0xEE);
            segment.bytes.extend(bytes);
            symbols.iter_mut().for_each(|symbol| symbol.offset += start);
            relocations
                .iter_mut()
                .for_each(|relocation| relocation.offset += start);
            segment.symbols.extend(symbols);
            segment.relocations.extend(relocations);
            return;
        }
        let name = datum.symbols[0].0.rsplit('/').next().unwrap_or_default();
        let segment = Segment {
            name: format!("{prefix}.{name}"),
            align: random.between(2, 4) as u32,
            strings: false,
            bytes,
            symbols,
            relocations,
        };
        self.segments.push((datum.file, segment));
    }

    /// Adds strings to a segment that the linker merges with others of the kind.
    pub fn add_strings(&mut self, file: usize, count: usize, random: &mut Random) {
        let mut segment = Segment {
            name: ".rodata.str.1".to_owned(),
            align: 0,
            strings: true,
            bytes: Vec::new(),
            symbols: Vec::new(),
            relocations: Vec::new(),
        };
        for _ in 0..count {
            let mut text = (*random.pick(&WORDS)).as_bytes().to_vec();
            text.push(0);
            let name = format!("{file}/.L.str.{}", self.all.len());
            let size = text.len();
            segment.symbols.push(Symbol {
                name: name.clone(),
                flags: flag::LOCAL,
                offset: segment.bytes.len(),
                size,
            });
            segment.bytes.extend(text);
            self.all.push(Datum {
                symbols: vec![(name, 0, size)],
                file,
                local: true,
                size,
                tail: 0,
                writable: false,
                cells: Vec::new(),
                raw: 0..size,
            });
        }
        self.segments.push((file, segment));
    }

    /// A cell that points at data which `file` sees.
    pub fn pointer(&self, file: usize, random: &mut Random) -> Cell {
        let targets = self.seen_from(file, |datum| datum.size >= 1);
        let to = *random.pick(&targets);
        let size = self.all[to].size;
        let start = random.below(size);
        let range = start..random.between(start, size);
        match random.below(4) {
            0 => Cell::Bounds { to, range },
            1 => Cell::Slice { to, range },
            2 => Cell::Pointer {
                to,
                at: size,
                room: 0,
            },
            _ => Cell::Pointer {
                to,
                at: start,
                room: size - start,
            },
        }
    }
}

impl Cell {
    /// How many words it takes.
    pub fn words(&self) -> usize {
        match self {
            Cell::Bounds { .. } | Cell::Slice { .. } => 2,
            _ => 1,
        }
    }
}
