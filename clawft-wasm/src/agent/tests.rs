//! The agent as a whole, natively: every tool, sessions, limits, the sandbox.

use std::fs;
use std::path::Path;

use clawft_types::{Answer, ErrorCode, Value, json};

use super::Agent;

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn at(config: &str, root: &Path) -> Agent {
    Agent::at(config, root).expect("an agent")
}

fn say(agent: &mut Agent, message: &str) -> Box<Answer> {
    agent.respond("main", message).expect(message)
}

fn text(agent: &mut Agent, message: &str) -> String {
    say(agent, message).message.content
}

/// The code of the one tool result of `message`, which must have failed.
fn tool_error(agent: &mut Agent, message: &str) -> ErrorCode {
    let answer = say(agent, message);
    assert_eq!(answer.tool_results.len(), 1, "{message}");
    answer.tool_results[0]
        .outcome
        .clone()
        .expect_err(message)
        .code
}

fn error(agent: &mut Agent, message: &str) -> ErrorCode {
    agent.respond("main", message).expect_err("an error").code
}

#[test]
fn history_is_kept_and_numbered() {
    let mut agent = Agent::new("{}", None).unwrap();
    assert_eq!(
        text(&mut agent, "hello"),
        "hello, this is offline-1; 0 earlier messages"
    );
    assert_eq!(
        text(&mut agent, "Why?"),
        "question after 2 earlier messages: Why?"
    );
    assert_eq!(
        text(&mut agent, "history"),
        "4 earlier messages\nm1 user: hello\nm2 assistant: hello, this is offline-1; 0 earlier messages\n\
         m3 user: Why?\nm4 assistant: question after 2 earlier messages: Why?"
    );
    let other = agent.respond("other", "hi").unwrap();
    assert_eq!(other.message.id, "m2", "another session counts for itself");
    assert_eq!(other.usage.history, 2);
}

#[test]
fn answers_are_json() {
    let mut agent = Agent::new("{}", None).unwrap();
    let answer = json::parse(&agent.process_message("main", "say \"é\"\n")).unwrap();
    assert_eq!(answer.get("ok"), Some(&Value::Bool(true)));
    assert_eq!(answer.get("persisted"), Some(&Value::Bool(false)));
    let code = |value: &Value, name: &str| value.get(name).unwrap().get("code").unwrap().clone();
    assert_eq!(
        code(&answer, "not_persisted").as_str(),
        Some("no_file_system")
    );
    let answer = json::parse(&agent.process_message("main", "")).unwrap();
    assert_eq!(answer.get("ok"), Some(&Value::Bool(false)));
    assert_eq!(code(&answer, "error").as_str(), Some("empty_message"));
}

#[test]
fn files() {
    let root = temporary();
    let mut agent = at("{}", root.path());
    assert_eq!(
        text(&mut agent, "write a/b.txt: one two"),
        "write_file: wrote 7 bytes to a/b.txt"
    );
    assert_eq!(
        fs::read_to_string(root.path().join("a/b.txt")).unwrap(),
        "one two"
    );
    assert_eq!(text(&mut agent, "read a/b.txt"), "read_file: one two");
    assert_eq!(
        text(&mut agent, "edit a/b.txt: two => three"),
        "edit_file: edited a/b.txt"
    );
    assert_eq!(text(&mut agent, "read ./a//b.txt"), "read_file: one three");
    fs::write(root.path().join("Z"), "").unwrap();
    assert_eq!(text(&mut agent, "list"), "list_directory: Z\na/");
    assert_eq!(
        text(&mut agent, "list a"),
        "list_directory: b.txt",
        "nothing temporary is left"
    );
}

