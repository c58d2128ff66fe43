//! Another project adopts the tool: `cargo budget init`, and from then on a file that grows fails
//! the build. Projects outside of every workspace, one for each kind of target, and what comes out
//! is run.

mod bindgen;

use crate::support::ended::said;
use crate::support::project::Project;
use crate::support::run;
use std::fs;

const UNKNOWN: &str = "wasm32-unknown-unknown";
const P1: &str = "wasm32-wasip1";
const P2: &str = "wasm32-wasip2";

const MANIFEST: &str = "\
[package] # the author's own hand
name = \"my-app\"   # with   its spaces
version = \"0.1.0\"
edition = \"2024\"

[dependencies]
# none yet";

const LIBRARY: &str = "\
mod growth;
#[unsafe(no_mangle)]
pub extern \"C\" fn answer(number: u64) -> u64 {
    let text = std::hint::black_box(format!(\"{number}\"));
    growth::of(text.len()) + text.bytes().map(|digit| u64::from(digit - b'0')).sum::<u64>()
}
";

const PROGRAM: &str = "\
mod growth;
fn main() {
    let number = std::env::args().nth(1).unwrap();
    let sum: u64 = number.bytes().map(|digit| u64::from(digit - b'0')).sum();
    println!(\"{}\", growth::of(number.len()) + sum);
}
";

const SMALL: &str = "pub fn of(_: usize) -> u64 {\n    0\n}\n";

/// 20,000 bytes that do not compress.
const LARGE: &str = "\
static TABLE: [u8; 20_000] = {
    let mut table = [0; 20_000];
    let (mut i, mut x) = (0, 1_u32);
    while i < table.len() {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        table[i] = (x >> 24) as u8;
        i += 1;
    }
    table
};
pub fn of(at: usize) -> u64 {
    u64::from(std::hint::black_box(&TABLE)[at]) & 0
}
";

/// A project that nobody has built yet.
fn project(name: &str, target: &str, files: &[(&str, &str)]) -> Project {
    Project::kept(&format!("adoption/{name}"), target, files)
}

/// What a program or a library answers to a number.
fn answer(file: &[u8], number: u64) -> u64 {
    if run::is_program(file) {
        let text = run::program(file, &["app", &number.to_string()]);
        text.trim().parse().unwrap()
    } else {
        run::library(file, "answer", number)
    }
}

/// The line of the manifest that begins with `text`, from 1.
fn line(manifest: &str, text: &str) -> usize {
    1 + manifest
        .lines()
        .position(|line| line.starts_with(text))
        .unwrap()
}

/// From the first command to a build that fails, and back.
fn adopt(project: &Project, target: &str, init: &[&str], before: &str) {
    let written = said(&project.cargo(&[&["budget", "init"], init].concat()), 0);
    for text in [
        "[package.metadata.budget]",
        "cargo budget build",
        "wrote [profile.release-wasm]",
        "without its",
        "enabled = false",
    ] {
        assert!(written.contains(text), "{text:?} is not in {written}");
    }
    let manifest = project.read("Cargo.toml");
    assert!(manifest.starts_with(before), "{manifest}");
    assert!(
        manifest.contains(&format!("targets = [\"{target}\"]")),
        "{manifest}"
    );
    let again = said(&project.budget(&["budget", "init"]), 2);
    assert!(
        again.contains("already") && again.contains("--force"),
        "{again}"
    );
    assert_eq!(project.read("Cargo.toml"), manifest);

    let built = said(&project.budget(&["build"]), 0);
    // It is measured as it is built afterwards, with the profile that was written.
    assert!(
        built.contains("nothing changed since the last run"),
        "{built}"
    );
    // As cargo calls a program's file, and a library's.
    let stem = if project.path("src/main.rs").is_file() {
        "my-app"
    } else {
        "my_app"
    };
    let (shipped, linked) = (
        project.built(target, &format!("{stem}.wasm")),
        project.built(target, &format!("{stem}.linked.wasm")),
    );
    let small = fs::read(&shipped).unwrap();
    let limit = small.len() as u64 + (small.len() as u64 * 30).div_ceil(1000);
    let raw = &manifest[manifest.find("raw = ").unwrap() + 6..];
    assert_eq!(
        raw.lines().next().unwrap().replace('_', ""),
        limit.to_string()
    );
    assert!(small.len() * 2 < fs::read(&linked).unwrap().len());
    assert_eq!(answer(&small, 90_125), 17);

    said(&project.budget(&["gate", "--update"]), 0);
    assert!(project.read("baseline.json").contains("my-app"));
    said(&project.budget(&["gate"]), 0);

    project.write("src/growth.rs", LARGE);
    let grown = said(&project.budget(&["gate"]), 1);
    assert!(
        grown.contains("--> baseline.json:") && grown.contains("error[over-budget]"),
        "{grown}"
    );
    let over = said(&project.cargo(&["budget", "build"]), 1);
    let place = format!("--> Cargo.toml:{}:7", line(&manifest, "raw = "));
    assert!(
        over.contains("error[over-budget]") && over.contains(&place),
        "{place}: {over}"
    );
    let large = fs::read(&shipped).unwrap();
    assert_eq!(answer(&large, 90_125), 17);

    let file = shipped.to_str().unwrap();
    let checked = said(&project.budget(&["check", file]), 1);
    assert!(
        checked.contains("error[over-budget]") && checked.contains(&place),
        "{checked}"
    );
    assert_eq!(fs::read(&shipped).unwrap(), large, "it is only looked at");

    said(&project.budget(&["init", "--force", "--margin", "0"]), 0);
    let renewed = project.read("Cargo.toml");
    assert_eq!(renewed.lines().count(), manifest.lines().count());
    assert!(renewed.contains(&format!(
        "raw = {}",
        build_support::report::units::bytes(large.len() as u64).replace(',', "_")
    )));
    said(&project.budget(&["check", file]), 0);
    said(&project.budget(&["build"]), 0);
}

/// Protects browsers' modules and embedders': the target is cargo's own for the project.
#[test]
fn a_library_for_no_system() {
    let manifest = format!("{MANIFEST}\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n[workspace]\n");
    let config = "[build]\ntarget = \"wasm32-unknown-unknown\"\n";
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("src/lib.rs", LIBRARY),
        ("src/growth.rs", SMALL),
        (".cargo/config.toml", config),
    ];
    let project = project("unknown", UNKNOWN, &files);
    // Before there is a budget: nothing to keep, and a file all the same.
    let built = said(&project.budget(&["build"]), 0);
    assert!(built.contains("no limits are set"), "{built}");
    let unlimited = said(
        &project.budget(&[
            "check",
            project.built(UNKNOWN, "my_app.wasm").to_str().unwrap(),
        ]),
        2,
    );
    assert!(
        unlimited.contains("cargo budget init") && unlimited.contains("--limit"),
        "{unlimited}"
    );
    adopt(&project, UNKNOWN, &[], &manifest);
}

