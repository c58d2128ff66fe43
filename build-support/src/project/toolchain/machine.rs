//! What is on this machine, as plain facts: the only part of `toolchain` that reads the environment
//! and the file system. It starts `rustc` twice for each compiler, some 15 ms each time, the
//! compilers side by side.

use crate::system::process::{self, in_folder, on_path};
use std::path::{Path, PathBuf};

/// The distribution's compiler and cargo (Debian and Ubuntu: `rustc-web`, `cargo-web`).
const DISTRIBUTION: (&str, &str) = ("/usr/bin/rustc", "/usr/bin/cargo");

/// The distribution's C library for WASI (Debian and Ubuntu: `wasi-libc`).
const WASI_LIBC: &str = "/usr/lib/wasm32-wasi";

/// Everything the decision depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The target that needs a standard library.
    pub target: String,
    /// The compiler in use: `RUSTC`, or what `rustc` on `PATH` stands for.
    pub active: Option<Compiler>,
    /// Whether rustup may be asked.
    pub rustup: Rustup,
    /// The distribution's compiler.
    pub distribution: Option<Compiler>,
    /// The folder with the C library for WASI.
    pub libc: Option<PathBuf>,
    /// A linker for wasm: `rust-lld` of the active toolchain or of the one on `PATH`, or the newest
    /// `wasm-ld` there.
    pub linker: Option<PathBuf>,
    /// Whether packages may be installed.
    pub apt: Apt,
}

/// A compiler and what is in its sysroot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// The program.
    pub rustc: PathBuf,
    /// The cargo that belongs to it.
    pub cargo: Option<PathBuf>,
    /// What `rustc -V` says.
    pub version: String,
    /// The version alone, e.g. `1.96.0`.
    pub release: String,
    /// The platform it runs on.
    pub host: String,
    /// Its sysroot.
    pub sysroot: PathBuf,
    /// Whether the sysroot has the target's `core`: the file, not just the folder.
    pub has_target: bool,
    /// The standard library's sources in the sysroot.
    pub sources: Option<SourceTree>,
    /// The folder in the sysroot with the target's C library and start-up objects.
    pub libc: Option<PathBuf>,
}

/// Sources of a standard library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTree {
    /// The folder `library`.
    pub library: PathBuf,
    /// Their version, where it is written beside them. rustup's `rust-src` does not write it: it is
    /// a part of one toolchain and cannot differ.
    pub release: Option<String>,
}

/// Whether rustup may be asked for a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rustup {
    /// It is not there, or the active compiler is not one of its toolchains.
    Absent,
    /// It is there and the user has switched installing off.
    Off,
    /// It may be asked.
    Ready {
        /// The program.
        program: PathBuf,
        /// The active toolchain's name.
        toolchain: String,
    },
    /// It was asked in this run, without success; the reason.
    Failed(String),
}

/// Whether the distribution's packages may be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Apt {
    /// There is no apt-get.
    Absent,
    /// There is, and this is not root.
    NotRoot,
    /// They may.
    Ready,
    /// It was tried in this run, without success; the reason.
    Failed(String),
}

impl SourceTree {
    /// Whether they can be compiled by a compiler of version `release`.
    pub fn matches(&self, release: &str) -> bool {
        self.release.as_deref().is_none_or(|own| own == release)
    }
}

/// Looks at this machine.
pub fn observe(target: &str) -> Machine {
    let (active, distribution) = std::thread::scope(|scope| {
        let distribution = scope.spawn(|| Compiler::ask(Path::new(DISTRIBUTION.0), target));
        (active(target), distribution.join().ok().flatten())
    });
    let distribution = distribution.map(|found| Compiler {
        cargo: is_file(DISTRIBUTION.1),
        ..found
    });
    Machine {
        target: target.to_owned(),
        rustup: rustup(active.as_ref()),
        libc: is_file(format!("{WASI_LIBC}/libc.a")).map(|_| WASI_LIBC.into()),
        linker: linker(active.as_ref()),
        apt: apt(),
        active,
        distribution,
    }
}

fn active(target: &str) -> Option<Compiler> {
    match std::env::var_os("RUSTC").filter(|rustc| !rustc.is_empty()) {
        Some(rustc) => Compiler::ask(Path::new(&rustc), target),
        None => Compiler::ask(&on_path("rustc")?, target).map(Compiler::without_proxy),
    }
}

