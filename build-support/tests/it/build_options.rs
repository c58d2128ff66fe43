//! What is shipped is what plain cargo builds, made smaller: with the user's flags, features and
//! programs, whichever way cargo is told of them, and under cargo's names.

use crate::support::ended::{Ended, said};
use crate::support::programs::TOOL;
use crate::support::project::Project;
use crate::support::run;
use std::fs;
use std::path::Path;

const UNKNOWN: &str = "wasm32-unknown-unknown";
const P1: &str = "wasm32-wasip1";

/// With no link-time optimisation: none of it is about how small a file gets.
const PROFILE: &str = "
[workspace]

[profile.release-wasm]
inherits = \"release\"
opt-level = 1
panic = \"abort\"
";

const BUDGET: &str = "
[package.metadata.budget]
profile = \"release-wasm\"
";

/// A library of the name `my-app` that needs `core` alone, with that `[lib]` and those features.
fn library(name: &str, lib: &str, source: &str) -> Project {
    let manifest = format!(
        "[package]\nname = \"my-app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n
[features]\ndefault = [\"a\"]\na = []\nb = []\nc = []\n
[lints.rust]\nunexpected_cfgs = \"allow\"\n
[lib]\n{lib}crate-type = [\"cdylib\"]\n{PROFILE}{BUDGET}"
    );
    let source = format!(
        "#![no_std]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {{
    core::arch::wasm32::unreachable()
}}
{source}"
    );
    let files = [("Cargo.toml", manifest.as_str()), ("src/lib.rs", &source)];
    Project::kept(&format!("build-options/{name}"), UNKNOWN, &files)
}

/// A library whose `answer` has a bit for every one of `conditions` that held when it was compiled.
fn answers(conditions: &[&str]) -> String {
    let bits = conditions.iter().zip(0..);
    let bits = bits.map(|(condition, bit)| format!("(cfg!({condition}) as u64) << {bit}"));
    let sum = bits.collect::<Vec<_>>().join(" | ");
    format!("#[unsafe(no_mangle)]\npub extern \"C\" fn answer(_: u64) -> u64 {{\n    {sum}\n}}\n")
}

/// Which of `conditions` held when `file` was compiled.
fn held<'a>(file: &Path, conditions: &[&'a str]) -> Vec<&'a str> {
    let bits = run::library(&fs::read(file).unwrap(), "answer", 0);
    let conditions = conditions.iter().zip(0..);
    let held = conditions.filter(|(_, bit)| bits >> bit & 1 == 1);
    held.map(|(condition, _)| *condition).collect()
}

/// Protects the program: each way to give flags, with what it joins and what it overrules, and the
/// answer is that of plain cargo.
#[test]
fn flags_are_those_of_plain_cargo() {
    const WAYS: [&str; 10] = [
        "build_file",
        "build_variable",
        "build_cli",
        "target_file",
        "target_variable",
        "target_cli",
        "target_cfg",
        "other_cfg",
        "rustflags",
        "encoded = \"a b\"",
    ];
    const BUILD: (&str, &str) = ("CARGO_BUILD_RUSTFLAGS", "--cfg build_variable");
    const TARGET: (&str, &str) = (
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
        "--cfg target_variable",
    );
    const RUSTFLAGS: (&str, &str) = ("RUSTFLAGS", "--cfg rustflags");
    const ENCODED: (&str, &str) = (
        "CARGO_ENCODED_RUSTFLAGS",
        "--cfg\x1fencoded=\"a b\"\x1f-Cdebuginfo=0",
    );
    let build = "[build]\nrustflags = [\"--cfg\", \"build_file\"]\n";
    let conditional = "[target.'cfg(target_family = \"wasm\")']\nrustflags = \"--cfg target_cfg\"\n\
                       [target.'cfg(unix)']\nrustflags = [\"--cfg\", \"other_cfg\"]\n";
    let target = format!(
        "{build}{conditional}[target.wasm32-unknown-unknown]\nrustflags = \"--cfg target_file\"\n"
    );
    let listed = target.replace("\"--cfg target_file\"", "[\"--cfg\", \"target_file\"]");
    // A flag decides which flags there are.
    let circular = "[build]\nrustflags = [\"-Ctarget-feature=+simd128\", \"--cfg=build_file\"]\n\
                    [target.'cfg(target_feature = \"simd128\")']\nrustflags = [\"--cfg=target_cfg\"]\n";
    let build_cli = "build.rustflags = [\"--cfg\", \"build_cli\"]";
    let target_cli = "target.wasm32-unknown-unknown.rustflags = [\"--cfg\", \"target_cli\"]";
    type Case<'a> = (
        &'a str,
        &'a [(&'a str, &'a str)],
        &'a [&'a str],
        &'a [&'a str],
    );
    let cases: [Case<'_>; 8] = [
        (build, &[], &[], &["build_file"]),
        (
            build,
            &[BUILD],
            &[build_cli],
            &["build_file", "build_variable", "build_cli"],
        ),
        (
            &target,
            &[BUILD, TARGET],
            &[build_cli],
            &["target_file", "target_variable", "target_cfg"],
        ),
        (
            &listed,
            &[TARGET],
            &[target_cli],
            &["target_file", "target_variable", "target_cli", "target_cfg"],
        ),
        (circular, &[], &[], &["target_cfg"]),
        (&target, &[BUILD, TARGET, RUSTFLAGS], &[], &["rustflags"]),
        (
            &target,
            &[TARGET, RUSTFLAGS, ENCODED],
            &[],
            &["encoded = \"a b\""],
        ),
        (&target, &[("RUSTFLAGS", "")], &[build_cli], &[]),
    ];
    let project = library("flags", "", &answers(&WAYS));
    for (config, variables, settings, expected) in cases {
        project.write(".cargo/config.toml", config);
        let settings: Vec<_> = settings.iter().flat_map(|s| ["--config", *s]).collect();
        let run = |program: &Path, arguments: &[&str]| {
            let mut command = project.command(program);
            command.args([arguments, &["--target", UNKNOWN], &settings].concat());
            said(&Ended::of(command.envs(variables.iter().copied())), 0)
        };
        let cargo = &project.toolchain.as_ref().unwrap().cargo;
        let plain = [
            "build",
            "--profile",
            "release-wasm",
            "--target-dir",
            "plain",
        ];
        run(cargo, &plain);
        let plain = project.path("plain/wasm32-unknown-unknown/release-wasm/my_app.wasm");
        assert_eq!(held(&plain, &WAYS), expected, "plain cargo: {config}");
        run(Path::new(TOOL), &["build"]);
        let ours = project.built(UNKNOWN, "my_app.wasm");
        assert_eq!(
            held(&ours, &WAYS),
            expected,
            "{variables:?} {settings:?} {config}"
        );
    }
}