/// Protects the answer to why something is there: it is that of the package's own build, and a file
/// of nobody's is explained by the defaults.
#[test]
fn a_package_explains_by_its_own_rules() {
    const CALLS: &str = "\
#[unsafe(no_mangle)]
pub extern \"C\" fn go(number: u64) -> u64 {
    outer(number)
}
#[inline(never)]
fn outer(number: u64) -> u64 {
    inner(std::hint::black_box(number)) + 1
}
#[inline(never)]
fn inner(number: u64) -> u64 {
    std::hint::black_box(number) * 3
}
";
    let manifest = format!(
        "{MANIFEST}\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n[profile.release-wasm]\ninherits = \"release\"\n\
         [package.metadata.budget]\nprofile = \"release-wasm\"\ntargets = [\"{P1}\"]\n\
         [package.metadata.budget.snip]\ndeny = [\"my_app::outer\"]\n"
    );
    let files = [("Cargo.toml", manifest.as_str()), ("src/lib.rs", CALLS)];
    let project = project("explain", P1, &files);
    said(&project.budget(&["build"]), 0);
    let linked = project.built(P1, "my_app.linked.wasm");
    let report = project.built(P1, "report.json");
    let explain = |file: &[&str]| {
        let arguments = [&["analyze", "--explain", "my_app::inner"], file].concat();
        said(&project.budget(&arguments), 0)
    };
    let (linked, report) = (linked.to_str().unwrap(), report.to_str().unwrap());
    for file in [&[][..], &[report], &[linked]] {
        let own = explain(file);
        assert!(own.contains("is dead: it goes"), "{file:?}: {own}");
    }
    let alone = project.root.join("alone.wasm");
    fs::copy(linked, &alone).unwrap();
    let others = explain(&[alone.to_str().unwrap()]);
    assert!(
        others.contains("calls             my_app::outer"),
        "{others}"
    );
    project.edit("Cargo.toml", "name = \"my-app\"", "name = \"another\"");
    let unknown = explain(&[report]);
    assert!(
        unknown.contains("calls             my_app::outer")
            && unknown.contains("no package `my-app`"),
        "{unknown}"
    );
}

