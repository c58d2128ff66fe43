//! Gives the file a build id: a custom section `build_id` as the WebAssembly tool conventions have
//! it (`BuildId.md`: a length in LEB128 and that many bytes). The last step before the file is
//! measured, and only where the manifest asks for it: 28 bytes a core module.
//!
//! The id is of the contents, so that the same input still gives the same bytes. In a component
//! every core module has it, and all have the same one: a backtrace is of a core module, and tools
//! that take a component apart (jco, a debugger) are left with those. The component around them
//! says nothing that they do not.

use crate::error::Result;
use crate::passes::{Job, Outcome};
use crate::wasm::artifact::Artifact;
use crate::wasm::module;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use wasm_encoder::{CustomSection, Encode as _, Section as _};

const PASS: &str = "build-id";
/// The section's name.
pub const SECTION: &str = "build_id";
/// As long as a UUID, which is what debuggers and symbol servers make room for.
const BYTES: usize = 16;

/// Adds the section to every core module.
///
/// # Errors
/// [`crate::Error::InvalidOutput`] where the file cannot be taken apart.
pub fn run(_job: &Job<'_>, artifact: Artifact) -> Result<Outcome> {
    let digest = Sha256::digest(artifact.bytes());
    let id = &digest[..BYTES];
    let mut contents = Vec::new();
    id.encode(&mut contents);
    let section = CustomSection {
        name: Cow::Borrowed(SECTION),
        data: Cow::Borrowed(&contents),
    };
    let stamped = artifact.map_core(PASS, |_, module| {
        let mut module = module.to_vec();
        section.append_to(&mut module);
        Ok(module)
    })?;
    Ok(Outcome::new(stamped, crate::system::digest::hex(id)))
}

/// The id in the first core module that has one, in hexadecimal. One that cannot be read is none.
pub fn read(bytes: &[u8]) -> Option<String> {
    let section = module::customs(bytes).find(|section| section.name() == SECTION)?;
    let mut reader = section.data_reader();
    let length = reader.read_var_u32().ok()? as usize;
    reader
        .read_bytes(length)
        .ok()
        .map(crate::system::digest::hex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn stamp(wat: &str) -> Vec<u8> {
        let file = Path::new("app.wasm");
        let job = Job::new(file, Vec::new());
        let artifact = Artifact::new(wat::parse_str(wat).unwrap(), file).unwrap();
        run(&job, artifact).unwrap().artifact.bytes().to_vec()
    }

    /// Protects the shape that other tools read, and that the same input gives the same bytes.
    #[test]
    fn the_section_is_as_the_conventions_have_it() {
        let plain = wat::parse_str("(module (func))").unwrap();
        let stamped = stamp("(module (func))");
        assert_eq!(stamped, stamp("(module (func))"));
        let section = &stamped[plain.len()..];
        let mut expected = vec![0, 26, 8];
        expected.extend(b"build_id");
        expected.push(16);
        expected.extend(&Sha256::digest(&plain)[..16]);
        assert_eq!(section, expected);
        assert_ne!(read(&stamped), read(&stamp("(module (func) (func))")));
    }

    /// Protects traces of modules that were taken out of a component.
    #[test]
    fn every_module_of_a_component_has_the_id() {
        let component = stamp("(component (core module) (component (core module (func))))");
        let artifact = Artifact::new(component.clone(), Path::new("c.wasm")).unwrap();
        let ids: Vec<_> = artifact.core_modules().map(read).collect();
        assert_eq!(ids, [read(&component), read(&component)]);
        assert!(ids[0].is_some());
    }

    /// Protects against files of others: a section that is cut short is no id.
    #[test]
    fn a_broken_section_is_no_id() {
        let module = wat::parse_str(r#"(module (@custom "build_id" "\10abc"))"#).unwrap();
        assert_eq!(read(&module), None);
        assert_eq!(read(b"\0asm\x01\0\0\0\x00"), None);
    }
}
