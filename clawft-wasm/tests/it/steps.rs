//! Turns in steps through what the shipped files export: the reactor's frames in a compiler, in an
//! interpreter and in node, the component's interface in wasmtime. The same turn offline and with a
//! provider; the transcript; and what 0.2 has besides.

use crate::engines::turns::{Given, Stand, Turns, field, frame, text};
use crate::engines::{Abi, Component, Engine, Node, Reactor, Wasmi, build};
use build_support::agent::component;
use serde_json::Value;
use std::path::Path;
use wasmtime::component::Val;

const CONFIG: &str = r#"{"providers":[{"name":"p","kind":"openai","models":["online"],"credential":"k"},{"kind":"offline"}],"routes":{"question":"online"}}"#;

fn over(stand: Stand) -> Value {
    match stand {
        Stand::Over(answer) => answer,
        other => panic!("not over: {other:?}"),
    }
}

fn drive(agent: &mut (impl Engine + Turns)) {
    assert_eq!(agent.start("s", "hello"), Err("not_initialized".into()));
    agent.init(CONFIG).unwrap();
    let offline = agent.start("s", "hello").unwrap();
    assert_eq!(
        over(agent.poll(offline))["message"]["content"],
        "hello, this is offline-1; 0 earlier messages"
    );
    assert_eq!(agent.poll(offline), Stand::Refused("not_found".into()));

    let task = agent.start("s", "what now?").unwrap();
    assert_eq!(agent.start("s", "hello"), Err("busy".into()));
    let said: Value = serde_json::from_str(&agent.say("s", "hello")).unwrap();
    assert_eq!(said["error"]["code"], "busy");
    let other = agent.start("other", "why?").unwrap();
    let Stand::Waiting(calls) = agent.poll(task) else {
        panic!("it does not wait");
    };
    let [fetch] = &calls[..] else {
        panic!("{calls:?}");
    };
    assert_eq!((fetch.op, fetch.flags), (500, 2));
    let url = "https://api.openai.com/v1/chat/completions";
    assert_eq!(fetch.head["url"], url);
    assert_eq!(fetch.head["credential"]["name"], "k");
    let request: Value = serde_json::from_slice(&fetch.body).unwrap();
    assert_eq!(request["messages"].as_array().unwrap().len(), 3);
    let result = |has_more, head: &str, body: &[u8]| Given {
        call: fetch.call,
        status: 0,
        has_more,
        head: head.into(),
        body: body.into(),
    };
    let reply = r#"{"status":200,"headers":{"content-type":"text/event-stream"}}"#;
    let part =
        "data: {\"choices\":[{\"delta\":{\"content\":\"Grüße\"},\"finish_reason\":\"stop\"}]}\n\n";
    // One byte at a time, as slow as it gets.
    let begun = agent.supply(task, &[result(true, reply, b"")]);
    assert_eq!(begun, Stand::Waiting(Vec::new()));
    let mut shown = Vec::new();
    for byte in part.as_bytes() {
        match agent.supply(task, &[result(true, "", &[*byte])]) {
            Stand::Waiting(calls) => shown.extend(calls),
            other => panic!("{other:?}"),
        }
    }
    let shown: Vec<_> = shown.iter().map(|call| (call.op, &*call.body)).collect();
    assert_eq!(shown, [(507, "Grüße".as_bytes())]);
    let done = over(agent.supply(task, &[result(false, "", b"")]));
    assert_eq!(
        (&done["message"]["content"], &done["usage"]["history"]),
        (&"Grüße".into(), &4.into())
    );

    let Stand::Waiting(calls) = agent.poll(other) else {
        panic!("it does not wait");
    };
    let no_head = Given {
        call: calls[0].call,
        head: "no JSON".into(),
        ..Given::default()
    };
    let refused = Stand::Refused("invalid_arguments".into());
    assert_eq!(agent.supply(other, &[no_head]), refused);
    assert_eq!(over(agent.cancel(other))["error"]["code"], "cancelled");
    let again = agent.start("s", "hello").unwrap();
    assert_eq!(
        over(agent.poll(again))["message"]["content"],
        "hello, this is offline-1; 4 earlier messages"
    );
    // What version 1 has goes on in the same session.
    let history = agent.say("s", "history");
    assert!(history.contains("6 earlier messages"), "{history}");
}

