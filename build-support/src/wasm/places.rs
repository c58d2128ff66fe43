//! Where the core modules of a file and their functions are, to the byte.

use crate::wasm::artifact::Fault;
use serde::{Deserialize, Serialize};
use wasmparser::{Encoding, Parser, Payload, TypeRef};

/// Where a function's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// From the beginning of its module, in bytes.
    pub offset: u64,
    /// Its size in bytes, the length in front not counted.
    pub bytes: u64,
}

/// A core module in a file.
#[derive(Debug, Default)]
pub struct Place {
    /// Where it begins in the file.
    pub offset: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// The functions it imports, as `module.field`.
    pub imports: Vec<String>,
    /// Its own functions.
    pub bodies: Vec<Body>,
}

/// The core modules in file order, at any depth.
///
/// # Errors
/// A [`Fault`] where the file cannot be read.
pub fn read(bytes: &[u8]) -> Result<Vec<Place>, Fault> {
    let mut places: Vec<Place> = Vec::new();
    // Modules and components that have begun and not ended: of a module its place, of a component nothing.
    let mut open: Vec<Option<usize>> = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        match &payload {
            Payload::Version {
                encoding, range, ..
            } => {
                let is_module = *encoding == Encoding::Module;
                open.push(is_module.then_some(places.len()));
                if is_module {
                    places.push(Place {
                        offset: range.start,
                        ..Place::default()
                    });
                }
                continue;
            }
            Payload::End(end) => {
                if let Some(place) = open.pop().flatten().and_then(|i| places.get_mut(i)) {
                    place.bytes = end - place.offset;
                }
                continue;
            }
            _ => {}
        }
        let Some(place) = open.last().copied().flatten() else {
            continue;
        };
        let place = &mut places[place];
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    if matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
                        place
                            .imports
                            .push(format!("{}.{}", import.module, import.name));
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                place.bodies.push(Body {
                    offset: range.start - place.offset,
                    bytes: range.end - range.start,
                });
            }
            _ => {}
        }
    }
    Ok(places)
}
