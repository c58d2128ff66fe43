//! The native program as another program uses it: answers that come at once, and arguments and
//! lines of any kind.

use build_support::project::package::Package;
use build_support::system::process;
use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

/// Built by cargo, for a feature keeps it out of the tests' own build.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let package = Package::at(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut cargo = process::cargo("cargo");
    cargo.args(["build", "--quiet", "--package", &package.name]);
    cargo.args(["--features", "cli", "--bin", "clawft"]);
    cargo.arg("--target-dir").arg(&package.target_dir);
    process::output(&mut cargo).unwrap();
    package.target_dir.join("debug/clawft")
});

fn program(root: &Path) -> Command {
    let mut command = process::command(&*PROGRAM);
    command.arg("--root").arg(root);
    command
}

fn run(command: &mut Command) -> (Option<i32>, Vec<Value>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.stdin(Stdio::null()).output().unwrap();
    let answers = stdout.split(|byte| *byte == b'\n');
    let answers = answers.filter(|line| !line.is_empty());
    let answers = answers.map(|line| serde_json::from_slice(line).unwrap());
    (
        status.code(),
        answers.collect(),
        String::from_utf8(stderr).unwrap(),
    )
}

/// A program that keeps a conversation has to see the answer before it says more.
#[test]
fn each_answer_comes_before_the_next_line_is_read() {
    let root = tempfile::tempdir().unwrap();
    let mut child = program(root.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut say = |line: &[u8]| -> Value {
        input.write_all(line).unwrap();
        input.write_all(b"\n").unwrap();
        serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap()
    };
    let hello = br#"{"session":"s","message":"hello"}"#;
    assert_eq!(say(hello)["usage"]["history"], 2);
    for (line, code, place) in [
        (&b"nonsense"[..], "invalid_json", "line 2: "),
        (b"", "invalid_json", "line 3: "),
        (b"{\"session\":1}", "invalid_message", "line 4: "),
        (b"\xFF\xFE", "invalid_utf8", "line 5: "),
    ] {
        let answer = say(line);
        assert_eq!(answer["error"]["code"], code, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(place), "{answer}");
    }
    assert_eq!(say(hello)["usage"]["history"], 4, "the session went on");
    drop(input);
    assert_eq!(
        child.wait().unwrap().code(),
        Some(1),
        "some answers are errors"
    );
}

#[test]
fn arguments() {
    let root = tempfile::tempdir().unwrap();
    let (code, answers, _) = run(program(root.path()).args(["--session=work", "hello", "a=b"]));
    assert_eq!((code, answers.len()), (Some(0), 2));
    assert_eq!(answers[1]["session"], "work");
    let mut equals = OsString::from("--root=");
    equals.push(root.path());
    let mut again = process::command(&*PROGRAM);
    let (code, answers, _) = run(again
        .arg(equals)
        .args(["--session", "work", "--", "--hello"]));
    assert_eq!(
        (code, &answers[0]["usage"]["history"]),
        (Some(0), &Value::from(6))
    );
    let (code, answers, stderr) = run(program(root.path()).arg(OsStr::from_bytes(b"b\xFFd")));
    assert_eq!((code, answers.len()), (Some(2), 0));
    assert!(
        stderr.starts_with("error: ") && stderr.contains("not UTF-8"),
        "{stderr}"
    );
    let (code, _, stderr) = run(program(root.path()).arg("--sesion=x"));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("there is no option --sesion"), "{stderr}");
    let version = process::output(process::command(&*PROGRAM).arg("--version")).unwrap();
    assert_eq!(version, format!("clawft {}\n", env!("CARGO_PKG_VERSION")));
}

