//! Conversations with providers: answers, tools, and everything they are known to do instead.

use super::*;

/// The code of the error of a turn, what was seen, and that nothing was saved.
fn fails(config: &str, scenes: Vec<Scene>) -> (ErrorCode, String, Seen) {
    let (mut scenes, mut store) = (scenes, Store::default());
    let (result, seen) = run(&mut machine(config), &mut store, &mut scenes, "hello");
    assert!(scenes.is_empty(), "not asked: {scenes:?}");
    assert!(
        store.load("s").session.messages.is_empty(),
        "{}",
        store.text
    );
    let (code, message) = result.expect_err("an error");
    (code, message, seen)
}

fn answers(config: &str, scenes: Vec<Scene>) -> (Box<Answer>, Seen) {
    let (mut scenes, mut store) = (scenes, Store::default());
    let (result, seen) = run(&mut machine(config), &mut store, &mut scenes, "hello");
    assert!(scenes.is_empty(), "not asked: {scenes:?}");
    (result.expect("an answer"), seen)
}

const ONE: &str = r#"{"providers":[{"name":"p","kind":"openai","credential":"k"}]}"#;

const TWO: &str = r#"{"providers":[{"name":"p","kind":"openai"},
    {"name":"q","kind":"openai","base_url":"https://q.example/v1"}]}"#;

#[test]
fn a_request_and_its_answer() {
    let (answer, seen) = answers(ONE, vec![says("Grüße")]);
    assert_eq!(
        (answer.message.content.as_str(), answer.provider.as_str()),
        ("Grüße", "p")
    );
    assert_eq!(
        (answer.usage.tokens.input, answer.usage.tokens.output),
        (10, 2)
    );
    assert_eq!(seen.deltas, ["Grüße"]);
    let request = &seen.requests[0];
    assert_eq!(request.url, "https://api.openai.com/v1/chat/completions");
    let credential = request.credential.as_ref().unwrap();
    assert_eq!(
        (
            credential.name.as_str(),
            credential.header,
            credential.prefix
        ),
        ("k", "authorization", "Bearer ")
    );
    assert_eq!(request.until_ms, 1_600_000);
    assert!(
        request
            .body
            .contains(r#"{"role":"user","content":"hello"}"#)
    );
}

#[test]
fn anthropic_thinks_and_its_thinking_goes_back() {
    let mut machine = asking("anthropic");
    let whole =
        |body: &str| Scene::Reply(200, "application/json; charset=utf-8", vec![body.into()]);
    let mut scenes = vec![
        whole(
            r#"{"type":"message","content":[{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"tool_use","id":"t","name":"list_directory","input":{}}]}"#,
        ),
        whole(r#"{"type":"message","content":[{"type":"text","text":"done"}]}"#),
    ];
    let (answer, seen) = run(&mut machine, &mut Store::default(), &mut scenes, "hello");
    assert_eq!(answer.unwrap().message.content, "done");
    assert_eq!(
        seen.requests[0].url,
        "https://api.anthropic.com/v1/messages"
    );
    assert_eq!(
        seen.requests[0].credential.as_ref().unwrap().header,
        "x-api-key"
    );
    let second = &seen.requests[1].body;
    assert!(second.contains(r#"[{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"tool_use","id":"c00000001""#), "{second}");
    assert!(second.contains(
        r#"{"type":"tool_result","tool_use_id":"c00000001","content":"list_directory"}"#
    ));
}

/// Results that come in any order are kept in the order of the calls.
#[test]
fn rounds_of_tools() {
    let scenes = vec![
        calls(&["memory_read", "list_directory"]),
        calls(&["read_file"]),
        says("done"),
    ];
    let (answer, seen) = answers(ONE, scenes);
    let results: Vec<_> = answer
        .tool_results
        .iter()
        .map(|r| (r.call_id.as_str(), r.name.as_str()))
        .collect();
    assert_eq!(
        results,
        [
            ("c1", "memory_read"),
            ("c2", "list_directory"),
            ("c3", "read_file")
        ]
    );
    assert_eq!(
        (answer.usage.tool_rounds, answer.usage.tokens.input),
        (2, 30)
    );
    assert_eq!(seen.requests.len(), 3);
}

#[test]
fn arguments_that_are_no_json_are_for_the_model_to_mend() {
    let bad = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"read_file","arguments":"{oops"}}]}}]}"#;
    let scene = Scene::Reply(200, "text/event-stream", stream(&[bad, FINISHED]));
    let (answer, seen) = answers(ONE, vec![scene, says("sorry")]);
    let error = answer.tool_results[0].outcome.as_ref().unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidArguments);
    assert!(
        seen.requests[1]
            .body
            .contains("error invalid_arguments: read_file: the arguments are no JSON object")
    );
}