/// Protects snip and sweep from flags that take away what they look at: they come to the same file.
#[test]
fn what_strips_is_put_off() {
    const SOURCE: &str = "#[unsafe(no_mangle)]
pub extern \"C\" fn add(a: u32, b: u32) -> u32 {
    a.checked_add(b).expect(\"sum too large\")
}
";
    let project = library("strip", "", SOURCE);
    let build = |flags: &str| {
        let mut command = project.command(TOOL);
        command.args(["build", "--target", UNKNOWN]);
        if !flags.is_empty() {
            command.env("RUSTFLAGS", flags);
        }
        let built = said(&Ended::of(&mut command), 0);
        let report = fs::read_to_string(project.built(UNKNOWN, "report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let snipped = report["snipped"].as_array().unwrap().len();
        assert!(snipped > 0, "{flags}: {built}");
        (
            snipped,
            fs::read(project.built(UNKNOWN, "my_app.wasm")).unwrap(),
        )
    };
    let expected = build("");
    for flags in [
        "-C link-arg=-s",
        "-Cstrip=symbols",
        "--codegen strip=symbols -Clink-args=--strip-all",
        "-Clink-arg=--compress-relocations -Clink-arg=--strip-debug",
    ] {
        assert!(build(flags) == expected, "{flags}");
    }
    project.write(
        "build.rs",
        "fn main() {\n    println!(\"cargo::rustc-link-arg=-s\");\n}\n",
    );
    project.edit(
        "Cargo.toml",
        "panic = \"abort\"\n",
        "panic = \"abort\"\nstrip = true\n",
    );
    assert!(build("") == expected, "a build script and a profile");
}

/// Protects features: on the command line and in the budget, in every command that builds.
#[test]
fn features_are_built_with() {
    const FEATURES: [&str; 3] = ["feature = \"a\"", "feature = \"b\"", "feature = \"c\""];
    let [a, b, c] = FEATURES;
    let project = library("features", "", &answers(&FEATURES));
    let built = |arguments: &[&str]| {
        said(&project.budget(arguments), 0);
        held(&project.built(UNKNOWN, "my_app.wasm"), &FEATURES)
    };
    let build = ["build", "--target", UNKNOWN];
    let with = |more: &[&'static str]| built(&[&build[..], more].concat());
    assert_eq!(with(&[]), [a]);
    assert_eq!(with(&["--features", "b c"]), FEATURES);
    assert_eq!(with(&["--all-features"]), FEATURES);
    assert_eq!(with(&["--no-default-features", "-F", "b"]), [b]);
    let none: [&str; 0] = [];
    let gate = [
        "gate",
        "--target",
        UNKNOWN,
        "--update",
        "--no-default-features",
    ];
    assert_eq!(built(&gate), none);
    fs::remove_file(project.path("baseline.json")).unwrap();

    // What a budget begins with is what it is of.
    project.edit("Cargo.toml", BUDGET, "");
    let init = [
        "init",
        "--target",
        UNKNOWN,
        "--margin",
        "90%",
        "--no-default-features",
        "--features",
        "c",
    ];
    assert_eq!(built(&init), [c]);
    let manifest = project.read("Cargo.toml");
    assert!(
        manifest.contains("features = [\"c\"]\nno-default-features = true\n"),
        "{manifest}"
    );
    assert!(said(&project.budget(&["build"]), 0).contains("nothing changed"));
    assert_eq!(with(&["--features", "b"]), [b, c]);
    assert_eq!(built(&["gate", "--update"]), [c]);
    project.edit(
        "Cargo.toml",
        "no-default-features = true",
        "all-features = true",
    );
    assert_eq!(with(&[]), FEATURES);
    project.edit("Cargo.toml", "all-features = true", "all-feature = true");
    let wrong = said(&project.budget(&["build"]), 2);
    assert!(wrong.contains("did you mean `all-features`?"), "{wrong}");
}

/// Protects packages with more than one program: it is clear which is shipped, or said how to
/// choose.
#[test]
fn one_of_several_programs() {
    let manifest = format!(
        "[package]\nname = \"my-app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{PROFILE}{BUDGET}"
    );
    let program = |text: &str| format!("fn main() {{\n    println!(\"{text}\");\n}}\n");
    let (serve, worker) = (program("serve"), program("worker"));
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("src/bin/serve-all.rs", &serve),
        ("src/bin/worker.rs", &worker),
    ];
    let project = Project::kept("build-options/programs", P1, &files);
    let build = |more: &[&str]| project.budget(&[&["build", "--target", P1], more].concat());
    let prints = |more: &[&str], name: &str| {
        said(&build(more), 0);
        run::program(&fs::read(project.built(P1, name)).unwrap(), &["x"])
    };
    let unclear = said(&build(&[]), 2);
    for part in [
        "no cdylib and 2 programs",
        "--bin",
        "default-run",
        "serve-all, worker",
    ] {
        assert!(unclear.contains(part), "{part:?} is not in {unclear}");
    }
    let unknown = said(&build(&["--bin", "wroker"]), 2);
    assert!(unknown.contains("no program `wroker`") && unknown.contains("serve-all, worker"));
    assert!(said(&build(&["--lib"]), 2).contains("no library"));
    assert_eq!(prints(&["--bin", "worker"], "worker.wasm"), "worker\n");
    project.edit(
        "Cargo.toml",
        "edition = \"2024\"\n",
        "edition = \"2024\"\ndefault-run = \"serve-all\"\n",
    );
    assert_eq!(prints(&[], "serve-all.wasm"), "serve\n");
    project.edit("Cargo.toml", BUDGET, "");
    said(
        &project.budget(&["init", "--target", P1, "--bin", "worker"]),
        0,
    );
    assert!(project.read("Cargo.toml").contains("bin = \"worker\"\n"));
    assert!(prints(&[], "worker.wasm") == "worker\n");
    let analyzed = said(&project.budget(&["analyze"]), 0);
    let is_found = !analyzed.contains("no dominators");
    assert!(is_found, "the report does not find its file: {analyzed}");
}

/// Protects whoever looks for the file where cargo puts one: it has the library's name.
#[test]
fn the_file_is_named_as_cargo_names_it() {
    let project = library("name", "name = \"erc20\"\n", &answers(&["feature = \"a\""]));
    let names = || {
        let folder = fs::read_dir(project.path("target/budget").join(UNKNOWN)).unwrap();
        let names = folder.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names
            .filter(|name| name.contains("wasm") || name.contains("sym"))
            .collect();
        names.sort();
        names
    };
    let expected = ["erc20.linked.wasm", "erc20.symbols.json", "erc20.wasm"];
    said(&project.budget(&["build", "--target", UNKNOWN]), 0);
    assert_eq!(names(), expected);
    let report = project.built(UNKNOWN, "report.json");
    let report = report.to_str().unwrap();
    said(&project.budget(&["analyze", report, "--why", "answer"]), 0);
    said(
        &project.budget(&["analyze", report, "--explain", "answer"]),
        0,
    );

    fs::remove_dir_all(project.path("target/budget")).unwrap();
    let config = "[target.wasm32-unknown-unknown]\nlinker = \"build-support\"\n";
    project.write(".cargo/config.toml", config);
    let cargo = ["build", "--profile", "release-wasm", "--target", UNKNOWN];
    said(&project.cargo(&cargo), 0);
    assert_eq!(names(), expected);
}
