//! What a stranger meets first: help that fits a terminal and names the command that was used,
//! completions, what is missing on a machine, files of other tools.

use crate::support::ended::{Ended, command, said};
use crate::support::programs::{CARGO_BUDGET, TOOL};
use crate::support::project::Project;
use crate::support::workspace;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

const P1: &str = "wasm32-wasip1";

/// What a terminal has where nobody says it.
const COLUMNS: usize = 80;

fn run(program: &str, args: &[&str]) -> Ended {
    Ended::of(command(program, &workspace::workspace()).args(args))
}

/// The subcommands in the help of a program.
fn subcommands(help: &str) -> Vec<&str> {
    let lines = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"));
    let lines = lines.skip(1).take_while(|line| line.starts_with("  "));
    let entries = lines.filter(|line| !line.starts_with("   "));
    entries
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

/// Protects terminals of 80 columns, and whoever copies a line out of help: it is a command of the
/// program that was asked.
#[test]
fn help_fits_a_terminal_and_names_the_command_that_was_used() {
    for (program, name, other) in [
        (CARGO_BUDGET, "cargo budget", "build-support "),
        (TOOL, "build-support", "cargo wasm"),
    ] {
        let main = said(&run(program, &["--help"]), 0);
        let all = subcommands(&main);
        assert!(all.len() >= 11, "{all:?}");
        for subcommand in [""]
            .into_iter()
            .chain(all.into_iter().filter(|name| *name != "help"))
        {
            let args: Vec<_> = [subcommand, "--help"]
                .into_iter()
                .filter(|a| !a.is_empty())
                .collect();
            let help = said(&run(program, &args), 0);
            assert!(
                help.contains(&format!("Usage: {name}")),
                "{subcommand}: {help}"
            );
            let wide: Vec<_> = help
                .lines()
                .filter(|l| l.chars().count() > COLUMNS)
                .collect();
            assert!(wide.is_empty(), "{subcommand}: {wide:#?}");
            let foreign = help.lines().filter(|line| line.contains(other));
            let foreign: Vec<_> = foreign.filter(|line| !line.contains("linker")).collect();
            assert!(foreign.is_empty(), "{subcommand}: {foreign:#?}");
        }
        let wrong = said(&run(program, &["optimise"]), 2);
        assert!(
            wrong.contains("optimize") && wrong.contains(&format!("Usage: {name}")),
            "{wrong}"
        );
    }
}

/// Protects shells and `man`: what they are given knows the subcommands.
#[test]
fn completions_and_pages_know_the_subcommands() {
    for (shell, sign) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef cargo-budget"),
        ("fish", "complete -c cargo-budget"),
    ] {
        let script = said(&run(CARGO_BUDGET, &["completions", shell]), 0);
        assert!(
            script.contains(sign) && script.contains("symbolicate"),
            "{shell}: {script}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    said(&run(CARGO_BUDGET, &["man", pages.to_str().unwrap()]), 0);
    let page = fs::read_to_string(pages.join("cargo-budget-optimize.1")).unwrap();
    assert!(page.contains("budget optimize app.wasm"), "{page}");
    assert!(!page.contains("build\\-support optimize"), "{page}");
    assert!(pages.join("cargo-budget.1").is_file());
}

/// Protects whoever sets a machine up: each thing says what it is for, those of the tests in this
/// repository alone.
#[test]
fn doctor_says_what_everything_is_for() {
    let here = run(TOOL, &["doctor", "--json"]).stdout;
    let here: serde_json::Value = serde_json::from_str(&here).unwrap();
    let findings = here["findings"].as_array().unwrap();
    let names: Vec<_> = findings
        .iter()
        .map(|one| one["what"].as_str().unwrap())
        .collect();
    for wanted in [
        "rustc",
        "a C++ compiler",
        "git",
        "node",
        "npm",
        "a browser",
        "room on the disk",
    ] {
        assert!(names.contains(&wanted), "{wanted} is not in {names:?}");
    }
    for one in findings {
        assert_ne!(one["for"], "", "{one}");
    }
    let project = Project::passing(&[]);
    let elsewhere = project.budget(&["doctor"]).all();
    assert!(
        elsewhere.contains("git") && !elsewhere.contains("a browser"),
        "{elsewhere}"
    );
}

fn module(text: &str) -> Vec<u8> {
    let data = "(memory 1) (data (i32.const 0) \"0123456789\")";
    wat::parse_str(format!(
        "(module (func $app::run (export \"run\") {text}) {data})"
    ))
    .unwrap()
}

/// Protects bundlers' files: several are judged by their names, whatever hash is in them, and all
/// of them together; a pattern that fits nothing is no success.
#[test]
fn files_are_judged_by_their_names_and_together() {
    let [small, large] = [
        module("(nop)"),
        module(&"(drop (i32.const 70000))".repeat(20)),
    ];
    let manifest = format!(
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n\
         [package.metadata.budget.files.\"dist/app-*.wasm\"]\nraw = {}\n[package.metadata.budget.sum]\nraw = {}\n",
        small.len(),
        small.len() + large.len()
    );
    let project = Project::passing(&[("Cargo.toml", &manifest), ("src/lib.rs", "")]);
    let file = |name: &str, bytes: &[u8]| {
        fs::create_dir_all(project.path("dist")).unwrap();
        fs::write(project.path(name), bytes).unwrap();
    };
    let none = said(&project.budget(&["check"]), 2);
    assert!(none.contains("no file is called"), "{none}");
    file("dist/app-1f3a.wasm", &small);
    said(&project.budget(&["check"]), 0);
    file("dist/app-77cc.wasm", &large);
    let over = said(&project.budget(&["check"]), 1);
    assert!(
        over.contains("app-77cc.wasm") && over.contains("Cargo.toml:8:7"),
        "{over}"
    );
    assert!(!over.contains("the sum of"), "{over}");
    file("dist/app-77cd.wasm", &small);
    let sum = said(&project.budget(&["check"]), 1);
    assert!(
        sum.contains("the sum of 3 files") && sum.contains("Cargo.toml:10:7"),
        "{sum}"
    );

    let by_hand = |args: &[&str]| project.budget(&[&["check", "dist/*.wasm"], args].concat());
    let most = large.len().to_string();
    said(&by_hand(&["--limit", &format!("raw={most}")]), 0);
    let over = said(&by_hand(&["--sum", &format!("raw={most}")]), 1);
    assert!(
        over.contains("command line:1:7") && over.contains(&format!("--sum raw={most}")),
        "{over}"
    );
    let wrong = said(&by_hand(&["--limit", "raw=60 KeB"]), 2);
    assert!(wrong.contains("--limit raw=60 KeB"), "{wrong}");
    let json = said(&by_hand(&["--limit", "raw=1MB", "--json"]), 0);
    let reports: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(reports.as_array().unwrap().len(), 4);
}

/// Protects whoever begins: `init` names what it cannot find, as lines to copy.
#[test]
fn init_lists_the_lines_to_copy() {
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let project = Project::passing(&[("Cargo.toml", manifest), ("src/main.rs", "fn main() {}\n")]);
    let unclear = said(&project.budget(&["init"]), 2);
    assert!(
        unclear.contains(&format!("cargo budget init --target {P1}")),
        "{unclear}"
    );
    project.write(
        "rust-toolchain.toml",
        "[toolchain]\ntargets = [\"wasm32-wasip1\"]\n",
    );
    // It is found then, and what is wrong with the program is cargo's to say.
    project.write("src/main.rs", "fn main() { wrong }\n");
    let found = said(&project.for_target(P1).budget(&["init"]), 2);
    assert!(found.contains("cannot find value `wrong`"), "{found}");
}

/// Protects whoever works with an editor beside it: a save is built, judged and compared.
#[test]
fn a_save_is_built_and_compared() {
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
                    [lib]\ncrate-type = [\"cdylib\"]\n[profile.release]\npanic = \"abort\"\nopt-level = \"z\"\n";
    let library = |n: usize| {
        let body = format!(
            "static T: [u8; {n}] = [7; {n}]; unsafe {{ core::ptr::read_volatile(&T[at % {n}]) }}"
        );
        format!("#[unsafe(no_mangle)]\npub extern \"C\" fn twice(at: usize) -> u8 {{ {body} }}\n")
    };
    let project = Project::kept(
        "first-minutes/watch",
        P1,
        &[("Cargo.toml", manifest), ("src/lib.rs", &library(10))],
    );
    let mut watching = project.command(CARGO_BUDGET);
    watching
        .args(["watch", "--target", P1])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = watching.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut until_watching = || {
        let lines = stderr.by_ref().map(Result::unwrap);
        let seen: Vec<_> = lines
            .take_while(|line| !line.starts_with("watching "))
            .collect();
        seen.join("\n")
    };
    until_watching();
    project.write("src/lib.rs", &library(3_000));
    until_watching();
    project.write("src/lib.rs", "fn wrong(");
    let failed = until_watching();
    child.kill().unwrap();
    let said = child.wait_with_output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("+2,99"), "{said}");
    assert!(failed.contains("unclosed delimiter"), "{failed}");
    assert!(Path::new(&project.root).is_dir());
}

/// Protects whoever renames something: what the budget names and is not there is told where it is
/// written, all of it at once, with what there is.
#[test]
fn names_that_are_not_there_have_their_place() {
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
                    [features]\nfast = []\n[profile.small]\ninherits = \"release\"\n[package.metadata.budget]\n\
                    targets = [\"wasm32-wasip1\"]\nprofile = \"smal\"\nfeatures = [\"fast\", \"fats\"]\nbin = \"worker\"\n";
    let project = Project::passing(&[("Cargo.toml", manifest), ("src/main.rs", "fn main() {}\n")]);
    let told = said(&project.budget(&["build"]), 2);
    for (place, known) in [
        ("12:11", "small"),
        ("13:21", "fast"),
        ("14:7", "there are: app"),
    ] {
        assert!(
            told.contains(&format!("Cargo.toml:{place}")) && told.contains(known),
            "{place}: {told}"
        );
    }
}