#[test]
fn files_that_are_not_as_needed() {
    let root = temporary();
    let mut agent = at(r#"{"limits":{"max_file_bytes":16}}"#, root.path());
    fs::create_dir(root.path().join("d")).unwrap();
    fs::write(root.path().join("f"), "aaa").unwrap();
    fs::write(root.path().join("large"), [b'x'; 17]).unwrap();
    fs::write(root.path().join("binary"), [0xFF]).unwrap();
    for (message, code) in [
        ("read none", ErrorCode::NotFound),
        ("read f/x", ErrorCode::NotFound),
        ("read d", ErrorCode::WrongKind),
        ("read .", ErrorCode::WrongKind),
        ("read large", ErrorCode::TooLarge),
        ("read binary", ErrorCode::NotText),
        ("write d: x", ErrorCode::WrongKind),
        ("write f/x: x", ErrorCode::WrongKind),
        ("write new: 12345678901234567", ErrorCode::TooLarge),
        ("list none", ErrorCode::NotFound),
        ("list f", ErrorCode::WrongKind),
        ("edit none: a => b", ErrorCode::NotFound),
        ("edit f: x => b", ErrorCode::EditMismatch),
        ("edit f: a => b", ErrorCode::EditMismatch),
        ("edit f: aa => b", ErrorCode::EditMismatch),
        (
            r#"/tool edit_file {"path":"f","old":"","new":"x"}"#,
            ErrorCode::EditMismatch,
        ),
        ("edit f: aaa => 12345678901234567", ErrorCode::TooLarge),
    ] {
        assert_eq!(tool_error(&mut agent, message), code, "{message}");
    }
    assert_eq!(
        text(&mut agent, "read f"),
        "read_file: aaa",
        "untouched by all that"
    );
    assert!(!root.path().join("new").exists());
}

#[test]
fn sandbox() {
    let outer = temporary();
    let root = outer.path().join("root");
    let mut agent = at("{}", &root);
    fs::write(outer.path().join("secret"), "secret").unwrap();
    for message in [
        "read ../secret",
        "read a/../../secret",
        "read /etc/passwd",
        "list ..",
        "list /",
        "write ../new: x",
        "edit ../secret: secret => public",
        "read .clawft/sessions/main.json",
        "write .clawft/sessions/main.json: {}",
        "list .clawft",
        "list ./.CLAWFT/sessions",
        r#"/tool read_file {"path":""}"#,
        r#"/tool read_file {"path":"a\u0000b"}"#,
        r#"/tool read_file {"path":"..\\secret"}"#,
    ] {
        assert_eq!(
            tool_error(&mut agent, message),
            ErrorCode::PathOutsideSandbox,
            "{message}"
        );
    }
    assert_eq!(
        fs::read_to_string(outer.path().join("secret")).unwrap(),
        "secret"
    );
    assert!(!outer.path().join("new").exists());
}

#[cfg(unix)]
#[test]
fn symbolic_links_do_not_lead_out() {
    use std::os::unix::fs::symlink;

    let outer = temporary();
    let root = outer.path().join("root");
    let mut agent = at("{}", &root);
    say(&mut agent, "write in/a: inside");
    fs::write(outer.path().join("secret"), "secret").unwrap();
    symlink("../secret", root.join("file")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("../nowhere", root.join("dangling")).unwrap();
    symlink(".clawft", root.join("state")).unwrap();
    symlink("in", root.join("fine")).unwrap();
    for message in [
        "read file",
        "write file: x",
        "read up/secret",
        "write up/new: x",
        "list up",
        "write dangling: x",
        "read state/sessions/main.json",
        "list state",
    ] {
        assert_eq!(
            tool_error(&mut agent, message),
            ErrorCode::PathOutsideSandbox,
            "{message}"
        );
    }
    assert_eq!(text(&mut agent, "read fine/a"), "read_file: inside");
    assert_eq!(
        fs::read_to_string(outer.path().join("secret")).unwrap(),
        "secret"
    );
    assert!(!outer.path().join("nowhere").exists());
}

#[test]
fn memory_is_shared_by_sessions_and_lasts() {
    let root = temporary();
    let mut agent = at("{}", root.path());
    assert_eq!(tool_error(&mut agent, "recall name"), ErrorCode::NotFound);
    assert_eq!(
        text(&mut agent, "remember name: Ada"),
        "memory_write: remembered name"
    );
    say(&mut agent, "remember city: Genève");
    say(&mut agent, "remember name: Grace");
    assert_eq!(text(&mut agent, "recall"), "memory_read: city\nname");
    let mut later = at("{}", root.path());
    let answer = later.respond("other", "recall name").unwrap();
    assert_eq!(answer.message.content, "memory_read: Grace");

    fs::write(root.path().join(".clawft/memory.json"), "{oops").unwrap();
    assert_eq!(
        tool_error(&mut agent, "remember a: b"),
        ErrorCode::StateCorrupted
    );
    assert_eq!(
        fs::read_to_string(root.path().join(".clawft/memory.json")).unwrap(),
        "{oops"
    );
}

#[test]
fn memory_without_a_directory() {
    let mut agent = Agent::new(r#"{"limits":{"max_file_bytes":64}}"#, None).unwrap();
    say(&mut agent, "remember a: 1");
    assert_eq!(text(&mut agent, "recall a"), "memory_read: 1");
    let long = ["remember b: ", &"x".repeat(64)].concat();
    assert_eq!(tool_error(&mut agent, &long), ErrorCode::TooLarge);
    assert_eq!(text(&mut agent, "recall"), "memory_read: a");
    assert_eq!(
        tool_error(&mut agent, r#"/tool memory_write {"key":"","value":"x"}"#),
        ErrorCode::InvalidArguments
    );
    assert_eq!(tool_error(&mut agent, "read a"), ErrorCode::NoFileSystem);
}

#[test]
fn tool_calls_that_are_wrong() {
    let mut agent = Agent::new(r#"{"tools":["memory_read","web_fetch"]}"#, None).unwrap();
    for (message, code) in [
        ("/tool nope", ErrorCode::UnknownTool),
        ("read a", ErrorCode::ToolDisabled),
        ("/tool memory_read []", ErrorCode::InvalidArguments),
        (
            r#"/tool memory_read {"key":1}"#,
            ErrorCode::InvalidArguments,
        ),
        (
            r#"/tool memory_read {"kee":"a"}"#,
            ErrorCode::InvalidArguments,
        ),
        ("/tool web_fetch {}", ErrorCode::InvalidArguments),
        ("fetch http://example.org/", ErrorCode::Unsupported),
    ] {
        assert_eq!(tool_error(&mut agent, message), code, "{message}");
    }
    assert_eq!(error(&mut agent, "/shell ls"), ErrorCode::InvalidArguments);
    let deep = ["/tool memory_read ", &"{\"a\":".repeat(10_000)].concat();
    assert_eq!(error(&mut agent, &deep), ErrorCode::InvalidJson);
}

#[test]
fn tool_rounds_and_their_limit() {
    let root = temporary();
    let mut agent = at(r#"{"limits":{"max_tool_rounds":2}}"#, root.path());
    let answer = say(
        &mut agent,
        "write a: x\nthen\n/tool read_file {\"path\":\"a\"}\n/tool list_directory",
    );
    assert_eq!(
        answer.message.content,
        "write_file: wrote 1 bytes to a\nread_file: x\nlist_directory: a"
    );
    assert_eq!((answer.usage.tool_rounds, answer.usage.messages), (2, 7));
    let ids: Vec<_> = answer
        .tool_results
        .iter()
        .map(|result| result.call_id.as_str())
        .collect();
    assert_eq!(ids, ["c1", "c2", "c3"]);
    assert_eq!(
        error(&mut agent, "list\nthen\nlist\nthen\nlist"),
        ErrorCode::TooManyRounds
    );
    assert_eq!(
        say(&mut agent, "hi").usage.history,
        9,
        "the failed turn left nothing"
    );
}

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
        answer.usage.history, 1,
        "the last message stays, however long"
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

#[test]
fn configuring_again_keeps_the_sessions() {
    let mut agent = Agent::new("{}", None).unwrap();
    say(&mut agent, "hello");
    for (config, code) in [
        ("", ErrorCode::InvalidJson),
        (r#"{"model":1}"#, ErrorCode::InvalidConfig),
        (r#"{"tools":["shell"]}"#, ErrorCode::InvalidConfig),
        (r#"{"routes":{"gossip":"m"}}"#, ErrorCode::InvalidConfig),
        (
            r#"{"providers":[{"kind":"anthropic"}]}"#,
            ErrorCode::Unsupported,
        ),
    ] {
        assert_eq!(agent.configure(config).unwrap_err().code, code, "{config}");
    }
    assert_eq!(
        text(&mut agent, "hi"),
        "hello, this is offline-1; 2 earlier messages"
    );
    agent
        .configure(r#"{"model":"m","routes":{"question":"q"}}"#)
        .unwrap();
    assert_eq!(
        text(&mut agent, "hi"),
        "hello, this is m; 4 earlier messages"
    );
    assert_eq!(say(&mut agent, "why?").model, "q");
    agent.configure(r#"{"providers":[]}"#).unwrap();
    assert_eq!(error(&mut agent, "hi"), ErrorCode::NoProvider);
}

#[test]
fn capabilities_are_json() {
    let agent = Agent::new(r#"{"tools":["read_file"]}"#, None).unwrap();
    for (text, tools, initialized) in [
        (agent.capabilities(), 1, true),
        (super::capabilities::json(None), 7, false),
    ] {
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["tools"].as_array().unwrap().len(), tools);
        assert_eq!(value["initialized"], initialized);
        assert_eq!(value["tools"][0]["parameters"]["required"][0], "path");
    }
}

/// The one test of the agent behind the exports: it is shared by the whole process.
#[test]
fn calls_before_init() {
    let error = crate::respond("main", "hello").unwrap_err();
    assert_eq!(error.code, ErrorCode::NotInitialized);
    assert!(crate::process_message("main", "hello").contains("\"not_initialized\""));
    assert!(crate::capabilities().contains("\"initialized\":false"));
    assert_eq!(
        crate::init("[]").unwrap_err().code,
        ErrorCode::InvalidConfig
    );
    assert_eq!(
        crate::respond("main", "hello").unwrap_err().code,
        ErrorCode::NotInitialized
    );
}
