//! A package and a toolchain → the linked file, with everything the analysis needs: names, the
//! linker's relocations, and no component made yet.
//!
//! The user's own flags stay in force, those of plain cargo (`rustflags`); ours come after them,
//! and what strips is put off until the file is shipped. Flags for the linker go to the package's
//! own last step only, so that commands and reactors share one standard library.
//!
//! The build has a target folder of its own: another compiler may be at work there than in the
//! host's.

mod flags;
mod folders;
pub mod project;
mod request;
mod rustflags;

pub use flags::{
    LINK_PLAINLY, Linker, REACTOR_STARTUP, REAL_LINKER, SPARE_STACK, linker_arguments,
};
pub use folders::nameless;
pub use request::{Request, StdBuild, wants_spare_stack};
pub use rustflags::hides;

use crate::attribution::definers::Definers;
use crate::error::{Error, Result};
use crate::project::definers;
use crate::project::listener::Listener;
use crate::project::package::CrateKind;
use crate::project::toolchain::{self, Toolchain};
use crate::report;
use crate::system::{files, process};
use cargo_metadata::{Artifact, Message};
use project::Project;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What was linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The file cargo made.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What of the package it is.
    pub kind: CrateKind,
    /// What made it.
    pub toolchain: report::Toolchain,
    /// Folders of this machine that must not be named in what is shipped.
    pub machine_paths: Vec<String>,
    /// Which crates define what has none in its name.
    pub definers: Definers,
}

/// How thoroughly [`check`] looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// `cargo check`.
    Types,
    /// `cargo clippy`, with warnings as errors.
    Clippy,
}

/// Compiles and links. Cargo writes to this process's stderr, or to `listener` where that wants its
/// messages. Runs wait for each other: cargo puts the files of every feature set in one place.
///
/// # Errors
/// [`Error::Process`] where cargo fails, [`Error::Toolchain`] where the package has nothing to
/// link.
pub fn run(
    request: &Request,
    toolchain: &Toolchain,
    listener: &mut dyn Listener,
) -> Result<Linked> {
    let _lock = files::lock(&request.target_dir, ".lock")?;
    if request.std == StdBuild::Reference && toolchain.sources().is_none() {
        return Err(Error::toolchain(
            format!(
                "the reference for {} needs a standard library that is built from sources, and this one is {}",
                request.package, toolchain.std
            ),
            "take the toolchain from `toolchain::from_sources`",
        ));
    }
    let project = project::read(request, toolchain)?;
    let mut made = None;
    let mut libraries = standard_libraries(request, toolchain);
    link(
        request,
        toolchain,
        &project,
        listener,
        |message| match message {
            Message::CompilerArtifact(artifact) => {
                made = wasm_file(artifact, request, &project.kind).or(made.take());
                libraries.extend(rlibs(artifact, request));
            }
            // What a build script has compiled lies in folders that it names.
            Message::BuildScriptExecuted(script) => {
                let folders = script.linked_paths.iter().map(|path| path.as_str());
                let folders =
                    folders.map(|path| path.split_once('=').map_or(path, |(_, path)| path));
                libraries.extend(folders.flat_map(|folder| definers::in_folder(Path::new(folder))));
            }
            _ => {}
        },
    )?;
    let path = made.ok_or_else(|| {
        let (package, target) = (&request.package, &request.target);
        Error::toolchain(
            format!("cargo built {package} for {target} and named no .wasm file"),
            "is the target a wasm target?",
        )
    })?;
    let krate = match &project.kind {
        CrateKind::Reactor => path.file_stem().unwrap_or_default().to_string_lossy(),
        CrateKind::Command(name) => name.into(),
    };
    let bytes = std::fs::read(&path).map_err(Error::io("reading", &path))?;
    Ok(Linked {
        definers: definers::read(&krate, libraries, &bytes),
        bytes,
        path,
        kind: project.kind,
        toolchain: report::Toolchain {
            rustc: toolchain.version.clone(),
            std: toolchain.std.to_string(),
            ..report::Toolchain::default()
        },
        machine_paths: folders::nameless_of(request, toolchain),
    })
}

