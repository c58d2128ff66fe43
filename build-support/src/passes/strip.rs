//! Removes what no engine needs: names, producers, debug information, the linker's relocations,
//! feature lists, and the compiler's source paths in data. What it does not know it keeps,
//! `component-type:*` among it: the component is made from that.

use crate::error::{Error, Result};
use crate::passes::{Job, Outcome};
use crate::wasm::artifact::{self, Artifact, FileKind};
use crate::wasm::layout::spare;
use crate::wasm::sections::{COMPONENT, CUSTOM};
use crate::wasm::{Module, ReadError, module};
use wasmparser::BinaryReader;

const PASS: &str = "strip";

/// Whether a custom section speaks of places in the code as it is, and of no other: the linker's
/// relocations, and branch hints and the like (tool conventions, `CodeMetadata.md`).
pub fn is_of_code(name: &str) -> bool {
    name == "linking" || name.starts_with("reloc.") || name.starts_with("metadata.code.")
}

/// Strips the file and, in a component, everything inside it.
///
/// # Errors
/// [`Error::InvalidOutput`] where sections cannot be read.
pub fn run(_job: &Job<'_>, artifact: Artifact) -> Result<Outcome> {
    let mut paths = 0;
    let stripped = artifact.map_core(PASS, |_, module| {
        let mut module = drop_customs(module, PASS, is_for_tools)?;
        paths += blank_compiler_paths(&mut module)?;
        Ok(module)
    })?;
    let stripped = match stripped.kind() {
        FileKind::Core => stripped,
        FileKind::Component => {
            stripped.rewritten(drop_component_customs(stripped.bytes())?, PASS)?
        }
    };
    let note = match paths {
        0 => "custom sections for tools".to_owned(),
        1 => "custom sections for tools; 1 compiler path blanked".to_owned(),
        n => format!("custom sections for tools; {n} compiler paths blanked"),
    };
    Ok(Outcome::new(stripped, note))
}

/// Whether a custom section is there for tools alone.
fn is_for_tools(name: &str) -> bool {
    matches!(
        name,
        "name"
            | "component-name"
            | "producers"
            | "linking"
            | "target_features"
            | "sourceMappingURL"
            | "external_debug_info"
            | "build_id"
            | spare::SECTION
    ) || name.starts_with("reloc.")
        || name.starts_with(".debug_")
}

/// Drops the custom sections `unwanted` names from one module or component, not from what is inside
/// it.
///
/// # Errors
/// [`Error::InvalidOutput`] where the sections cannot be read.
pub fn drop_customs(
    bytes: &[u8],
    pass: &'static str,
    unwanted: impl Fn(&str) -> bool,
) -> Result<Vec<u8>> {
    artifact::rebuild(bytes, pass, |id, data| {
        if id == CUSTOM {
            let name = BinaryReader::new(data, 0).read_string();
            let name = name.map_err(|error| Error::InvalidOutput {
                pass,
                offset: None,
                message: format!("a custom section's name: {}", error.message()),
            })?;
            if unwanted(name) {
                return Ok(None);
            }
        }
        Ok(Some(data.to_vec()))
    })
}

fn drop_component_customs(component: &[u8]) -> Result<Vec<u8>> {
    let inner = drop_customs(component, PASS, is_for_tools)?;
    artifact::rebuild(&inner, PASS, |id, data| match id {
        COMPONENT => drop_component_customs(data).map(Some),
        _ => Ok(Some(data.to_vec())),
    })
}

/// Overwrites `/rustc/<commit>/`, the prefix of the distributed standard library's source paths in
/// panic locations, with slashes: the length stays, so every address does. Returns how many there
/// were.
fn blank_compiler_paths(module: &mut [u8]) -> Result<usize> {
    let data = Module::read(module).map_err(ReadError::output(PASS))?.data;
    let ranges: Vec<_> = data.iter().map(module::contents).collect();
    Ok(ranges
        .into_iter()
        .map(|range| blank(&mut module[range]))
        .sum())
}

const COMPILER_PREFIX: &[u8] = b"/rustc/";
const COMMIT_DIGITS: usize = 40;

fn blank(data: &mut [u8]) -> usize {
    let length = COMPILER_PREFIX.len() + COMMIT_DIGITS;
    let mut count = 0;
    for at in 0..data.len().saturating_sub(length) {
        let (prefix, commit) = data[at..=at + length].split_at(COMPILER_PREFIX.len());
        if prefix == COMPILER_PREFIX
            && commit[..COMMIT_DIGITS].iter().all(u8::is_ascii_hexdigit)
            && commit[COMMIT_DIGITS] == b'/'
        {
            // Nothing in it looks like a prefix afterwards.
            data[at..at + length].fill(b'/');
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects user data that merely resembles the compiler's paths.
    #[test]
    fn only_whole_compiler_prefixes_are_blanked() {
        let hash = "0123456789abcdef0123456789abcdef01234567";
        let mut data = format!(
            "x/rustc/{hash}/library/core y/rustc/{} z/rustc/{hash}",
            &hash[..39]
        )
        .into_bytes();
        let before = data.clone();
        assert_eq!(blank(&mut data), 1);
        assert_eq!(data.len(), before.len());
        assert!(data.starts_with(format!("x{}/library/core", "/".repeat(47)).as_bytes()));
        assert_eq!(data[data.len() - 40..], before[before.len() - 40..]);
    }
}
