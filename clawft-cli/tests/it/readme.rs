//! What the documents show is what happens: every line with `weft` is run as it stands, and the
//! hosts that embed the agent are the ones that are tested here.

use crate::support::{Home, run, workspace};
use build_support::system::process;
use std::process::Stdio;

/// The lines of the shell's blocks of a document that start `weft`, without remarks.
fn lines(document: &str) -> Vec<String> {
    let text = std::fs::read_to_string(workspace().join(document)).unwrap();
    let mut is_shell = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(language) = line.strip_prefix("```") {
            is_shell = language == "sh";
        } else if is_shell {
            let line = line.split("  #").next().unwrap_or(line).trim();
            if line.split(" | ").any(|part| {
                part.trim_start_matches("cargo wasm && ")
                    .starts_with("weft ")
            }) {
                found.push(line.to_owned());
            }
        }
    }
    found
}

/// A new user's first minutes, without a network: the offline provider answers. What comes through
/// a pipe is a message of its own.
#[test]
fn every_line_of_the_documents_runs() {
    let mut count = 0;
    for document in ["README.md", "clawft-cli/README.md"] {
        let home = Home::new();
        std::fs::create_dir_all(home.path().join("notes")).unwrap();
        let bin = home.path().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_weft"), bin.join("weft")).unwrap();
        let mut changed = home.shell(&bin);
        let repository = "git init -q . && echo a > a && git add a && echo b > a";
        let made = run(changed.args(["-c", repository]).current_dir(home.path()));
        assert_eq!(made.0, Some(0), "{made:?}");
        for line in lines(document) {
            if cfg!(not(feature = "wasm")) && line.contains("--wasm") {
                continue;
            }
            count += 1;
            let mut shell = home.shell(&bin);
            // Where the component is, for a line that names it from the root of the repository.
            let component = workspace().join("target/budget").display().to_string();
            let line = line
                .replace("cargo wasm && ", "")
                .replace("target/budget", &component);
            if line.contains("--wasm") {
                crate::support::component();
            }
            let (code, stdout, stderr) = run(shell
                .args(["-c", &line])
                .stdin(Stdio::null())
                .current_dir(home.path()));
            assert_eq!(code, Some(0), "{document}: {line}: {stdout}{stderr}");
        }
    }
    assert!(count >= 8, "only {count} lines were found");
}

/// The block of `language` in the document that embeds the agent.
fn block(language: &str) -> String {
    let text = std::fs::read_to_string(workspace().join("clawft-wasm/README.md")).unwrap();
    let (_, rest) = text.split_once(&format!("```{language}\n")).unwrap();
    rest.split("```").next().unwrap().to_owned()
}

/// The host in the document is the one below, which is run.
#[cfg(feature = "wasm")]
#[test]
fn a_host_in_wasmtime() {
    let source = include_str!("readme/wasmtime_host.rs");
    let (_, body) = source
        .split_once("-> wasmtime::Result<String> {\n")
        .unwrap();
    let body: String = body
        .lines()
        .take_while(|line| *line != "}")
        .map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line)))
        .collect();
    assert_eq!(block("rust"), body);
    let folder = tempfile::tempdir().unwrap();
    let answer = wasmtime_host::run(crate::support::component(), folder.path()).unwrap();
    assert!(answer.contains("hello, this is offline-1"), "{answer}");
}

#[cfg(feature = "wasm")]
mod wasmtime_host;

/// The host in the document, as it stands, with the shipped reactor beside it.
#[test]
fn a_host_in_node() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("host.mjs"), block("js")).unwrap();
    std::fs::create_dir(folder.path().join("notes")).unwrap();
    let file = folder.path().join("clawft_wasm.wasm");
    std::fs::copy(crate::support::reactor(), file).unwrap();
    let mut node = process::command("node");
    node.args(["--no-warnings", "host.mjs"])
        .current_dir(folder.path());
    let (code, stdout, stderr) = run(&mut node);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(
        stdout.contains("\"content\":\"hello, this is offline-1"),
        "{stdout}"
    );
    assert!(
        folder.path().join("notes/.clawft/sessions").is_dir(),
        "its memory is there"
    );
}