#[test]
fn the_same_mistake_three_times_ends_the_tools() {
    let bad = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"read_file","arguments":"{oops"}}]}}]}"#;
    let scene = Scene::Reply(200, "text/event-stream", stream(&[bad, FINISHED]));
    let (answer, seen) = answers(
        ONE,
        vec![scene.clone(), scene.clone(), scene, says("I give up")],
    );
    assert_eq!((answer.finish, answer.usage.tool_rounds), ("tool_limit", 3));
    assert!(
        seen.requests[2].body.contains("\"tools\"") && !seen.requests[3].body.contains("\"tools\"")
    );
}

#[test]
fn retries_wait_longer_each_time() {
    for scene in [
        refuses(500, "{}"),
        refuses(529, "overloaded"),
        refuses(408, ""),
        Scene::Fault(HttpFault::Connect),
        Scene::Fault(HttpFault::Broken),
        Scene::Fault(HttpFault::TimedOut),
        Scene::Cut(Vec::new(), HttpFault::Broken),
    ] {
        let (answer, seen) = answers(ONE, vec![scene.clone(), scene.clone(), says("at last")]);
        assert_eq!(answer.message.content, "at last");
        let [first, second] = seen.waits[..] else {
            panic!("{:?}", seen.waits);
        };
        assert!(
            (750..=1250).contains(&first) && (1500..=2500).contains(&second),
            "{:?}",
            seen.waits
        );
        let (_, _, seen) = fails(ONE, vec![scene.clone(), scene.clone(), scene.clone()]);
        assert_eq!(seen.waits, [first, second], "the same seed, the same times");
        let (answer, seen) = answers(
            TWO,
            vec![scene.clone(), scene.clone(), scene, says("q here")],
        );
        assert_eq!(answer.provider, "q");
        assert_eq!(
            seen.requests[3].url,
            "https://q.example/v1/chat/completions"
        );
    }
}

#[test]
fn retry_after_is_kept_to() {
    let (_, seen) = answers(
        ONE,
        vec![Scene::Later(429, "2"), Scene::Later(503, " 60 "), says("x")],
    );
    assert_eq!(seen.waits, [2000, 60_000]);
    let later = vec![Scene::Later(429, "61")];
    let (code, message, seen) = fails(ONE, later.clone());
    assert_eq!(
        (code, seen.waits.len()),
        (ErrorCode::RateLimited, 0),
        "{message}"
    );
    let (mut machine, mut scenes) = (asking("openai"), later);
    let effect = machine.step(message_of("hello"));
    let effect = Store::default().serve(&mut machine, effect);
    assert!(matches!(effect, Effect::Http(_)));
    let Effect::Failed(error) = play(&mut machine, scenes.remove(0), &mut Seen::default()) else {
        panic!("not failed");
    };
    assert_eq!(error.retry_after_ms, 61_000);
    let (_, seen) = answers(
        ONE,
        vec![
            Scene::Later(429, "Wed, 21 Oct 2026 07:28:00 GMT"),
            says("x"),
        ],
    );
    assert!((750..=1250).contains(&seen.waits[0]), "{:?}", seen.waits);
}

fn message_of(text: &str) -> Event<'_> {
    super::message(text)
}

