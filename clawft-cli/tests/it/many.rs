//! Several programs in one conversation at a time: no turn is lost.

use crate::support::Home;
use mock_provider::scenario::Form;
use mock_provider::{Mock, Scenario};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Child, Stdio};

const TURNS: usize = 200;

/// A program that is told 200 messages.
fn talking(home: &Home, process: usize) -> Child {
    let mut child = home
        .weft()
        .args(["agent", "--json", "--session", "s"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    std::thread::spawn(move || {
        for turn in 0..TURNS {
            let message = format!("{process} {turn}");
            writeln!(input, "{}", serde_json::json!({ "message": message })).unwrap();
        }
    });
    child
}

/// Runs `processes` at a time; holds what they answered and what is in the file.
fn hold(home: &Home, processes: usize) {
    let children: Vec<_> = (0..processes)
        .map(|process| talking(home, process))
        .collect();
    let waiting = children
        .into_iter()
        .map(|child| std::thread::spawn(move || child.wait_with_output().unwrap()));
    for waiting in waiting.collect::<Vec<_>>() {
        let output = waiting.join().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let persisted = text.matches("\"persisted\":true").count();
        assert_eq!(persisted, TURNS, "{processes} processes");
        assert!(output.status.success());
    }
    let text = std::fs::read_to_string(home.root().join(".clawft/sessions/s.json")).unwrap();
    assert!(text.ends_with('\n'));
    let turns: Vec<Value> = text
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let said: BTreeSet<&str> = turns
        .iter()
        .map(|turn| turn["messages"][0]["content"].as_str().unwrap())
        .collect();
    assert_eq!(
        (turns.len(), said.len()),
        (processes * TURNS, processes * TURNS)
    );
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
