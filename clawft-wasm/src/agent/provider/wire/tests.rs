//! Histories of every kind become requests that vendors accept.

use clawft_types::{Config, ProviderConfig, ProviderKind};
use core_alloc::vec::Vec;
use serde_json::Value;

use super::*;
use crate::agent::intent::Intent;
use crate::agent::provider;
use crate::agent::tools::Allowed;

/// `u` says something, `a` answers, `c` calls two tools, `1` and `2` are their results, capitals
/// say nothing.
fn messages(letters: &str) -> Vec<Message> {
    let mut messages = Vec::new();
    for letter in letters.chars() {
        let (role, content) = match letter {
            'u' => (Role::User, "question"),
            'U' => (Role::User, " \n"),
            'a' => (Role::Assistant, "answer"),
            'A' | 'c' => (Role::Assistant, ""),
            'C' => (Role::Assistant, "let me see"),
            '1' | '2' => (Role::Tool, "result"),
            _ => (Role::Tool, ""),
        };
        let mut message = Message::new("m".into(), role, content, 0);
        if letter.eq_ignore_ascii_case(&'c') {
            for id in ["c1", "c2"] {
                message.tool_calls.push(ToolCall {
                    id: id.into(),
                    name: if id == "c1" { "read_file" } else { "no name!" }.into(),
                    arguments: if id == "c1" {
                        r#"{"path":"a"}"#
                    } else {
                        r#""{oops""#
                    }
                    .into(),
                });
            }
        }
        message.call_id = match letter {
            '1' | 'x' => "c1".into(),
            '2' => "c2".into(),
            _ => String::new(),
        };
        messages.push(message);
    }
    messages
}

fn body(kind: ProviderKind, history: &str, turn: &str, with_tools: bool) -> Value {
    let config = Config::default();
    let (history, turn) = (messages(history), messages(turn));
    let allowed = Allowed::by(&config);
    let context = Context {
        model: "m",
        temperature_milli: Some(1250),
        system: "be brief",
        intent: Intent::Chat,
        history: &history,
        summary: "",
        start: 0,
        turn: &turn,
        thinking: &[(
            1,
            r#"{"type":"thinking","thinking":"t","signature":"s"}"#.into(),
        )],
        allowed,
        tools: with_tools.then_some(allowed),
    };
    let provider = ProviderConfig {
        kind,
        base_url: "https://x".into(),
        credential: "k".into(),
        headers: [("accept".into(), "mine".into())].into(),
        body: [("top_p".into(), "0.5".into())].into(),
        ..ProviderConfig::offline()
    };
    let request = provider::request(&context, &provider);
    let accepts = request.headers.iter().filter(|header| header.0 == "accept");
    assert_eq!(
        accepts.map(|header| header.1.as_str()).collect::<Vec<_>>(),
        ["mine"]
    );
    serde_json::from_str(&request.body).expect("a body of JSON")
}

/// Every history of up to five messages, and then a question: legal for OpenAI, whatever it was.
#[test]
fn every_short_history_is_legal_for_openai() {
    let letters = ['u', 'U', 'a', 'A', 'c', 'C', '1', '2', 'x'];
    let mut histories = vec![String::new()];
    for _ in 0..4 {
        let longer = histories.iter().flat_map(|history| {
            letters
                .iter()
                .map(move |letter| [history.as_str(), &letter.to_string()].concat())
        });
        histories = histories.iter().cloned().chain(longer).collect();
        histories.sort();
        histories.dedup();
    }
    assert_eq!(histories.len(), 1 + 9 + 81 + 729 + 6561);
    for history in &histories {
        let body = body(ProviderKind::OpenAi, history, "u", true);
        let messages = body["messages"].as_array().unwrap();
        assert_eq!(messages[0]["role"], "system");
        assert_eq!(messages[1]["role"], "user", "{history}");
        let mut open: Vec<&str> = Vec::new();
        let mut ids: Vec<&str> = Vec::new();
        for message in messages {
            let content = message["content"].as_str();
            assert!(message.get("content").is_none() || !content.unwrap().trim().is_empty());
            if message["role"] == "tool" {
                assert_eq!(message["tool_call_id"], open.remove(0), "{history}");
                continue;
            }
            assert!(open.is_empty(), "{history}: a call without result");
            let calls = message
                .get("tool_calls")
                .map(|calls| calls.as_array().unwrap());
            assert!(content.is_some() || calls.is_some(), "{history}");
            for call in calls.into_iter().flatten() {
                let id = call["id"].as_str().unwrap();
                assert!(!ids.contains(&id) && id.len() == 9, "{history}: {id}");
                ids.push(id);
                open.push(id);
            }
        }
        assert!(open.is_empty(), "{history}");
        assert_eq!(messages.last().unwrap()["content"], "question");
    }
}

#[test]
fn roles_alternate_for_anthropic() {
    for history in [
        "", "uu", "uc12a", "uc", "ucU1a", "uaaC21", "a1u", "ucc2", "uAuA",
    ] {
        let body = body(ProviderKind::Anthropic, history, "uC12", true);
        let messages = body["messages"].as_array().unwrap();
        let mut open: Vec<&Value> = Vec::new();
        for (at, message) in messages.iter().enumerate() {
            let role = if at % 2 == 0 { "user" } else { "assistant" };
            assert_eq!(message["role"], role, "{history}");
            for block in message["content"].as_array().unwrap() {
                match block["type"].as_str().unwrap() {
                    "text" => assert!(!block["text"].as_str().unwrap().trim().is_empty()),
                    "tool_use" => {
                        assert!(block["input"].is_object());
                        open.push(&block["id"]);
                    }
                    "tool_result" => {
                        assert_eq!(&block["tool_use_id"], open.remove(0), "{history}");
                        assert!(!block["content"].as_str().unwrap().is_empty());
                    }
                    other => assert_eq!((other, at), ("thinking", messages.len() - 2)),
                }
            }
            assert!(role == "assistant" || open.is_empty(), "{history}");
        }
        let last = &messages[messages.len() - 2]["content"];
        assert_eq!(last[0]["signature"], "s", "thinking comes first, as it was");
        assert_eq!(last[1]["text"], "let me see");
        assert_eq!(last[3]["name"], "unknown", "a name that no vendor accepts");
    }
}

#[test]
fn what_else_stands_in_a_request() {
    let body_of = |kind, with| body(kind, "ua", "u", with);
    let openai = body_of(ProviderKind::OpenAi, true);
    assert_eq!(openai["model"], "m");
    assert_eq!(openai["stream"], true);
    assert_eq!(openai["stream_options"]["include_usage"], true);
    assert_eq!(openai["temperature"], 1.25);
    assert_eq!(openai["top_p"], 0.5);
    let tools = openai["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 7, "web_fetch is not offered");
    assert_eq!(tools[0]["type"], "function");
    assert_eq!(tools[0]["function"]["parameters"]["required"][0], "path");
    assert!(body_of(ProviderKind::OpenAi, false).get("tools").is_none());
    let anthropic = body_of(ProviderKind::Anthropic, true);
    assert_eq!(anthropic["system"], "be brief");
    assert_eq!(anthropic["max_tokens"], 8192);
    assert_eq!(anthropic["tools"][0]["input_schema"]["type"], "object");
    assert!(anthropic.get("tool_choice").is_none());
    let last = body_of(ProviderKind::Anthropic, false);
    assert_eq!(last["tool_choice"]["type"], "none");
    assert!(last["tools"].is_array());
}