#[test]
fn steps_in_every_engine() {
    let reactor = build("wasm32-wasip1", &[]).shipped;
    let component = build("wasm32-wasip2", &[]).shipped;
    let roots = [(); 4].map(|()| tempfile::tempdir().unwrap());
    drive(&mut Reactor::new(&reactor, roots[0].path()));
    drive(&mut Wasmi::new(&reactor, roots[1].path()));
    drive(&mut Node::new(&reactor, roots[2].path()));
    drive(&mut Component::new(&component, roots[3].path()));
}

#[test]
fn a_frame_that_is_none_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let mut reactor = Reactor::new(&build("wasm32-wasip1", &[]).shipped, root.path());
    assert_eq!(reactor.call("clawft_abi_version", &[]), 2);
    reactor.init(CONFIG).unwrap();
    let task = reactor.start("s", "why?").unwrap();
    let whole = frame(task, &[]);
    for wrong in [&whole[..4], &whole[..15], &frame(task + 1, &[])] {
        let at = reactor.call("clawft_alloc", &[wrong.len() as i32]);
        reactor.write(at, wrong);
        let status = reactor.call("clawft_supply", &[task as i32, at, wrong.len() as i32]);
        assert_eq!(status, -14);
    }
}

/// A host of 0.1 links: its interface is exported with the types that it had, and answers.
#[test]
fn a_host_of_0_1_goes_on() {
    let shipped = build("wasm32-wasip2", &[]).shipped;
    let ours = interfaces(&shipped);
    let old = wit_words(include_str!("../../wit/deps/agent-0.1.wit"));
    let start = old.find("interface agent {").unwrap();
    let end = old.find("interface allocations").unwrap() - 1;
    assert!(
        ours.contains(&old[start..end]),
        "{}\n\n{ours}",
        &old[start..end]
    );

    let root = tempfile::tempdir().unwrap();
    let mut agent = Component::new(&shipped, root.path());
    let string = |text: &str| Val::String(text.into());
    assert_eq!(component::INTERFACE, "clawft:agent/agent@0.1.0");
    let error = agent.raw(component::INTERFACE, "init", &[string("{\"no\":1}")]);
    let Val::Result(Err(Some(error))) = error else {
        panic!("{error:?}");
    };
    assert_eq!(field(&error, "code"), Val::Enum("invalid-config".into()));
    let Val::Record(fields) = &*error else {
        panic!("{error:?}");
    };
    assert_eq!(fields.len(), 2, "what 0.2 adds is not in it");
    agent.raw(component::INTERFACE, "init", &[string("{}")]);
    let said = agent.raw(
        component::INTERFACE,
        "process-message",
        &[string("s"), string("hi")],
    );
    assert!(
        matches!(&said, Val::String(text) if text.starts_with("{\"ok\":true")),
        "{said:?}"
    );
    assert!(matches!(
        agent.raw(component::INTERFACE, "capabilities", &[]),
        Val::String(_)
    ));
}

/// The component's world, and the agent's interfaces.
fn interfaces(shipped: &Path) -> String {
    let decoded = wit_component::decode(&std::fs::read(shipped).unwrap()).unwrap();
    let mut printer = wit_component::WitPrinter::default();
    let resolve = decoded.resolve();
    printer.print(resolve, decoded.package(), &[]).unwrap();
    for (id, package) in &resolve.packages {
        if package.name.to_string().starts_with("clawft:agent@") {
            printer.print(resolve, id, &[]).unwrap();
        }
    }
    wit_words(&printer.output.to_string())
}

