//! Replies as servers send them, whole, in events, and cut anywhere.

use super::*;

/// What is made of a reply whose body comes in these parts, and the text handed out on the way.
fn read(
    kind: ProviderKind,
    is_stream: bool,
    parts: &[&[u8]],
) -> Result<(Completion, String), Failure> {
    let mut reply = Reply::new(kind, is_stream);
    let mut shown = String::new();
    for part in parts {
        shown.push_str(&reply.push(part)?);
    }
    Ok((*reply.end()?, shown))
}

fn call(name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: String::new(),
        name: name.into(),
        arguments: arguments.into(),
    }
}

fn events(texts: &[&str]) -> String {
    let mut out = String::new();
    for text in texts {
        out.push_str(&["data: ", text, "\n\n"].concat());
    }
    out
}

const OPENAI: [&str; 8] = [
    r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"content":"Grüße "}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"content":"\ud83d\ude00"}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","type":"function","function":{"name":"read_file","arguments":""}}]}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"y","function":{"name":"memory_read","arguments":"{}"}},{"index":0,"function":{"arguments":"{\"path\":"}}]}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"a\"}"}}]}}]}"#,
    r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
    r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":3}}}"#,
];

const ANTHROPIC: [&str; 12] = [
    r#"{"type":"message_start","message":{"content":[],"usage":{"input_tokens":4,"cache_read_input_tokens":3,"output_tokens":1}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig="}}"#,
    r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
    r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Grüße 😀"}}"#,
    r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"x","name":"read_file","input":{}}}"#,
    r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"path\":\"a\"}"}}"#,
    r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"y","name":"memory_read","input":{}}}"#,
    r#"{"type":"ping"}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":5}}"#,
    r#"{"type":"message_stop"}"#,
];

fn expected(thinking: &str) -> Completion {
    Completion {
        text: "Grüße 😀".into(),
        calls: [
            call("read_file", r#"{"path":"a"}"#),
            call("memory_read", "{}"),
        ]
        .into(),
        thinking: thinking.into(),
        tokens: Tokens {
            input: 7,
            output: 5,
            cached: 3,
        },
    }
}

/// A stream comes in whatever pieces the network makes of it.
#[test]
fn streams_cut_at_every_byte() {
    let thinking = r#"{"type":"thinking","thinking":"hm","signature":"sig="}"#;
    for (kind, texts, done, thinking) in [
        (ProviderKind::OpenAi, &OPENAI[..], "data: [DONE]\n\n", ""),
        (ProviderKind::Anthropic, &ANTHROPIC[..], "", thinking),
    ] {
        let stream = [&events(texts), done].concat();
        let want = expected(thinking);
        let single: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
        assert_eq!(
            read(kind, true, &single).unwrap(),
            (want.clone(), "Grüße 😀".into())
        );
        for cut in 0..=stream.len() {
            let (one, two) = stream.as_bytes().split_at(cut);
            let (completion, shown) = read(kind, true, &[one, two]).unwrap();
            assert_eq!((&completion, shown.as_str()), (&want, "Grüße 😀"), "{cut}");
        }
        // What is missing at the end is missed.
        let end = stream.rfind(if done.is_empty() {
            "data: {\"type\":\"message_stop"
        } else {
            "data: {\"choices\":[{\"index\":0,\"delta\":{},\"fin"
        });
        for cut in 0..end.unwrap() {
            let failure = read(kind, true, &[&stream.as_bytes()[..cut]]).unwrap_err();
            assert_eq!(failure.remedy, Remedy::Again, "{cut}");
        }
    }
}

#[test]
fn whole_replies() {
    let openai = r#"{"choices":[{"message":{"role":"assistant","content":"Grüße 😀","tool_calls":[
        {"id":"","type":"function","function":{"name":"read_file","arguments":"{\"path\": \"a\"}"}},
        {"id":"","type":"function","function":{"name":"memory_read","arguments":""}}]},"finish_reason":"tool_calls"}],
        "usage":{"prompt_tokens":7,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":3}}}"#;
    let (completion, shown) = read(ProviderKind::OpenAi, false, &[openai.as_bytes()]).unwrap();
    assert_eq!((completion, shown.as_str()), (expected(""), ""));
    let anthropic = r#"{"type":"message","content":[{"type":"redacted_thinking","data":"x"},{"type":"text","text":"Grüße 😀"},
        {"type":"tool_use","id":"a","name":"read_file","input":{"path":"a"}},{"type":"tool_use","id":"a","name":"memory_read","input":{}}],
        "usage":{"input_tokens":4,"cache_read_input_tokens":3,"output_tokens":5}}"#;
    let (completion, _) = read(ProviderKind::Anthropic, false, &[anthropic.as_bytes()]).unwrap();
    assert_eq!(
        completion,
        expected(r#"{"type":"redacted_thinking","data":"x"}"#)
    );
}

