//! The tool as the linker of a target, in projects of their own: one line in `.cargo/config.toml`,
//! and plain cargo. The standard library stands ready in a sysroot, as most users have it.

mod project;

use crate::support::run;
use build_support::wasm::{Module, layout};
use project::{P1, P2, Project, Shape};
use std::fs;

/// Protects the promise: cargo alone gives the bytes and the report of `cargo wasm`. The profile
/// strips, and a part of the arguments comes in a file: neither shows.
#[test]
fn cargo_alone_gives_the_bytes_of_cargo_wasm() {
    for (target, shape) in [(P1, Shape::Library), (P2, Shape::Program)] {
        let project = Project::new("same-bytes", shape, target);
        let built = project.cargo(&["build", "--profile", "release-wasm"]);
        built.with(0);
        let product = project.product("release-wasm");
        let (linked, report) = (project.budget_file("linked.wasm"), project.report());
        assert!(product == project.budget_file("wasm"));

        let tool = project.tool();
        tool.with(0);
        // The linker writes the file's name into it, and cargo gives a program's file a hash of the
        // flags.
        let again = project.budget_file("linked.wasm").len();
        assert_eq!(again, linked.len(), "{target}: was it linked twice?");
        assert!(project.budget_file("wasm") == product, "{target}");
        assert_eq!(project.report(), report, "{target}");
        assert!(product.len() * 2 < linked.len());
        match shape {
            Shape::Library => assert_eq!(run::library(&product, "digits", 90_125), 17),
            Shape::Program => assert_eq!(run::program(&product, &["add-up", "40", "2"]), "42\n"),
        }
    }
}

/// Protects the right to low memory: whoever says how large the stack is, a compacted package has
/// as much and 1,024 bytes more, in both ways of building, and the report says what follows.
#[test]
fn a_compacted_package_has_stack_to_spare() {
    for (target, shape) in [(P1, Shape::Library), (P2, Shape::Program)] {
        let project = Project::new("spare-stack", shape, target);
        let limit = "raw = \"40 KiB\"";
        let compacted = format!("{limit}\n[package.metadata.budget.compact]\noutline = \"all\"");
        project.edit_manifest(limit, &compacted);
        project.write_build_script(
            "fn main() { println!(\"cargo::rustc-link-arg=-zstack-size=65536\"); }",
        );
        project
            .cargo(&["build", "--profile", "release-wasm"])
            .with(0);
        let product = project.product("release-wasm");
        for _ in 0..2 {
            let linked = project.budget_file("linked.wasm");
            let module = Module::read(&linked).unwrap();
            let stack = layout::read(&module).unwrap().stack.unwrap();
            assert_eq!(stack.bytes, 65_536 + 1_024, "{target}");
            let report = project.report().to_string();
            assert!(
                report.contains("the last 1,024 bytes of the stack are spare"),
                "{report}"
            );
            assert!(project.budget_file("wasm") == product, "{target}");
            project.tool().with(0);
        }
        match shape {
            Shape::Library => assert_eq!(run::library(&product, "digits", 90_125), 17),
            Shape::Program => assert_eq!(run::program(&product, &["add-up", "40", "2"]), "42\n"),
        }
    }
}

/// Protects the gate: a limit that was lowered, and nothing else, fails the very next build, and
/// every one after it, with the words of `cargo wasm`; what is not shipped is not judged.
#[test]
fn over_budget_is_a_link_error_with_the_diagnostic() {
    let project = Project::new("over-budget", Shape::Program, P1);
    let build = || project.cargo(&["build", "--profile", "release-wasm"]);
    build().with(0);
    let good = project.product("release-wasm");
    assert!(!build().stderr.contains("Compiling"), "nothing changed");

    project.edit_manifest("raw = \"40 KiB\"", "raw = 4_000");
    let expected = project.tool().stderr;
    let expected = &expected[expected.find("error[over-budget]").expect("a diagnostic")..];
    assert!(expected.contains("--> Cargo.toml:") && expected.contains("| raw = 4_000"));
    for _ in 0..2 {
        let failed = build();
        let said = failed.stderr;
        assert_ne!(failed.code, 0, "{said}");
        assert!(said.contains("error: linking with `build-support` failed: exit status: 1"));
        for line in expected
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            assert!(said.contains(line), "{line:?} is not in {said}");
        }
    }
    assert!(
        project.product("release-wasm") == good,
        "as after any link error"
    );
    let example = project.cargo(&["build", "--profile", "release-wasm", "--example", "other"]);
    example.with(0);

    project.edit_manifest("raw = 4_000", "raw = \"40 KiB\"");
    build().with(0);
    assert!(project.product("release-wasm") == good);
}

/// Protects everything a budget is not for: to the byte what rustc's own linker gives.
#[test]
fn without_a_budget_it_is_the_real_linkers_file() {
    for (target, shape, real) in [
        (P1, Shape::Program, "rust-lld"),
        (P2, Shape::Library, "wasm-component-ld"),
    ] {
        let project = Project::new("unchanged", shape, target);
        let real = format!("target.{target}.linker=\"{real}\"");
        let same = |profile: &str, folder: &str| {
            let ours = project.cargo(&["build", "--profile", profile]);
            ours.with(0);
            let ours = project.product(folder);
            let args = ["build", "--profile", profile, "--config", &real];
            let theirs = project.cargo_in("real", &args);
            theirs.with(0);
            assert!(
                ours == fs::read(project.file("real", folder)).unwrap(),
                "{target}, {profile}"
            );
        };
        same("release", "release");
        // A mistake in a budget is none of another profile's business.
        project.edit_manifest("raw = \"40 KiB\"", "rwa = 1");
        same("dev", "debug");
        project.edit_manifest(project::BUDGET_TABLES, "");
        project.edit_manifest("rwa = 1", "");
        same("release-wasm", "release-wasm");
        assert!(!project.has_budget_folder());
    }
}

