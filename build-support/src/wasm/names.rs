//! What the functions and data of a core module are called. Read where the names still are, and kept beside the
//! module while it loses them; data keeps its addresses on the way, so that the linked file's symbols name the
//! shipped file's bytes.

use crate::wasm::linked::symbol_names;
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
}

/// Reads the names that a core module carries itself.
///
/// # Errors
/// A [`ReadError`] where an address cannot be read; a broken name section is one, not a silence.
pub fn read(module: &Module<'_>) -> Result<Names, ReadError> {
    let names = module.names()?;
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
    let mut found = Vec::new();
    let mut by_place = Vec::new();
    for (segment, name) in module.data.iter().zip(segment_names) {
        let Some(address) = address(segment)? else {
            continue;
        };
        by_place.push((contents(segment), address));
        // Wider than any symbol in it: what is left of it is between symbols.
        found.push((
            address..address.saturating_add(segment.data.len() as u64),
            Rank::Segment,
            name.clone(),
        ));
    }
    for (range, name) in symbol_names::data_names(module) {
        let next = by_place.partition_point(|(segment, _)| segment.end <= range.start);
        if let Some((segment, address)) = by_place.get(next)
            && segment.contains(&range.start)
        {
            let start = address.saturating_add((range.start - segment.start) as u64);
            let end = start.saturating_add(range.len() as u64);
            found.push((start..end, Rank::Symbol, name));
        }
    }
    Ok(disjoint(found))
}

/// Who has a byte that several claim.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Symbol,
    Segment,
}

/// Each byte to one name: of symbols that overlap, as merged texts do, the one that begins first has it, and of
/// those the longest; a segment has what no symbol claims.
fn disjoint(mut claims: Vec<(Range<u64>, Rank, String)>) -> Vec<Piece> {
    claims.retain(|(range, ..)| !range.is_empty());
    claims.sort_by(|(a, a_rank, a_name), (b, b_rank, b_name)| {
        (a_rank, a.start, b.end)
            .cmp(&(b_rank, b.start, a.end))
            .then_with(|| a_name.cmp(b_name))
    });
    let symbols = claims.partition_point(|(_, rank, _)| *rank == Rank::Symbol);
    let segments = claims.split_off(symbols);
    let mut pieces: Vec<Piece> = Vec::with_capacity(claims.len());
    let mut end = 0;
    for (range, _, name) in claims {
        let range = range.start.max(end)..range.end;
        if !range.is_empty() {
            end = range.end;
            pieces.push(Piece { range, name });
        }
    }
    let mut gaps = Vec::new();
    let mut end = 0;
    for (range, _, name) in segments {
        let mut at = range.start.max(end);
        let first = pieces.partition_point(|piece| piece.range.end <= at);
        for piece in &pieces[first..] {
            if at >= range.end || piece.range.start >= range.end {
                break;
            }
            if piece.range.start > at {
                gaps.push(Piece {
                    range: at..piece.range.start,
                    name: name.clone(),
                });
            }
            at = at.max(piece.range.end);
        }
        if at < range.end {
            gaps.push(Piece {
                range: at..range.end,
                name,
            });
        }
        end = end.max(range.end);
    }
    pieces.extend(gaps);
    pieces.sort_by_key(|piece| piece.range.start);
    pieces
}

#[cfg(test)]
mod tests {
    use super::{Rank, disjoint};

    /// Protects the sums: no byte has two names, and none that a segment covers has no name.
    #[test]
    fn every_byte_has_one_name() {
        let claims = vec![
            (100..130, Rank::Segment, "s".to_owned()),
            (105..110, Rank::Symbol, "a".to_owned()),
            (106..108, Rank::Symbol, "inside".to_owned()),
            (108..112, Rank::Symbol, "overlaps".to_owned()),
            (120..120, Rank::Symbol, "empty".to_owned()),
            (125..140, Rank::Symbol, "wider".to_owned()),
            (120..150, Rank::Segment, "t".to_owned()),
        ];
        let pieces = disjoint(claims);
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
