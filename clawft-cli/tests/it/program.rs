//! The program as people and other programs use it.

use crate::support::{Home, run};
use mock_provider::scenario::Form;
use mock_provider::{Mock, Scenario};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;

#[test]
fn a_message_and_its_answer() {
    for form in Form::ALL {
        let scenario = Scenario::named("one_tool").unwrap();
        let mock = Mock::start(scenario.exchanges).unwrap();
        let home = Home::with(&mock, form);
        std::fs::create_dir_all(home.root()).unwrap();
        std::fs::write(home.root().join("notes.txt"), "milk and eggs\n").unwrap();
        let (code, stdout, stderr) = run(home.weft().args(["agent", "-m", "what do I need?"]));
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        assert_eq!(stdout, "You need milk and eggs.\n");
        mock.finish().unwrap();
    }
}

/// What is said before tools are called stands on a line of its own.
#[test]
fn parts_of_an_answer_are_apart() {
    let scenario = Scenario::named("text_and_call").unwrap();
    let mock = Mock::start(scenario.exchanges).unwrap();
    let home = Home::with(&mock, Form::AnthropicStream);
    std::fs::create_dir_all(home.root()).unwrap();
    std::fs::write(home.root().join("notes.txt"), "milk and eggs\n").unwrap();
    let (code, stdout, _) = run(home.weft().args(["agent", "-m", "what do I need?"]));
    assert_eq!((code, stdout.as_str()), (Some(0), "Let me look.\nMilk.\n"));
    mock.finish().unwrap();
}

/// The words are there while the server still talks.
#[test]
fn words_are_shown_as_they_come() {
    let mock = Mock::start(Scenario::named("hang").unwrap().exchanges).unwrap();
    let home = Home::with(&mock, Form::OpenaiStream);
    let mut command = home.weft();
    command
        .args(["agent", "-m", "hello"])
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut shown = [0; 14];
    child.stdout.take().unwrap().read_exact(&mut shown).unwrap();
    assert_eq!(&shown, b"word word word");
    child.kill().unwrap();
    child.wait().unwrap();
    mock.finish().unwrap();
}

