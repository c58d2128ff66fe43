//! A file taken apart into functions, pieces of data, and sections. What a section holds besides is its frame:
//! found by subtraction, so that nothing is counted twice or left out.

use super::{Kind, Rows};
use crate::wasm::artifact::{
    self, Artifact, COMPONENT_SECTION, CORE_MODULE_SECTION, Fault, HEADER,
};
use crate::wasm::names::{self, Names};
use wasmparser::{
    BinaryReader, CodeSectionReader, DataSectionReader, ImportSectionReader, TypeRef,
};

/// Section ids (core specification, binary format).
const CUSTOM: u8 = 0;
const IMPORT: u8 = 2;
const CODE: u8 = 10;
const DATA: u8 = 11;

/// Names a core module by its code section's contents.
type NamesOf<'a, 'b> = dyn FnMut(&[u8]) -> Option<&'a Names> + 'b;

/// Adds a row for every byte of the file.
pub(super) fn run<'a>(
    artifact: &Artifact,
    names_of: &mut NamesOf<'a, '_>,
    rows: &mut Rows,
) -> Result<(), Fault> {
    match artifact.kind() {
        artifact::Kind::Core => module(artifact.bytes(), 0, None, names_of, rows),
        artifact::Kind::Component => component(artifact.bytes(), names_of, rows),
    }
}

/// A section: what it is, where it begins in its file, what it takes with its id and length, what it holds.
struct Section<'a> {
    id: u8,
    bytes: u64,
    contents: &'a [u8],
    at: u64,
}

fn section<'a>(reader: &mut BinaryReader<'a>) -> Result<Section<'a>, Fault> {
    let start = reader.original_position();
    let id = reader.read_u8()?;
    let size = reader.read_var_u32()? as usize;
    let at = reader.original_position();
    let contents = reader.read_bytes(size)?;
    Ok(Section {
        id,
        bytes: reader.original_position() - start,
        contents,
        at,
    })
}

/// Goes over a component in file order, nested ones where they stand, without recursion.
fn component<'a>(
    bytes: &[u8],
    names_of: &mut NamesOf<'a, '_>,
    rows: &mut Rows,
) -> Result<(), Fault> {
    let mut ordinal = 0;
    let mut open = vec![body(bytes, 0)];
    rows.add(
        Kind::Component,
        None,
        "[component header]".into(),
        HEADER as u64,
    );
    while let Some(reader) = open.last_mut() {
        if reader.eof() {
            open.pop();
            continue;
        }
        let section = section(reader)?;
        let frame = section.bytes - section.contents.len() as u64;
        match section.id {
            CORE_MODULE_SECTION => {
                rows.add(Kind::Component, None, "[core module frame]".into(), frame);
                module(section.contents, section.at, Some(ordinal), names_of, rows)?;
                ordinal += 1;
            }
            COMPONENT_SECTION => {
                let frame = frame + HEADER as u64;
                rows.add(
                    Kind::Component,
                    None,
                    "[nested component frame]".into(),
                    frame,
                );
                open.push(body(section.contents, section.at));
            }
            CUSTOM => {
                let name = custom_name(section.contents, section.at)?;
                rows.add(Kind::Custom, None, name, section.bytes);
            }
            id => {
                let name = format!("[component {} section]", component_section(id));
                rows.add(Kind::Component, None, name, section.bytes);
            }
        }
    }
    Ok(())
}

/// What stands behind the header.
fn body(bytes: &[u8], at: u64) -> BinaryReader<'_> {
    let header = HEADER.min(bytes.len());
    BinaryReader::new(&bytes[header..], at + header as u64)
}

fn module<'a>(
    bytes: &[u8],
    at: u64,
    core: Option<u32>,
    names_of: &mut NamesOf<'a, '_>,
    rows: &mut Rows,
) -> Result<(), Fault> {
    let mut reader = body(bytes, at);
    rows.add(Kind::Section, core, "[module header]".into(), HEADER as u64);
    let mut sections = Vec::new();
    let mut code: &[u8] = &[];
    let mut imported = 0;
    while !reader.eof() {
        let section = section(&mut reader)?;
        match section.id {
            CODE => code = section.contents,
            IMPORT => {
                let contents = BinaryReader::new(section.contents, section.at);
                for import in ImportSectionReader::new(contents)?.into_imports() {
                    let function = matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                    imported += u32::from(function);
                }
            }
            _ => {}
        }
        sections.push(section);
    }
    let names = names_of(code);
    for section in &sections {
        let contents = BinaryReader::new(section.contents, section.at);
        let named = match section.id {
            CUSTOM => {
                let name = custom_name(section.contents, section.at)?;
                rows.add(Kind::Custom, core, name, section.bytes);
                continue;
            }
            CODE => functions(contents, imported, core, names, rows)?,
            DATA => data(contents, core, names, rows)?,
            _ => 0,
        };
        let frame = section.bytes.checked_sub(named).ok_or_else(|| Fault {
            offset: section.at,
            message: format!("section {} holds more than it is long", section.id),
        })?;
        let name = format!("[{} section]", core_section(section.id));
        rows.add(Kind::Section, core, name, frame);
    }
    Ok(())
}

