//! What the functions and data of a core module are called. Read where the names still are, and kept beside the
//! module while it loses them; data keeps its addresses on the way, so that the linked file's symbols name the
//! shipped file's bytes.

use crate::wasm::artifact::Fault;
use crate::wasm::linked::symbol_names;
use crate::wasm::path::demangle;
use std::ops::Range;
use wasmparser::{
    ConstExpr, DataKind, ExternalKind, KnownCustom, Name, NameMap, Operator, Parser, Payload,
    TypeRef,
};

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

/// Where a data segment goes, and where it stands in the file.
pub struct Segment<'a> {
    /// Its address in memory 0; none where it has no fixed one.
    pub address: Option<u64>,
    /// All of it in the file, its header included.
    pub range: Range<usize>,
    /// Its contents.
    pub data: &'a [u8],
}

/// Reads the names that a valid core module carries itself.
///
/// # Errors
/// A [`Fault`] where a section cannot be read; a broken name section is one, not a silence.
pub fn read(module: &[u8]) -> Result<Names, Fault> {
    let mut names = Names::default();
    let mut defined = 0;
    let (mut exports, mut functions) = (Vec::new(), Vec::new());
    let (mut segments, mut segment_names) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let function = matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                    names.imported += u32::from(function);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.kind == ExternalKind::Func {
                        exports.push((export.index, export.name));
                    }
                }
            }
            Payload::CodeSectionStart {
                count,
                unchecked_range: range,
                ..
            } => {
                defined = count as usize;
                let contents = module.get(range.start as usize..range.end as usize);
                names.code = contents.unwrap_or_default().to_vec();
            }
            Payload::DataSection(section) => {
                for segment in section {
                    segments.push(self::segment(&segment?)?);
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(reader) = section.as_known() {
                    for subsection in reader {
                        match subsection? {
                            Name::Function(map) => collect(map, &mut functions)?,
                            Name::Data(map) => collect(map, &mut segment_names)?,
                            _ => {}
                        }
                    }
                }
            }
            _ => {}
        }
    }
    names.functions = vec![None; defined];
    // The name section is what the compiler said; an export's name is better than none.
    for (index, name) in exports.into_iter().chain(functions) {
        let position = index.checked_sub(names.imported);
        if let Some(slot) = position.and_then(|i| names.functions.get_mut(i as usize)) {
            *slot = Some(demangle(name));
        }
    }
    names.segments = (0..segments.len())
        .map(|number| format!("[data segment {number}]"))
        .collect();
    for (index, name) in segment_names {
        if let Some(slot) = names.segments.get_mut(index as usize) {
            *slot = format!("[data segment {name}]");
        }
    }
    names.data = pieces(module, &segments, &names.segments);
    Ok(names)
}

/// Where a data segment is and goes.
///
/// # Errors
/// A [`Fault`] where its address cannot be read.
pub fn segment<'a>(segment: &wasmparser::Data<'a>) -> Result<Segment<'a>, Fault> {
    let address = match &segment.kind {
        DataKind::Active {
            memory_index: 0,
            offset_expr,
        } => constant(offset_expr)?,
        _ => None,
    };
    Ok(Segment {
        address,
        range: segment.range.start as usize..segment.range.end as usize,
        data: segment.data,
    })
}

/// The value of a lone constant.
fn constant(expression: &ConstExpr<'_>) -> Result<Option<u64>, Fault> {
    let mut reader = expression.get_operators_reader();
    let first = reader.read()?;
    let last = reader.read()?;
    Ok(match (first, last) {
        (Operator::I32Const { value }, Operator::End) => Some(u64::from(value as u32)),
        (Operator::I64Const { value }, Operator::End) => Some(value as u64),
        _ => None,
    })
}

fn collect<'a>(map: NameMap<'a>, out: &mut Vec<(u32, &'a str)>) -> Result<(), Fault> {
    for naming in map {
        let naming = naming?;
        out.push((naming.index, naming.name));
    }
    Ok(())
}

/// The linker's symbols, and between them the segments they lie in.
fn pieces(module: &[u8], segments: &[Segment<'_>], segment_names: &[String]) -> Vec<Piece> {
    let mut found = Vec::new();
    let placed = segments.iter().zip(segment_names);
    let mut by_place = Vec::new();
    for (segment, name) in placed {
        let Some(address) = segment.address else {
            continue;
        };
        let length = segment.data.len() as u64;
        let from = segment.range.end - segment.data.len();
        by_place.push((from..segment.range.end, address));
        // Wider than any symbol in it: what is left of it is between symbols.
        found.push((
            address..address.saturating_add(length),
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
    disjoint(found)
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
