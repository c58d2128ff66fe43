//! The sections of a file by their frames alone: id, length, contents. What stands in a core
//! module's sections is read by [`module`](super::module).

use super::read_error::ReadError;
use std::ops::Range;
use wasmparser::{BinaryReader, BinaryReaderError};

/// Header of a module or a component: magic, version, layer (component model, `Binary.md`).
pub const HEADER: usize = 8;

/// The id of a custom section, in a core module and in a component.
pub const CUSTOM: u8 = 0;

/// Section ids of a core module (core specification, binary format): types.
pub const TYPE: u8 = 1;
/// Imports.
pub const IMPORT: u8 = 2;
/// The types of functions.
pub const FUNCTION: u8 = 3;
/// Tables.
pub const TABLE: u8 = 4;
/// Memories.
pub const MEMORY: u8 = 5;
/// Exports.
pub const EXPORT: u8 = 7;
/// Element segments.
pub const ELEMENT: u8 = 9;
/// Bodies of functions.
pub const CODE: u8 = 10;
/// Data segments.
pub const DATA: u8 = 11;

/// Section ids of a component (component model, `Binary.md`): a core module.
pub const CORE_MODULE: u8 = 1;
/// Instances of core modules.
pub const CORE_INSTANCE: u8 = 2;
/// Types of core modules.
pub const CORE_TYPE: u8 = 3;
/// A nested component.
pub const COMPONENT: u8 = 4;
/// Instances of components.
pub const COMPONENT_INSTANCE: u8 = 5;
/// Parts of instances, by name.
pub const COMPONENT_ALIAS: u8 = 6;
/// Types of components.
pub const COMPONENT_TYPE: u8 = 7;
/// What a component gets.
pub const COMPONENT_IMPORT: u8 = 10;
/// What a component gives.
pub const COMPONENT_EXPORT: u8 = 11;

/// A section.
pub struct Section<'a> {
    /// What it is.
    pub id: u8,
    /// All of it in the file, its id and length included.
    pub range: Range<usize>,
    /// What it holds.
    pub contents: &'a [u8],
}

impl Section<'_> {
    /// Its contents in the file.
    pub fn inside(&self) -> Range<usize> {
        self.range.end - self.contents.len()..self.range.end
    }
}

/// The sections of a module or component in order; what is nested in it is a section like any
/// other.
pub fn read(bytes: &[u8]) -> Sections<'_> {
    let mut reader = BinaryReader::new(bytes, 0);
    // A file that ends in its header has no sections.
    let _ = reader.read_bytes(HEADER.min(bytes.len()));
    Sections {
        reader,
        opens_components: false,
    }
}

/// The sections of a component in file order: behind the frame of a nested component come its own.
pub fn at_any_depth(component: &[u8]) -> Sections<'_> {
    Sections {
        opens_components: true,
        ..read(component)
    }
}

/// Gives a [`ReadError`] where a section reaches beyond the file.
pub struct Sections<'a> {
    reader: BinaryReader<'a>,
    opens_components: bool,
}

impl<'a> Iterator for Sections<'a> {
    type Item = Result<Section<'a>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.reader.eof()).then(|| Ok(self.section()?))
    }
}

impl<'a> Sections<'a> {
    fn section(&mut self) -> Result<Section<'a>, BinaryReaderError> {
        let start = self.reader.original_position() as usize;
        let id = self.reader.read_u8()?;
        let size = self.reader.read_var_u32()? as usize;
        let mut inside = self.reader.clone();
        let contents = self.reader.read_bytes(size)?;
        let end = self.reader.original_position() as usize;
        if self.opens_components && id == COMPONENT {
            inside.read_bytes(HEADER)?;
            self.reader = inside;
        }
        Ok(Section {
            id,
            range: start..end,
            contents,
        })
    }
}

/// What a new section holds, without its id and length.
pub fn contents(section: &impl wasm_encoder::Encode) -> Vec<u8> {
    let mut encoded = Vec::new();
    section.encode(&mut encoded);
    // The length in front.
    let digits = encoded.iter().position(|byte| byte & 0x80 == 0);
    encoded.split_off(digits.map_or(0, |last| last + 1))
}