/// A host of any 0.2 has what is imported.
#[test]
fn imports_are_of_the_first_0_2() {
    let ours = interfaces(&build("wasm32-wasip2", &[]).shipped);
    let imports = ours
        .split("; ")
        .filter_map(|item| item.rsplit_once("import "));
    let imports: Vec<&str> = imports.map(|(_, name)| name).collect();
    assert!(imports.len() > 8, "{ours}");
    for import in imports {
        assert!(import.ends_with("@0.2.0"), "{import}");
    }
}

/// WIT without comments, its white space as one blank each.
fn wit_words(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("///"));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ").replace(", }", " }").replace("%", "")
}

#[test]
fn what_0_2_has_besides() {
    let root = tempfile::tempdir().unwrap();
    let mut agent = Component::new(&build("wasm32-wasip2", &[]).shipped, root.path());
    let string = |text: &str| Val::String(text.into());
    let refused = agent.agent("respond", &[string("s"), string("hi")]);
    assert_eq!(refused, Err("not_initialized".into()));
    agent.agent("init", &[string(CONFIG)]).unwrap();
    let braces = "{\"role\":\"user\",\"content\":\"x\"}";
    let answer = agent
        .agent("respond", &[string("s"), string(braces)])
        .unwrap();
    assert_eq!(
        text(&answer, "text"),
        format!("chat after 0 earlier messages: {braces}")
    );
    assert_eq!(text(&answer, "provider"), "offline");
    assert_eq!(text(&answer, "model"), "offline-1");
    assert_eq!(field(&answer, "finish-reason"), Val::Enum("stop".into()));
    assert_eq!(field(&answer, "not-persisted"), Val::Option(None));
    let usage = field(&answer, "usage");
    assert_eq!(field(&usage, "input-tokens"), Val::U32(0));
    let refused = agent.agent("respond", &[string("no/name"), string("hi")]);
    assert_eq!(refused, Err("invalid_session_name".into()));

    agent
        .agent("respond", &[string("a"), string("list")])
        .unwrap();
    let Val::List(messages) = agent
        .agent("history", &[string("a"), Val::U32(1), Val::U32(2)])
        .unwrap()
    else {
        panic!("no list");
    };
    assert_eq!(messages.len(), 2);
    assert_eq!(field(&messages[0], "role"), Val::Enum("assistant".into()));
    let Val::List(calls) = field(&messages[0], "tool-calls") else {
        panic!("no list");
    };
    assert_eq!(text(&calls[0], "name"), "list_directory");
    assert_eq!(text(&calls[0], "arguments-json"), "{}");
    let call_id = Val::Option(Some(Box::new(string(&text(&calls[0], "id")))));
    assert_eq!(field(&messages[1], "call-id"), call_id);
    assert_eq!(field(&messages[0], "call-id"), Val::Option(None));
    assert!(matches!(field(&messages[1], "timestamp-ms"), Val::U64(ms) if ms > 1_700_000_000_000));

    let Val::List(sessions) = agent.agent("sessions", &[]).unwrap() else {
        panic!("no list");
    };
    let names: Vec<String> = sessions
        .iter()
        .map(|session| text(session, "name"))
        .collect();
    assert_eq!(names, ["a", "s"]);
    let file = root.path().join(".clawft/sessions/s.json");
    let bytes = std::fs::metadata(&file).unwrap().len();
    assert_eq!(field(&sessions[1], "bytes"), Val::U64(bytes));
    assert_eq!(
        field(&sessions[1], "tokens"),
        Val::Option(Some(Box::new(Val::U64(0))))
    );

    assert_eq!(agent.agent("cancel", &[string("s")]), Ok(Val::Bool(false)));
    let task = agent.start("s", "why?").unwrap();
    assert_eq!(agent.agent("forget", &[string("s")]), Err("busy".into()));
    assert_eq!(agent.agent("cancel", &[string("s")]), Ok(Val::Bool(true)));
    assert_eq!(over(agent.poll(task))["error"]["code"], "cancelled");
    assert_eq!(agent.agent("forget", &[string("s")]), Ok(Val::Bool(true)));
    assert_eq!(agent.agent("forget", &[string("s")]), Ok(Val::Bool(false)));
    assert!(!file.exists());
}
