//! Machine code made ahead of time, through the command.

use crate::support::agent;
use crate::support::ended::{Ended, tool};
use serde_json::Value;
use std::fs;

/// The command takes one wherever it takes a component, and ends with 2 where it is damaged.
#[test]
fn the_command_makes_and_runs_one() {
    let source = agent::built("wasm32-wasip2").shipped;
    let source = source.to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str], code| Ended::of(&mut tool(folder.path(), args)).with(code);
    let made = run(&["precompile", source, "-o", "agent.cwasm", "--json"], 0);
    let printed: Value = serde_json::from_str(&made.stdout).unwrap();
    let record = fs::read_to_string(folder.path().join("agent.cwasm.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(printed["files"][0]["record"], record);
    let say_hello = ["run", "--component", "agent.cwasm", "--root", ".", "hello"];
    assert!(!run(&say_hello, 0).stdout.trim().is_empty());

    let file = folder.path().join("agent.cwasm");
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 0x80;
    fs::write(file, bytes).unwrap();
    let damaged = run(&say_hello, 2);
    assert_eq!(damaged.stdout, "");
    assert!(
        damaged.stderr.contains("agent.cwasm: its SHA-256"),
        "{}",
        damaged.stderr
    );
    let refused = |args: &[&str], why: &str| {
        let stderr = run(args, 2).stderr;
        assert!(stderr.contains(why), "{stderr}");
    };
    refused(
        &["precompile", "agent.cwasm", "-o", "x.cwasm"],
        "not a WebAssembly binary",
    );
    refused(
        &["precompile", source, "-o", source],
        "overwrite the wasm file",
    );
}
