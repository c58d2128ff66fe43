//! Turns in steps as a host drives them.

use super::*;

const CONFIG: &str = r#"{"providers":[{"name":"p","kind":"openai","credential":"k"}]}"#;

/// A frame of results: status, flags, call, head, body.
fn results(task: u32, records: &[(i16, u16, u32, &str, &str)]) -> Vec<u8> {
    let mut frame = Vec::new();
    for word in [0x3152_4C43, 0, task, records.len() as u32] {
        frame.extend_from_slice(&u32::to_le_bytes(word));
    }
    for (status, flags, call, head, body) in records {
        frame.extend_from_slice(&status.to_le_bytes());
        frame.extend_from_slice(&flags.to_le_bytes());
        for word in [*call, head.len() as u32, body.len() as u32] {
            frame.extend_from_slice(&word.to_le_bytes());
        }
        frame.extend_from_slice([head.as_bytes(), body.as_bytes()].concat().as_slice());
        frame.resize(frame.len().next_multiple_of(4), 0);
    }
    let length = frame.len() as u32;
    frame[4..8].copy_from_slice(&length.to_le_bytes());
    frame
}

/// The calls in a frame: op, flags, call, head, body.
fn calls(progress: &Progress) -> Vec<(u16, u16, u32, String, String)> {
    let Progress::Waiting(frame) = progress else {
        panic!("{progress:?}");
    };
    let word = |at: usize| u32::from_le_bytes(frame[at..at + 4].try_into().unwrap());
    assert_eq!((word(0), word(4) as usize), (0x3148_4C43, frame.len()));
    let mut calls = Vec::new();
    let mut at = 16;
    for _ in 0..word(12) {
        let (head, body) = (word(at + 8) as usize, word(at + 12) as usize);
        let text =
            |from: usize, length| String::from_utf8(frame[from..from + length].to_vec()).unwrap();
        let first = word(at);
        calls.push((
            first as u16,
            (first >> 16) as u16,
            word(at + 4),
            text(at + 16, head),
            text(at + 16 + head, body),
        ));
        at = (at + 16 + head + body).next_multiple_of(4);
    }
    assert_eq!(at, frame.len());
    calls
}

fn over(progress: &Progress) -> serde_json::Value {
    let Progress::Over(answer) = progress else {
        panic!("{progress:?}");
    };
    serde_json::from_str(answer).unwrap()
}

const HEAD: &str = r#"{"status":200,"headers":{"content-type":"text/event-stream"}}"#;
const HELLO: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Grü\"}}]}\n\n";
const END: &str =
    "data: {\"choices\":[{\"delta\":{\"content\":\"ße\"},\"finish_reason\":\"stop\"}]}\n\n";

#[test]
fn an_offline_turn_is_over_at_once() {
    let mut agent = Agent::new("{}", None).unwrap();
    let mut steps = Steps::default();
    let task = steps.start(&mut agent, "s", "hello", 5).unwrap();
    let answer = over(&steps.poll(task).unwrap());
    assert_eq!(answer["message"]["timestamp_ms"], 5);
    assert_eq!(steps.poll(task).unwrap_err().code, ErrorCode::NotFound);
    let task = steps.start(&mut agent, "no/name", "hello", 5).unwrap();
    assert_eq!(
        over(&steps.poll(task).unwrap())["error"]["code"],
        "invalid_session_name"
    );
}