/// What would only fail again is not tried again, and not elsewhere.
#[test]
fn refusals() {
    for (scene, code, text) in [
        (
            refuses(401, r#"{"error":{"message":"bad key"}}"#),
            ErrorCode::ProviderFailed,
            "p: status 401: bad key",
        ),
        (
            refuses(404, "<html>"),
            ErrorCode::ProviderFailed,
            "p: status 404: <html>",
        ),
        (
            refuses(307, ""),
            ErrorCode::ProviderFailed,
            "p: status 307: redirects are not followed",
        ),
        (
            Scene::Reply(200, "text/html", vec!["<html>".into()]),
            ErrorCode::ProviderFailed,
            "p: the reply is of the type text/html",
        ),
        (
            Scene::Reply(200, "application/json", vec!["garbage".into()]),
            ErrorCode::ProviderFailed,
            "p: the reply is no JSON: expected a value at byte 0",
        ),
        (
            Scene::Fault(HttpFault::Tls),
            ErrorCode::ProviderFailed,
            "p: TLS failed: is the certificate valid?",
        ),
        (
            Scene::Fault(HttpFault::NotAllowed),
            ErrorCode::HostNotAllowed,
            "p: the host does not allow it",
        ),
        (
            Scene::Fault(HttpFault::NoKey),
            ErrorCode::ProviderFailed,
            "p: there is no key for its credential",
        ),
        (
            Scene::Fault(HttpFault::Unsupported),
            ErrorCode::Unsupported,
            "p: this host has no HTTP",
        ),
    ] {
        let (got, message, seen) = fails(TWO, vec![scene]);
        assert_eq!((got, message.as_str()), (code, text));
        assert_eq!(seen.requests.len(), 1);
    }
    let (_, message, _) = fails(ONE, vec![refuses(400, &"x".repeat(9000))]);
    assert_eq!(message, ["p: status 400: ", &"x".repeat(300)].concat());
}

/// After a part was handed out nothing is asked again: nobody would know which of two answers it
/// is.
#[test]
fn a_reply_that_breaks_off() {
    let begun = stream(&[r#"{"choices":[{"delta":{"content":"half of"}}]}"#]);
    for scene in [
        Scene::Cut(begun.clone(), HttpFault::Broken),
        Scene::Cut(begun.clone(), HttpFault::TimedOut),
        Scene::Reply(200, "text/event-stream", begun.clone()),
        Scene::Reply(
            200,
            "text/event-stream",
            [begun, vec!["data: garbage\n\n".into()]].concat(),
        ),
    ] {
        let (code, _, seen) = fails(TWO, vec![scene]);
        assert_eq!((code, seen.deltas.len()), (ErrorCode::Interrupted, 1));
    }
    // Calls are not handed out, but have been paid for.
    let call = stream(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"read_file"}}]}}]}"#,
    ]);
    let (code, ..) = fails(TWO, vec![Scene::Cut(call, HttpFault::Broken)]);
    assert_eq!(code, ErrorCode::Interrupted);
}

/// What a host had sent before it went away may have been answered: asked again, it is paid twice.
#[test]
fn what_may_have_been_answered_is_not_asked_again() {
    let (code, message, seen) = fails(TWO, vec![Scene::Fault(HttpFault::Interrupted)]);
    assert_eq!(code, ErrorCode::Interrupted);
    assert!(message.contains("went away"), "{message}");
    assert_eq!(seen.requests.len(), 1);
}