impl Compiler {
    /// Asks `rustc` about itself; `None` where it cannot be run.
    pub fn ask(rustc: &Path, target: &str) -> Option<Self> {
        if rustc.is_absolute() && !rustc.is_file() {
            return None;
        }
        let sysroot = process::capture(rustc, &["--print", "sysroot"]).ok()?;
        let sysroot = PathBuf::from(sysroot.trim());
        let output = process::capture(rustc, &["-vV"]).ok()?;
        let mut lines = output.lines();
        let version = lines.next()?.to_owned();
        let field = |name| {
            let mut lines = lines.clone();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let (release, host) = (field("release")?.to_owned(), field("host")?.to_owned());
        let libraries = sysroot.join("lib/rustlib").join(target).join("lib");
        let libc = libraries.join("self-contained");
        Some(Self {
            rustc: rustc.to_owned(),
            cargo: cargo_of(&sysroot),
            version,
            release,
            host,
            has_target: has_core(&libraries),
            libc: libc.join("libc.a").is_file().then_some(libc),
            sources: sources(&sysroot),
            sysroot,
        })
    }

    /// The same compiler by its own path, where rustup's proxy was asked: the proxy would look at
    /// the folder it is started in once more.
    fn without_proxy(mut self) -> Self {
        self.rustc = in_folder(&self.sysroot.join("bin"), "rustc").unwrap_or(self.rustc);
        self
    }
}

/// The cargo in the sysroot, else the one that started this program, else the one on `PATH`.
fn cargo_of(sysroot: &Path) -> Option<PathBuf> {
    in_folder(&sysroot.join("bin"), "cargo")
        .or_else(|| is_file(std::env::var_os("CARGO")?))
        .or_else(|| on_path("cargo"))
}

fn has_core(folder: &Path) -> bool {
    let mut entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libcore-") && name.ends_with(".rlib")
    })
}

fn sources(sysroot: &Path) -> Option<SourceTree> {
    let tree = sysroot.join("lib/rustlib/src/rust");
    let library = tree.join("library");
    if !library.join("std/Cargo.toml").is_file() {
        return None;
    }
    let release = std::fs::read_to_string(tree.join("src/version"))
        .ok()
        .map(|text| text.trim().to_owned());
    Some(SourceTree { library, release })
}

fn rustup(active: Option<&Compiler>) -> Rustup {
    // `<rustup home>/toolchains/<name>`; anything else is not rustup's to add to.
    let toolchain = active.and_then(|compiler| {
        let folder = compiler.sysroot.parent()?.file_name()?;
        (folder == "toolchains")
            .then(|| compiler.sysroot.file_name()?.to_str().map(str::to_owned))?
    });
    match (on_path("rustup"), toolchain) {
        (Some(_), Some(_)) if !auto_install() => Rustup::Off,
        (Some(program), Some(toolchain)) => Rustup::Ready { program, toolchain },
        _ => Rustup::Absent,
    }
}

/// Whether rustup may install by itself: `RUSTUP_AUTO_INSTALL`, else `rustup set auto-install`.
fn auto_install() -> bool {
    if let Some(value) = std::env::var_os("RUSTUP_AUTO_INSTALL").filter(|value| !value.is_empty()) {
        return value != "0";
    }
    let home = std::env::var_os("RUSTUP_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".rustup")));
    let settings = home.and_then(|home| std::fs::read_to_string(home.join("settings.toml")).ok());
    let settings = settings.and_then(|text| text.parse::<toml::Table>().ok());
    let setting = settings
        .as_ref()
        .and_then(|table| table.get("auto_install"));
    setting.and_then(toml::Value::as_str) != Some("disable")
}

/// A linker for wasm, whatever the target, as [`observe`] finds it.
pub fn any_linker() -> Option<PathBuf> {
    linker(active(ANY_TARGET).as_ref())
}

/// The tool of that name in the sysroot of a compiler here.
pub fn any_tool(name: &str) -> Option<PathBuf> {
    tool(active(ANY_TARGET).as_ref(), name)
}

/// A compiler's tools are the same for all.
const ANY_TARGET: &str = "wasm32-unknown-unknown";

fn linker(active: Option<&Compiler>) -> Option<PathBuf> {
    tool(active, "rust-lld").or_else(newest_wasm_ld)
}

/// That of the compiler in use, else of the one on `PATH`: what links need not be of the compiler.
fn tool(active: Option<&Compiler>, name: &str) -> Option<PathBuf> {
    let of = |compiler: &Compiler| {
        let rustlib = compiler.sysroot.join("lib/rustlib");
        in_folder(&rustlib.join(&compiler.host).join("bin"), name)
    };
    active.and_then(of).or_else(|| {
        std::env::var_os("RUSTC").filter(|rustc| !rustc.is_empty())?;
        of(&Compiler::ask(&on_path("rustc")?, ANY_TARGET)?)
    })
}

/// `wasm-ld-22` before `wasm-ld-14`, a plain `wasm-ld` last: its version is unknown, and an old one
/// does not read what a new compiler writes.
fn newest_wasm_ld() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders = std::env::split_paths(&path).filter_map(|folder| std::fs::read_dir(folder).ok());
    let numbered = folders.flatten().flatten().filter_map(|entry| {
        let name = entry.file_name();
        let version: u32 = name.to_str()?.strip_prefix("wasm-ld-")?.parse().ok()?;
        Some((version, entry.path()))
    });
    let newest = numbered.max().map(|(_, path)| path);
    newest.or_else(|| on_path("wasm-ld"))
}

/// Whether packages may be installed.
pub(super) fn apt() -> Apt {
    match on_path("apt-get") {
        None => Apt::Absent,
        Some(_) if is_root() => Apt::Ready,
        Some(_) => Apt::NotRoot,
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // The owner of this entry is the effective user of this process.
    std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

fn is_file(path: impl Into<PathBuf>) -> Option<PathBuf> {
    Some(path.into()).filter(|path: &PathBuf| path.is_file())
}
