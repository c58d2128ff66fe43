//! `--message-format`: a broken budget and a mistaken manifest, as an editor reads them.

use crate::support::ended::Ended;
use crate::support::project::Project;
use build_support::diagnostic::{Diagnostic, Level};
use build_support::output::message::compiler_message;
use build_support::project::package::Origin;
use build_support::system::process;
use cargo_metadata::Message;
use cargo_metadata::diagnostic::DiagnosticLevel;
use serde_json::Value;
use std::fs;

const TARGET: &str = "wasm32-wasip1";

const PROGRAM: &str = "\
#![no_std]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Unused on purpose.
fn unused() {}

#[unsafe(no_mangle)]
pub extern \"C\" fn answer() -> u32 {
    42
}
";

/// The manifest of a package without std or dependencies, with this table of limits.
fn manifest(limits: &str) -> String {
    format!(
        "\
[package]
name = \"app\"
version = \"0.1.0\"
edition = \"2024\"

[lib]
crate-type = [\"cdylib\"]

[profile.release]
panic = \"abort\"

[package.metadata.budget]
targets = [\"wasm32-wasip1\"]

[package.metadata.budget.limits] # \u{fc}ber
{limits}

[package.metadata.budget.sweep]
enabled = false
"
    )
}

/// A package with these limits. No standard library is compiled for it.
fn project(limits: &str) -> Project {
    let files = [("Cargo.toml", &*manifest(limits)), ("src/lib.rs", PROGRAM)];
    Project::passing(&files).for_target(TARGET)
}

fn build(project: &Project, format: &str) -> Ended {
    run("build", project, format)
}

fn run(subcommand: &str, project: &Project, format: &str) -> Ended {
    project.tool(&[subcommand, "--message-format", format])
}

fn messages(stdout: &str) -> Vec<Message> {
    let read = |line: &str| match serde_json::from_str(line) {
        Ok(Message::TextLine(_)) | Err(_) => panic!("no message of cargo's: {line}"),
        Ok(message) => message,
    };
    stdout.lines().map(read).collect()
}

/// Protects editors: a limit that does not hold is a compiler's error at its line, after the
/// compiler's own messages, and the build is said to have failed.
#[test]
fn a_broken_budget_is_a_compilers_message() {
    let project = project("raw = 8\n\u{67}zip = \"1 MiB\"");
    let Ended { stdout, stderr, .. } = build(&project, "json").with(1);
    assert!(!stderr.contains("over-budget"), "{stderr}");
    let messages = messages(&stdout);
    let of_compiler: Vec<_> = messages
        .iter()
        .filter_map(|message| match message {
            Message::CompilerMessage(message) => Some(message),
            _ => None,
        })
        .collect();
    let warned = of_compiler.iter().any(|m| {
        m.message
            .message
            .contains("function `unused` is never used")
    });
    assert!(warned, "rustc's own messages are among them: {stdout}");
    let broken: Vec<_> = of_compiler
        .iter()
        .filter(|m| {
            m.message
                .code
                .as_ref()
                .is_some_and(|code| code.code == "over-budget")
        })
        .collect();
    let [broken] = broken.as_slice() else {
        panic!("one limit does not hold: {stdout}");
    };
    assert_eq!(broken.target.name, "app");
    assert!(
        messages.iter().any(
            |m| matches!(m, Message::CompilerArtifact(a) if a.package_id == broken.package_id)
        )
    );
    assert_eq!(broken.message.level, DiagnosticLevel::Error);
    let span = &broken.message.spans[0];
    let text = project.read("Cargo.toml");
    let line = text.lines().position(|line| line == "raw = 8").unwrap() + 1;
    assert_eq!(
        (
            span.file_name.as_str(),
            span.line_start,
            span.column_start,
            span.column_end
        ),
        ("Cargo.toml", line, 7, 8)
    );
    assert_eq!(&text[span.byte_start as usize..span.byte_end as usize], "8");
    assert!(matches!(messages.last(), Some(Message::BuildFinished(end)) if !end.success));
    let ends = messages
        .iter()
        .filter(|m| matches!(m, Message::BuildFinished(_)));
    assert_eq!(ends.count(), 1, "{stdout}");

    // The gate says the same of it.
    let stdout = run("gate", &project, "json").with(1).stdout;
    let gated = self::messages(&stdout);
    let same = |message: &Message| matches!(message, Message::CompilerMessage(m) if m.message.spans == broken.message.spans);
    assert_eq!(
        gated.iter().filter(|message| same(message)).count(),
        1,
        "{stdout}"
    );
    assert!(matches!(gated.last(), Some(Message::BuildFinished(end)) if !end.success));

    let Ended { stdout, stderr, .. } = build(&project, "short").with(1);
    assert!(stdout.contains("over budget"), "{stdout}");
    assert!(
        stderr.contains(&format!(
            "Cargo.toml:{line}:7: error[over-budget]: app for wasm32-wasip1 is "
        )),
        "{stderr}"
    );

    project.write("Cargo.toml", &manifest("raw = \"1 MiB\""));
    let stdout = build(&project, "json").with(0).stdout;
    assert!(
        matches!(self::messages(&stdout).last(), Some(Message::BuildFinished(end)) if end.success)
    );
}

/// Protects whoever mistypes a limit: that is a message at its place as well.
#[test]
fn a_mistake_in_the_table_is_a_compilers_message() {
    let project = project("raw = \"8 potatoes\"\nrow = 1");
    let Ended { stdout, stderr, .. } = build(&project, "json").with(2);
    assert!(
        stderr.contains("2 mistakes in the budget metadata") && !stderr.contains("-->"),
        "{stderr}"
    );
    let messages = messages(&stdout);
    assert_eq!(messages.len(), 3, "{stdout}");
    let lines: Vec<_> = messages
        .iter()
        .filter_map(|message| match message {
            Message::CompilerMessage(message) => {
                Some(message.message.spans[0].text[0].text.clone())
            }
            _ => None,
        })
        .collect();
    assert_eq!(lines, ["raw = \"8 potatoes\"", "row = 1"]);
    assert!(matches!(messages.last(), Some(Message::BuildFinished(end)) if !end.success));
}

/// Protects against a shape of our own: for the same place, what rustc itself writes has the same
/// fields, and counts bytes, lines and columns alike.
#[test]
fn places_are_counted_as_rustc_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.rs");
    let sources = [
        "pub fn f() {\n    let _\u{e9} = (\"\u{fc}\", wrong\u{df});\n}\n",
        "pub fn f() {\r\n\tlet _a = \"\u{1f980}\" + wrong\u{df};\r\n}\r\n",
        "\u{feff}pub fn f() { wrong\u{df}\n() }\n",
        "pub fn f() -> u8 { wrong\u{df}(\n  1,\n  2) }\n",
    ];
    for source in sources {
        fs::write(&file, source).unwrap();
        let mut rustc = process::command("rustc");
        rustc
            .args([
                "--error-format=json",
                "--crate-type=lib",
                "--emit=metadata",
                "--edition=2024",
                "a.rs",
            ])
            .current_dir(folder.path());
        let stderr = Ended::of(&mut rustc).stderr;
        let theirs: Vec<Value> = stderr
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let theirs = theirs
            .iter()
            .find(|m| m["message"].as_str().unwrap().contains("wrong"))
            .unwrap();
        let span = &theirs["spans"][0];
        let byte = |end: &str| span[end].as_u64().unwrap() as usize;
        let diagnostic = Diagnostic {
            level: Level::Error,
            code: "E0425",
            message: theirs["message"].as_str().unwrap().into(),
            file: file.clone(),
            source: source.into(),
            span: byte("byte_start")..byte("byte_end"),
            label: span["label"].as_str().unwrap_or_default().into(),
            notes: vec!["a".into()],
            help: Vec::new(),
        };
        let origin = Origin {
            package_id: String::new(),
            manifest: file.clone(),
            target: None,
        };
        let line = compiler_message(&diagnostic, &origin, folder.path());
        let ours: Value = serde_json::from_str(&line).unwrap();
        let ours = &ours["message"];
        assert_eq!(&ours["spans"][0], span, "{source:?}");
        let keys = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(ours), keys(theirs));
        assert_eq!(keys(&ours["code"]), keys(&theirs["code"]));
        assert_eq!(
            keys(&ours["children"][0]),
            ["children", "code", "level", "message", "rendered", "spans"]
        );
    }
}
