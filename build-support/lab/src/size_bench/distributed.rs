//! A standard library as it is distributed: compiled once at opt-level 3 and put into a sysroot as
//! rustup lays it out, for a machine that has only the sources. What most users link is this one,
//! and not the one that the package's own profile gives; whoever measures has to look at both.
//!
//! The compiled crates go to `lib/rustlib/<target>/lib`, the C library and the start-up objects to
//! `self-contained/` beside them, and in front of the very compiler that compiled them stands a
//! script that names the sysroot, as rustup's proxies stand in front of theirs.

use build_support::error::{Error, Result};
use build_support::project::compile::{Request, StdBuild, project};
use build_support::project::listener::Silent;
use build_support::project::toolchain::{self, Compiler, Std, StdSources, Toolchain};
use build_support::system::files;
use cargo_metadata::Message;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A package of nothing: what cargo compiles for it is the standard library. rustup's is compiled
/// with these settings.
const MANIFEST: &str = r#"[package]
name = "nothing"
version = "0.0.0"
edition = "2024"

[workspace]

[profile.release]
opt-level = 3
lto = "fat"
codegen-units = 1
panic = "abort"
"#;

/// The toolchain `found` with the standard library for `target` ready-made in a sysroot in
/// `folder`; `found` itself where it has one. A second call compiles nothing.
///
/// # Errors
/// [`Error::Process`] where the library does not compile, [`Error::Io`], and [`Error::Toolchain`]
/// where the sysroot's compiler does not run.
pub fn run(target: &str, found: &Toolchain, folder: &Path) -> Result<Toolchain> {
    let Std::Sources(sources) = &found.std else {
        return Ok(found.clone());
    };
    let rlibs = rlibs(target, found, &folder.join("nothing"))?;
    let rustc = lay_out(target, found, sources, &rlibs, &folder.join("sysroot"))?;
    let compiler = Compiler::ask(&rustc, target).filter(|compiler| compiler.has_target);
    let compiler = compiler.map(|compiler| Compiler {
        cargo: Some(found.cargo.clone()),
        ..compiler
    });
    compiler
        .as_ref()
        .and_then(toolchain::installed)
        .ok_or_else(|| Error::Toolchain {
            message: format!("{} does not find {target} in its sysroot", rustc.display()),
            help: format!("remove {} and try again", folder.display()),
        })
}

/// The standard library's crates, compiled.
fn rlibs(target: &str, found: &Toolchain, folder: &Path) -> Result<Vec<PathBuf>> {
    for (name, text) in [("Cargo.toml", MANIFEST), ("src/main.rs", "fn main() {}\n")] {
        write(&folder.join(name), text)?;
    }
    let request = Request {
        manifest: folder.join("Cargo.toml"),
        package: "nothing".to_owned(),
        target: target.to_owned(),
        profile: "release".to_owned(),
        features: Vec::new(),
        all_features: false,
        no_default_features: false,
        product: None,
        root: folder.to_owned(),
        target_dir: folder.join("target"),
        std: StdBuild::Plain,
        lines: false,
        spare_stack: false,
        settings: Vec::new(),
    };
    let project = project::read(&request, found)?;
    let mut rlibs = Vec::new();
    build_support::project::compile::link(&request, found, &project, &mut Silent, |message| {
        let Message::CompilerArtifact(artifact) = message else {
            return;
        };
        let files = artifact.filenames.iter().map(PathBuf::from);
        rlibs.extend(files.filter(|file| file.extension().is_some_and(|e| e == "rlib")));
    })?;
    Ok(rlibs)
}

/// Lays the sysroot out and gives its compiler.
fn lay_out(
    target: &str,
    found: &Toolchain,
    sources: &StdSources,
    rlibs: &[PathBuf],
    sysroot: &Path,
) -> Result<PathBuf> {
    let (own, real) = (
        sysroot.join("lib/rustlib"),
        found.sysroot.join("lib/rustlib"),
    );
    let host = Compiler::ask(&found.rustc, target)
        .map(|compiler| compiler.host)
        .unwrap_or_default();
    // The host's own standard library, and the linkers where rustup puts them.
    link(&real.join(&host).join("lib"), &own.join(&host).join("lib"))?;
    if let Some(tools) = sources.linker.parent() {
        link(tools, &own.join(&host).join("bin"))?;
    }
    let library = own.join(target).join("lib");
    copy_exactly(rlibs, &library)?;
    if let Some(libc) = &sources.libc {
        copy_exactly(&files(libc)?, &library.join("self-contained"))?;
    }
    let rustc = sysroot.join("bin/rustc");
    let script = format!(
        "#!/bin/sh\nexec '{}' --sysroot '{}' \"$@\"\n",
        found.rustc.display(),
        sysroot.display()
    );
    write(&rustc, &script)?;
    make_executable(&rustc)?;
    Ok(rustc)
}

/// Copies `from` into `folder`, which afterwards has no other files. A file that has the size and
/// is younger than its original is left alone.
fn copy_exactly(from: &[PathBuf], folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(Error::io("creating folder", folder))?;
    let names: BTreeSet<OsString> = from
        .iter()
        .filter_map(|file| file.file_name().map(ToOwned::to_owned))
        .collect();
    for file in files(folder)? {
        if file.file_name().is_none_or(|name| !names.contains(name)) {
            std::fs::remove_file(&file).map_err(Error::io("removing", &file))?;
        }
    }
    for (file, name) in from.iter().filter_map(|f| Some((f, f.file_name()?))) {
        let to = folder.join(name);
        if !is_copy(&to, file) {
            std::fs::copy(file, &to).map_err(Error::io("copying to", &to))?;
        }
    }
    Ok(())
}

fn is_copy(copy: &Path, original: &Path) -> bool {
    let about = |file: &Path| {
        let about = std::fs::metadata(file).ok()?;
        Some((about.len(), about.modified().ok()?))
    };
    match (about(copy), about(original)) {
        (Some((length, made)), Some((original_length, original_made))) => {
            length == original_length && made >= original_made
        }
        _ => false,
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("reading folder", folder))?;
    let paths = entries.flatten().map(|entry| entry.path());
    Ok(paths.filter(|path| path.is_file()).collect())
}

/// Writes a file, unless it is there already: cargo goes by its time.
fn write(file: &Path, text: &str) -> Result<()> {
    if std::fs::read_to_string(file).is_ok_and(|there| there == text) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("creating folder", folder))?;
    }
    files::write_atomic(file, text.as_bytes())
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> Result<()> {
    if std::fs::read_link(at).is_ok_and(|there| there == to) {
        return Ok(());
    }
    if let Some(folder) = at.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("creating folder", folder))?;
    }
    if at.is_symlink() {
        std::fs::remove_file(at).map_err(Error::io("removing", at))?;
    }
    std::os::unix::fs::symlink(to, at).map_err(Error::io("linking", at))
}

#[cfg(unix)]
fn make_executable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))
        .map_err(Error::io("making executable", file))
}

/// Sources alone come from a distribution's packages, which no other kind of system has.
#[cfg(not(unix))]
fn link(_: &Path, at: &Path) -> Result<()> {
    Err(Error::io("linking", at)(
        std::io::ErrorKind::Unsupported.into(),
    ))
}

#[cfg(not(unix))]
fn make_executable(file: &Path) -> Result<()> {
    Err(Error::io("making executable", file)(
        std::io::ErrorKind::Unsupported.into(),
    ))
}
