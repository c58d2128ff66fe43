//! Sessions: what lasts, what is refused, what is let go.

use std::fs;
use std::path::{Path, PathBuf};

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

/// The file of the session `main` after two turns, each in a line of its own behind the head.
fn two_turns(root: &Path) -> (PathBuf, String) {
    let mut agent = at("{}", root);
    say(&mut agent, "hello");
    say(&mut agent, "why?");
    let file = root.join(".clawft/sessions/main.json");
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
    (file, text)
}

/// Damage costs the turns that are damaged, and nothing that is there is deleted.
#[test]
fn a_damaged_session_is_moved_aside_and_its_good_turns_go_on() {
    for (damage, turns) in [
        (
            &(|text: &str| text.replacen("\"turn\":1", "\"turn\";1", 1)) as &dyn Fn(&str) -> _,
            1,
        ),
        (
            &|text: &str| text.replacen("\"version\"", "\"versio\"", 1),
            2,
        ),
        (
            &|text: &str| text.replacen("\"name\":\"main\"", "\"name\":\"other\"", 1),
            2,
        ),
        (&|text: &str| text.replace("\"messages\"", "\"messges\""), 0),
        (&|_: &str| "nonsense".to_owned(), 0),
        (&|_: &str| "\n\n".to_owned(), 0),
        (&|text: &str| text[..9].to_owned(), 0),
    ] {
        let root = temporary();
        let (file, text) = two_turns(root.path());
        for number in 1..=2 {
            let damaged = damage(&text);
            fs::write(&file, &damaged).unwrap();
            let mut agent = at("{}", root.path());
            let error = agent.respond("main", "hello").unwrap_err();
            assert_eq!(error.code, ErrorCode::StateCorrupted, "{}", error.message);
            let aside = format!("main.json.corrupt{number}");
            assert!(error.message.ends_with(&aside), "{}", error.message);
            let kept = fs::read_to_string(file.with_file_name(aside)).unwrap();
            assert_eq!(kept, damaged);
            assert_eq!(say(&mut agent, "hello").usage.history, 2 * turns + 2);
            let mut later = at("{}", root.path());
            assert_eq!(say(&mut later, "hello").usage.history, 2 * turns + 4);
        }
    }
}

/// A process that is killed while it adds a turn leaves a part of a line. Nobody was told of it.
#[test]
fn a_turn_that_did_not_end_costs_no_other() {
    let root = temporary();
    let (file, text) = two_turns(root.path());
    let second = text.rfind("{\"turn\"").unwrap();
    for end in (second + 1..text.len()).step_by(7) {
        fs::write(&file, &text[..end]).unwrap();
        let mut agent = at("{}", root.path());
        let answer = say(&mut agent, "again");
        assert_eq!(
            (answer.usage.history, answer.message.id.as_str()),
            (4, "m4")
        );
        assert!(answer.not_persisted.is_none());
        let aside = file.with_file_name("main.json.partial1");
        assert_eq!(fs::read_to_string(&aside).unwrap(), text[second..end]);
        fs::remove_file(&aside).unwrap();
        assert_eq!(say(&mut at("{}", root.path()), "hi").usage.history, 6);
    }
}

#[test]
fn a_session_of_version_1_goes_on() {
    let root = temporary();
    let file = root.path().join(".clawft/sessions/main.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let old = r#"{"version":1,"name":"main","next_message":7,"next_call":3,"dropped":4,"messages":[{"id":"m5","role":"user","content":"x","timestamp_ms":5},{"id":"m6","role":"assistant","content":"y","timestamp_ms":5}]}"#;
    for end in ["", "\n"] {
        fs::write(&file, [old, end].concat()).unwrap();
        let mut agent = at("{}", root.path());
        assert!(agent.respond("main", "/nope").is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), [old, end].concat());
        let answer = say(&mut agent, "hello");
        assert_eq!(
            (answer.message.id.as_str(), answer.usage.history),
            ("m8", 4)
        );
        assert_eq!(answer.usage.dropped, 4);
        assert!(
            fs::read_to_string(&file)
                .unwrap()
                .starts_with("{\"version\":2,")
        );
        let answer = say(&mut at("{}", root.path()), "hello");
        assert_eq!(
            (answer.message.id.as_str(), answer.usage.history),
            ("m10", 6)
        );
    }
}

/// Two agents on one root are two processes to each other.
#[test]
fn two_agents_in_one_session_lose_nothing() {
    let root = temporary();
    let [mut one, mut two] = [at("{}", root.path()), at("{}", root.path())];
    for round in 0..10 {
        let answer = say(&mut one, "list");
        assert_eq!(answer.usage.history, round * 8 + 4);
        let answer = say(&mut two, "list");
        assert_eq!(answer.usage.history, (round * 8 + 8).min(64));
        assert_eq!(answer.message.id, format!("m{}", round * 8 + 8));
        if round == 7 {
            break;
        }
    }
    let text = fs::read_to_string(root.path().join(".clawft/sessions/main.json")).unwrap();
    assert_eq!(text.lines().count(), 1 + 16);
}