/// Adds the functions, each with its length in front; gives what they take.
fn functions(
    contents: BinaryReader<'_>,
    imported: u32,
    core: Option<u32>,
    names: Option<&Names>,
    rows: &mut Rows,
) -> Result<u64, Fault> {
    let reader = CodeSectionReader::new(contents)?;
    let first = reader.original_position();
    let mut end = first;
    for (position, body) in reader.into_iter().enumerate() {
        let range = body?.range();
        let index = imported + position as u32;
        let name = names.and_then(|names| names.functions.get(position)?.clone());
        let name = name.unwrap_or_else(|| format!("[function {index}]"));
        let row = rows.add(Kind::Function, core, name, range.end - end);
        row.functions.push(index);
        end = range.end;
    }
    Ok(end - first)
}

/// Adds the contents of the data segments by what lies at their addresses; gives what they take.
fn data(
    contents: BinaryReader<'_>,
    core: Option<u32>,
    names: Option<&Names>,
    rows: &mut Rows,
) -> Result<u64, Fault> {
    let mut named = 0;
    for (number, segment) in DataSectionReader::new(contents)?.into_iter().enumerate() {
        let segment = names::segment(&segment?)?;
        let whole = segment.range.len() as u64;
        let length = segment.data.len() as u64;
        let header = "[data section] segment headers".to_owned();
        rows.add(Kind::Section, core, header, whole - length);
        named += whole;
        let own = || {
            let name = names.and_then(|names| names.segments.get(number).cloned());
            name.unwrap_or_else(|| format!("[data segment {number}]"))
        };
        let (Some(start), Some(names)) = (segment.address, names) else {
            rows.add(Kind::Data, core, own(), length);
            continue;
        };
        let end = start.saturating_add(length);
        let mut at = start;
        let first = names.data.partition_point(|piece| piece.range.end <= start);
        let here = names.data[first..].iter();
        for piece in here.take_while(|piece| piece.range.start < end) {
            let range = piece.range.start.max(at)..piece.range.end.min(end);
            if range.start > at {
                rows.add(Kind::Data, core, OUTSIDE.into(), range.start - at);
            }
            rows.add(
                Kind::Data,
                core,
                piece.name.clone(),
                range.end - range.start,
            );
            at = range.end;
        }
        // Behind the last address there is memory no more, but there may be bytes.
        let rest = length - (at - start);
        if rest > 0 {
            rows.add(Kind::Data, core, OUTSIDE.into(), rest);
        }
    }
    Ok(named)
}

/// What no specification that is known here says anything of.
const UNKNOWN: &str = "unknown";

/// Data at an address where the linked file had none.
const OUTSIDE: &str = "[outside of every symbol]";

/// Every name a section can have, custom ones left out, the core module's first.
pub(super) fn section_names() -> Vec<String> {
    let core = (1..=13).map(|id| core_section(id).to_owned());
    let component = (2..=12)
        .map(component_section)
        .filter(|name| *name != UNKNOWN)
        .map(|name| format!("component {name}"));
    let frames = [
        "module header",
        "component header",
        "core module frame",
        "nested component frame",
    ];
    let frames = frames.map(str::to_owned);
    core.chain(component).chain(frames).collect()
}

fn custom_name(contents: &[u8], at: u64) -> Result<String, Fault> {
    let name = BinaryReader::new(contents, at).read_unlimited_string()?;
    Ok(name.to_owned())
}

/// Core specification, binary format, "Modules", and the proposals for tags.
fn core_section(id: u8) -> &'static str {
    match id {
        1 => "type",
        IMPORT => "import",
        3 => "function",
        4 => "table",
        5 => "memory",
        6 => "global",
        7 => "export",
        8 => "start",
        9 => "element",
        CODE => "code",
        DATA => "data",
        12 => "data count",
        13 => "tag",
        _ => UNKNOWN,
    }
}

/// Component model, `Binary.md`.
fn component_section(id: u8) -> &'static str {
    match id {
        2 => "core instance",
        3 => "core type",
        5 => "instance",
        6 => "alias",
        7 => "type",
        8 => "canonical",
        9 => "start",
        10 => "import",
        11 => "export",
        12 => "value",
        _ => UNKNOWN,
    }
}
