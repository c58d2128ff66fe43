//! Hostile input to what the shipped files export: a typed error, never a trap, and the next
//! message is still answered with the history intact.

use crate::engines::{Component, Engine, Native, RawEngine, Reactor, build, timeless};
use serde_json::Value;

/// What the answer must say is wrong.
fn code(answer: &Value) -> &str {
    assert_eq!(answer["ok"], false, "{answer}");
    answer["error"]["code"].as_str().unwrap()
}

/// Sends everything hostile that is text, and checks after each that the session still goes on.
fn attack(engine: &mut dyn Engine) {
    let deep = format!(
        "/tool read_file {}1{}",
        "{\"path\":".repeat(5_000),
        "}".repeat(5_000)
    );
    let deep_message = format!(
        "{{\"content\":{}{}}}",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    let large = "x".repeat(10_000_000);

    assert_eq!(
        code(&timeless(&engine.say("s", "hello"))),
        "not_initialized"
    );
    for config in [
        "",
        "nonsense",
        "[]",
        "{\"limits\": 7}",
        "{\"limits\": {\"max_history\": -1}}",
        "{\"model\": {}}",
        "{\"unknown\": 1}",
        &"[".repeat(50_000),
    ] {
        let refused = engine.init(config).unwrap_err();
        assert!(refused.contains("invalid"), "{config:.40}: {refused}");
    }
    engine.init("{}").unwrap();
    let attacks: &[(&str, &str, &str)] = &[
        ("s", "", "empty_message"),
        ("s", " \n\t ", "empty_message"),
        ("s", &large, "message_too_large"),
        ("s", "{\"role\": 3}", "invalid_message"),
        ("s", "{\"role\": \"user\"", "invalid_json"),
        ("s", &deep_message, "invalid_json"),
        ("", "hello", "invalid_session_name"),
        ("../s", "hello", "invalid_session_name"),
        ("s\0", "hello", "invalid_session_name"),
        (&large, "hello", "invalid_session_name"),
    ];
    let mut history = 0;
    for (session, message, expected) in attacks {
        let answer = timeless(&engine.say(session, message));
        assert_eq!(code(&answer), *expected, "{message:.60}");
        history = goes_on(engine, history);
    }
    // A tool that fails is the answer's result, not its error.
    for (message, expected) in [
        ("/tool no_such_tool {}", "unknown_tool"),
        ("read ../../etc/passwd", "path_outside_sandbox"),
        ("read /etc/passwd", "path_outside_sandbox"),
        ("read .clawft/sessions/s.json", "path_outside_sandbox"),
        ("read a\0b", "path_outside_sandbox"),
        ("/tool read_file {\"path\": []}", "invalid_arguments"),
        (deep.as_str(), "invalid_json"),
    ] {
        let answer = engine.say("tools", message);
        assert!(
            answer.contains(&format!("\"{expected}\"")),
            "{message:.60}: {answer:.300}"
        );
        history = goes_on(engine, history);
    }
}

fn goes_on(engine: &mut dyn Engine, history: u64) -> u64 {
    let answer = timeless(&engine.say("s", "still there?"));
    assert_eq!(answer["ok"], true, "{answer}");
    let now = answer["usage"]["history"].as_u64().unwrap();
    assert_eq!(now, history + 2, "the session lost or gained something");
    now
}

#[test]
fn wasip1() {
    let root = tempfile::tempdir().unwrap();
    attack(&mut Reactor::new(
        &build("wasm32-wasip1", &[]).shipped,
        root.path(),
    ));
}

#[test]
fn wasip2() {
    let root = tempfile::tempdir().unwrap();
    attack(&mut Component::new(
        &build("wasm32-wasip2", &[]).shipped,
        root.path(),
    ));
}

/// Bytes that are no text, pointers that lead nowhere: only the C ABI can be sent those.
#[test]
fn the_c_abi_refuses_what_is_no_text() {
    use crate::engines::Abi as _;
    let root = tempfile::tempdir().unwrap();
    let mut reactor = Reactor::new(&build("wasm32-wasip1", &[]).shipped, root.path());
    reactor.init("{}").unwrap();
    for (session, message) in [
        (&b"s"[..], &b"\xff\xfe"[..]),
        (b"\xc3\x28", b"hello"),
        (b"s", b"half \xe2\x82"),
    ] {
        let (status, answer) = reactor.say_bytes(session, message);
        assert!(status < 0, "{status}");
        assert_eq!(code(&timeless(&answer)), "invalid_utf8");
    }
    for (pointer, length) in [(0, 5), (-8, 100), (i32::MAX, i32::MAX), (-1, -1), (16, -1)] {
        let status = reactor.call(
            "clawft_process_message",
            &[pointer, length, pointer, length],
        );
        assert!(status < 0, "pointer {pointer}, length {length}: {status}");
    }
    assert_eq!(
        reactor.call("clawft_alloc", &[-1]),
        0,
        "4 GiB are not to be had"
    );
    assert_eq!(reactor.call("clawft_alloc", &[0]), 0);
    reactor.run("clawft_free", &[0, 0]);
    assert_eq!(timeless(&reactor.say("s", "hello"))["ok"], true);
}

/// Protects the sandbox on the platform whose system calls do not confine by themselves.
#[test]
fn native_never_leaves_the_root() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("root");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(outer.path().join("secret.txt"), "secret").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(outer.path(), root.join("link")).unwrap();
    let mut native = Native::new(&root);
    for message in [
        "read ../secret.txt",
        "read link/secret.txt",
        "read ./x/../../secret.txt",
        "list link",
    ] {
        let answer = native.say("s", message);
        assert!(!answer.contains("secret\""), "{message}: {answer}");
        assert!(
            answer.contains("\"path_outside_sandbox\"") || answer.contains("\"permission_denied\""),
            "{message}: {answer}"
        );
    }
}
