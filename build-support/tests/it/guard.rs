//! The compile-time guard at work: real workspaces, real `cargo check`, no network.

use crate::support::ended::{Ended, command};
use crate::support::workspace::{copy, scratch, workspace, write};
use std::fs;
use std::path::{Path, PathBuf};

/// `cargo check` of `package` in `root`: whether it went well, and what it said.
fn check(root: &Path, package: &str) -> (bool, String) {
    let mut cargo = command(env!("CARGO"), root);
    cargo
        .args(["check", "--offline", "--lib", "--package", package])
        .env("CARGO_TARGET_DIR", scratch("guard-target"));
    let ended = Ended::of(&mut cargo);
    (ended.code == 0, ended.stderr)
}

/// A workspace `app → middle → quick → tokio`, all of them path crates, with `default` features and
/// `rules` for the graph.
fn small(name: &str, default: &str, rules: &str) -> PathBuf {
    let root = scratch(name);
    let guard = workspace().join("build-support");
    let guard = toml_string(&guard);
    let member = |name: &str, rest: &str| {
        write(
            &root.join(name).join("Cargo.toml"),
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n{rest}"
            ),
        );
        write(&root.join(name).join("src/lib.rs"), "");
    };
    let members = "members = [\"app\", \"middle\", \"quick\", \"tokio\", \"hosts\"]";
    write(
        &root.join("Cargo.toml"),
        &format!("[workspace]\nresolver = \"3\"\n{members}\n"),
    );
    member(
        "app",
        &format!(
            "[features]\ndefault = [{default}]\nfast = [\"dep:middle\"]\n\n[dependencies]\nmiddle = {{ path = \"../middle\", optional = true }}\n\
             \n[target.'cfg(not(target_family = \"wasm\"))'.dependencies]\nhosts = {{ path = \"../hosts\", features = [\"services\"] }}\n\
             \n[build-dependencies]\nbuild-support = {{ path = {guard}, default-features = false }}\n\
             \n[package.metadata.budget]\ntargets = [\"wasm32-wasip2\"]\n\n[package.metadata.budget.graph]\n{rules}\n"
        ),
    );
    write(
        &root.join("app/build.rs"),
        "fn main() {\n    build_support::guard::check();\n}\n",
    );
    member(
        "middle",
        "[dependencies]\nquick = { path = \"../quick\" }\n",
    );
    member(
        "quick",
        "[dependencies]\ntokio = { path = \"../tokio\", features = [\"rt\"] }\n",
    );
    member("tokio", "[features]\nrt = []\n");
    member("hosts", "[features]\nservices = []\n");
    // The crates of the guard itself, at the versions this workspace has.
    if !root.join("Cargo.lock").exists() {
        fs::copy(workspace().join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    }
    root
}

fn toml_string(path: &Path) -> String {
    format!("{:?}", path.display().to_string())
}

/// Protects FR-10 on the workspace itself: an added crate fails a plain `cargo check`, with the
/// chain.
#[test]
fn a_banned_crate_in_this_workspace_fails_cargo_check() {
    let root = scratch("workspace");
    copy(&workspace(), &root);
    let (well, said) = check(&root, "clawft-wasm");
    assert!(well, "the workspace as it is:\n{said}");

    let root = scratch("workspace with tokio");
    copy(&workspace(), &root);
    let types = root.join("clawft-types/Cargo.toml");
    let manifest = fs::read_to_string(workspace().join("clawft-types/Cargo.toml")).unwrap();
    let tokio = "tokio = { path = \"../tokio\" }\n";
    let changed = match manifest.contains("\n[dependencies]\n") {
        true => manifest.replacen(
            "\n[dependencies]\n",
            &format!("\n[dependencies]\n{tokio}"),
            1,
        ),
        false => format!("{manifest}\n[dependencies]\n{tokio}"),
    };
    write(&types, &changed);
    write(
        &root.join("tokio/Cargo.toml"),
        "[package]\nname = \"tokio\"\nversion = \"1.40.0\"\nedition = \"2024\"\n",
    );
    write(&root.join("tokio/src/lib.rs"), "");
    let (well, said) = check(&root, "clawft-wasm");
    assert!(!well, "{said}");
    assert!(
        said.contains("crate `tokio` is banned and is in the graph for wasm32-wasip2"),
        "{said}"
    );
    assert!(
        said.contains("clawft-wasm 0.1.0 → clawft-types 0.1.0 → tokio 1.40.0"),
        "{said}"
    );
    // At the very name, so that editors underline it.
    let manifest = fs::read_to_string(root.join("clawft-wasm/Cargo.toml")).unwrap();
    let lines = (1..).zip(manifest.lines());
    let (line, _) = lines
        .clone()
        .find(|(_, line)| line.trim() == "\"tokio\",")
        .unwrap();
    let place = format!("clawft-wasm/Cargo.toml:{line}:5: crate `tokio` is banned");
    assert!(said.contains(&place), "no {place} in {said}");
}

/// Protects the reading of the graph as cargo builds it: what an optional dependency or another
/// platform brings does not count while it is off.
#[test]
fn only_what_is_in_the_wasm_file_counts() {
    let root = small(
        "off",
        "",
        "banned-crates = [\"tokio\"]\nbanned-features = [\"services\"]\nmax-crates = 1",
    );
    let (well, said) = check(&root, "app");
    assert!(well, "{said}");
}

