//! Object programs, run.

use crate::campaign::{self, Tally};
use crate::check;
use crate::object_link;
use crate::object_program;
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
