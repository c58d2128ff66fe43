use super::*;
use serde_json::json;
use std::time::Instant;

fn request(path: &str, json: Value) -> Request {
    Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: [
            ("content-type", "application/json"),
            ("anthropic-version", "2023-06-01"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        body: json.to_string().into_bytes(),
        json,
        at: Instant::now(),
    }
}

fn openai(messages: Value) -> Result<Vendor, String> {
    let body = json!({"model": "m", "messages": messages});
    hold(&request("/v1/chat/completions", body))
}

fn anthropic(messages: Value) -> Result<Vendor, String> {
    let schema = json!({"type": "object"});
    let tools = json!([{"name": "t", "description": "d", "input_schema": schema}]);
    let body = json!({"model": "m", "max_tokens": 10, "messages": messages, "tools": tools});
    hold(&request("/v1/messages", body))
}

fn call(id: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "t", "arguments": "{}"}})
}

fn said(role: &str, text: &str) -> Value {
    json!({"role": role, "content": text})
}

fn result(id: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": "r"})
}

#[test]
fn openai_histories() {
    let calls = json!({"role": "assistant", "tool_calls": [call("a"), call("b")]});
    let good = [
        json!([said("user", "hi")]),
        json!([
            said("system", "s"),
            said("user", "hi"),
            said("assistant", "x"),
            said("user", "y")
        ]),
        json!([said("user", "hi"), calls, result("b"), result("a")]),
    ];
    for messages in good {
        assert_eq!(openai(messages), Ok(Vendor::OpenAi));
    }
    let nothing = json!({"role": "assistant", "content": null, "tool_calls": [call("a")]});
    let bad = [
        (json!([]), "messages: expected a list"),
        (
            json!([said("assistant", "x"), said("user", "y")]),
            "messages[0].role: the first",
        ),
        (
            json!([said("user", "")]),
            "messages[0].content: expected a text",
        ),
        (
            json!([said("user", "x"), said("system", "s")]),
            "messages[1].role: a system",
        ),
        (
            json!([said("user", "x"), calls, result("a")]),
            "have no result",
        ),
        (
            json!([said("user", "x"), calls, result("a"), said("user", "y")]),
            "have no result",
        ),
        (
            json!([said("user", "x"), calls, result("a"), result("a")]),
            "\"a\" has no call",
        ),
        (json!([said("user", "x"), result("a")]), "\"a\" has no call"),
        (
            json!([said("user", "x"), nothing, result("a")]),
            "messages[1].content: expected",
        ),
        (
            json!([said("user", "x"), said("assistant", "y")]),
            "the last is of",
        ),
        (
            json!([said("user", "x"), {"role": "assistant", "tool_calls": [call("a"), call("a")]}]),
            "\"a\" is there twice",
        ),
    ];
    for (messages, place) in bad {
        let error = openai(messages).unwrap_err();
        assert!(error.contains(place), "{error}");
    }
}

#[test]
fn anthropic_histories() {
    let used = json!({"role": "assistant", "content": [
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "tool_use", "id": "a", "name": "t", "input": {}}]});
    let result = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "r"});
    let user = |blocks: Value| json!({"role": "user", "content": blocks});
    let good = [
        json!([said("user", "hi")]),
        json!([
            said("user", "hi"),
            used,
            user(json!([result("a"), {"type": "text", "text": "y"}]))
        ]),
    ];
    for messages in good {
        assert_eq!(anthropic(messages), Ok(Vendor::Anthropic));
    }
    let late = json!([{"type": "text", "text": "y"}, result("a")]);
    let unsigned = json!([{"type": "thinking", "thinking": "t"}]);
    let bad = [
        (
            json!([said("assistant", "x")]),
            "messages[0].role: expected user",
        ),
        (
            json!([said("user", "x"), said("user", "y")]),
            "messages[1].role: expected assistant",
        ),
        (
            json!([said("user", "x"), said("assistant", "y")]),
            "the last is the assistant's",
        ),
        (
            json!([said("user", "x"), used, said("user", "y")]),
            "have no result",
        ),
        (json!([user(json!([result("a")]))]), "\"a\" has no call"),
        (
            json!([said("user", "x"), used, user(late)]),
            "results come before text",
        ),
        (
            json!([user(json!([{"type": "text", "text": ""}]))]),
            "content[0].text: expected",
        ),
        (
            json!([user(json!([{"type": "tool_use"}]))]),
            "user has no tool_use",
        ),
        (
            json!([said("user", "x"), {"role": "assistant", "content": unsigned}]),
            "signature: missing",
        ),
    ];
    for (messages, place) in bad {
        let error = anthropic(messages).unwrap_err();
        assert!(error.contains(place), "{error}");
    }
}

#[test]
fn requests_that_are_none() {
    let body = json!({"model": "m", "messages": [said("user", "x")]});
    let mut get = request("/v1/chat/completions", body.clone());
    get.method = "GET".to_owned();
    assert!(hold(&get).unwrap_err().starts_with("method"));
    assert!(
        hold(&request("/v1", body.clone()))
            .unwrap_err()
            .starts_with("path")
    );
    let tools = json!([{"type": "function", "function": {"name": "t", "description": "d"}}]);
    let tools = json!({"model": "m", "messages": [said("user", "x")], "tools": tools});
    let error = hold(&request("/v1/chat/completions", tools)).unwrap_err();
    assert_eq!(
        error,
        "tools[0].function.parameters: expected a schema of type object"
    );
    let expect = Expect {
        contains: vec!["zebra".to_owned()],
        ..Expect::default()
    };
    let error = expected(&request("/v1/chat/completions", body), &expect).unwrap_err();
    assert!(error.starts_with("body: expected \"zebra\""), "{error}");
}