/// Runs cargo to the linked file, and hands on all that it says on the way.
///
/// # Errors
/// [`Error::Told`] where cargo cannot build, [`Error::Process`] where it fails otherwise.
pub fn link(
    request: &Request,
    toolchain: &Toolchain,
    project: &Project,
    listener: &mut dyn Listener,
    mut take: impl FnMut(&Message),
) -> Result<()> {
    let mut cargo = cargo(&toolchain.cargo, "rustc", request, toolchain, project)?;
    let wants_messages = listener.wants_messages();
    cargo.arg(if wants_messages {
        "--message-format=json"
    } else {
        "--message-format=json-render-diagnostics"
    });
    match &project.kind {
        CrateKind::Reactor => cargo.args(["--lib", "--crate-type", "cdylib"]),
        CrateKind::Command(name) => cargo.args(["--bin", name]),
    };
    let in_front = flags::put_in_front(&mut cargo, request, toolchain)?;
    cargo
        .arg("--")
        .args(flags::link(request, &project.kind, toolchain))
        .args(in_front);
    process::lines(&mut cargo, |line| {
        let message = serde_json::from_str(line);
        if let Ok(message) = &message {
            take(message);
        }
        // That cargo is done is not the end here: the listener says so itself.
        if let (true, Ok(message)) = (wants_messages, &message)
            && !matches!(message, Message::BuildFinished(_) | Message::TextLine(_))
        {
            listener.message(line);
        }
        Ok(())
    })
    .map_err(told)
}

/// What is left to say of a failure of cargo's: nothing where it is a compilation's.
fn told(error: Error) -> Error {
    match error {
        Error::Process { status, .. } if status.ends_with(" 101") => Error::Told,
        other => other,
    }
}

/// Type-checks the package for its target, with its profile, as it will be compiled.
///
/// # Errors
/// [`Error::Process`] where cargo fails, [`Error::Toolchain`] where there is no clippy for the
/// compiler.
pub fn check(request: &Request, toolchain: &Toolchain, check: Check) -> Result<()> {
    let project = project::read(request, toolchain)?;
    let (program, verb) = match check {
        Check::Types => (toolchain.cargo.clone(), "check"),
        // Not through `cargo clippy`: the first `cargo-clippy` on PATH may belong to another
        // compiler.
        Check::Clippy => (toolchain::clippy(toolchain)?, "clippy"),
    };
    let mut cargo = cargo(&program, verb, request, toolchain, &project)?;
    if check == Check::Clippy {
        cargo
            .env("CARGO", &toolchain.cargo)
            .args(["--", "-Dwarnings"]);
    }
    process::run(&mut cargo).map_err(told)
}

fn cargo(
    program: &Path,
    verb: &str,
    request: &Request,
    toolchain: &Toolchain,
    project: &Project,
) -> Result<Command> {
    let mut cargo = process::cargo(program);
    if let Some(folder) = request.manifest.parent() {
        // Where cargo begins to look for its configuration.
        cargo.current_dir(folder);
    }
    cargo
        .args([verb, "--package", &request.package])
        .args(["--target", &request.target])
        .args(["--profile", &request.profile])
        .arg("--manifest-path")
        .arg(&request.manifest)
        .arg("--target-dir")
        .arg(&request.target_dir);
    cargo.args(request.arguments());
    flags::set(&mut cargo, request, toolchain, project)?;
    Ok(cargo)
}

/// The libraries that are linked without being built: what stands ready for the target, and the C
/// library.
fn standard_libraries(request: &Request, toolchain: &Toolchain) -> Vec<PathBuf> {
    let folders = match toolchain.sources() {
        Some(sources) => sources.libc.iter().cloned().collect(),
        None => {
            let folder = format!("lib/rustlib/{}/lib", request.target);
            let folder = toolchain.sysroot.join(folder);
            vec![folder.join("self-contained"), folder]
        }
    };
    let folders = folders.iter();
    folders
        .flat_map(|folder| definers::in_folder(folder))
        .collect()
}

/// The libraries of a crate that was built for the target, and not for the host.
fn rlibs(artifact: &Artifact, request: &Request) -> impl Iterator<Item = PathBuf> {
    let files = artifact.filenames.iter();
    let files = files.filter(|file| file.extension() == Some("rlib"));
    let files = files.filter(|file| {
        file.components()
            .any(|part| part.as_str() == request.target)
    });
    files.map(|file| file.clone().into())
}

fn wasm_file(artifact: &Artifact, request: &Request, kind: &CrateKind) -> Option<PathBuf> {
    let ours = artifact.manifest_path.as_std_path() == request.manifest
        && match kind {
            CrateKind::Reactor => artifact.target.is_cdylib(),
            CrateKind::Command(name) => artifact.target.is_bin() && artifact.target.name == *name,
        };
    let mut files = artifact.filenames.iter().filter(|_| ours);
    let file = files.find(|file| file.extension() == Some("wasm"))?;
    Some(file.into())
}
