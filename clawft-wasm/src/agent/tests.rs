//! The agent as a whole, natively: every tool, sessions, limits, the sandbox.

mod bounds;
mod files;
mod sessions;

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
            r#"{"providers":[{"kind":"pigeon"}]}"#,
            ErrorCode::InvalidConfig,
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
    agent
        .configure(r#"{"providers":[{"kind":"openai"}]}"#)
        .unwrap();
    assert_eq!(
        error(&mut agent, "hi"),
        ErrorCode::Unsupported,
        "no HTTP here"
    );
}

#[test]
fn capabilities_are_json() {
    let agent = Agent::new(r#"{"tools":["read_file"]}"#, None).unwrap();
    for (text, tools, initialized) in [
        (agent.capabilities(), 1, true),
        (super::capabilities::json(None), 8, false),
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

/// A host that says what it was asked.
#[derive(Default)]
struct Shop {
    agrees: bool,
    seen: Vec<String>,
}

impl super::host::Host for Shop {
    fn run(&mut self, call: &clawft_types::ToolCall) -> clawft_types::Result<String> {
        self.seen
            .push(format!("run {} {}", call.name, call.arguments));
        Ok("found".into())
    }

    fn agrees(&mut self, call: &clawft_types::ToolCall) -> bool {
        self.seen.push(format!("ask {}", call.name));
        self.agrees
    }
}

#[test]
fn a_host_runs_its_tools_and_is_asked() {
    let config = r#"{"tools":{"memory_write":"ask"},
        "host_tools":[{"name":"search","description":"d","parameters":{"type":"object"}}]}"#;
    let mut agent = Agent::new(config, None).unwrap();
    assert!(
        agent
            .capabilities()
            .contains(r#""name":"search","description":"d","parameters":{"type":"object"}"#)
    );
    let calls = "/tool search {\"q\":1}\n/tool memory_write {\"key\":\"a\",\"value\":\"b\"}";
    for agrees in [true, false] {
        let mut shop = Shop {
            agrees,
            seen: Vec::new(),
        };
        let answer = agent.say_with("s", calls, &mut shop).unwrap();
        assert_eq!(shop.seen, ["ask memory_write", r#"run search {"q":1}"#]);
        let outcomes = answer
            .tool_results
            .iter()
            .map(|result| result.outcome.is_ok());
        assert_eq!(outcomes.collect::<Vec<_>>(), [true, agrees]);
    }
    let answer = agent.say("s", calls).unwrap();
    let codes = answer
        .tool_results
        .iter()
        .map(|result| result.outcome.as_ref().unwrap_err().code);
    assert_eq!(
        codes.collect::<Vec<_>>(),
        [ErrorCode::Unsupported, ErrorCode::PermissionDenied]
    );
    for (text, message) in [
        (
            r#"{"host_tools":[{"name":"read_file","description":"d","parameters":{}}]}"#,
            "config.host_tools: there is a tool read_file already",
        ),
        (
            r#"{"tools":{"nope":"ask"}}"#,
            "config.tools: there is no tool nope",
        ),
    ] {
        assert_eq!(Agent::new(text, None).unwrap_err().message, message);
    }
}
