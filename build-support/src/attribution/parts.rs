//! A file taken apart into functions, pieces of data, and sections. What a section holds besides is
//! its frame: found by subtraction, so that nothing is counted twice or left out.

use super::rows::{RowKind, Rows};
use crate::wasm::artifact::{self, Artifact};
use crate::wasm::contents::{self, Kind};
use crate::wasm::module::as_usize;
use crate::wasm::names::{self, Names};
use crate::wasm::sections::{self, CODE, COMPONENT, CORE_MODULE, CUSTOM, DATA, HEADER, IMPORT};
use crate::wasm::{Module, ReadError};
use wasmparser::BinaryReader;

/// Names a core module by its code section's contents.
type NamesOf<'a, 'b> = dyn FnMut(&[u8]) -> Option<&'a Names> + 'b;

/// Adds a row for every byte of the file.
pub(super) fn run<'a>(
    artifact: &Artifact,
    names_of: &mut NamesOf<'a, '_>,
    rows: &mut Rows,
) -> Result<(), ReadError> {
    match artifact.kind() {
        artifact::FileKind::Core => module(artifact.bytes(), 0, names_of, rows),
        artifact::FileKind::Component => component(artifact.bytes(), names_of, rows),
    }
}

/// Goes over a component in file order, nested ones where they stand.
fn component<'a>(
    bytes: &[u8],
    names_of: &mut NamesOf<'a, '_>,
    rows: &mut Rows,
) -> Result<(), ReadError> {
    let mut ordinal = 0;
    let header = HEADER as u64;
    rows.add_section(RowKind::Component, "[component header]", header, 0);
    for section in sections::at_any_depth(bytes) {
        let section = section?;
        let whole = section.range.len() as u64;
        let at = section.range.start as u64;
        let frame = whole - section.contents.len() as u64;
        match section.id {
            CORE_MODULE => {
                rows.add_section(RowKind::Component, "[core module frame]", frame, at);
                rows.core = Some(ordinal);
                module(section.contents, section.inside().start, names_of, rows)?;
                rows.core = None;
                ordinal += 1;
            }
            COMPONENT => {
                let name = "[nested component frame]";
                rows.add_section(RowKind::Component, name, frame + header, at);
            }
            CUSTOM => {
                let inside = section.inside().start as u64;
                let name = BinaryReader::new(section.contents, inside).read_unlimited_string()?;
                rows.add_section(RowKind::Custom, name, whole, at);
            }
            id => {
                let name = format!("[component {} section]", component_section(id));
                rows.add_section(RowKind::Component, name, whole, at);
            }
        }
    }
    Ok(())
}

/// Adds the rows of a core module that begins at `base` of the file.
fn module<'a>(
    bytes: &[u8],
    base: usize,
    names_of: &mut NamesOf<'a, '_>,
    rows: &mut Rows,
) -> Result<(), ReadError> {
    let module = Module::read(bytes)?;
    let header = "[module header]";
    rows.add_section(RowKind::Section, header, HEADER as u64, base as u64);
    let names = names_of(module.code());
    let mut customs = module.customs.iter();
    let mut end = HEADER;
    for (id, contents) in &module.sections {
        let whole = (contents.end - end) as u64;
        let at = (base + end) as u64;
        end = contents.end;
        let named = match *id {
            CUSTOM => {
                let name = customs.next().map_or("", |custom| custom.name());
                rows.add_section(RowKind::Custom, name, whole, at);
                continue;
            }
            CODE => functions(&module, names, rows),
            DATA => data(&module, names, rows)?,
            _ => 0,
        };
        let frame = whole.checked_sub(named).ok_or_else(|| ReadError {
            offset: contents.start as u64,
            message: format!("section {id} holds more than it is long"),
        })?;
        let name = format!("[{} section]", core_section(*id));
        rows.add_section(RowKind::Section, name, frame, at);
    }
    Ok(())
}

/// Adds the functions, each with its length in front; gives what they take.
fn functions(module: &Module<'_>, names: Option<&Names>, rows: &mut Rows) -> u64 {
    let mut named = 0;
    for (position, bytes) in module.function_bytes().enumerate() {
        let index = module.imported + position as u32;
        let name = names.and_then(|names| names.functions.get(position)?.clone());
        let name = name.unwrap_or_else(|| format!("[function {index}]"));
        let row = rows.add(RowKind::Function, name, bytes);
        row.functions.push(index);
        named += bytes;
    }
    named
}

/// Adds the contents of the data segments by what lies at their addresses; gives what they take.
fn data(module: &Module<'_>, names: Option<&Names>, rows: &mut Rows) -> Result<u64, ReadError> {
    let mut named = 0;
    for (number, segment) in module.data.iter().enumerate() {
        let whole = as_usize(&segment.range).len() as u64;
        let length = segment.data.len() as u64;
        let header = "[data section] segment headers";
        rows.add(RowKind::Section, header, whole - length);
        named += whole;
        let (Some(start), Some(names)) = (names::address(segment)?, names) else {
            let name = names.and_then(|names| names.segments.get(number).cloned());
            let name = name.unwrap_or_else(|| format!("[data segment {number}]"));
            add_contents(rows, &name, segment.data);
            continue;
        };
        let end = start.saturating_add(length);
        let mut at = start;
        let first = names.data.partition_point(|piece| piece.range.end <= start);
        let here = names.data[first..].iter();
        for piece in here.take_while(|piece| piece.range.start < end) {
            let range = piece.range.start.max(at)..piece.range.end.min(end);
            if range.start > at {
                rows.add(RowKind::Data, OUTSIDE, range.start - at);
            }
            let [from, to] = [range.start, range.end].map(|at| (at - start) as usize);
            match piece.is_segment {
                true => add_contents(rows, &piece.name, &segment.data[from..to]),
                false => {
                    rows.add(RowKind::Data, &piece.name, range.end - range.start);
                }
            }
            at = range.end;
        }
        // Behind the last address there is memory no more, but there may be bytes.
        let rest = length - (at - start);
        if rest > 0 {
            rows.add(RowKind::Data, OUTSIDE, rest);
        }
    }
    Ok(named)
}

/// Adds data of which only its segment is known, by what it looks like.
fn add_contents(rows: &mut Rows, segment: &str, data: &[u8]) {
    for (kind, bytes) in contents::run(data) {
        let name = match kind {
            Kind::Text => format!("{segment} texts"),
            Kind::Zeros => format!("{segment} zeros"),
            Kind::Rest => segment.to_owned(),
        };
        rows.add(RowKind::Data, name, bytes);
    }
}

/// What no specification that is known here says anything of.
const UNKNOWN: &str = "unknown";

/// Data at an address where the linked file had none.
const OUTSIDE: &str = "[outside of every symbol]";

/// Every name a section can have, custom ones left out, the core module's first.
pub fn section_names() -> Vec<String> {
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
