//! Every file of `tests/*.test.mjs`, run by node, with the shipped reactor.

use build_support::ops::build;
use build_support::project::listener::Silent;
use build_support::project::package::{Package, Wanted};
use build_support::system::process;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const TARGET: &str = "wasm32-wasip1";

/// The reactor as `cargo wasm-p1` builds it, once for all tests.
fn reactor() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let agent = here.parent().unwrap().join("clawft-wasm");
        let package = Package::at(&agent).unwrap();
        let folder = package.outputs(TARGET);
        let built = build::run(&package, TARGET, &Wanted::default(), &folder, &mut Silent);
        built.unwrap().files.shipped
    })
}

fn program(names: &[&str]) -> PathBuf {
    let found = names.iter().find_map(|name| process::on_path(name));
    found.unwrap_or_else(|| panic!("{} is not on PATH, and is needed for this test", names[0]))
}

/// Runs the tests of a file; each has passed, none was skipped, and there was at least one.
#[track_caller]
fn run(file: &str) {
    let mut command = process::command(program(&["node"]));
    command
        .arg("--no-warnings")
        .args(["--test", "--test-reporter=tap"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file))
        .env("REACTOR", reactor())
        .env(
            "CHROMIUM",
            program(&["chromium", "chromium-browser", "google-chrome"]),
        );
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let count = |what: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(&format!("# {what} ")));
        line.and_then(|count| count.parse::<u32>().ok())
    };
    assert!(
        output.status.success() && count("fail") == Some(0) && count("skipped") == Some(0),
        "{file}:\n{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(count("pass") > Some(0), "{file} has no test:\n{said}");
}

#[test]
fn agent() {
    run("agent.test.mjs");
}

#[test]
fn store() {
    run("store.test.mjs");
}

#[test]
fn calls() {
    run("calls.test.mjs");
}

#[test]
fn sync() {
    run("sync.test.mjs");
}

/// One after the other: two browsers on two cores are slower than one twice.
#[test]
fn chromium() {
    for file in ["page.test.mjs", "saving.test.mjs", "hosting.test.mjs", "devices.test.mjs"] {
        run(file);
    }
}
