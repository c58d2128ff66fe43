//! What the functions and data of a core module are called. Read where the names still are, and
//! kept beside the module while it loses them; data keeps its addresses on the way, so that the
//! linked file's symbols name the shipped file's bytes.

use crate::wasm::linked::{ranges, symbol_names};
use crate::wasm::module::contents;
use crate::wasm::path::demangle;
use crate::wasm::{Module, ReadError, constant};
use std::ops::Range;
use wasmparser::{Data, DataKind, Operator};

/// What is known of one core module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The contents of its code section: what its functions are recognised by.
    pub code: Vec<u8>,
    /// How many functions it imports.
    pub imported: u32,
    /// The demangled name of each defined function, in order.
    pub functions: Vec<Option<String>>,
    /// What lies where in memory 0 at the start: by address, without overlaps.
    pub data: Vec<Piece>,
    /// The name of each data segment, for those without a fixed address.
    pub segments: Vec<String>,
}

/// A named piece of memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its addresses.
    pub range: Range<u64>,
    /// Its demangled name.
    pub name: String,
    /// Whether that is its segment's alone, because no symbol names it.
    pub is_segment: bool,
}

/// Reads the names that a core module carries itself.
///
/// # Errors
/// A [`ReadError`] where an address cannot be read.
pub fn read(module: &Module<'_>) -> Result<Names, ReadError> {
    let names = module.names();
    let segments = names.segments.into_iter().enumerate();
    let segments: Vec<_> = segments
        .map(|(number, name)| match name {
            Some(name) => format!("[data segment {name}]"),
            None => format!("[data segment {number}]"),
        })
        .collect();
    Ok(Names {
        code: module.code().to_vec(),
        imported: module.imported,
        functions: names
            .functions
            .into_iter()
            .map(|name| name.map(demangle))
            .collect(),
        data: pieces(module, &segments)?,
        segments,
    })
}

/// The address of a data segment in memory 0; none where it has no fixed one.
///
/// # Errors
/// A [`ReadError`] where it cannot be read.
pub fn address(segment: &Data<'_>) -> Result<Option<u64>, ReadError> {
    let DataKind::Active {
        memory_index: 0,
        offset_expr,
    } = &segment.kind
    else {
        return Ok(None);
    };
    Ok(match constant::lone(offset_expr)? {
        Some(Operator::I32Const { value }) => Some(u64::from(value as u32)),
        Some(Operator::I64Const { value }) => Some(value as u64),
        _ => None,
    })
}

/// The linker's symbols, and between them the segments they lie in.
fn pieces(module: &Module<'_>, segment_names: &[String]) -> Result<Vec<Piece>, ReadError> {
    let mut segments = Vec::new();
    let mut by_place = Vec::new();
    for (segment, name) in module.data.iter().zip(segment_names) {
        let Some(address) = address(segment)? else {
            continue;
        };
        by_place.push((contents(segment), address));
        segments.push(Piece {
            range: address..address.saturating_add(segment.data.len() as u64),
            name: name.clone(),
            is_segment: true,
        });
    }
    let mut symbols = Vec::new();
    for (range, name) in symbol_names::data_names(module) {
        let next = by_place.partition_point(|(segment, _)| segment.end <= range.start);
        if let Some((segment, address)) = by_place.get(next)
            && segment.contains(&range.start)
        {
            let start = address.saturating_add((range.start - segment.start) as u64);
            let range = start..start.saturating_add(range.len() as u64);
            symbols.push(Piece {
                range,
                name,
                is_segment: false,
            });
        }
    }
    Ok(disjoint(symbols, segments))
}

/// Each byte to one name: of symbols that overlap, as merged texts do, the one that begins first
/// has it, and of those the longest; a segment has what no symbol claims.
fn disjoint(symbols: Vec<Piece>, segments: Vec<Piece>) -> Vec<Piece> {
    let mut pieces = first_come(symbols, &[]);
    let taken: Vec<_> = pieces.iter().map(|piece| piece.range.clone()).collect();
    pieces.extend(first_come(segments, &taken));
    pieces.sort_by_key(|piece| piece.range.start);
    pieces
}

/// What is left for each claim by those before it, and by those who have `taken` theirs already.
fn first_come(mut claims: Vec<Piece>, taken: &[Range<u64>]) -> Vec<Piece> {
    claims.sort_by(|a, b| {
        (a.range.start, b.range.end, &a.name).cmp(&(b.range.start, a.range.end, &b.name))
    });
    let mut pieces = Vec::with_capacity(claims.len());
    let mut end = 0;
    for claim in claims {
        let range = claim.range.clone();
        let rest = range.start.max(end)..range.end;
        pieces.extend(
            ranges::without(&rest, taken)
                .into_iter()
                .map(|range| Piece {
                    range,
                    ..claim.clone()
                }),
        );
        end = end.max(range.end);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{Piece, disjoint};
    use std::ops::Range;

    /// Protects the sums: no byte has two names, and none that a segment covers has no name.
    #[test]
    fn every_byte_has_one_name() {
        let claims = |claims: &[(Range<u64>, &str)]| {
            let claims = claims.iter().cloned();
            let claims = claims.map(|(range, name)| Piece {
                range,
                name: name.to_owned(),
                is_segment: false,
            });
            claims.collect()
        };
        let symbols = claims(&[
            (105..110, "a"),
            (106..108, "inside"),
            (108..112, "overlaps"),
            (120..120, "empty"),
            (125..140, "wider"),
        ]);
        let segments = claims(&[(100..130, "s"), (120..150, "t")]);
        let pieces = disjoint(symbols, segments);
        let shown: Vec<_> = pieces
            .iter()
            .map(|p| (p.range.start, p.range.end, p.name.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                (100, 105, "s"),
                (105, 110, "a"),
                (110, 112, "overlaps"),
                (112, 125, "s"),
                (125, 140, "wider"),
                (140, 150, "t"),
            ]
        );
    }
}