#[test]
fn a_reply_in_parts() {
    let mut agent = Agent::new(CONFIG, None).unwrap();
    let mut steps = Steps::default();
    let task = steps.start(&mut agent, "s", "hello", 5).unwrap();
    let waiting = steps.poll(task).unwrap();
    let [(op, flags, call, head, body)] = &calls(&waiting)[..] else {
        panic!("{waiting:?}");
    };
    assert_eq!((*op, *flags), (500, 2));
    let head: serde_json::Value = serde_json::from_str(head).unwrap();
    assert_eq!(head["url"], "https://api.openai.com/v1/chat/completions");
    assert_eq!(head["credential"]["name"], "k");
    assert!(body.contains("\"hello\""));
    assert!(
        calls(&steps.poll(task).unwrap()).is_empty(),
        "handed out once"
    );
    assert_eq!(
        steps.start(&mut agent, "s", "again", 6).unwrap_err().code,
        ErrorCode::Busy
    );
    // Calls that nobody knows are passed over.
    let other = results(task, &[(0, 0, 99, "", "")]);
    assert!(calls(&steps.supply(&mut agent, task, &other).unwrap()).is_empty());
    let first = results(task, &[(0, 1, *call, HEAD, HELLO)]);
    let shown = calls(&steps.supply(&mut agent, task, &first).unwrap());
    assert_eq!(
        (shown[0].0, shown[0].1, shown[0].4.as_str()),
        (507, 4, "Grü")
    );
    let last = results(task, &[(0, 1, *call, "", END), (0, 0, *call, "", "")]);
    let answer = over(&steps.supply(&mut agent, task, &last).unwrap());
    assert_eq!(answer["message"]["content"], "Grüße");
    steps.start(&mut agent, "s", "again", 6).unwrap();
}

#[test]
fn waits_and_faults_are_calls_too() {
    let mut agent = Agent::new(CONFIG, None).unwrap();
    let mut steps = Steps::default();
    let task = steps.start(&mut agent, "s", "hello", 5).unwrap();
    let mut waiting = steps.poll(task).unwrap();
    for _ in 0..2 {
        let call = calls(&waiting)[0].2;
        waiting = steps
            .supply(&mut agent, task, &results(task, &[(-22, 0, call, "", "")]))
            .unwrap();
        let [(op, 1, wait, head, _)] = &calls(&waiting)[..] else {
            panic!("{waiting:?}");
        };
        assert!(*op == 508 && head.starts_with("{\"for_ms\":"), "{head}");
        let tick = results(task, &[(0, 0, *wait, "{\"now_ms\":9}", "")]);
        waiting = steps.supply(&mut agent, task, &tick).unwrap();
    }
    let call = calls(&waiting)[0].2;
    let denied = -i16::from(ErrorCode::HostNotAllowed.number());
    let end = steps
        .supply(
            &mut agent,
            task,
            &results(task, &[(denied, 0, call, "", "")]),
        )
        .unwrap();
    assert_eq!(over(&end)["error"]["code"], "host_not_allowed");
}

#[test]
fn tasks_side_by_side_and_cancelled() {
    let mut agent = Agent::new(CONFIG, None).unwrap();
    let mut steps = Steps::default();
    let tasks: Vec<u32> = (0..16)
        .map(|number| {
            steps
                .start(&mut agent, &format!("s{number}"), "hi", 5)
                .unwrap()
        })
        .collect();
    assert_eq!(
        steps.start(&mut agent, "late", "hi", 5).unwrap_err().code,
        ErrorCode::Busy
    );
    let mut seen = Vec::new();
    for task in tasks.iter().rev() {
        seen.push(calls(&steps.poll(*task).unwrap())[0].2);
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 16, "no call is used twice");
    for task in tasks {
        let answer = over(&steps.cancel(&mut agent, task).unwrap());
        assert_eq!(answer["error"]["code"], "cancelled");
    }
    assert!(steps.check("s3").is_ok());
    assert!(agent.session_names().unwrap().is_empty());
}

