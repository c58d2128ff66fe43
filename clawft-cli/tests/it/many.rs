//! Several programs in one conversation at a time, and programs that are killed: no turn is lost.

use crate::support::{Home, run};
use mock_provider::scenario::Form;
use mock_provider::{Mock, Scenario};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};

const TURNS: usize = 200;

/// A program that answers lines of the session `s`.
fn listening(home: &Home) -> Child {
    home.weft()
        .args(["agent", "--json", "--session", "s"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A program that is told 200 messages.
fn talking(home: &Home, message: impl Fn(usize) -> String + Send + 'static) -> Child {
    let mut child = listening(home);
    let mut input = child.stdin.take().unwrap();
    std::thread::spawn(move || {
        for turn in 0..TURNS {
            writeln!(input, "{}", serde_json::json!({ "message": message(turn) })).unwrap();
        }
    });
    child
}

/// What each of `processes` that talk at a time wrote.
fn together<M: Fn(usize) -> String + Send + 'static>(
    home: &Home,
    processes: usize,
    message: impl Fn(usize) -> M,
) -> Vec<String> {
    let children: Vec<_> = (0..processes)
        .map(|process| talking(home, message(process)))
        .collect();
    let waiting = children
        .into_iter()
        .map(|child| std::thread::spawn(move || child.wait_with_output().unwrap()));
    let waiting: Vec<_> = waiting.collect();
    let outputs = waiting.into_iter().map(|waiting| waiting.join().unwrap());
    outputs
        .map(|output| {
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        })
        .collect()
}

/// The turns in the file of the session, in whole lines.
fn turns(home: &Home) -> Vec<Value> {
    let text = std::fs::read_to_string(home.root().join(".clawft/sessions/s.json")).unwrap();
    assert!(text.ends_with('\n'));
    text.lines()
        .skip(1)
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn said(turn: &Value) -> &str {
    turn["messages"][0]["content"].as_str().unwrap()
}

/// Runs `processes` at a time; holds what they answered and what is in the file: every turn, once,
/// with its messages numbered in order.
fn hold(home: &Home, processes: usize) {
    let answers = together(home, processes, |process| {
        move |turn| format!("{process} {turn}")
    });
    for answers in answers {
        let persisted = answers.matches("\"persisted\":true").count();
        assert_eq!(persisted, TURNS, "{processes} processes");
    }
    let turns = turns(home);
    let all: BTreeSet<&str> = turns.iter().map(said).collect();
    assert_eq!(
        (turns.len(), all.len()),
        (processes * TURNS, processes * TURNS)
    );
    let messages = turns
        .iter()
        .flat_map(|turn| turn["messages"].as_array().unwrap());
    let ids: Vec<_> = messages
        .map(|message| message["id"].as_str().unwrap())
        .collect();
    let numbered = (1..=ids.len()).map(|number| format!("m{number}"));
    assert!(ids.iter().copied().eq(numbered), "in order, each once");
}

#[test]
fn two_and_eight_offline() {
    for processes in [2, 8] {
        hold(&Home::new(), processes);
    }
}

#[test]
fn two_with_a_provider() {
    let mut exchanges = Scenario::named("plain").unwrap().exchanges;
    exchanges[0].times = 2 * TURNS;
    exchanges[0].expect.contains.clear();
    let mock = Mock::start(exchanges).unwrap();
    hold(&Home::with(&mock, Form::OpenaiStream), 2);
    assert_eq!(mock.finish().unwrap().len(), 2 * TURNS);
}

/// What is remembered by programs at the same time is all there.
#[test]
fn no_key_of_the_memory_is_lost() {
    let home = Home::new();
    together(&home, 2, |process| {
        move |turn| format!("remember k{process}-{turn}: x")
    });
    let memory = std::fs::read(home.root().join(".clawft/memory.json")).unwrap();
    let memory: Value = serde_json::from_slice(&memory).unwrap();
    assert_eq!(memory.as_object().unwrap().len(), 2 * TURNS);
}

/// Killed two hundred times in the middle of its work: every turn that was answered is there.
#[test]
fn kills_cost_no_turn_that_was_answered() {
    let home = Home::new();
    let mut answered = BTreeSet::new();
    for kill in 0..200 {
        let mut child = listening(&home);
        let mut input = child.stdin.take().unwrap();
        let sent = std::thread::spawn(move || {
            for turn in 0.. {
                if writeln!(input, "{{\"message\":\"{kill} {turn}\"}}").is_err() {
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
    let mut after = home.weft();
    let (code, answer, _) = run(after.args(["agent", "--json", "--session", "s", "-m", "after"]));
    assert!(
        code == Some(0) && answer.contains("\"persisted\":true"),
        "{answer}"
    );
    let turns = turns(&home);
    let there: BTreeSet<String> = turns.iter().map(|turn| said(turn).to_owned()).collect();
    assert_eq!(there.len(), turns.len(), "a turn is there twice");
    let lost: Vec<_> = answered.difference(&there).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(answered.len() > 500);
}
