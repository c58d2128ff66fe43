//! Sessions: what lasts, what is refused, what is let go.

use std::fs;

use clawft_types::ErrorCode;

use super::{Agent, at, error, say, temporary, text};

#[test]
fn sessions_go_on_in_another_agent() {
    let root = temporary();
    let mut first = at("{}", root.path());
    say(&mut first, "hello");
    first.respond("Main", "unlike main").unwrap();
    assert!(say(&mut first, "list").not_persisted.is_none());
    let mut second = at("{}", root.path());
    let answer = say(&mut second, "and?");
    assert_eq!(
        answer.message.content,
        "question after 6 earlier messages: and?"
    );
    assert_eq!(answer.message.id, "m8");
    assert_eq!(second.respond("Main", "x").unwrap().usage.history, 4);
}

#[test]
fn corrupted_session_is_moved_aside() {
    let root = temporary();
    let file = root.path().join(".clawft/sessions/main.json");
    for number in 1..=2 {
        say(&mut at("{}", root.path()), "hello");
        let whole = fs::read_to_string(&file).unwrap();
        fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        let mut agent = at("{}", root.path());
        let error = agent.respond("main", "hello").unwrap_err();
        assert_eq!(error.code, ErrorCode::StateCorrupted);
        let aside = format!("main.json.corrupt{number}");
        assert!(error.message.ends_with(&aside), "{}", error.message);
        let kept = fs::read_to_string(file.with_file_name(aside)).unwrap();
        assert_eq!(kept, whole[..whole.len() / 2]);
        assert_eq!(say(&mut agent, "hello").message.id, "m2", "a new session");
        fs::remove_file(&file).unwrap();
    }
}

#[test]
fn a_session_that_cannot_be_saved_stays_in_memory() {
    let root = temporary();
    fs::write(root.path().join(".clawft"), "in the way").unwrap();
    let mut agent = at(r#"{"limits":{"max_sessions":1}}"#, root.path());
    let answer = say(&mut agent, "hello");
    assert_eq!(answer.not_persisted.unwrap().code, ErrorCode::WrongKind);
    assert_eq!(say(&mut agent, "hello").usage.history, 4);
    assert_eq!(
        agent.respond("other", "x").unwrap_err().code,
        ErrorCode::TooManySessions
    );
    fs::remove_file(root.path().join(".clawft")).unwrap();
    assert!(say(&mut agent, "hello").not_persisted.is_none());
    agent.respond("other", "x").unwrap();
    assert_eq!(
        say(&mut agent, "hello").usage.history,
        8,
        "put away and fetched again"
    );
}

#[test]
fn history_is_bounded() {
    let mut agent = Agent::new(r#"{"limits":{"max_history":4}}"#, None).unwrap();
    for _ in 0..5 {
        say(&mut agent, "x");
    }
    let answer = say(&mut agent, "y");
    assert_eq!((answer.usage.history, answer.usage.dropped), (4, 8));
    assert_eq!(answer.message.content, "chat after 4 earlier messages: y");
    assert_eq!(answer.message.id, "m12");
    agent
        .configure(r#"{"limits":{"max_history_bytes":1024}}"#)
        .unwrap();
    let answer = say(&mut agent, &"z".repeat(5000));
    assert_eq!(
        answer.usage.history, 2,
        "the last question and its answer stay, however long"
    );
}

#[test]
fn messages_and_sessions_that_are_refused() {
    let mut agent = Agent::new("{}", None).unwrap();
    say(&mut agent, "hello");
    assert_eq!(
        error(&mut agent, &"x".repeat(10 << 20)),
        ErrorCode::MessageTooLarge
    );
    assert_eq!(error(&mut agent, " \n"), ErrorCode::EmptyMessage);
    assert_eq!(error(&mut agent, "{"), ErrorCode::InvalidJson);
    assert_eq!(error(&mut agent, "{}"), ErrorCode::InvalidMessage);
    assert_eq!(
        error(&mut agent, &"{\"a\":".repeat(10_000)),
        ErrorCode::InvalidJson
    );
    for name in ["", "..", "a/b", "é", &"x".repeat(65)] {
        let error = agent.respond(name, "hello").unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidSessionName);
    }
    assert_eq!(
        text(&mut agent, r#"{"content":"x"}"#),
        "chat after 2 earlier messages: x"
    );
}

/// An older program must not put away what a newer one keeps.
#[test]
fn a_session_of_a_newer_version_is_left_alone() {
    let root = temporary();
    say(&mut at("{}", root.path()), "hello");
    let file = root.path().join(".clawft/sessions/main.json");
    let newer = fs::read_to_string(&file)
        .unwrap()
        .replace("\"version\":1", "\"version\":2");
    for newer in [
        newer.as_str(),
        "{\"version\":99,\"entirely\":\"different\"}",
    ] {
        fs::write(&file, newer).unwrap();
        let error = at("{}", root.path()).respond("main", "hello").unwrap_err();
        assert_eq!(error.code, ErrorCode::Unsupported, "{}", error.message);
        assert!(error.message.contains("newer"), "{}", error.message);
        assert_eq!(fs::read_to_string(&file).unwrap(), newer);
        let names = fs::read_dir(file.parent().unwrap()).unwrap().count();
        assert_eq!(names, 1, "nothing was moved aside");
    }
}