#[test]
fn hostile_frames_change_nothing() {
    let mut agent = Agent::new(CONFIG, None).unwrap();
    let mut steps = Steps::default();
    let task = steps.start(&mut agent, "s", "hello", 5).unwrap();
    let call = calls(&steps.poll(task).unwrap())[0].2;
    let good = results(task, &[(0, 1, call, HEAD, HELLO), (0, 0, call, "", END)]);
    let mut refused = 0;
    for cut in 0..good.len() {
        let error = steps.supply(&mut agent, task, &good[..cut]).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArguments, "{cut}");
    }
    for at in (0..16).chain([24, 25, 26, 27, 28, 29, 30, 31]) {
        // A length that ends in the padding cannot be told from a right one.
        for bit in if matches!(at, 24 | 28) { 2..8 } else { 0..8 } {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            if let Err(error) = steps.supply(&mut agent, task, &bad) {
                assert_eq!(error.code, ErrorCode::InvalidArguments, "{at} {bit}");
                refused += 1;
            } else {
                panic!("taken: byte {at}, bit {bit}");
            }
        }
    }
    assert_eq!(refused, 24 * 8 - 4);
    let answer = over(&steps.supply(&mut agent, task, &good).unwrap());
    assert_eq!(answer["message"]["content"], "Grüße");
}

const TOOLS: &str = r#"{"tools":{"memory_write":"ask"},
    "host_tools":[{"name":"search","description":"d","parameters":{"type":"object"}}]}"#;

const CALLS: &str =
    "/tool search {\"q\":1}\n/tool memory_write {\"key\":\"a\",\"value\":\"b\"}\n/tool search {}";

#[test]
fn tools_of_the_host_and_questions_are_calls() {
    for (answer, written) in [
        ((0, r#"{"approved":true}"#), "memory_write: remembered a"),
        (
            (0, r#"{"approved":1}"#),
            "memory_write: error permission_denied",
        ),
        ((-24, ""), "memory_write: error permission_denied"),
    ] {
        let mut agent = Agent::new(TOOLS, None).unwrap();
        let mut steps = Steps::default();
        let task = steps.start(&mut agent, "s", CALLS, 5).unwrap();
        let waiting = steps.poll(task).unwrap();
        let [(509, 1, ask, head, _)] = &calls(&waiting)[..] else {
            panic!("{waiting:?}");
        };
        let asked = r#"{"name":"memory_write","arguments":{"key":"a","value":"b"}}"#;
        assert_eq!(head, asked);
        let decided = results(task, &[(answer.0, 0, *ask, answer.1, "")]);
        let waiting = steps.supply(&mut agent, task, &decided).unwrap();
        let [(506, 0, first, head, _), (506, 0, second, _, _)] = &calls(&waiting)[..] else {
            panic!("{waiting:?}");
        };
        assert_eq!(head, r#"{"name":"search","arguments":{"q":1}}"#);
        // The second comes first, and fails; the first as a body.
        let failed = results(
            task,
            &[(-16, 0, *second, r#"{"message":"no such shop"}"#, "")],
        );
        let waiting = steps.supply(&mut agent, task, &failed).unwrap();
        assert!(calls(&waiting).is_empty());
        let again = steps.supply(&mut agent, task, &failed).unwrap();
        assert!(calls(&again).is_empty(), "it is passed over");
        let bad = results(task, &[(0, 0, *first, "[", "")]);
        assert!(steps.supply(&mut agent, task, &bad).is_err());
        let found = results(task, &[(0, 0, *first, "{}", "found")]);
        let end = over(&steps.supply(&mut agent, task, &found).unwrap());
        let text = end["message"]["content"].as_str().unwrap();
        assert!(
            text.starts_with("search: found\n") && text.contains(written),
            "{text}"
        );
        assert!(
            text.ends_with("search: error not_found: no such shop"),
            "{text}"
        );
    }
}

#[test]
fn a_turn_that_waits_for_tools_is_cancelled() {
    let mut agent = Agent::new(TOOLS, None).unwrap();
    let mut steps = Steps::default();
    let task = steps.start(&mut agent, "s", "/tool search {}", 5).unwrap();
    let call = calls(&steps.poll(task).unwrap())[0].2;
    let answer = over(&steps.cancel(&mut agent, task).unwrap());
    assert_eq!(answer["error"]["code"], "cancelled");
    let late = results(task, &[(0, 0, call, "{}", "")]);
    let error = steps.supply(&mut agent, task, &late).unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
}