/// The turns in the file of the session `s`, each with its messages' ids; every line must be whole.
fn turns(root: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(root.join(".clawft/sessions/s.json")).unwrap();
    assert!(text.ends_with('\n'));
    let lines = text.lines().skip(1);
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn said(turn: &Value) -> &str {
    turn["messages"][0]["content"].as_str().unwrap()
}

/// A process that is told 200 messages.
fn talking(root: &Path, message: impl Fn(usize) -> String + Send + 'static) -> Child {
    let mut child = program(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    std::thread::spawn(move || {
        for turn in 0..200 {
            let line = serde_json::json!({"session": "s", "message": message(turn)});
            writeln!(input, "{line}").unwrap();
        }
    });
    child
}

/// What is remembered by processes at the same time is all there.
#[test]
fn processes_with_one_memory_lose_no_key() {
    let root = tempfile::tempdir().unwrap();
    let children = [0, 1].map(|process| {
        talking(root.path(), move |turn| {
            format!("remember k{process}-{turn}: x")
        })
    });
    let waiting =
        children.map(|child| std::thread::spawn(move || child.wait_with_output().unwrap()));
    for waiting in waiting {
        assert!(waiting.join().unwrap().status.success());
    }
    let memory = std::fs::read(root.path().join(".clawft/memory.json")).unwrap();
    let memory: Value = serde_json::from_slice(&memory).unwrap();
    assert_eq!(memory.as_object().unwrap().len(), 400);
}

/// Two and eight processes in one session at a time: every turn is there, once, in whole lines.
#[test]
fn processes_in_one_session_lose_no_turn() {
    for processes in [2, 8] {
        let root = tempfile::tempdir().unwrap();
        let children: Vec<_> = (0..processes)
            .map(|process| talking(root.path(), move |turn| format!("{process} {turn}")))
            .collect();
        let waiting = children
            .into_iter()
            .map(|child| std::thread::spawn(move || child.wait_with_output().unwrap()));
        for waiting in waiting.collect::<Vec<_>>() {
            let output = waiting.join().unwrap();
            assert!(output.status.success());
            let text = String::from_utf8(output.stdout).unwrap();
            let persisted = text.matches("\"persisted\":true").count();
            assert_eq!(persisted, 200, "{processes} processes");
        }
        let turns = turns(root.path());
        let all: BTreeSet<&str> = turns.iter().map(said).collect();
        assert_eq!((turns.len(), all.len()), (processes * 200, processes * 200));
        let messages = turns
            .iter()
            .flat_map(|turn| turn["messages"].as_array().unwrap());
        let ids: Vec<_> = messages
            .map(|message| message["id"].as_str().unwrap())
            .collect();
        let numbered = (1..=ids.len()).map(|number| format!("m{number}"));
        assert!(ids.iter().copied().eq(numbered), "in order, each once");
    }
}

/// Killed two hundred times in the middle of its work: every turn that was answered is there.
#[test]
fn kills_cost_no_turn_that_was_answered() {
    let root = tempfile::tempdir().unwrap();
    let mut answered = BTreeSet::new();
    for kill in 0..200 {
        let mut child = program(root.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let sent = std::thread::spawn(move || {
            for turn in 0.. {
                let line = format!("{{\"session\":\"s\",\"message\":\"{kill} {turn}\"}}");
                if writeln!(input, "{line}").is_err() {
                    return;
                }
            }
        });
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        for turn in 0..kill % 7 {
            let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
            assert_eq!(answer["persisted"], true, "{answer}");
            answered.insert(format!("{kill} {turn}"));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        drop(answers);
        sent.join().unwrap();
    }
    // The next turn puts aside what a kill has left.
    let (code, answers, _) = run(program(root.path()).args(["--session", "s", "after"]));
    assert_eq!(
        (code, &answers[0]["persisted"]),
        (Some(0), &Value::Bool(true))
    );
    let turns = turns(root.path());
    let there: BTreeSet<String> = turns.iter().map(|turn| said(turn).to_owned()).collect();
    assert_eq!(there.len(), turns.len(), "a turn is there twice");
    let lost: Vec<_> = answered.difference(&there).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(answered.len() > 500);
}