/// Protects command-line programs.
#[test]
fn a_program_for_preview_1() {
    let manifest = format!("{MANIFEST}\n\n[workspace]");
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("src/main.rs", PROGRAM),
        ("src/growth.rs", SMALL),
    ];
    let project = project("p1", P1, &files);
    let unclear = said(&project.budget(&["init"]), 2);
    assert!(
        unclear.contains("--target") && project.read("Cargo.toml") == manifest,
        "{unclear}"
    );
    adopt(&project, P1, &["--target", P1], &manifest);
}

/// Protects components.
#[test]
fn a_program_for_wasi_0_2() {
    let manifest = format!("{MANIFEST}\n\n[workspace]\n");
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("src/main.rs", PROGRAM),
        ("src/growth.rs", SMALL),
    ];
    let project = project("p2", P2, &files);
    adopt(&project, P2, &["--target", P2], &manifest);
}

/// Protects workspaces: the package is found, the profile goes to the root, and nothing else
/// anywhere; and a source that does not compile leaves everything as it was.
#[test]
fn in_a_workspace_only_what_is_needed_is_written() {
    let root = "# ours\n[workspace]\nmembers = [\"app\", \"types\"]\nresolver = \"3\"\n";
    let app = format!("{MANIFEST}\n\n[lib]\ncrate-type = [\"cdylib\"]\n");
    let types = "[package]\nname = \"types\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let files = [
        ("Cargo.toml", root),
        ("app/Cargo.toml", app.as_str()),
        ("app/src/lib.rs", LIBRARY),
        ("types/Cargo.toml", types),
        ("types/src/lib.rs", ""),
    ];
    let project = project("workspace", P1, &files);
    let untouched = |project: &Project| {
        (project.read("Cargo.toml"), project.read("app/Cargo.toml"))
            == (root.to_owned(), app.clone())
    };
    let broken = said(&project.budget(&["init", "--target", P1]), 2);
    assert!(broken.contains("growth") && untouched(&project), "{broken}");
    project.write("app/src/growth.rs", SMALL);
    let profile = said(
        &project.budget(&["init", "--target", P1, "--profile", "tiny"]),
        2,
    );
    assert!(
        profile.contains("no profile `tiny`") && untouched(&project),
        "{profile}"
    );
    let types = said(&project.budget(&["init", "--target", P1, "-p", "types"]), 2);
    assert!(
        types.contains("nothing to link") && untouched(&project),
        "{types}"
    );

    said(
        &project.budget(&["init", "--target", P1, "--margin", "10%"]),
        0,
    );
    let (changed, manifest) = (project.read("Cargo.toml"), project.read("app/Cargo.toml"));
    assert!(
        changed.starts_with(root) && changed.contains("[profile.release-wasm]"),
        "{changed}"
    );
    assert!(
        !changed.contains("metadata") && !manifest.contains("[profile"),
        "{manifest}"
    );
    assert!(
        manifest.starts_with(&app) && manifest.contains("and 10%"),
        "{manifest}"
    );
    assert!(said(&project.budget(&["build"]), 0).contains("nothing changed since the last run"));
}

