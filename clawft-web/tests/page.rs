//! Every file of `tests/*.test.mjs`, run by node, with the shipped reactor; and what `cargo bundle`
//! makes of the page, as `weft serve` serves it.

use build_support::agent::preinit;
use build_support::ops::{build, bundle};
use build_support::project::listener::Silent;
use build_support::project::package::{Package, Wanted};
use build_support::system::process;
use clawft_cli::serve::bundle::Bundle;
use clawft_cli::serve::relay::Relay;
use clawft_cli::serve::store::Store;
use clawft_cli::serve::sync::Sync;
use clawft_cli::serve::{Server, Site};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

// What the machine must have, as the tests of build-support find or install it.
#[path = "../../build-support/tests/it/support/workspace.rs"]
#[allow(dead_code)]
mod workspace;

// An object store on loopback.
#[path = "../../clawft-cli/tests/it/support/s3.rs"]
#[allow(dead_code)]
mod s3;

use s3::S3;
use workspace::program;

const TARGET: &str = "wasm32-wasip1";

/// The package whose metadata names the page.
fn package() -> Package {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Package::at(&here.parent().unwrap().join("clawft-wasm")).unwrap()
}

/// The reactor as `cargo wasm-p1` builds it, once for all tests.
fn reactor() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let package = package();
        let folder = package.outputs(TARGET);
        let built = build::run(&package, TARGET, &Wanted::default(), &folder, &mut Silent);
        built.unwrap().files.shipped
    })
}

/// Runs the tests of a file; each has passed, none was skipped, and there was at least one.
#[track_caller]
fn run(file: &str) {
    run_with(file, &[]);
}

/// The same with variables of its own: where a host is already.
#[track_caller]
fn run_with(file: &str, variables: &[(&str, &str)]) {
    let mut command = process::command(program(&["node"], "nodejs"));
    command
        .arg("--no-warnings")
        .args(["--test", "--test-reporter=tap"])
        .arg(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests")
                .join(file),
        )
        .env("REACTOR", reactor())
        .envs(variables.iter().copied())
        .env(
            "CHROMIUM",
            program(
                &["chromium", "chromium-browser", "google-chrome"],
                "chromium",
            ),
        );
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let count = |what: &str| {
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix(&format!("# {what} ")));
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

/// One browser at a time: two on two cores are slower than one twice.
#[track_caller]
fn browse(run: impl FnOnce()) {
    static BROWSER: Mutex<()> = Mutex::new(());
    let _alone = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    run();
}

#[test]
fn page() {
    browse(|| run("page.test.mjs"));
}

#[test]
fn saving() {
    browse(|| run("saving.test.mjs"));
}

#[test]
fn hosting() {
    browse(|| run("hosting.test.mjs"));
}

/// Protects devices on a server of one machine.
#[test]
fn devices_over_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("file:{}", folder.path().display());
    devices(Store::open(&store).unwrap());
}

/// Protects devices on servers that keep nothing themselves.
#[test]
fn devices_over_an_object_store() {
    let s3 = S3::start();
    devices(s3.store().unwrap());
    assert!(s3.names().len() > 10, "{:?}", s3.names());
}

fn devices(store: Store) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("audit.json"), "{\"policy\":\"\"}").unwrap();
    let site = Site::new(
        Bundle::open(folder.path()).unwrap(),
        Some(Sync::new(store, Duration::from_secs(25))),
        Relay::new(&[]).unwrap(),
    );
    let server = Server::start(site, 0).unwrap();
    let url = format!("http://127.0.0.1:{}", server.port);
    browse(|| run_with("devices.test.mjs", &[("SYNC", &url)]));
}

/// Protects what is shipped: the folder that `cargo bundle` makes, with the headers, the compressed
/// files and the segments of `weft serve`.
#[test]
fn bundled() {
    let folder = tempfile::tempdir().unwrap();
    let request = bundle::Request {
        module: Some(reactor().to_path_buf()),
        folder: Some(folder.path().join("bundle")),
        ..bundle::Request::default()
    };
    bundle::run(&package(), &request, &preinit::run, &mut Silent).unwrap();
    let store = format!("file:{}", folder.path().join("sync").display());
    let sync = Sync::new(Store::open(&store).unwrap(), Duration::from_secs(25));
    let site = Site::new(
        Bundle::open(&folder.path().join("bundle")).unwrap(),
        Some(sync),
        Relay::new(&[]).unwrap(),
    );
    let server = Server::start(site, 0).unwrap();
    let url = format!("http://127.0.0.1:{}", server.port);
    browse(|| run_with("bundled.test.mjs", &[("SITE", &url)]));
}