/// Protects users' manifests: a wrong key is the diagnostic of `cargo wasm`, and nothing is
/// shipped.
#[test]
fn a_mistake_in_the_budget_is_told_at_its_place() {
    let project = Project::new("mistake", Shape::Library, P1);
    project.edit_manifest("raw = \"40 KiB\"", "rwa = \"40 KiB\"");
    told_in_both_ways(&project, "error[unknown-key]", "rwa = ");
}

/// Protects FR-10 with cargo alone: a crate that must not be linked is told at the place of the
/// rule, with line and column, where an editor underlines it.
#[test]
fn a_banned_crate_is_told_at_its_place() {
    let project = Project::new("banned", Shape::Library, P1);
    project
        .cargo(&["build", "--profile", "release-wasm"])
        .with(0);
    let rule = "raw = \"40 KiB\"\n\n[package.metadata.budget.graph]\nbanned-crates = [\"core\"]";
    project.edit_manifest("raw = \"40 KiB\"", rule);
    told_in_both_ways(&project, "error[banned]", "\"core\"");
}

/// Plain cargo fails with what `cargo wasm` says of the line of the manifest that has `cause`.
#[track_caller]
fn told_in_both_ways(project: &Project, code: &str, cause: &str) {
    let expected = project.tool().stderr;
    assert!(expected.contains(code), "{expected}");
    let manifest = project.manifest();
    let line = manifest
        .lines()
        .position(|line| line.contains(cause))
        .unwrap()
        + 1;
    let column = manifest.lines().nth(line - 1).unwrap().find(cause).unwrap() + 1;
    let place = format!("--> Cargo.toml:{line}:{column}");
    assert!(expected.contains(&place), "{place} is not in {expected}");
    // What is said of the toolchain before is `cargo wasm`'s alone.
    let expected = &expected[expected.find(code).unwrap()..];
    let failed = project.cargo(&["build", "--profile", "release-wasm"]);
    let said = failed.stderr;
    assert_ne!(failed.code, 0, "{said}");
    assert!(said.contains("failed: exit status: 2"), "{said}");
    for line in expected
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        assert!(said.contains(line), "{line:?} is not in {said}");
    }
}

/// Protects users from a puzzle: cargo does without LTO where the library is an rlib, too.
#[test]
fn a_library_that_is_an_rlib_too_is_explained() {
    let project = Project::new("rlib-too", Shape::Library, P1);
    project.edit_manifest("[\"cdylib\"]", "[\"cdylib\", \"rlib\"]");
    project.edit_manifest("raw = \"40 KiB\"", "raw = 4_000");
    let profile = ["--profile", "release-wasm"];
    let said = project.cargo(&[&["build"], &profile[..]].concat()).stderr;
    let note = "cargo rustc --package add-up --lib --crate-type cdylib";
    assert!(
        said.contains("error[over-budget]") && said.contains(note),
        "{said}"
    );

    let alone = [
        &["rustc"],
        &profile[..],
        &["--lib", "--crate-type", "cdylib"],
    ]
    .concat();
    let said = project.cargo(&alone).stderr;
    assert!(
        said.contains("error[over-budget]") && !said.contains(note),
        "{said}"
    );
    project.edit_manifest("raw = 4_000", "raw = \"40 KiB\"");
    let built = project.cargo(&alone);
    built.with(0);
    let product = project.product("release-wasm");
    project.tool().with(0);
    assert!(project.budget_file("wasm") == product);
}

/// Protects what the real linker has to say, and its exit code.
#[test]
fn the_real_linkers_errors_pass_through() {
    let project = Project::new("pass-through", Shape::Library, P1);
    let ours = project.linker(&["-flavor", "wasm", "no-such-object.o", "-o", "x.wasm"]);
    let real = project.real_linker(&["-flavor", "wasm", "no-such-object.o", "-o", "x.wasm"]);
    assert_eq!((ours.code, &ours.stderr), (real.code, &real.stderr));
    assert!(ours.stderr.contains("no-such-object.o"));
}

/// Protects the distribution's compilers, which bring no linker: what `cargo wasm` links with is
/// found in this mode, too.
#[test]
fn a_rustc_without_a_linker_has_the_machines() {
    let project = Project::new("bare-rustc", Shape::Library, P1);
    let arguments = ["-flavor", "wasm", "no-such-object.o", "-o", "x.wasm"];
    let said = project.linker_of_a_bare_rustc(&arguments).with(1).stderr;
    assert!(
        said.contains("cannot open no-such-object.o"),
        "the linker itself speaks: {said}"
    );
}

/// Protects the way out where there is no linker.
#[test]
fn a_missing_linker_is_told_with_the_remedy() {
    let project = Project::new("no-linker", Shape::Library, P1);
    let missing = project.linker_without_path(&["-flavor", "wasm", "-o", "x.wasm"]);
    let said = missing.with(2).stderr;
    assert!(
        said.contains("no `rust-lld`") && said.contains("rustup"),
        "{said}"
    );
    let output = format!("target/{P2}/debug/deps/x.wasm");
    let missing = project.linker_without_path(&["-flavor", "wasm", "-o", &output]);
    let said = missing.with(2).stderr;
    assert!(
        said.contains("cargo install --locked wasm-component-ld"),
        "{said}"
    );
}
