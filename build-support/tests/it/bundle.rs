//! `bundle` and `bundle-audit` as they are called: what is written, said, and the exit codes.

use crate::support::agent;
use crate::support::ended::Ended;
use crate::support::project::Project;
use serde_json::Value;
use std::fs;

const MANIFEST: &str = r#"{ "version": 1, "default": "light", "examples": {
  "light": { "title": "Light", "optimizations": { "preinit": true }, "config": { "system": "Be brief." } },
  "team": { "title": "Team", "optimizations": { "tasks": 4 } } } }
"#;

const CARGO: &str = r#"[package]
name = "app"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[package.metadata.budget]
targets = ["wasm32-wasip1"]

[package.metadata.bundle]
folder = "page"
target = "wasm32-wasip1"
init = "clawft_init"
steps = ["clawft_start", "clawft_poll", "clawft_supply", "clawft_cancel"]

[package.metadata.bundle.limits]
first-answer = "200 KiB"
"#;

/// A package with a page.
fn project() -> Project {
    Project::passing(&[
        ("Cargo.toml", CARGO),
        ("src/lib.rs", ""),
        ("page/manifest.json", MANIFEST),
        (
            "page/www/index.html",
            "<meta content=\"__POLICY__\"><script src=\"./__BUILD__/page.js\">",
        ),
        (
            "page/www/page.js",
            "await WebAssembly.compileStreaming(fetch(path));",
        ),
    ])
}

/// The command in the project, with the agent as its module.
fn bundle(project: &Project, args: &[&str]) -> Ended {
    let module = agent::built("wasm32-wasip1").shipped;
    let module = ["bundle", "--module", module.to_str().unwrap()];
    project.tool(&[&module, args].concat())
}

fn audit(project: &Project, args: &[&str]) -> Ended {
    project.tool(&[&["bundle-audit"], args].concat())
}

/// Protects the page: the module that is configured when the bundle is made is what the audit
/// finds, and the agent's own.
#[test]
fn the_agent_in_a_page() {
    let project = project();
    let made = bundle(&project, &["--json"]).with(0);
    let report: Value = serde_json::from_str(&made.stdout).unwrap();
    let build = report["build"].as_str().unwrap();
    let folder = project.path("target/bundle");
    let file = |name: &str| fs::read(folder.join(build).join(name)).unwrap();
    let plan: Value = serde_json::from_slice(&file("plan.json")).unwrap();
    let [light, team] = [0, 1].map(|at| &plan["examples"][at]);
    assert_eq!(light["module"]["path"], "agent-light.wasm");
    assert_eq!(team["module"]["path"], "agent.wasm");
    assert_eq!(
        file("agent.wasm"),
        fs::read(agent::built("wasm32-wasip1").shipped).unwrap()
    );
    assert_ne!(file("agent-light.wasm"), file("agent.wasm"));
    // Nothing changed, and a look at it finds what was written.
    let again = bundle(&project, &[]).with(0);
    assert!(again.stdout.contains("nothing changed"), "{}", again.stdout);
    let found = audit(&project, &["--json"]).with(0);
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(found["rows"], report["rows"]);
    let cell = |name: &str, example: &str| {
        let rows = found["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        row["cells"][example].clone()
    };
    assert_eq!(cell("Ready-state snapshot", "light")["found"], true);
    assert_eq!(
        cell("Cooperative threading", "team")["bundle"],
        "4 turns in flight"
    );
    assert_eq!(cell("Tail-call dispatch", "team")["built"], "no");
    // One example alone, to look at: nothing of it is written.
    let dry = bundle(&project, &["--examples", "team", "--dry-run"]).with(0);
    assert!(dry.stdout.contains("would be made"), "{}", dry.stdout);
    assert_eq!(audit(&project, &[]).with(0).stderr, "");
}

#[test]
fn what_does_not_hold_is_1() {
    let project = project();
    project.edit("Cargo.toml", "\"200 KiB\"", "\"2 KiB\"");
    let over = bundle(&project, &[]).with(1);
    assert!(
        over.stderr
            .contains("error[over-budget]: the default example takes"),
        "{}",
        over.stderr
    );
    assert!(over.stderr.contains("Cargo.toml:19:16"), "{}", over.stderr);
    project.edit("Cargo.toml", "\"2 KiB\"", "\"200 KiB\"");
    // A row that the manifest claims and no file has.
    project.edit(
        "page/manifest.json",
        "\"tasks\": 4",
        "\"persistence\": true",
    );
    let claimed = bundle(&project, &[]).with(1);
    let claim =
        "error: team: OPFS persistence is claimed, and not found: getDirectory in no script";
    assert!(claimed.stderr.contains(claim), "{}", claimed.stderr);
    let found = audit(&project, &["--format", "markdown"]).with(1);
    assert!(found.stderr.contains(claim), "{}", found.stderr);
    assert!(
        found.stdout.contains("| OPFS persistence | `light` |"),
        "{}",
        found.stdout
    );
}

#[test]
fn what_is_wrong_is_2_and_all_of_it_is_said() {
    let project = project();
    bundle(&project, &[]).with(0);
    let whole = fs::read(project.path("target/bundle/audit.json")).unwrap();
    project.edit(
        "page/manifest.json",
        "\"tasks\": 4",
        "\"tsks\": 4, \"sync\": true",
    );
    let refused = bundle(&project, &[]).with(2);
    for said in [
        "error[unknown-key]: unknown key `tsks` in `examples.team.optimizations`",
        "page/manifest.json:3:49",
        "did you mean `tasks`?",
        "error[conflict]: `sync` without `persistence`",
        "error: 2 mistakes in the manifest of the bundle",
    ] {
        assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
    }
    // What was there stays.
    assert_eq!(
        fs::read(project.path("target/bundle/audit.json")).unwrap(),
        whole
    );
    // A configuration that the agent refuses.
    project.edit(
        "page/manifest.json",
        "\"tsks\": 4, \"sync\": true",
        "\"tasks\": 4",
    );
    project.edit("page/manifest.json", "\"Be brief.\"", "7");
    assert!(bundle(&project, &[]).with(2).stderr.contains("init"));
    let none = audit(&project, &["page"]).with(2);
    assert!(
        none.stderr
            .contains("audit.json: it is not what a bundle has"),
        "{}",
        none.stderr
    );
}
