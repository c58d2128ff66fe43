//! Object programs, run.

use super::campaign::{self, Tally};
use super::check;
use crate::generated::object_link;
use crate::generated::object_program;
use std::path::Path;
use wasmtime::Engine;

/// Makes the program of `seed`, and compares.
pub fn run(engine: &Engine, linker: &Path, seed: u64) -> Result<Tally, String> {
    if campaign::only().is_some() {
        let arguments = object_program::generate(seed).arguments;
        eprintln!("linker's arguments: {}", arguments.join(" "));
    }
    let linked = object_link::link(linker, seed)?;
    check::run(engine, "objects", seed, &linked, check::wanted(seed))
}