#[test]
fn a_conversation_that_is_too_long_is_sent_in_part_once() {
    let long = |status, text: &str| {
        refuses(
            status,
            &format!(r#"{{"error":{{"message":"no","code":"{text}"}}}}"#),
        )
    };
    for scene in [
        long(400, "context_length_exceeded"),
        long(400, "exceed_context_size_error"),
        refuses(413, ""),
        refuses(
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 5"}}"#,
        ),
    ] {
        let (code, _, _) = fails(ONE, vec![scene.clone()]);
        assert_eq!(
            code,
            ErrorCode::ContextExceeded,
            "there is nothing to leave out"
        );
        let (mut machine, mut store) = (asking("openai"), Store::default());
        for text in ["one", "two", "three"] {
            run(&mut machine, &mut store, &mut vec![says(text)], text)
                .0
                .unwrap();
        }
        let mut scenes = vec![scene.clone(), says("in short"), says("four")];
        let (answer, seen) = run(&mut machine, &mut store, &mut scenes, "four");
        let answer = answer.unwrap();
        assert_eq!(answer.message.content, "four");
        assert_eq!(answer.compaction, Some("summary"));
        assert_eq!(seen.deltas, ["four"], "nobody is shown the summary");
        let [first, summary, second] = &seen.requests[..] else {
            panic!("{seen:?}");
        };
        assert!(first.body.contains("\"one\""));
        assert!(summary.body.contains("\"two\"") && !summary.body.contains("\"three\""));
        assert!(!summary.body.contains("\"tools\""), "{}", summary.body);
        assert!(
            !second.body.contains("\"two\"")
                && second.body.contains("summed up:)\\nin short\"")
                && second.body.contains("\"three\""),
            "{}",
            second.body
        );
        let mut scenes = vec![scene.clone(), scene.clone(), scene];
        let (answer, _) = run(&mut machine, &mut store, &mut scenes, "five");
        assert_eq!(answer.unwrap_err().0, ErrorCode::ContextExceeded);
        assert_eq!(
            store.load("s").session.messages.len(),
            8,
            "nothing was lost"
        );
    }
}

/// What the model does not take is summed up, if the configuration says how much it takes.
#[test]
fn the_oldest_turns_are_summed_up_in_time() {
    let config = r#"{"providers":[{"kind":"openai","context_tokens":4096}]}"#;
    let (mut one, mut store) = (machine(config), Store::default());
    let long = |number: usize| format!("q{number}. {}", "x".repeat(1500));
    let mut say = |machine: &mut Machine, scenes: &mut Vec<Scene>, text: &str| {
        let (answer, seen) = run(machine, &mut store, scenes, text);
        let bodies: Vec<String> = seen.requests.into_iter().map(|sent| sent.body).collect();
        (answer.unwrap(), bodies, store.clone())
    };
    say(&mut one, &mut vec![says("ok")], "/pin the gate code is 7");
    let mut number = 1;
    // Twelve thousand bytes are three quarters of it.
    loop {
        let mut scenes = vec![says("ok"), says("now")];
        let (answer, bodies, _) = say(&mut one, &mut scenes, &long(number));
        if bodies.len() == 2 {
            assert_eq!(answer.compaction, Some("summary"));
            let (summary, asked) = (&bodies[0], &bodies[1]);
            assert!(summary.contains("q1.") && summary.contains("Sum up"));
            assert!(!asked.contains("q1.") && asked.contains("summed up:)\\nok\""));
            assert!(asked.contains("/pin the gate code is 7"));
            for last in number - 4..=number {
                assert!(asked.contains(&format!("q{last}.")), "{number}: {last}");
            }
            break;
        }
        assert_eq!((bodies.len(), answer.compaction), (1, None));
        number += 1;
        assert!(number < 12, "nothing was summed up");
    }
    assert!(number > 5, "{number}: too early");
    // Who reads it from the store goes on with the summary; all that was said is there.
    let mut other = machine(config);
    let (answer, bodies, store) = say(&mut other, &mut vec![says("ok")], "and?");
    assert_eq!(answer.compaction, None);
    assert!(!bodies[0].contains("q1.") && bodies[0].contains("summed up:)\\nok\""));
    assert_eq!(store.text.matches("\"summary\":{").count(), 1);
    assert_eq!(store.load("s").session.messages.len(), 2 * number + 4);
}

/// A provider that counts more tokens than was thought is believed.
#[test]
fn what_a_provider_counts_is_what_is_reckoned_with() {
    let config = r#"{"providers":[{"kind":"openai","context_tokens":4096}]}"#;
    let (mut machine, mut store) = (machine(config), Store::default());
    let counted = format!(
        r#"{{"choices":[{{"delta":{{"content":"ok"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":{},"completion_tokens":2}}}}"#,
        3900
    );
    let counted = Scene::Reply(200, "text/event-stream", stream(&[&counted]));
    let text = "x".repeat(300);
    for number in 0..5 {
        let (_, seen) = run(&mut machine, &mut store, &mut vec![says("ok")], &text);
        assert_eq!(seen.requests.len(), 1, "{number}");
    }
    let (_, seen) = run(&mut machine, &mut store, &mut vec![counted], &text);
    assert_eq!(seen.requests.len(), 1);
    // The machine is the same, so that it remembers; a driver keeps the snapshot.
    let kept = machine.take_snapshot().unwrap();
    assert!(kept.tokens_of(4000) > 3072, "{:?}", kept.measured);
    let effect = machine.step(message(&text));
    assert!(matches!(effect, Effect::Load { .. }));
    let snapshot = kept;
    let outcome = Ok(());
    let Effect::Http(request) = machine.step(Event::Loaded { snapshot, outcome }) else {
        panic!("no request");
    };
    assert!(request.body.contains("Sum up"), "{}", request.body);
}

/// Where there is no summary the turns are left out, and the answer says so; the next turn tries
/// again.
#[test]
fn without_a_summary_the_turns_are_dropped() {
    let refused = refuses(400, r#"{"error":{"message":"context_length_exceeded"}}"#);
    for failing in [
        Scene::Fault(HttpFault::Broken),
        refuses(500, ""),
        refused.clone(),
        says(" "),
        calls(&["read_file"]),
        Scene::Cut(
            stream(&[r#"{"choices":[{"delta":{"content":"hal"}}]}"#]),
            HttpFault::Broken,
        ),
    ] {
        let (mut machine, mut store) = (asking("openai"), Store::default());
        for text in ["one", "two"] {
            run(&mut machine, &mut store, &mut vec![says(text)], text)
                .0
                .unwrap();
        }
        for _ in 0..2 {
            let mut scenes = vec![refused.clone(), failing.clone(), says("three")];
            let (answer, seen) = run(&mut machine, &mut store, &mut scenes, "three");
            let answer = answer.unwrap();
            assert_eq!(answer.compaction, Some("dropped"), "{failing:?}");
            assert_eq!(answer.message.content, "three");
            assert_eq!(seen.deltas, ["three"]);
            assert!(!seen.requests[2].body.contains("\"one\""));
            assert!(seen.requests[0].body.contains("\"one\""));
        }
        assert!(!store.text.contains("\"summary\""));
        assert_eq!(store.load("s").session.messages.len(), 8);
    }
}

#[test]
fn tokens_run_out() {
    let with =
        |limit: &str| format!(r#"{{"limits":{{"{limit}":20}},"providers":[{{"kind":"openai"}}]}}"#);
    let (code, message, seen) = fails(
        &with("max_tokens_per_turn"),
        vec![calls(&["x"]), calls(&["y"])],
    );
    assert_eq!(
        (code, message.as_str()),
        (
            ErrorCode::BudgetExceeded,
            "limits.max_tokens_per_turn is used up"
        )
    );
    assert_eq!(seen.requests.len(), 2);
    let (mut machine, mut store) = (machine(&with("max_tokens_per_session")), Store::default());
    for _ in 0..2 {
        run(&mut machine, &mut store, &mut vec![says("x")], "hello")
            .0
            .unwrap();
    }
    let (answer, _) = run(&mut machine, &mut store, &mut Vec::new(), "hello");
    assert_eq!(answer.unwrap_err().0, ErrorCode::BudgetExceeded);
}

#[test]
fn replies_have_an_end() {
    let endless: Vec<String> = (0..6)
        .map(|_| format!("data: {{}}\n: {}\n\n", "x".repeat(1000 * 1000)))
        .collect();
    let (code, message, _) = fails(ONE, vec![Scene::Reply(200, "text/event-stream", endless)]);
    assert_eq!(
        (code, message.as_str()),
        (ErrorCode::ProviderFailed, "p: the reply has too many bytes")
    );
    let line = Scene::Reply(
        200,
        "text/event-stream",
        vec!["x".repeat(1 << 20), "x".into()],
    );
    let (_, message, _) = fails(ONE, vec![line]);
    assert_eq!(message, "p: an event has more than 1 MiB");
}
