//! The machine by scripted events: what providers, stores and tools may come up with, without any
//! of them.

mod calls;
mod faults;
mod providers;
mod sequences;
mod store;

use clawft_types::{Answer, ErrorCode};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::{Effect, Event, HttpFault, HttpRequest, Machine, Snapshot, StoreFault};
use store::{Store, machine, message};

/// What `store` and `sequences` are made of, here and in the program of many sequences.
mod api {
    pub use crate::machine::{Effect, Event, HttpFault, Machine, Snapshot, StoreFault};
    pub use clawft_types::{AgentError, Config, ErrorCode, Session};
}

/// What a provider does at a request.
#[derive(Debug, Clone)]
enum Scene {
    /// A reply with this status and content type, with the body in these parts.
    Reply(u16, &'static str, Vec<String>),
    /// A reply that wants to be asked again later.
    Later(u16, &'static str),
    /// A fault instead of a reply.
    Fault(HttpFault),
    /// A fault behind these parts of a stream.
    Cut(Vec<String>, HttpFault),
}

/// What a turn has come to, and what was seen on the way.
#[derive(Debug, Default)]
struct Seen {
    requests: Vec<HttpRequest>,
    deltas: Vec<String>,
    waits: Vec<u64>,
}

/// A machine with one provider of this kind.
fn asking(kind: &str) -> Machine {
    machine(&format!(
        r#"{{"providers":[{{"name":"p","kind":"{kind}","credential":"k"}}]}}"#
    ))
}

/// Runs a turn; tools give their name.
fn run(
    machine: &mut Machine,
    store: &mut Store,
    scenes: &mut Vec<Scene>,
    text: &str,
) -> (Result<Box<Answer>, (ErrorCode, String)>, Seen) {
    let mut seen = Seen::default();
    let mut effect = machine.step(message(text));
    loop {
        effect = match store.serve(machine, effect) {
            Effect::Done(answer) => return (Ok(answer), seen),
            Effect::Failed(error) => return (Err((error.code, error.message.clone())), seen),
            Effect::Http(request) => {
                seen.requests.push(*request);
                assert!(!scenes.is_empty(), "a request too many: {seen:?}");
                play(machine, scenes.remove(0), &mut seen)
            }
            Effect::Wait { for_ms } => {
                seen.waits.push(for_ms);
                machine.step(Event::Tick(1_000_001))
            }
            Effect::Tools(calls) => {
                let mut effect = None;
                for call in calls.iter().rev() {
                    let outcome = Ok(call.name.clone());
                    let id = &call.id;
                    effect = Some(machine.step(Event::Tool { id, outcome }));
                }
                effect.expect("calls")
            }
            other => other,
        };
    }
}

fn play(machine: &mut Machine, scene: Scene, seen: &mut Seen) -> Effect {
    let (status, kind, after, parts, fault) = match scene {
        Scene::Reply(status, kind, parts) => (status, kind, "", parts, None),
        Scene::Later(status, after) => (status, "application/json", after, Vec::new(), None),
        Scene::Cut(parts, fault) => (200, "text/event-stream", "", parts, Some(fault)),
        Scene::Fault(fault) => return machine.step(Event::HttpFailed(fault)),
    };
    let headers: [(&str, &[u8]); 2] = [
        ("Content-Type", kind.as_bytes()),
        ("retry-after", after.as_bytes()),
    ];
    let mut effect = machine.step(Event::Head {
        status,
        headers: &headers,
    });
    let mut events: Vec<Event<'_>> = Vec::new();
    events.extend(parts.iter().map(|part| Event::Body(part.as_bytes())));
    events.push(fault.map_or(Event::End, Event::HttpFailed));
    for event in events {
        match &effect {
            Effect::Receive => {}
            Effect::Delta { text } => seen.deltas.push(text.clone()),
            _ => return effect,
        }
        effect = machine.step(event);
    }
    effect
}

/// A stream of OpenAI's that says `text`.
fn says(text: &str) -> Scene {
    let chunk = format!(r#"{{"choices":[{{"delta":{{"content":"{text}"}}}}]}}"#);
    Scene::Reply(200, "text/event-stream", stream(&[&chunk, FINISHED]))
}

/// A stream of OpenAI's that calls these tools without arguments.
fn calls(names: &[&str]) -> Scene {
    let mut chunks = Vec::new();
    for (at, name) in names.iter().enumerate() {
        chunks.push(format!(
            r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":{at},"id":"x","function":{{"name":"{name}","arguments":"{{}}"}}}}]}}}}]}}"#
        ));
    }
    let mut chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
    chunks.push(FINISHED);
    Scene::Reply(200, "text/event-stream", stream(&chunks))
}

const FINISHED: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2}}"#;

fn stream(chunks: &[&str]) -> Vec<String> {
    chunks
        .iter()
        .map(|chunk| format!("data: {chunk}\n\n"))
        .collect()
}

fn refuses(status: u16, body: &str) -> Scene {
    Scene::Reply(status, "application/json", vec![body.into()])
}

#[test]
fn the_effects_of_a_turn() {
    let mut machine = machine("{}");
    let effect = machine.step(message("hello"));
    assert!(matches!(&effect, Effect::Load { session, known: None } if session == "s"));
    let mut store = Store::default();
    let effect = store.serve(&mut machine, effect);
    assert!(matches!(&effect, Effect::Replace(saving) if saving.after == 0));
    let effect = store.serve(&mut machine, effect);
    assert!(matches!(effect, Effect::Done(answer) if answer.usage.history == 2));
    let effect = machine.step(message("{\"it\": \"is text\"}"));
    let effect = store.serve(&mut machine, effect);
    let Effect::Append(saving) = &effect else {
        panic!("{effect:?}");
    };
    let record = &saving.text;
    assert_eq!(saving.after, store.text.len() as u64);
    assert!(
        record.starts_with("{\"turn\":2,") && record.ends_with("}\n"),
        "{record}"
    );
    let Effect::Done(answer) = store.serve(&mut machine, effect) else {
        panic!("not done");
    };
    assert_eq!(
        answer.message.content,
        "chat after 2 earlier messages: {\"it\": \"is text\"}"
    );
    let kept = machine.take_snapshot().unwrap();
    assert_eq!((kept.session.messages.len(), kept.unsaved), (4, 0));
    assert!(machine.take_snapshot().is_none());
}

/// Others that write at the same time: the turn comes behind theirs, with numbers of its own.
#[test]
fn a_conflict_is_caught_up_with() {
    let mut store = Store::default();
    let mut other = machine("{}");
    run(&mut other, &mut store, &mut Vec::new(), "first")
        .0
        .unwrap();
    let mut machine = machine("{}");
    let effect = machine.step(message("/tool memory_read"));
    let Effect::Tools(calls) = store.serve(&mut machine, effect) else {
        panic!("no tools");
    };
    assert_eq!(calls[0].id, "c1");
    run(&mut other, &mut store, &mut vec![], "list\nthen\nlist")
        .0
        .unwrap();
    let outcome = Ok("nothing".into());
    let effect = machine.step(Event::Tool { id: "c1", outcome });
    assert!(matches!(&effect, Effect::Append(_)), "{effect:?}");
    let effect = machine.step(Event::Saved(Err(StoreFault::Conflict)));
    let Effect::Load {
        known: Some(mut known),
        ..
    } = effect
    else {
        panic!("{effect:?}");
    };
    // What a store does with it: theirs first, then what is not saved, with the numbers behind.
    assert_eq!((known.unsaved, known.saved), (4, (3, 1, 0)));
    let mine = known
        .session
        .messages
        .split_off(known.session.messages.len() - 4);
    let mut snapshot = store.load("s");
    let shift = super::Shift {
        from: known.saved,
        to: snapshot.saved,
    };
    for mut message in mine {
        shift.message(&mut message);
        snapshot.session.messages.push(message);
        snapshot.unsaved += 1;
    }
    let outcome = Ok(());
    let effect = machine.step(Event::Loaded { snapshot, outcome });
    let Effect::Append(saving) = &effect else {
        panic!("{effect:?}");
    };
    let record = &saving.text;
    assert!(
        record.contains("\"c3\"") && !record.contains("\"c1\""),
        "{record}"
    );
    let Effect::Done(answer) = store.serve(&mut machine, effect) else {
        panic!("not done");
    };
    assert_eq!(answer.tool_results[0].call_id, "c3");
    assert_eq!(answer.message.id, "m12");
    assert!(answer.not_persisted.is_none());
}

#[test]
fn conflicts_without_end_are_one_error() {
    let mut machine = machine("{}");
    let mut store = Store::default();
    let effect = machine.step(message("hello"));
    let mut effect = store.serve(&mut machine, effect);
    for _ in 0..8 {
        assert!(matches!(effect, Effect::Replace(_)), "{effect:?}");
        let Effect::Load {
            known: Some(snapshot),
            ..
        } = machine.step(Event::Saved(Err(StoreFault::Conflict)))
        else {
            panic!("no load");
        };
        let outcome = Ok(());
        effect = machine.step(Event::Loaded { snapshot, outcome });
    }
    let Effect::Done(answer) = machine.step(Event::Saved(Err(StoreFault::Conflict))) else {
        panic!("not done");
    };
    assert_eq!(answer.not_persisted.unwrap().code, ErrorCode::Conflict);
    assert_eq!(
        machine.take_snapshot().unwrap().unsaved,
        2,
        "it stays in memory"
    );
}
