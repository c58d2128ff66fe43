//! What a toolchain gives on this machine: files that run, with all that the analysis needs, and
//! the same bytes wherever they are built.

use crate::support::{run, sysroot};
use build_support::config::Config;
use build_support::passes::{Job, pipeline};
use build_support::project::compile::{self, Linked};
use build_support::project::listener::Silent;
use build_support::project::toolchain::{Std, Toolchain};
use build_support::wasm::artifact::Artifact;
use std::path::Path;
use wasmparser::{Parser, Payload};

const P1: &str = "wasm32-wasip1";
const P2: &str = "wasm32-wasip2";

/// Protects the way of this machine, whichever branch it is.
#[test]
fn the_found_toolchain_gives_files_that_run() {
    let (toolchain, root) = sysroot::found(P1);
    runs(&toolchain, &root, P1);
    let (toolchain, root) = sysroot::found(P2);
    runs(&toolchain, &root, P2);
}

/// Protects the branch most users take: the standard library stands ready in the sysroot.
#[test]
fn an_installed_std_gives_files_that_run() {
    for target in [P1, P2] {
        let toolchain = sysroot::installed(target);
        assert_eq!(toolchain.std, Std::Installed);
        let root = sysroot::scratch().join("installed");
        sysroot::small_workspace(&root);
        runs(&toolchain, &root, target);
    }
}

/// Protects the same bytes in every folder, and the machine's folders from being shipped.
#[test]
fn the_folder_does_not_show() {
    let toolchain = sysroot::installed(P1);
    let build = |folder: &str| {
        let root = sysroot::scratch().join(folder);
        sysroot::small_workspace(&root);
        compile::run(
            &sysroot::request(&root, "command", P1),
            &toolchain,
            &mut Silent,
        )
        .unwrap()
    };
    let (one, other) = (build("here"), build("over there/and deeper"));
    assert_eq!(one.bytes.len(), other.bytes.len());
    assert!(
        one.bytes == other.bytes,
        "two folders give different files of one size"
    );
    for path in &one.machine_paths {
        let found = one
            .bytes
            .windows(path.len())
            .any(|window| window == path.as_bytes());
        assert!(!found, "{path} is named in {}", one.path.display());
    }
    assert!(
        one.machine_paths
            .iter()
            .any(|path| Path::new(path).ends_with("toolchain/here")),
        "{:?}",
        one.machine_paths
    );
}

/// Protects the message for a package that has nothing to link.
#[test]
fn a_plain_library_is_refused() {
    let (toolchain, root) = sysroot::found(P1);
    let error = compile::run(&sysroot::request(&root, "sum", P1), &toolchain, &mut Silent)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("sum/Cargo.toml has no cdylib and 0 programs: nothing to link"),
        "{error}"
    );
    assert!(
        error.contains("help: add `crate-type = [\"cdylib\"]`"),
        "{error}"
    );
}

fn runs(toolchain: &Toolchain, root: &Path, target: &str) {
    let reactor = compile::run(
        &sysroot::request(root, "reactor", target),
        toolchain,
        &mut Silent,
    )
    .unwrap();
    is_fit_for_analysis(&reactor, "sum");
    assert_eq!(run::library(&reactor.bytes, "digits", 90_125), 17);
    let command = compile::run(
        &sysroot::request(root, "command", target),
        toolchain,
        &mut Silent,
    )
    .unwrap();
    is_fit_for_analysis(&command, "main");
    let args = ["command", "40", "2"];
    let said = match target {
        P1 => run::program(&command.bytes, &args),
        _ => run::program(&shipped(&command), &args),
    };
    assert_eq!(said, "2 numbers, sum 42\n");
    assert!(
        command.toolchain.rustc.starts_with("rustc 1."),
        "{:?}",
        command.toolchain
    );
}

/// A core module, with names, the linker's relocations, and no debug information.
fn is_fit_for_analysis(linked: &Linked, function: &str) {
    let mut sections = Vec::new();
    for payload in Parser::new(0).parse_all(&linked.bytes) {
        match payload.unwrap() {
            Payload::Version { encoding, .. } => assert_eq!(encoding, wasmparser::Encoding::Module),
            Payload::CustomSection(section) => sections.push(section.name().to_owned()),
            _ => {}
        }
    }
    for wanted in ["name", "linking", "reloc.CODE", "reloc.DATA"] {
        assert!(
            sections.iter().any(|section| section == wanted),
            "no {wanted} in {sections:?}"
        );
    }
    assert!(
        !sections.iter().any(|section| section.starts_with(".debug")),
        "{sections:?}"
    );
    let named = linked
        .bytes
        .windows(function.len())
        .any(|window| window == function.as_bytes());
    assert!(named, "no function is called {function}");
}

/// A command for components through the passes. Where its C library speaks preview 1, the adapter
/// goes in.
fn shipped(linked: &Linked) -> Vec<u8> {
    let mut config = Config::without_package("command");
    config.snip.enabled = true;
    let artifact = Artifact::new(linked.bytes.clone(), &linked.path).unwrap();
    let analysis =
        pipeline::analyze(&config.snip, config.sweep.enabled, &linked.path, &artifact).unwrap();
    let job = Job {
        wants_component: true,
        ..Job::new(&linked.path, analysis.plans)
    };
    let product = pipeline::run(&job, artifact, &mut |_| {}).unwrap();
    product.artifact.bytes().to_vec()
}
