//! A small workspace to build, and a sysroot laid out as rustup lays it out. Where this machine's
//! own sysroot has the target it is taken as it is.

use super::workspace;
use build_support::project::compile::{Request, StdBuild};
use build_support::project::toolchain::{self, Compiler, Decision, Machine, Rustup, Toolchain};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What the lab measures with, too.
#[path = "../../../lab/src/size_bench/distributed.rs"]
mod distributed;

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
pub fn small_workspace(root: &Path) {
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
        workspace::write(&root.join(name), &text);
    }
}

/// A build of `package` from the workspace in `root`.
pub fn request(root: &Path, package: &str, target: &str) -> Request {
    Request {
        manifest: root.join(package).join("Cargo.toml"),
        package: package.to_owned(),
        target: target.to_owned(),
        profile: "release".to_owned(),
        features: Vec::new(),
        all_features: false,
        no_default_features: false,
        product: None,
        root: root.to_owned(),
        target_dir: root.join("target"),
        std: StdBuild::Plain,
        lines: false,
        spare_stack: false,
        settings: Vec::new(),
    }
}

/// A folder of these tests: a standard library is compiled once.
pub fn scratch() -> PathBuf {
    workspace::scratch("toolchain")
}

/// The toolchain that this machine gives for `target`, and the workspace that is built with it.
pub fn found(target: &str) -> (Toolchain, PathBuf) {
    let root = scratch().join("found");
    small_workspace(&root);
    (toolchain::find(target, &mut |_| {}).unwrap(), root)
}

/// A toolchain whose sysroot has `target`, by way of the decision.
pub fn installed(target: &str) -> Toolchain {
    // The sysroot is the tests' common ground: the first lays it out, the others wait.
    static LAID_OUT: Mutex<BTreeMap<String, Toolchain>> = Mutex::new(BTreeMap::new());
    let mut laid_out = LAID_OUT.lock().unwrap_or_else(PoisonError::into_inner);
    let toolchain = laid_out.entry(target.to_owned());
    toolchain.or_insert_with(|| lay_out(target)).clone()
}

fn lay_out(target: &str) -> Toolchain {
    let (found, _) = found(target);
    let sysroot = distributed::run(target, &found, &scratch().join("distributed")).unwrap();
    let active = Compiler::ask(&sysroot.rustc, target).map(|active| Compiler {
        cargo: Some(sysroot.cargo.clone()),
        ..active
    });
    let machine = Machine {
        active,
        rustup: Rustup::Absent,
        ..toolchain::observe(target)
    };
    match toolchain::decide(&machine).unwrap() {
        Decision::Use(toolchain) => toolchain,
        other => panic!("the sysroot has the target, yet: {other:?}"),
    }
}
