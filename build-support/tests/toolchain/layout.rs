//! A small workspace to build, and a sysroot laid out as rustup lays it out: the target's compiled standard
//! library in `lib/rustlib/<target>/lib`, the C library and the start-up objects in `self-contained/` beside it.
//!
//! Where this machine's own sysroot has the target it is taken as it is; else the library is the one that the
//! sources gave, in front of the very compiler that compiled it.

use build_support::compile::{self, Request};
use build_support::toolchain::{
    self, Compiler, Decision, Machine, Rustup, Std, StdSources, Toolchain,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

const MANIFEST: &str = r#"[workspace]
members = ["command", "reactor", "sum"]
resolver = "3"

[profile.release]
opt-level = "z"
lto = "fat"
codegen-units = 1
panic = "abort"
"#;

const COMMAND: &str = r#"fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).map(|text| text.parse().unwrap()).collect();
    println!("{} numbers, sum {}", numbers.len(), sum::of(&numbers));
}
"#;

const REACTOR: &str = r#"#[unsafe(no_mangle)]
pub extern "C" fn digits(number: u64) -> u64 {
    let text = std::hint::black_box(format!("{number}"));
    sum::of(&text.bytes().map(|digit| u64::from(digit - b'0')).collect::<Vec<_>>())
}
"#;

const SUM: &str = r#"pub fn of(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0, |sum, number| sum.checked_add(*number).expect("the sum is too large"))
}
"#;

/// Writes the workspace to `root`.
pub fn workspace(root: &Path) {
    let member = |name: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}")
    };
    let needs_sum = "\n[dependencies]\nsum = { path = \"../sum\" }\n";
    let files = [
        ("Cargo.toml", MANIFEST.to_owned()),
        ("command/Cargo.toml", member("command", needs_sum)),
        ("command/src/main.rs", COMMAND.to_owned()),
        (
            "reactor/Cargo.toml",
            member(
                "reactor",
                &format!("\n[lib]\ncrate-type = [\"cdylib\"]\n{needs_sum}"),
            ),
        ),
        ("reactor/src/lib.rs", REACTOR.to_owned()),
        ("sum/Cargo.toml", member("sum", "")),
        ("sum/src/lib.rs", SUM.to_owned()),
    ];
    for (name, text) in files {
        write(&root.join(name), &text);
    }
}

/// Writes a file, unless it is there already: cargo goes by its time. Says whether it did.
fn write(path: &Path, text: &str) -> bool {
    let changed = fs::read_to_string(path).ok().as_deref() != Some(text);
    if changed {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    changed
}

/// A build of `package` from the workspace in `root`.
pub fn request(root: &Path, package: &str, target: &str) -> Request {
    Request {
        manifest: root.join(package).join("Cargo.toml"),
        package: package.to_owned(),
        target: target.to_owned(),
        profile: "release".to_owned(),
        features: Vec::new(),
        no_default_features: false,
        root: root.to_owned(),
        target_dir: root.join("target"),
    }
}

/// A folder that stays between runs: a standard library is compiled once.
pub fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("toolchain")
}

/// The toolchain that this machine gives for `target`, and the workspace that is built with it.
pub fn found(target: &str) -> (Toolchain, PathBuf) {
    let root = scratch().join("found");
    workspace(&root);
    (toolchain::find(target, &mut |_| {}).unwrap(), root)
}

/// A toolchain whose sysroot has `target`, by way of the decision.
pub fn installed(target: &str) -> Toolchain {
    let (found, root) = found(target);
    let active = match &found.std {
        Std::Installed | Std::Added => Compiler::ask(&found.rustc, target),
        Std::Sources(sources) => {
            // The sysroot is the tests' common ground: the first lays it out, the others wait.
            static LAID_OUT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
            let mut laid_out = LAID_OUT.lock().unwrap();
            let rustc = laid_out.entry(target.to_owned()).or_insert_with(|| {
                compile::run(&request(&root, "command", target), &found).unwrap();
                lay_out(&found, sources, &root, target)
            });
            Compiler::ask(rustc, target)
        }
    };
    let machine = Machine {
        active: active.map(|active| Compiler {
            cargo: Some(found.cargo.clone()),
            ..active
        }),
        rustup: Rustup::Absent,
        ..toolchain::observe(target)
    };
    match toolchain::decide(&machine).unwrap() {
        Decision::Use(toolchain) => toolchain,
        other => panic!("the sysroot has the target, yet: {other:?}"),
    }
}

/// Lays the sysroot out and gives its compiler.
fn lay_out(found: &Toolchain, sources: &StdSources, root: &Path, target: &str) -> PathBuf {
    let sysroot = scratch().join("sysroot");
    let host = host(found);
    let (own, real) = (
        sysroot.join("lib/rustlib"),
        found.sysroot.join("lib/rustlib"),
    );
    for folder in [
        sysroot.join("bin"),
        own.join(&host),
        own.join(target).join("lib/self-contained"),
    ] {
        fs::create_dir_all(folder).unwrap();
    }
    // The host's own standard library, and the linkers where rustup puts them.
    link(&real.join(&host).join("lib"), &own.join(&host).join("lib"));
    link(
        sources.linker.parent().unwrap(),
        &own.join(&host).join("bin"),
    );
    let lib = own.join(target).join("lib");
    empty(&lib);
    for (name, rlib) in newest_rlibs(&root.join("target").join(target).join("release/deps")) {
        fs::copy(&rlib, lib.join(&name)).unwrap();
    }
    for entry in fs::read_dir(sources.libc.as_ref().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(
            &path,
            lib.join("self-contained").join(path.file_name().unwrap()),
        )
        .unwrap();
    }
    // The compiler itself is linked to its folder; in front of it stands a script, as rustup stands in front of its own.
    let rustc = sysroot.join("bin/rustc");
    let script = format!(
        "#!/bin/sh\nexec '{}' --sysroot '{}' \"$@\"\n",
        found.rustc.display(),
        sysroot.display()
    );
    if write(&rustc, &script) {
        executable(&rustc);
    }
    rustc
}

/// The standard library's crates. Other flags give a crate another file: the newest is of the last build.
fn newest_rlibs(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut newest: BTreeMap<String, (SystemTime, PathBuf)> = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let Some((krate, "rlib")) = name.rsplit_once('.') else {
            continue;
        };
        let krate = krate.rsplit_once('-').map_or(krate, |(krate, _)| krate);
        let time = entry.metadata().unwrap().modified().unwrap();
        if krate != "libsum" && newest.get(krate).is_none_or(|(other, _)| *other < time) {
            newest.insert(krate.to_owned(), (time, entry.path()));
        }
    }
    newest
        .into_values()
        .map(|(_, path)| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect()
}

fn host(found: &Toolchain) -> String {
    Compiler::ask(&found.rustc, "wasm32-wasip1").unwrap().host
}

fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::remove_file(path).unwrap();
        }
    }
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) {
    if fs::read_link(at).ok().as_deref() != Some(to) {
        let _ = fs::remove_file(at);
        std::os::unix::fs::symlink(to, at).unwrap();
    }
}

#[cfg(unix)]
fn executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

// Sources come from a distribution's packages, which no other system has.
#[cfg(not(unix))]
fn link(_: &Path, _: &Path) {
    unreachable!("built from sources on unix only")
}

#[cfg(not(unix))]
fn executable(_: &Path) {
    unreachable!("built from sources on unix only")
}
