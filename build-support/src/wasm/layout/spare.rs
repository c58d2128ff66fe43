//! What this tool writes into a file that it has linked with a larger stack than was asked for: a
//! custom section with the bytes that are spare, as a number of the core specification's LEB128.
//! Only tools read it, and it is not shipped.

use crate::wasm::sections::{self, CUSTOM};
use wasm_encoder::{CustomSection, Encode as _, Section as _};
use wasmparser::BinaryReader;

/// The section's name.
pub const SECTION: &str = "build-support.spare-stack";

/// Says in a linked core module that so many bytes of its stack are spare.
pub fn mark(module: &mut Vec<u8>, bytes: u32) {
    let mut data = Vec::new();
    bytes.encode(&mut data);
    let section = CustomSection {
        name: SECTION.into(),
        data: data.into(),
    };
    section.append_to(module);
}

/// The bytes that are; none where nothing is said, or nothing that can be read.
pub fn read(module: &[u8]) -> u64 {
    let customs = sections::read(module).flatten();
    let mut customs = customs.filter(|section| section.id == CUSTOM);
    let spare = customs.find_map(|section| {
        let mut reader = BinaryReader::new(section.contents, 0);
        let is_it = reader.read_string().is_ok_and(|name| name == SECTION);
        is_it.then(|| reader.read_var_u32().ok())?
    });
    spare.map_or(0, u64::from)
}

#[cfg(test)]
mod tests {
    use super::{mark, read};

    /// Protects the proof that low memory is unused: what was said is read again, and nothing else.
    #[test]
    fn what_was_marked_is_read() {
        let mut module = wat::parse_str("(module (@custom \"other\" \"\\80\\08\"))").unwrap();
        assert_eq!(read(&module), 0);
        mark(&mut module, 1_024);
        assert_eq!(read(&module), 1_024);
        module.pop();
        assert_eq!(read(&module), 0, "cut off");
    }
}
