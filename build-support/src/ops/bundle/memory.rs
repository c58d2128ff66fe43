//! The most that a module's memory may grow to, declared as a linker's `--max-memory` does: hosts
//! that reserve all of it never move it.

use crate::error::{Error, Result};
use crate::size;
use crate::wasm::Module;
use crate::wasm::artifact::Artifact;
use crate::wasm::read_error::ReadError;
use crate::wasm::sections::{self, MEMORY};
use std::path::Path;
use wasm_encoder::{MemorySection, MemoryType, Section as _};

/// Bytes of a page.
const PAGE: u64 = 65_536;

/// The name of this step in messages.
const STEP: &str = "memory-maximum";

/// `artifact`, which came from `file`, with a memory of at most `most` bytes, a number of whole
/// pages.
///
/// # Errors
/// [`Error::Input`] where it has not one memory of its own, unshared and of 32 bits, or that is
/// larger from the start.
pub(super) fn limited(file: &Path, artifact: &Artifact, most: u64) -> Result<Artifact> {
    let unreadable = ReadError::input(file, "build it again");
    let bytes = artifact.bytes();
    let read = Module::read(bytes).map_err(&unreadable)?;
    let unfit = |why: String| {
        Error::input(
            file,
            why,
            "`memory-maximum` in [package.metadata.bundle] is for one memory of 32 bits, of at least what it has at the start",
        )
    };
    let [memory] = read.memories.as_slice() else {
        return Err(unfit(format!("it has {} memories", read.memories.len())));
    };
    let pages = most / PAGE;
    if memory.shared || memory.memory64 {
        return Err(unfit("its memory is shared, or of 64 bits".to_owned()));
    }
    if memory.initial > pages {
        let has = size::bytes(memory.initial.saturating_mul(PAGE));
        let most = size::bytes(most);
        return Err(unfit(format!(
            "its memory has {has} bytes at the start, and is to have at most {most}"
        )));
    }
    let mut limited = MemorySection::new();
    limited.memory(MemoryType {
        minimum: memory.initial,
        maximum: Some(pages),
        memory64: false,
        shared: false,
        page_size_log2: memory.page_size_log2,
    });
    let mut out = bytes[..sections::HEADER].to_vec();
    for section in sections::read(bytes) {
        let section = section.map_err(&unreadable)?;
        if section.id == MEMORY {
            limited.append_to(&mut out);
        } else {
            out.extend(&bytes[section.range]);
        }
    }
    artifact.rewritten(out, STEP)
}

#[cfg(test)]
mod tests {
    use super::{Module, limited};
    use crate::wasm::artifact::Artifact;
    use std::path::Path;

    fn artifact(text: &str) -> Artifact {
        Artifact::new(wat::parse_str(text).unwrap(), Path::new("a.wasm")).unwrap()
    }

    #[test]
    fn the_maximum_is_declared_and_nothing_else_changes() {
        let text = |limits: &str| {
            format!(
                "(module (memory (export \"m\") {limits}) (func (export \"f\")) (data (i32.const 0) \"x\"))"
            )
        };
        for limits in ["2", "2 3", "2 999"] {
            let module = artifact(&text(limits));
            let made = limited(Path::new("a.wasm"), &module, 256 << 16).unwrap();
            assert_eq!(made, artifact(&text("2 256")), "{limits}");
        }
        let module = artifact("(module (memory 1))");
        let made = limited(Path::new("a.wasm"), &module, 1 << 16).unwrap();
        assert_eq!(
            Module::read(made.bytes()).unwrap().memories[0].maximum,
            Some(1)
        );
    }

    #[test]
    fn what_has_no_such_memory_is_refused() {
        for (text, why) in [
            ("(module)", "0 memories"),
            ("(module (memory 1) (memory 1))", "2 memories"),
            ("(module (import \"a\" \"b\" (memory 1)))", "0 memories"),
            ("(module (memory 1 2 shared))", "shared"),
            ("(module (memory i64 1))", "64 bits"),
            ("(module (memory 17))", "1,114,112 bytes at the start"),
        ] {
            let error = limited(Path::new("a.wasm"), &artifact(text), 16 << 16).unwrap_err();
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
    }
}
