//! The shipped component in place of the agent that is built in: the same scenarios, with the key
//! added outside, words shown as they come, and Ctrl-C.
#![cfg(feature = "wasm")]

use crate::support::{Home, SECRET, component, files, interrupt, run};
use mock_provider::scenario::{Exchange, Form, Reply};
use mock_provider::{Mock, Scenario};
use serde_json::json;
use std::io::Read as _;
use std::process::{Command, Stdio};

fn weft(home: &Home) -> Command {
    let mut command = home.weft();
    command.args(["agent", "--wasm"]).arg(component());
    command
}

/// What takes no wait and no time-out.
#[test]
fn scenarios() {
    for name in [
        "plain",
        "one_tool",
        "three_rounds",
        "two_calls",
        "byte_by_byte",
        "content_null",
        "doubled_ids",
        "arguments_no_json",
        "reasoning",
        "whole_for_stream",
        "wrong_type",
        "redirect",
        "missing_ids",
        "unknown_tool",
        "same_failure",
        "lone_surrogate",
        "large_headers",
        "garbage",
        "cut_late",
        "context_exceeded",
    ] {
        let scenario = Scenario::named(name).unwrap();
        for form in scenario.forms() {
            let mock = Mock::start(scenario.exchanges.clone()).unwrap();
            let home = Home::with(&mock, form);
            std::fs::create_dir_all(home.root()).unwrap();
            for (name, text) in &scenario.files {
                std::fs::write(home.root().join(name), text).unwrap();
            }
            let (code, stdout, stderr) = run(weft(&home).args(["-m", &scenario.say[0]]));
            let place = format!("{name} {form:?}: {stdout}{stderr}");
            match (&scenario.answer, &scenario.error) {
                (Some(answer), _) => {
                    assert_eq!((code, stdout), (Some(0), format!("{answer}\n")), "{place}");
                }
                (None, error) => {
                    assert_eq!(code, Some(1), "{place}");
                    let error = error.as_ref().unwrap();
                    assert!(stderr.contains(&format!("error: {error}: ")), "{place}");
                }
            }
            let requests = mock
                .finish()
                .unwrap_or_else(|wrong| panic!("{wrong}\n{place}"));
            for request in requests {
                let (header, value) = match form.kind() {
                    "openai" => ("authorization", format!("Bearer {SECRET}")),
                    _ => ("x-api-key", SECRET.to_owned()),
                };
                assert_eq!(request.header(header), Some(value.as_str()), "{place}");
            }
        }
    }
}

/// The words are there while the server still talks, and Ctrl-C cancels the turn alone.
#[cfg(unix)]
#[test]
fn words_are_shown_as_they_come_and_a_turn_is_cancelled() {
    let mut exchanges = Scenario::named("hang").unwrap().exchanges;
    exchanges.extend(Scenario::named("plain").unwrap().exchanges);
    exchanges[1].expect.absent.push("word".to_owned());
    let mock = Mock::start(exchanges).unwrap();
    let home = Home::with(&mock, Form::OpenaiStream);
    let mut command = weft(&home);
    command.args(["-m", "hello", "-m", "hello again"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let mut shown = [0; 14];
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut shown).unwrap();
    assert_eq!(&shown, b"word word word");
    interrupt(&child);
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("\nHello there, friend.\n"), "{rest}");
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("error: cancelled: "), "{errors}");
    assert_eq!(
        output.status.code(),
        Some(1),
        "one of the answers is an error"
    );
    mock.finish().unwrap();
}

/// Lines of JSON are what the built-in agent gives, down to the word.
#[test]
fn lines_are_those_of_the_built_in_agent() {
    let answers = ["", "component"].map(|who| {
        let mock = Mock::start(Scenario::named("wrong_key").unwrap().exchanges).unwrap();
        let home = Home::with(&mock, Form::AnthropicWhole);
        let mut command = if who.is_empty() {
            let mut command = home.weft();
            command.arg("agent");
            command
        } else {
            weft(&home)
        };
        let (code, answer, stderr) = run(command.args(["--json", "-m", "hello"]));
        assert_eq!((code, stderr.as_str()), (Some(1), ""));
        mock.finish().unwrap();
        answer
    });
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].contains("\"ok\":false"), "{}", answers[0]);
}

