//! What a message can make the agent do, and hold, has an end.

use std::fs;

use clawft_types::{ErrorCode, Role};

use super::{Agent, at, error, say, temporary, text};

/// `count` calls of `call` in one reply.
fn calls(call: &str, count: usize) -> String {
    vec![["/tool ", call].concat(); count].join("\n")
}

/// Protects against a session name each: nothing of a session is there before its first turn ends.
#[test]
fn sessions_whose_first_message_fails_take_no_place() {
    let mut agent = Agent::new("{}", None).unwrap();
    for number in 0..100 {
        let error = agent.respond(&format!("s{number}"), "/nope").unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArguments);
    }
    assert!(agent.capabilities().contains("\"sessions\":0,"));
    assert_eq!(say(&mut agent, "hello").usage.history, 2);
    assert_eq!(error(&mut agent, "/nope"), ErrorCode::InvalidArguments);
    assert_eq!(
        say(&mut agent, "hello").usage.history,
        4,
        "one with history stays"
    );
}

#[test]
fn calls_in_one_reply_are_counted() {
    let root = temporary();
    let mut agent = at("{}", root.path());
    fs::write(root.path().join("a"), "x").unwrap();
    let answer = say(&mut agent, &calls("read_file {\"path\":\"a\"}", 1000));
    assert_eq!(answer.tool_results.len(), 1000, "every call has a result");
    for (at, result) in answer.tool_results.iter().enumerate() {
        match &result.outcome {
            Ok(text) => assert!(at < 32 && text == "x", "{at}"),
            Err(error) => assert!(at >= 32 && error.code == ErrorCode::TooLarge, "{at}"),
        }
    }
    assert_eq!(text(&mut agent, "read a"), "read_file: x");
}

#[test]
fn results_of_a_turn_are_bounded_and_shown_in_part() {
    let root = temporary();
    let mut agent = at("{}", root.path());
    let content = ["é".repeat(100_000).as_str(), "end"].concat();
    fs::write(root.path().join("a"), &content).unwrap();
    let step = calls("read_file {\"path\":\"a\"}", 4);
    let answer = say(&mut agent, &[step.as_str(); 3].join("\nthen\n"));
    let fine = answer.tool_results.iter().filter(|r| r.outcome.is_ok());
    let bytes: usize = fine
        .clone()
        .map(|r| r.outcome.as_ref().unwrap().len())
        .sum();
    assert_eq!((fine.count(), bytes), (6, 6 * content.len()));
    assert!(bytes > 1 << 20, "what goes beyond 1 MiB is the last one");
    let late = answer.tool_results[6].outcome.as_ref().unwrap_err();
    assert_eq!(late.code, ErrorCode::TooLarge);
    let shown = answer.message.content.lines().next().unwrap();
    assert!(shown.len() < 33 << 10, "{} bytes", shown.len());
    assert!(shown.starts_with("read_file: éé") && shown.ends_with("ééend"));
    // The halves are 8,192 characters of two bytes, and 8,190 with the end: no character is cut.
    assert!(shown.contains("é… 167236 bytes left out …é"), "{shown:.20}");
}

/// The tools have acted by then: what they did, and that there was more to do, must not be lost.
#[test]
fn the_turn_is_kept_when_the_rounds_are_used_up() {
    let root = temporary();
    let mut agent = at(r#"{"limits":{"max_tool_rounds":2}}"#, root.path());
    let answer = say(&mut agent, "write a: x\nthen\nread a\nthen\nwrite b: y");
    assert_eq!(answer.finish, "tool_limit");
    assert_eq!(
        answer.message.content,
        "write_file: wrote 1 bytes to a\nread_file: x"
    );
    assert_eq!((answer.usage.tool_rounds, answer.usage.history), (2, 6));
    assert!(!root.path().join("b").exists());
    let answer = say(&mut agent, "list");
    assert_eq!((answer.finish, answer.usage.history), ("stop", 10));
    agent
        .configure(r#"{"limits":{"max_tool_rounds":0}}"#)
        .unwrap();
    let answer = say(&mut agent, "list");
    assert_eq!(answer.finish, "tool_limit");
    assert!(answer.tool_results.is_empty());
    agent.configure("{}").unwrap();
    let steps = vec!["list"; 51].join("\nthen\n");
    let answer = say(&mut agent, &steps);
    assert_eq!(
        (answer.usage.tool_rounds, answer.finish),
        (50, "tool_limit")
    );
}

/// Protects what providers insist on: a history begins with the user, a result follows its call.
#[test]
fn a_history_begins_with_the_user() {
    let root = temporary();
    for (max_history, expected) in [(2, 2), (5, 2), (6, 6), (7, 6), (9, 6), (12, 12)] {
        let config = format!("{{\"limits\":{{\"max_history\":{max_history}}}}}");
        let mut agent = at(&config, root.path());
        for _ in 0..4 {
            agent.respond("s", "list\nthen\nlist").unwrap();
        }
        let (cached, outcome) = agent
            .sessions
            .take("s", &agent.config.limits, &agent.workspace);
        outcome.unwrap();
        let roles: Vec<Role> = cached.session.messages.iter().map(|m| m.role).collect();
        assert_eq!(roles.len(), expected, "{max_history}");
        assert_eq!(roles[0], Role::User, "{max_history}: {roles:?}");
        for (at, role) in roles.iter().enumerate() {
            let before = at.checked_sub(1).map(|at| roles[at]);
            assert!(*role != Role::Tool || matches!(before, Some(Role::Assistant | Role::Tool)));
        }
        fs::remove_dir_all(root.path().join(".clawft")).unwrap();
    }
}