/// What was not saved comes behind what others have saved meanwhile, with numbers of its own.
#[test]
fn what_could_not_be_saved_is_saved_behind_the_others() {
    let root = temporary();
    let [mut one, mut two] = [at("{}", root.path()), at("{}", root.path())];
    say(&mut one, "hello");
    let sessions = root.path().join(".clawft/sessions");
    let away = root.path().join("away");
    fs::rename(&sessions, &away).unwrap();
    fs::write(&sessions, "in the way").unwrap();
    let answer = say(&mut one, "list");
    assert_eq!(answer.not_persisted.unwrap().code, ErrorCode::WrongKind);
    fs::remove_file(&sessions).unwrap();
    fs::rename(&away, &sessions).unwrap();
    assert_eq!(say(&mut two, "why?").usage.history, 4);
    let answer = say(&mut one, "history");
    assert!(answer.not_persisted.is_none());
    assert_eq!(
        (answer.message.id.as_str(), answer.usage.history),
        ("m10", 10)
    );
    let text = fs::read_to_string(sessions.join("main.json")).unwrap();
    for number in 1..=10 {
        let id = format!("\"id\":\"m{number}\"");
        assert_eq!(text.matches(&id).count(), 1, "{id} in {text}");
    }
    assert_eq!(
        text.matches("\"c1\"").count(),
        2,
        "a call and its result: {text}"
    );
}

/// The cost of a turn does not depend on the history: its own line is all that is written.
#[test]
fn a_turn_writes_its_own_line_alone() {
    let root = temporary();
    let mut agent = at(r#"{"limits":{"max_history":10000}}"#, root.path());
    let file = root.path().join(".clawft/sessions/main.json");
    let mut sizes = Vec::new();
    for _ in 0..500 {
        let before = fs::read(&file).unwrap_or_default();
        agent.respond("main", "list").unwrap();
        let after = fs::read(&file).unwrap();
        assert!(after.starts_with(&before), "what is there stays as it is");
        sizes.push(after.len() - before.len());
    }
    assert!(
        sizes[499] <= sizes[9] + 32,
        "{} after {}",
        sizes[499],
        sizes[9]
    );
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
        .replace("\"version\":2", "\"version\":3");
    for newer in [
        newer.as_str(),
        "{\"version\":99,\"entirely\":\"different\"}",
    ] {
        fs::write(&file, newer).unwrap();
        let error = at("{}", root.path()).respond("main", "hello").unwrap_err();
        assert_eq!(error.code, ErrorCode::NewerVersion, "{}", error.message);
        assert!(error.message.contains("newer"), "{}", error.message);
        assert_eq!(fs::read_to_string(&file).unwrap(), newer);
        let names = fs::read_dir(file.parent().unwrap()).unwrap().count();
        assert_eq!(names, 1, "nothing was moved aside");
    }
}

/// What was asked and done is there for people, also where the turn has failed; providers do not
/// get to see it.
#[test]
fn sessions_can_be_listed_read_and_forgotten() {
    let root = temporary();
    let mut agent = at("{}", root.path());
    assert!(agent.session_names().unwrap().is_empty());
    assert_eq!(error(&mut agent, "/nope"), ErrorCode::InvalidArguments);
    assert!(
        agent.session_names().unwrap().is_empty(),
        "nothing was answered"
    );
    say(&mut agent, "hello");
    assert_eq!(error(&mut agent, "/nope"), ErrorCode::InvalidArguments);
    assert_eq!(say(&mut agent, "why?").usage.history, 4);
    agent.respond("Other", "list").unwrap();
    let mut later = at(r#"{"limits":{"max_history":2}}"#, root.path());
    assert_eq!(later.session_names().unwrap(), ["Other", "main"]);
    let said = |agent: &mut Agent, from, count| {
        let messages = agent.history("main", from, count).unwrap();
        let said = messages
            .iter()
            .map(|m| [m.id.as_str(), " ", &m.content].concat());
        said.collect::<Vec<_>>()
    };
    let all = [
        "m1 hello",
        "m2 hello, this is offline-1; 0 earlier messages",
        "m3 /nope",
        "m4 why?",
        "m5 question after 2 earlier messages: why?",
    ];
    assert_eq!(said(&mut later, 0, 99), all);
    assert_eq!(said(&mut later, 2, 2), all[2..4]);
    assert!(said(&mut later, 9, 9).is_empty());
    assert!(later.forget("main").unwrap());
    assert!(!later.forget("main").unwrap());
    assert!(later.history("main", 0, 9).unwrap().is_empty());
    assert_eq!(later.session_names().unwrap(), ["Other"]);
    assert_eq!(
        later.forget("../main").unwrap_err().code,
        ErrorCode::InvalidSessionName
    );
    let mut without = Agent::new("{}", None).unwrap();
    say(&mut without, "hello");
    assert_eq!(without.session_names().unwrap(), ["main"]);
    assert_eq!(without.history("main", 1, 1).unwrap()[0].id, "m2");
    assert!(without.forget("main").unwrap());
    assert!(without.session_names().unwrap().is_empty());
}
