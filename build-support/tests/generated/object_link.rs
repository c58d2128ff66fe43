//! Object programs, linked.

use crate::generated::object::Object;
use crate::generated::object_program;
use build_support::project::toolchain;
use build_support::system::process;
use std::path::{Path, PathBuf};

/// A target without a C library: its linker is any target's.
const TARGET: &str = "wasm32-unknown-unknown";

/// The linker of the machine's toolchain.
pub fn linker() -> PathBuf {
    toolchain::observe(TARGET)
        .linker
        .expect("a toolchain for wasm has rust-lld; `cargo doctor` says how to get it")
}

/// The linked program of `seed`.
pub fn link(linker: &Path, seed: u64) -> Result<Vec<u8>, String> {
    link_with(linker, seed, &[])
}

/// The same, with more arguments for the linker.
pub fn link_with(linker: &Path, seed: u64, more: &[&str]) -> Result<Vec<u8>, String> {
    let program = object_program::generate(seed);
    let more = more.iter().map(|argument| (*argument).to_owned());
    let arguments: Vec<_> = program.arguments.iter().cloned().chain(more).collect();
    link_all(linker, &program.objects, &arguments)
}

/// Objects, linked with relocations kept.
pub fn link_all(
    linker: &Path,
    objects: &[Object],
    arguments: &[String],
) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let mut command = process::command(linker);
    command
        .args(["-flavor", "wasm", "--no-entry", "--emit-relocs"])
        .args(arguments);
    for (number, object) in objects.iter().enumerate() {
        let file = folder.path().join(format!("{number}.o"));
        std::fs::write(&file, object.encode()).map_err(|e| e.to_string())?;
        command.arg(file);
    }
    let output = folder.path().join("linked.wasm");
    command.arg("-o").arg(&output);
    if let Err(error) = process::output(&mut command) {
        return Err(format!("{error}\n  files in {}", folder.keep().display()));
    }
    std::fs::read(&output).map_err(|e| e.to_string())
}
