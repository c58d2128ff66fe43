//! Turns in steps through the shipped reactor's exports, in a compiler and in an interpreter: the
//! frames as a host makes and reads them, and the same turn offline and with a provider.

use crate::engines::{Abi, Engine, Reactor, Wasmi, build};
use serde_json::Value;

const CONFIG: &str = r#"{"providers":[{"name":"p","kind":"openai","models":["online"],"credential":"k"},{"kind":"offline"}],"routes":{"question":"online"}}"#;

/// A call of a frame: op, flags, call, head, body.
type Call = (u16, u16, u32, Value, Vec<u8>);

/// Allocates each of `texts` in the instance, has `run` use them, and frees them.
fn with<const N: usize>(
    abi: &mut dyn Abi,
    texts: [&[u8]; N],
    run: impl FnOnce(&mut dyn Abi, [[i32; 2]; N]) -> i32,
) -> i32 {
    let places = texts.map(|text| {
        let length = i32::try_from(text.len()).unwrap();
        let at = abi.call("clawft_alloc", &[length]);
        abi.write(at, text);
        [at, length]
    });
    let result = run(abi, places);
    for place in places {
        abi.run("clawft_free", &place);
    }
    result
}

fn start(abi: &mut dyn Abi, session: &str, message: &str) -> i32 {
    with(
        abi,
        [session.as_bytes(), message.as_bytes()],
        |abi, [s, m]| abi.call("clawft_start", &[s[0], s[1], m[0], m[1]]),
    )
}

fn supply(abi: &mut dyn Abi, task: i32, frame: &[u8]) -> i32 {
    with(abi, [frame], |abi, [f]| {
        abi.call("clawft_supply", &[task, f[0], f[1]])
    })
}

fn last(abi: &mut dyn Abi) -> Vec<u8> {
    let at = abi.call("clawft_answer_ptr", &[]);
    let length = abi.call("clawft_answer_len", &[]);
    abi.read(at, length)
}

fn answer(abi: &mut dyn Abi) -> Value {
    serde_json::from_slice(&last(abi)).unwrap()
}

fn calls(abi: &mut dyn Abi) -> Vec<Call> {
    let frame = last(abi);
    let word = |at: usize| u32::from_le_bytes(frame[at..at + 4].try_into().unwrap());
    assert_eq!((&frame[..4], word(4) as usize), (&b"CLH1"[..], frame.len()));
    let mut calls = Vec::new();
    let mut at = 16;
    for _ in 0..word(12) {
        let (head, body) = (word(at + 8) as usize, word(at + 12) as usize);
        let text = at + 16;
        calls.push((
            word(at) as u16,
            (word(at) >> 16) as u16,
            word(at + 4),
            serde_json::from_slice(&frame[text..text + head]).unwrap(),
            frame[text + head..text + head + body].to_vec(),
        ));
        at = (text + head + body).next_multiple_of(4);
    }
    assert_eq!(at, frame.len());
    calls
}

/// A frame with one result: flags, call, head, body.
fn result(task: i32, flags: u32, call: u32, head: &str, body: &str) -> Vec<u8> {
    let text = [head, body].concat();
    let length = (32 + text.len()).next_multiple_of(4);
    let mut frame = b"CLR1".to_vec();
    for word in [
        length as u32,
        task as u32,
        1,
        flags << 16,
        call,
        head.len() as u32,
        body.len() as u32,
    ] {
        frame.extend_from_slice(&word.to_le_bytes());
    }
    frame.extend_from_slice(text.as_bytes());
    frame.resize(length, 0);
    frame
}

fn drive(abi: &mut dyn Abi) {
    assert_eq!(abi.call("clawft_abi_version", &[]), 2);
    let not_initialized = -1;
    assert_eq!(start(abi, "s", "hello"), not_initialized);
    assert_eq!(
        with(abi, [CONFIG.as_bytes()], |abi, [c]| abi
            .call("clawft_init", &c)),
        0
    );
    let offline = start(abi, "s", "hello");
    assert_eq!(abi.call("clawft_poll", &[offline]), 0);
    assert_eq!(
        answer(abi)["message"]["content"],
        "hello, this is offline-1; 0 earlier messages"
    );
    let not_found = -16;
    assert_eq!(abi.call("clawft_poll", &[offline]), not_found);

    let task = start(abi, "s", "what now?");
    let busy = -27;
    assert_eq!(start(abi, "s", "hello"), busy);
    let said = with(abi, [b"s".as_slice(), b"hello"], |abi, [s, m]| {
        abi.call("clawft_process_message", &[s[0], s[1], m[0], m[1]])
    });
    assert_eq!(said, busy);
    let other = start(abi, "other", "why?");
    assert_eq!(abi.call("clawft_poll", &[task]), 1);
    let [(500, 2, call, head, body)] = &calls(abi)[..] else {
        panic!("no fetch");
    };
    assert_eq!(head["url"], "https://api.openai.com/v1/chat/completions");
    assert_eq!(head["credential"]["name"], "k");
    let request: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(request["messages"].as_array().unwrap().len(), 3);
    let reply = r#"{"status":200,"headers":{"content-type":"text/event-stream"}}"#;
    let part =
        "data: {\"choices\":[{\"delta\":{\"content\":\"Grüße\"},\"finish_reason\":\"stop\"}]}\n\n";
    // One byte at a time, as slow as it gets.
    assert_eq!(supply(abi, task, &result(task, 1, *call, reply, "")), 1);
    let mut shown = Vec::new();
    for at in 0..part.len() {
        let piece = part.as_bytes()[at..=at].to_vec();
        let mut frame = result(task, 1, *call, "", "x");
        frame[32] = piece[0];
        assert_eq!(supply(abi, task, &frame), 1);
        shown.extend(calls(abi).into_iter().map(|call| (call.0, call.4)));
    }
    assert_eq!(shown, [(507, "Grüße".as_bytes().to_vec())]);
    let invalid = -14;
    assert_eq!(supply(abi, task, b"CLR1"), invalid);
    assert_eq!(supply(abi, task, &result(task, 0, *call, "", "")), 0);
    let done = answer(abi);
    assert_eq!(
        (&done["message"]["content"], &done["usage"]["history"]),
        (&"Grüße".into(), &4.into())
    );

    assert_eq!(abi.call("clawft_cancel", &[other]), 0);
    assert_eq!(answer(abi)["error"]["code"], "cancelled");
    let again = start(abi, "s", "hello");
    assert_eq!(abi.call("clawft_poll", &[again]), 0);
    assert_eq!(
        answer(abi)["message"]["content"],
        "hello, this is offline-1; 4 earlier messages"
    );
}

#[test]
fn steps_in_wasmtime_and_wasmi() {
    let shipped = build("wasm32-wasip1", &[]).shipped;
    let roots = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut compiled = Reactor::new(&shipped, roots[0].path());
    drive(&mut compiled);
    let mut interpreted = Wasmi::new(&shipped, roots[1].path());
    drive(&mut interpreted);
    // What version 1 has goes on in the same session.
    for engine in [&mut compiled as &mut dyn Engine, &mut interpreted] {
        let history = engine.say("s", "history");
        assert!(history.contains("6 earlier messages"), "{history}");
    }
}
