//! Rust programs: compiled with the project's own toolchain, one `rustc` each, and run.
//!
//! Where the standard library comes from sources it is compiled once, by way of `compile`, and laid out as
//! a sysroot; it stays between runs.

use crate::campaign::{self, Tally};
use crate::{check, rust_program};
use build_support::project::compile::{self, Request, StdBuild};
use build_support::project::listener::Silent;
use build_support::project::toolchain::{self, Std, Toolchain};
use build_support::system::process;
use std::fs;
use std::path::{Path, PathBuf};
use wasmtime::Engine;

const TARGET: &str = "wasm32-unknown-unknown";

const MANIFEST: &str = "[package]
name = \"standard\"
version = \"0.1.0\"
edition = \"2024\"

[lib]
crate-type = [\"cdylib\"]

[profile.release]
opt-level = \"s\"
panic = \"abort\"

[workspace]
";

const LIBRARY: &str = "#[unsafe(no_mangle)]
pub extern \"C\" fn same(number: i32) -> i32 {
    number
}
";

/// A compiler that has a standard library for the target.
pub struct Compiler {
    toolchain: Toolchain,
    sysroot: Option<PathBuf>,
}

impl Compiler {
    /// Finds the compiler, and makes the library if it is not there.
    pub fn find() -> Self {
        let toolchain = toolchain::find(TARGET, &mut |_| {}).unwrap();
        let sysroot = matches!(toolchain.std, Std::Sources(_)).then(|| lay_out(&toolchain));
        Self { toolchain, sysroot }
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
        let mut rustc = process::cargo(&self.toolchain.rustc);
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
        if let Some(sysroot) = &self.sysroot {
            rustc.arg("--sysroot").arg(sysroot);
        }
        if let Std::Sources(sources) = &self.toolchain.std {
            let mut linker = std::ffi::OsString::from("-Clinker=");
            linker.push(&sources.linker);
            rustc.arg(linker);
        }
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

/// The compiled standard library in a sysroot of its own.
fn lay_out(toolchain: &Toolchain) -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("differential");
    let (root, sysroot) = (scratch.join("standard"), scratch.join("sysroot"));
    let lib = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    let version = sysroot.join("version");
    if fs::read_to_string(&version).ok().as_ref() == Some(&toolchain.version) {
        return sysroot;
    }
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(root.join("src")).unwrap();
    fs::write(root.join("Cargo.toml"), MANIFEST).unwrap();
    fs::write(root.join("src/lib.rs"), LIBRARY).unwrap();
    let request = Request {
        manifest: root.join("Cargo.toml"),
        package: "standard".to_owned(),
        target: TARGET.to_owned(),
        profile: "release".to_owned(),
        features: Vec::new(),
        no_default_features: false,
        root: root.clone(),
        target_dir: root.join("target"),
        std: StdBuild::Plain,
        settings: Vec::new(),
    };
    compile::run(&request, toolchain, &mut Silent).unwrap();
    fs::create_dir_all(&lib).unwrap();
    let made = root.join("target").join(TARGET).join("release/deps");
    for entry in fs::read_dir(made).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "rlib")
        {
            fs::copy(&path, lib.join(path.file_name().unwrap())).unwrap();
        }
    }
    // Last, so that what was interrupted is made again.
    fs::write(&version, &toolchain.version).unwrap();
    sysroot
}