/// A server that sends the key back: it is in no word and no file.
#[test]
fn a_key_that_comes_back_is_taken_out() {
    let message = format!("Incorrect API key provided: {SECRET}.");
    let refused = Exchange {
        reply: Reply {
            status: Some(401),
            json: Some(json!({"error": {"message": message}})),
            ..Reply::default()
        },
        ..Exchange::default()
    };
    let mock = Mock::start(vec![refused]).unwrap();
    let home = Home::with(&mock, Form::OpenaiStream);
    let (code, stdout, stderr) = run(weft(&home).args(["-m", "hello"]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("[key]"), "{stderr}");
    assert!(!stdout.contains(SECRET) && !stderr.contains(SECRET));
    for (path, bytes) in files(home.path()) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(SECRET), "{}", path.display());
    }
    mock.finish().unwrap();
}

/// Offline it answers as the built-in agent does, and they share their sessions.
#[test]
fn it_goes_on_where_the_other_left_off() {
    let home = Home::new();
    let (code, ..) = run(weft(&home).args(["-m", "remember tea: green", "-m", "{\"a\": 1}"]));
    assert_eq!(code, Some(0));
    let (_, answer, _) = run(home.weft().args(["agent", "--json", "-m", "recall tea"]));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["tool_results"][0]["output"], "green", "{answer}");
    let (_, shown, _) = run(home.weft().args(["sessions", "show", "default"]));
    assert!(shown.contains("user: {\"a\": 1}\n"), "{shown}");
}

#[test]
fn what_is_no_agent_is_refused() {
    let home = Home::new();
    let file = home.path().join("a.wasm");
    std::fs::write(&file, "(component)").unwrap();
    let mut command = home.weft();
    let (code, _, stderr) = run(command.args(["agent", "-m", "x", "--wasm"]).arg(&file));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("a.wasm: "), "{stderr}");
}

/// Protects a conversation that changes its machine code: the same answers from each tier, and the
/// move loses nothing that was said.
#[test]
fn tiers_answer_alike() {
    let talk = |tier: &[&str]| {
        let home = Home::new();
        let mut command = weft(&home);
        command.args(["--json"]).args(tier);
        for message in [
            "remember tea: green",
            "write a.txt: one",
            "recall tea",
            "read a.txt",
            "history",
        ] {
            command.args(["-m", message]);
        }
        let (code, stdout, stderr) = run(&mut command);
        assert_eq!(code, Some(0), "{tier:?}: {stderr}");
        let answers: Vec<_> = stdout
            .lines()
            .map(|line| {
                let answer: serde_json::Value = serde_json::from_str(line).unwrap();
                assert_eq!(answer["persisted"], true, "{answer}");
                (
                    answer["message"]["content"].clone(),
                    answer["usage"].clone(),
                )
            })
            .collect();
        assert_eq!(answers.len(), 5);
        (answers, stderr)
    };
    let (optimised, silent) = talk(&[]);
    assert_eq!(silent, "");
    assert_eq!(
        talk(&["--tier", "baseline"]),
        (optimised.clone(), String::new())
    );
    assert_eq!(
        talk(&["--tier", "auto"]),
        (optimised.clone(), String::new()),
        "not due"
    );
    for (after, said) in [
        ("0", "optimised code after 0 messages\n"),
        ("3", "optimised code after 3 messages\n"),
    ] {
        let (answers, stderr) = talk(&["--tier", "auto", "--hot-after", after]);
        assert_eq!(answers, optimised, "after {after}");
        assert_eq!(stderr, said);
    }
}

/// What is not in the folder is in the instance alone: it stays where it is.
#[test]
fn an_answer_that_was_not_saved_keeps_it_where_it_is() {
    let home = Home::new();
    // Where sessions go there is a file.
    std::fs::create_dir_all(home.root()).unwrap();
    std::fs::write(home.root().join(".clawft"), "in the way").unwrap();
    let mut command = weft(&home);
    command.args([
        "--json",
        "--tier",
        "auto",
        "--hot-after",
        "1",
        "-m",
        "hello",
        "-m",
        "hello",
    ]);
    let (_, stdout, stderr) = run(&mut command);
    let first: serde_json::Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["persisted"], false, "{stdout}");
    assert!(!stderr.contains("optimised code"), "{stderr}");
}