/// Protects every rule, and that all that is broken is told at once.
#[test]
fn every_rule_is_kept() {
    let rules =
        "banned-crates = [\"quick\", \"serde\"]\nbanned-features = [\"tokio/rt\"]\nmax-crates = 3";
    let root = small("on", "\"fast\"", rules);
    let (well, said) = check(&root, "app");
    assert!(!well, "{said}");
    for line in [
        "crate `quick` is banned and is in the graph for wasm32-wasip2",
        "app 0.1.0 → middle 0.1.0 → quick 0.1.0",
        "feature `tokio/rt` is banned and is on for wasm32-wasip2",
        "app 0.1.0 → middle 0.1.0 → quick 0.1.0 → tokio 0.1.0 (feature \"rt\")",
        "4 crates in the graph for wasm32-wasip2, max-crates is 3",
        "help: drop the dependency",
        "app/Cargo.toml:23:18: crate `quick`",
        "app/Cargo.toml:24:20: feature `tokio/rt`",
        "app/Cargo.toml:25:14: 4 crates",
    ] {
        assert!(said.contains(line), "no `{line}` in:\n{said}");
    }
}

/// Protects each target of the budget: what comes in on wasip1 alone is found there, though another
/// target is listed first and the host is built.
#[test]
fn a_rule_is_kept_on_every_target() {
    let with = |name: &str, targets: &str| {
        let root = small(name, "", "banned-crates = [\"tokio\"]");
        let file = root.join("app/Cargo.toml");
        let manifest = fs::read_to_string(&file).unwrap();
        let before = "targets = [\"wasm32-wasip2\"]";
        assert!(manifest.contains(before), "{manifest}");
        let manifest = manifest.replace(before, &format!("targets = [{targets}]"))
            + "\n[target.'cfg(target_env = \"p1\")'.dependencies]\ntokio = { path = \"../tokio\" }\n";
        write(&file, &manifest);
        check(&root, "app")
    };
    let (well, said) = with("p1-both", "\"wasm32-wasip2\", \"wasm32-wasip1\"");
    assert!(!well, "{said}");
    let banned = |target: &str| format!("crate `tokio` is banned and is in the graph for {target}");
    assert!(said.contains(&banned("wasm32-wasip1")), "{said}");
    assert!(!said.contains(&banned("wasm32-wasip2")), "{said}");
    let (well, said) = with("p1-not-asked", "\"wasm32-wasip2\"");
    assert!(well, "{said}");
}

/// Protects against a rule that is not kept because of a typing mistake.
#[test]
fn an_unknown_rule_fails_the_build() {
    let root = small("typo", "", "banned-crate = [\"tokio\"]");
    let (well, said) = check(&root, "app");
    assert!(
        !well
            && said.contains(
                "app/Cargo.toml:23:1: unknown key `banned-crate` in `package.metadata.budget.graph`"
            ),
        "{said}"
    );
}

/// A package with a buffer and an assertion, both by `constants`.
fn sized(name: &str, constants: &str) -> PathBuf {
    let root = scratch(name);
    let guard = toml_string(&workspace().join("build-support"));
    write(
        &root.join("Cargo.toml"),
        &format!(
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [build-dependencies]\nbuild-support = {{ path = {guard}, default-features = false }}\n\n\
             [package.metadata.budget.constants]\n{constants}\n"
        ),
    );
    write(
        &root.join("build.rs"),
        "fn main() {\n    build_support::guard::constants();\n}\n",
    );
    write(
        &root.join("src/lib.rs"),
        "mod budget {\n    include!(concat!(env!(\"OUT_DIR\"), \"/budget.rs\"));\n}\n\
         pub static BUFFER: [u8; budget::READ_BUFFER] = [0; budget::READ_BUFFER];\n\
         pub struct Agent(pub [u64; 12]);\n\
         const _: () = assert!(BUFFER.len() == 2048);\n\
         const _: () = assert!(size_of::<Agent>() <= budget::AGENT, \"the agent is larger than `agent`\");\n",
    );
    if !root.join("Cargo.lock").exists() {
        fs::copy(workspace().join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    }
    root
}

/// Protects sizes inside the program: a buffer is as long as the manifest says, and what is larger
/// than it says fails `cargo check`, by the name of the key.
#[test]
fn constants_of_the_manifest_hold_at_compile_time() {
    let root = sized("constants", "read-buffer = \"2 KiB\"\nagent = 96");
    let (well, said) = check(&root, "app");
    assert!(well, "{said}");
    // The same folder: the change of the manifest alone has to be noticed.
    let root = sized("constants", "read-buffer = \"2 KiB\"\nagent = 95");
    let (well, said) = check(&root, "app");
    assert!(
        !well && said.contains("the agent is larger than `agent`"),
        "{said}"
    );
    let root = sized("constants", "read-buffer = \"2 KiB\"");
    let (well, said) = check(&root, "app");
    assert!(!well && said.contains("AGENT"), "{said}");
}

/// Protects against a size that is not what was meant.
#[test]
fn a_constant_that_is_no_size_fails_the_build() {
    for (constants, expected) in [
        ("agent = 0", "`agent`: zero is no size"),
        ("agent = \"2 KiBs\"", "`agent`: "),
        ("agent = [1]", "`agent`: it is no size"),
        ("Agent = 1", "`Agent` is no key"),
    ] {
        let (well, said) = check(&sized("no constants", constants), "app");
        let place = "Cargo.toml: [package.metadata.budget.constants]: ";
        assert!(
            !well && said.contains(place) && said.contains(expected),
            "{constants}: {said}"
        );
    }
}