/// A program that keeps a conversation has to see the answer before it says more.
#[test]
fn each_answer_comes_before_the_next_line_is_read() {
    let home = Home::new();
    let mut child = home
        .weft()
        .args(["agent", "--json"])
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
    assert_eq!(say(br#"{"message":"hi"}"#)["session"], "default");
    drop(input);
    assert_eq!(
        child.wait().unwrap().code(),
        Some(1),
        "some answers are errors"
    );
}

#[test]
fn standard_input_is_lines_or_one_message() {
    let home = Home::new();
    let say = |args: &[&str]| {
        let mut command = home.weft();
        command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(b"one\ntwo\n")
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    assert_eq!(say(&["agent"]), 2);
    assert_eq!(say(&["agent", "--session", "t", "-m", "-", "--json"]), 1);
    let (_, shown, _) = run(home.weft().args(["sessions", "show", "t"]));
    assert!(shown.starts_with("user: one\ntwo\n"), "{shown}");
}

#[cfg(unix)]
#[test]
fn arguments() {
    use std::os::unix::ffi::OsStrExt as _;
    let home = Home::new();
    let (code, stdout, _) = run(home
        .weft()
        .args(["agent", "--session=work", "-m", "{\"a\":1}"]));
    assert_eq!((code, stdout.lines().count()), (Some(0), 1));
    let (code, _, _) = run(home
        .weft()
        .args(["agent", "--message=-x", "--session", "work"]));
    assert_eq!(code, Some(0));
    let odd = OsStr::from_bytes(b"b\xFFd");
    for args in [vec![odd], vec![OsStr::new("agent"), OsStr::new("-m"), odd]] {
        let (code, stdout, stderr) = run(home.weft().args(args));
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert!(
            stderr.contains("error: ") && !stderr.contains("panicked"),
            "{stderr}"
        );
    }
    // A path may be anything.
    let mut command = home.weft_at(home.path().join(odd).as_os_str());
    let (code, _, stderr) = run(command.args(["agent", "-m", "hello"]));
    assert_eq!(code, Some(0), "{stderr}");
    for (args, words) in [
        (&["agent", "--sesion=x"][..], "--session"),
        (&["agnet"], "agent"),
        (&[], "Usage: weft"),
        (&["agent", "-m", "x", "--session", "a/b"], "a session name"),
    ] {
        let (code, _, stderr) = run(home.weft().args(args));
        assert!(
            code != Some(0) && stderr.contains(words),
            "{args:?} {stderr}"
        );
    }
}

#[test]
fn help_and_version() {
    let home = Home::new();
    let (code, stdout, _) = run(home.weft().arg("--version"));
    let version = format!("weft {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((code, stdout), (Some(0), version));
    let (code, stdout, _) = run(home.weft().arg("--help"));
    assert_eq!(code, Some(0));
    assert!(stdout.contains("Examples:\n  weft agent -m"), "{stdout}");
}

#[test]
fn the_configuration() {
    let home = Home::new();
    let (_, path, _) = run(home.weft().args(["config", "path"]));
    let wanted = home.path().join("config/clawft/config.toml");
    assert_eq!(path.trim_end(), wanted.to_str().unwrap());
    let (code, stdout, _) = run(home.weft().args(["config", "check"]));
    assert!(code == Some(0) && stdout.contains("key_env = "), "{stdout}");
    // What a first run is told to write is a configuration.
    let (_, example) = stdout.split_once("\n\n").unwrap();
    home.configure(example);
    let (code, stdout, stderr) = run(home.weft().args(["config", "check"]));
    assert!(
        code == Some(0) && stdout.ends_with(": fine\n"),
        "{stdout}{stderr}"
    );
    home.configure("model = \"m\"\n[limits]\nmax_histroy = 1\n");
    for args in [
        &["config", "check"][..],
        &["agent", "-m", "x"],
        &["sessions", "list"],
    ] {
        let (code, stdout, stderr) = run(home.weft().args(args));
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert!(stderr.contains("config.toml:3:1: unknown key"), "{stderr}");
        assert!(stderr.contains("did you mean `max_history`?"), "{stderr}");
    }
    let (code, _, stderr) = run(home
        .weft()
        .args(["--config", "/no/such", "agent", "-m", "x"]));
    assert!(
        code == Some(2) && stderr.contains("/no/such: there is no such file"),
        "{stderr}"
    );
}

#[test]
fn sessions() {
    let home = Home::new();
    let (code, stdout, _) = run(home.weft().args(["sessions", "list"]));
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    for session in ["Work", "play"] {
        let (code, ..) = run(home
            .weft()
            .args(["agent", "--session", session, "-m", "hello"]));
        assert_eq!(code, Some(0));
    }
    let (_, list, _) = run(home.weft().args(["sessions", "list"]));
    let names: Vec<_> = list
        .lines()
        .map(|line| line.split('\t').next().unwrap())
        .collect();
    assert_eq!(names, ["Work", "play"]);
    assert!(list.contains("1 turns\t2 messages\t20"), "{list}");
    let (_, shown, _) = run(home.weft().args(["sessions", "show", "Work"]));
    assert!(shown.starts_with("user: hello\nassistant: "), "{shown}");
    let (_, export, _) = run(home.weft().args(["sessions", "export", "Work"]));
    for line in export.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    assert_eq!(export.lines().count(), 2);
    let (code, ..) = run(home.weft().args(["sessions", "rm", "Work", "play"]));
    assert_eq!(code, Some(0));
    for args in [["sessions", "rm", "Work"], ["sessions", "show", "Work"]] {
        let (code, _, stderr) = run(home.weft().args(args));
        assert!(
            code == Some(1) && stderr.contains("there is no session Work"),
            "{stderr}"
        );
    }
    let (code, _, stderr) = run(home.weft().args(["sessions", "show", "../x"]));
    assert!(
        code == Some(2) && stderr.contains("a session name"),
        "{stderr}"
    );
}

/// Who reads may have had enough: that is no error to be told.
#[test]
fn a_closed_pipe_ends_it_quietly() {
    let home = Home::new();
    let mut command = home.weft();
    command.arg("agent").stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"hello\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    drop(input);
}

/// Nobody wants colours but a terminal.
#[test]
fn no_colours_in_a_pipe() {
    let home = Home::new();
    let (_, _, stderr) = run(home.weft().args(["sessions", "show", "none"]));
    assert_eq!(
        stderr,
        "error: there is no session none; see weft sessions list\n"
    );
}
