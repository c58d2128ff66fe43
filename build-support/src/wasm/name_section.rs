//! The name section, as far as it can be read: names that are not UTF-8, stand twice or out of
//! order, or are cut short. Engines run such files, and some encoders write them; what is wrong is
//! told beside the names that there are.

use super::read_error::ReadError;
use std::str;
use wasmparser::{BinaryReader, BinaryReaderError, CustomSectionReader, Parser, Payload};

/// What the section is called.
pub const SECTION: &str = "name";

/// The ids of maps from numbers to names (core specification, appendix).
const FUNCTIONS: u8 = 1;
/// Likewise (extended name section).
const GLOBALS: u8 = 7;
/// Likewise.
const DATA: u8 = 9;

/// What was found in the name sections of a module, each with its number, in file order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameSection<'a> {
    /// Names of functions.
    pub functions: Vec<(u32, &'a str)>,
    /// Names of globals.
    pub globals: Vec<(u32, &'a str)>,
    /// Names of data segments.
    pub data: Vec<(u32, &'a str)>,
    /// The first thing that is wrong with it.
    pub fault: Option<ReadError>,
}

/// Reads the name sections among the custom sections of a module.
pub fn read<'a>(customs: &[CustomSectionReader<'a>]) -> NameSection<'a> {
    let mut found = NameSection::default();
    let sections = customs.iter().filter(|custom| custom.name() == SECTION);
    for (section, number) in sections.zip(0..) {
        if number > 0 {
            found.object(section.data_offset(), "there is more than one");
        }
        let mut reader = BinaryReader::new(section.data(), section.data_offset());
        if let Err(error) = found.section(&mut reader) {
            found.object(error.offset(), "it is cut short");
        }
    }
    found
}

/// The first thing that is wrong with the name sections in a file: its core module, counted from
/// 1, and what.
pub fn fault(file: &[u8]) -> Option<(usize, ReadError)> {
    let mut modules: Vec<Vec<CustomSectionReader<'_>>> = Vec::new();
    for payload in Parser::new(0).parse_all(file) {
        match payload {
            Ok(Payload::Version {
                encoding: wasmparser::Encoding::Module,
                ..
            }) => modules.push(Vec::new()),
            Ok(Payload::CustomSection(section)) => {
                if let Some(last) = modules.last_mut() {
                    last.push(section);
                }
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    let mut faults = modules.iter().map(|customs| read(customs).fault).zip(1..);
    faults.find_map(|(fault, module)| Some((module, fault?)))
}

impl<'a> NameSection<'a> {
    fn object(&mut self, offset: u64, message: &str) {
        self.fault.get_or_insert_with(|| ReadError {
            offset,
            message: message.to_owned(),
        });
    }

    fn section(&mut self, reader: &mut BinaryReader<'a>) -> Result<(), BinaryReaderError> {
        let mut last = None;
        while !reader.eof() {
            let at = reader.original_position();
            let id = reader.read_u8()?;
            if last.is_some_and(|last| id <= last) {
                self.object(at, "its parts are out of order");
            }
            last = Some(id);
            let length = reader.read_var_u32()? as usize;
            let start = reader.original_position();
            let rest = reader.bytes_remaining();
            let mut part = BinaryReader::new(reader.read_bytes(length.min(rest))?, start);
            if length > rest {
                self.object(at, "it is cut short");
            }
            if matches!(id, FUNCTIONS | GLOBALS | DATA)
                && let Err(error) = self.map(id, &mut part)
            {
                self.object(error.offset(), "it is cut short");
            }
        }
        Ok(())
    }

    fn map(&mut self, id: u8, reader: &mut BinaryReader<'a>) -> Result<(), BinaryReaderError> {
        let mut last = None;
        for _ in 0..reader.read_var_u32()? {
            let at = reader.original_position();
            let number = reader.read_var_u32()?;
            let length = reader.read_var_u32()? as usize;
            let name = reader.read_bytes(length)?;
            if last.is_some_and(|last| number <= last) {
                self.object(at, "names stand twice or out of order");
            }
            last = Some(number);
            let Ok(name) = str::from_utf8(name) else {
                self.object(at, "a name is not UTF-8");
                continue;
            };
            match id {
                FUNCTIONS => self.functions.push((number, name)),
                GLOBALS => self.globals.push((number, name)),
                _ => self.data.push((number, name)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{NameSection, read};
    use crate::wasm::Module;

    fn found(sections: &[&str]) -> (Vec<(u32, String)>, Option<String>) {
        let customs = sections
            .iter()
            .map(|s| format!("(@custom \"name\" \"{s}\")"));
        let text = format!("(module {})", customs.collect::<String>());
        let bytes = wat::parse_str(text).unwrap();
        let module = Module::read(&bytes).unwrap();
        let NameSection {
            functions, fault, ..
        } = read(&module.customs);
        let functions = functions.iter().map(|(n, name)| (*n, (*name).to_owned()));
        (functions.collect(), fault.map(|fault| fault.message))
    }

    /// Protects the names of files that engines run: what can be read is, and what is wrong is
    /// said.
    #[test]
    fn what_can_be_read_is() {
        let named = |names: &[(u32, &str)]| -> Vec<(u32, String)> {
            let names = names.iter().map(|(n, name)| (*n, (*name).to_owned()));
            names.collect()
        };
        let (a, b) = ("\\00\\01a", "\\01\\01b");
        let whole = format!("\\01\\07\\02{a}{b}");
        let both = named(&[(0, "a"), (1, "b")]);
        let cases: [(&[&str], _, Option<&str>); 8] = [
            (&[&whole], both.clone(), None),
            (&[&format!("{whole}\\2a\\01x")], both.clone(), None),
            (
                &[&format!("\\01\\07\\02{b}{a}")],
                named(&[(1, "b"), (0, "a")]),
                Some("names stand twice or out of order"),
            ),
            (
                &["\\01\\07\\02\\00\\01\\ff\\01\\01b"],
                named(&[(1, "b")]),
                Some("a name is not UTF-8"),
            ),
            (
                &[&format!("\\01\\0a\\03{a}{b}")],
                both.clone(),
                Some("it is cut short"),
            ),
            (
                &[&format!("\\01\\06\\02{a}\\01\\02b")],
                named(&[(0, "a")]),
                Some("it is cut short"),
            ),
            (
                &[&format!("\\02\\01\\00{whole}")],
                both.clone(),
                Some("its parts are out of order"),
            ),
            (
                &[&format!("\\01\\04\\01{a}"), &format!("\\01\\04\\01{b}")],
                both,
                Some("there is more than one"),
            ),
        ];
        for (sections, names, fault) in cases {
            let expected = (names, fault.map(str::to_owned));
            assert_eq!(found(sections), expected, "{sections:?}");
        }
    }
}
