//! The native program as another program uses it: answers that come at once, and arguments and lines
//! of any kind.

use build_support::project::package::Package;
use build_support::system::process;
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
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