/// Protects limits given by hand: the same units, mistakes and words as in a manifest, and no
/// package is needed.
#[test]
fn a_file_from_anywhere_is_judged() {
    let project = project("check", P1, &[]);
    let module = wat::parse_str(r#"(module (func $app::run (export "run") (nop)) (memory 1) (data (i32.const 0) "0123456789"))"#).unwrap();
    let size = module.len();
    fs::create_dir_all(&project.root).unwrap();
    fs::write(project.root.join("app.wasm"), &module).unwrap();
    let check = |limits: &[&str]| {
        let limits = limits.iter().flat_map(|limit| ["--limit", *limit]);
        project.budget(
            &["check", "app.wasm"]
                .into_iter()
                .chain(limits)
                .collect::<Vec<_>>(),
        )
    };
    let within = said(&check(&[&format!("raw={size}"), "gzip=1KiB"]), 0);
    assert!(within.contains("within budget"), "{within}");
    let over = said(&check(&[&format!("raw={}", size - 1)]), 1);
    assert!(
        over.contains("error[over-budget]")
            && over.contains("command line:1:9")
            && over.contains("app::run"),
        "{over}"
    );
    for (limit, expected) in [
        ("raw=many", "bad-size"),
        ("rwa=1", "did you mean `raw`?"),
        ("raw", "--limit raw=60KiB"),
        ("raw]\n=1", "--limit raw=60KiB"),
    ] {
        let wrong = said(&check(&[limit]), 2);
        assert!(wrong.contains(expected), "{limit}: {wrong}");
    }
    fs::write(project.root.join("app.wasm"), &module[..size - 3]).unwrap();
    assert!(said(&check(&["raw=1MiB"]), 2).contains("app.wasm"));
    let json = said(
        &project.budget(&["check", "no.wasm", "--json", "--limit", "raw=1"]),
        2,
    );
    assert!(json.contains("no.wasm"), "{json}");
}

/// Protects whoever ships to an engine of tomorrow: what no optimiser here can read is measured,
/// taken as a baseline and judged as any file.
#[test]
fn a_file_of_newer_proposals_is_gated() {
    let manifest = format!(
        "{MANIFEST}\n\n[workspace]\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n[package.metadata.budget]\ntargets = [\"{UNKNOWN}\"]\nlimits.raw = \"60 KiB\"\n"
    );
    for (name, module) in [
        (
            "gc",
            "(type $s (struct (field i32))) (func (export \"f\") (drop (struct.new_default $s)))",
        ),
        (
            "exceptions",
            "(tag $t) (func (export \"f\") (try_table (throw $t)))",
        ),
        (
            "pages",
            "(memory (export \"m\") 10 (pagesize 1)) (func (export \"f\"))",
        ),
    ] {
        let project = Project::passing(&[("Cargo.toml", &manifest), ("src/lib.rs", "")]);
        let file = |more: &str| {
            let module = wat::parse_str(format!("(module {module} {more})")).unwrap();
            fs::write(project.root.join("app.wasm"), module).unwrap();
            let report = project.budget(&["check", "app.wasm", "--json", "--target", UNKNOWN]);
            fs::write(project.root.join("report.json"), report.with(0).stdout).unwrap();
        };
        let gate =
            |more: &[&str]| project.budget(&[&["gate", "--report", "report.json"], more].concat());
        file("");
        said(&gate(&["--update"]), 0);
        said(&gate(&[]), 0);
        file(&format!("(@custom \"more\" \"{}\")", "x".repeat(300)));
        let grown = said(&gate(&[]), 1);
        assert!(
            grown.contains("error[over-budget]") || grown.contains("grew"),
            "{name}: {grown}"
        );
    }
}