/// What servers make of OpenAI's format: no index, every index 0, arguments as they are, ids that
/// are missing or doubled.
#[test]
fn calls_of_careless_servers() {
    let two = [call("a", r#"{"x":1}"#), call("b", "{}")];
    for calls in [
        &[
            r#"{"id":"1","function":{"name":"a","arguments":{"x":1}}},{"id":"2","function":{"name":"b","arguments":{}}}"#,
        ][..],
        &[
            r#"{"index":0,"id":"1","function":{"name":"a","arguments":"{\"x\":1}"}}"#,
            r#"{"index":0,"id":"2","function":{"name":"b","arguments":"{}"}}"#,
        ],
        &[
            r#"{"index":0,"id":"1","function":{"name":"a","arguments":"{\"x\":1}"}}"#,
            r#"{"index":1,"id":"1","function":{"name":"b","arguments":"{}"}}"#,
        ],
        &[
            r#"{"function":{"name":"a","arguments":"{\"x\""}}"#,
            r#"{"function":{"arguments":":1}"}}"#,
            r#"{"function":{"name":"b"}}"#,
        ],
    ] {
        let mut texts: Vec<String> = Vec::new();
        for call in calls {
            let parts = [r#"{"choices":[{"delta":{"tool_calls":["#, call, "]}}]}"];
            texts.push(parts.concat());
        }
        texts.push(r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#.into());
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let stream = events(&texts);
        let (completion, _) = read(ProviderKind::OpenAi, true, &[stream.as_bytes()]).unwrap();
        assert_eq!(completion.calls, two, "{calls:?}");
    }
}

#[test]
fn arguments_that_are_no_object_are_kept_as_a_text() {
    for (given, want) in [
        ("", "{}"),
        (" \n", "{}"),
        (r#"{"a": "\ud83d"}"#, "{\"a\":\"\u{fffd}\"}"),
        (r#"{"a":"#, r#""{\"a\":""#),
        ("[1]", "\"[1]\""),
    ] {
        assert_eq!(arguments(given), want);
    }
}

#[test]
fn what_is_no_reply() {
    for (kind, stream, body, remedy, message) in [
        (
            ProviderKind::OpenAi,
            false,
            "",
            Remedy::None,
            "the reply is no JSON: expected a value at byte 0",
        ),
        (
            ProviderKind::OpenAi,
            false,
            "{}",
            Remedy::Again,
            "the reply ends in its middle",
        ),
        (
            ProviderKind::OpenAi,
            false,
            "\u{fffd}",
            Remedy::None,
            "the reply is no JSON: expected a value at byte 0",
        ),
        (
            ProviderKind::OpenAi,
            true,
            "data: <html>\n\n",
            Remedy::None,
            "the reply is no JSON: expected a value at byte 0",
        ),
        (
            ProviderKind::OpenAi,
            true,
            "",
            Remedy::Again,
            "the reply ends in its middle",
        ),
        (
            ProviderKind::OpenAi,
            true,
            "data: {\"error\":{\"message\":\"overloaded\",\"code\":5}}\n\n",
            Remedy::Again,
            "overloaded",
        ),
        (
            ProviderKind::OpenAi,
            true,
            "data: {\"error\":\"the maximum context length is 5\"}\n\n",
            Remedy::Less,
            "the maximum context length is 5",
        ),
        (
            ProviderKind::Anthropic,
            true,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
            Remedy::Again,
            "Overloaded",
        ),
    ] {
        let failure = read(kind, stream, &[body.as_bytes()]).unwrap_err();
        assert_eq!(
            (failure.remedy, failure.message.as_str()),
            (remedy, message),
            "{body}"
        );
    }
    let failure = read(ProviderKind::OpenAi, false, &[b"\"\xff\""]).unwrap_err();
    assert!(failure.message.starts_with("the reply is no JSON"));
    let many = [r#"{"choices":[0"#, &",0".repeat(MAX_VALUES), "]}"].concat();
    let failure = read(ProviderKind::OpenAi, false, &[many.as_bytes()]).unwrap_err();
    assert!(
        failure.message.contains("too many values"),
        "{}",
        failure.message
    );
    let mut content = Content::default();
    for index in 0..=MAX_PARTS as u64 {
        content.part(Kind::Call, index);
    }
    assert_eq!(
        content.failure.unwrap().message,
        "the reply has too many parts"
    );
}
