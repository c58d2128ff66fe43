//! Rust programs: compiled with the project's own toolchain, one `rustc` each, and run.

use super::campaign::{self, Tally};
use super::{check, rust_program};
use crate::support::sysroot;
use build_support::project::toolchain::Toolchain;
use build_support::system::process;
use std::fs;
use std::path::Path;
use wasmtime::Engine;

const TARGET: &str = "wasm32-unknown-unknown";

/// Compiles programs, each by itself.
pub struct Compiler(Toolchain);

impl Compiler {
    /// The compiler with a standard library that stands ready.
    pub fn find() -> Self {
        Self(sysroot::installed(TARGET))
    }

    /// Compiles and links a program.
    ///
    /// # Errors
    /// With what the compiler says.
    pub fn compile(&self, text: &str, arguments: &[String]) -> Result<Vec<u8>, String> {
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let (source, output) = (
            folder.path().join("program.rs"),
            folder.path().join("program.wasm"),
        );
        fs::write(&source, text).map_err(|e| e.to_string())?;
        let mut rustc = process::cargo(&self.0.rustc);
        rustc
            .args([
                "--edition",
                "2024",
                "--crate-type",
                "cdylib",
                "--target",
                TARGET,
            ])
            .args(["-Cpanic=abort", "-Cstrip=none", "-Clink-arg=--emit-relocs"])
            .args(["-Clink-arg=-zstack-size=16384", "-Awarnings"])
            .args(["-Aunconditional_panic", "-Aarithmetic_overflow"])
            .args(arguments)
            .current_dir(folder.path())
            .args([Path::new("program.rs"), Path::new("-o"), &output]);
        process::output(&mut rustc).map_err(|error| error.to_string())?;
        fs::read(&output).map_err(|e| e.to_string())
    }
}

/// Makes the program of `seed`, and compares.
pub fn run(engine: &Engine, compiler: &Compiler, seed: u64) -> Result<Tally, String> {
    let (text, arguments) = rust_program::generate(seed);
    let done = compiler
        .compile(&text, &arguments)
        .and_then(|linked| check::run(engine, "rust", seed, &linked, check::wanted(seed)));
    if done.is_err() || campaign::only().is_some() {
        campaign::keep("rust", seed, &[("program.rs", text.as_bytes())]);
    }
    done.map_err(|what| format!("{arguments:?}: {what}"))
}
