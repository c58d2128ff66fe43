//! What a model says, as its vendor sends it: whole or as events.

use crate::Vendor;
use crate::scenario::{Call, Fault, Say};
use serde_json::{Value, json};

/// The most bytes of a tool's arguments in one event: they come in pieces.
const PIECE: usize = 7;

/// The JSON text of a whole reply; `number` makes the ids of calls.
pub fn whole(vendor: Vendor, say: &Say, model: &str, number: usize) -> String {
    let calls = say.calls.iter().enumerate();
    match vendor {
        Vendor::OpenAi => {
            let mut message = json!({"role": "assistant", "content": or_null(&say.text)});
            if !say.thinking.is_empty() {
                message["reasoning_content"] = say.thinking.as_str().into();
            }
            if !say.calls.is_empty() {
                let call = |(index, call): (usize, &Call)| {
                    let function = json!({"name": call.name, "arguments": arguments(call)});
                    with_id(
                        json!({"type": "function", "function": function}),
                        call,
                        number,
                        index,
                    )
                };
                message["tool_calls"] = calls.map(call).collect();
            }
            let choice =
                json!({"index": 0, "message": message, "finish_reason": finish(vendor, say)});
            json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": model,
                "choices": [choice], "usage": openai_usage(say)})
        }
        Vendor::Anthropic => {
            let mut content = Vec::new();
            if !say.thinking.is_empty() {
                content.push(json!({"type": "thinking", "thinking": say.thinking,
                    "signature": say.signature}));
            }
            if !say.text.is_empty() {
                content.push(json!({"type": "text", "text": say.text}));
            }
            content.extend(calls.map(|(index, call)| {
                let used = json!({"type": "tool_use", "name": call.name, "input": call.arguments});
                with_id(used, call, number, index)
            }));
            let (input, output) = say.usage;
            json!({"id": "msg_1", "type": "message", "role": "assistant", "model": model,
                "content": content, "stop_reason": finish(vendor, say), "stop_sequence": null,
                "usage": {"input_tokens": input, "output_tokens": output}})
        }
    }
    .to_string()
}

/// The events of a streamed reply.
pub fn stream(vendor: Vendor, say: &Say, model: &str, number: usize) -> String {
    match vendor {
        Vendor::OpenAi => openai_stream(say, model, number),
        Vendor::Anthropic => anthropic_stream(say, model, number),
    }
}

/// One event with this data.
pub fn event(data: &Value) -> String {
    match data {
        Value::String(text) => format!("data: {text}\n\n"),
        other => format!("data: {other}\n\n"),
    }
}

/// The status and the body of an error.
pub fn fault(vendor: Vendor, fault: Fault) -> (u16, String) {
    let (status, kind, code, message) = match fault {
        Fault::Rate => (429, "rate_limit_error", "rate_limit_exceeded", "slow down"),
        Fault::Key => (
            401,
            "authentication_error",
            "invalid_api_key",
            "there is no such key",
        ),
        Fault::Server => (500, "api_error", "server_error", "something broke"),
        Fault::Overloaded => (529, "overloaded_error", "overloaded", "overloaded"),
        Fault::Context => match vendor {
            Vendor::OpenAi => (
                400,
                "invalid_request_error",
                "context_length_exceeded",
                "This model's maximum context length is 1000 tokens. However, your messages \
                 resulted in 2000 tokens. Please reduce the length of the messages.",
            ),
            Vendor::Anthropic => (
                400,
                "invalid_request_error",
                "",
                "prompt is too long: 210000 tokens > 200000 maximum",
            ),
        },
        Fault::Request => (
            400,
            "invalid_request_error",
            "invalid_value",
            "there is no such thing",
        ),
    };
    let body = match vendor {
        Vendor::OpenAi => {
            json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
        }
        Vendor::Anthropic => {
            json!({"type": "error", "error": {"type": kind, "message": message}})
        }
    };
    (status, body.to_string())
}

fn or_null(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        text.into()
    }
}

/// The arguments as text: those of a text are sent as they are.
fn arguments(call: &Call) -> String {
    match &call.arguments {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `of` with the call's id, if it has one.
fn with_id(mut of: Value, call: &Call, number: usize, index: usize) -> Value {
    match &call.id {
        None => of["id"] = format!("call_{number}_{index}").into(),
        Some(Value::Null) => {}
        Some(id) => of["id"] = id.clone(),
    }
    of
}

fn finish(vendor: Vendor, say: &Say) -> &str {
    match (&say.finish, vendor, say.calls.is_empty()) {
        (Some(finish), _, _) => finish,
        (None, Vendor::OpenAi, true) => "stop",
        (None, Vendor::OpenAi, false) => "tool_calls",
        (None, Vendor::Anthropic, true) => "end_turn",
        (None, Vendor::Anthropic, false) => "tool_use",
    }
}

fn openai_usage(say: &Say) -> Value {
    let (input, output) = say.usage;
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

/// `text` in pieces of at most `size` bytes, cut between characters.
fn pieces(text: &str, size: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = rest.floor_char_boundary(size);
        let (piece, after) = rest.split_at(if at == 0 { rest.len() } else { at });
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn openai_stream(say: &Say, model: &str, number: usize) -> String {
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        event(
            &json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0,
            "model": model, "choices": [choice]}),
        )
    };
    let delta = |delta: Value| chunk(delta, Value::Null);
    let mut out = delta(json!({"role": "assistant", "content": or_null("")}));
    for piece in say.thinking.split_inclusive(' ') {
        out += &delta(json!({"reasoning_content": piece}));
    }
    for piece in say.text.split_inclusive(' ') {
        out += &delta(json!({"content": piece}));
    }
    for (index, call) in say.calls.iter().enumerate() {
        let function = json!({"name": call.name, "arguments": ""});
        let begun = json!({"index": index, "type": "function", "function": function});
        out += &delta(json!({"tool_calls": [with_id(begun, call, number, index)]}));
        for piece in pieces(&arguments(call), PIECE) {
            let more = json!({"index": index, "function": {"arguments": piece}});
            out += &delta(json!({"tool_calls": [more]}));
        }
    }
    out += &chunk(json!({}), finish(Vendor::OpenAi, say).into());
    out += &event(
        &json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0,
        "model": model, "choices": [], "usage": openai_usage(say)}),
    );
    out + "data: [DONE]\n\n"
}

fn anthropic_stream(say: &Say, model: &str, number: usize) -> String {
    let mut out = String::new();
    let mut send = |kind: &str, mut data: Value| {
        data["type"] = kind.into();
        out += &format!("event: {kind}\n{}", event(&data));
    };
    let (input, output) = say.usage;
    send(
        "message_start",
        json!({"message": {"id": "msg_1", "type": "message", "role": "assistant", "model": model,
            "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": {"input_tokens": input, "output_tokens": 1}}}),
    );
    send("ping", json!({}));
    let mut index = 0;
    let mut block = |start: Value, deltas: Vec<Value>| {
        send(
            "content_block_start",
            json!({"index": index, "content_block": start}),
        );
        for delta in deltas {
            send(
                "content_block_delta",
                json!({"index": index, "delta": delta}),
            );
        }
        send("content_block_stop", json!({"index": index}));
        index += 1;
    };
    if !say.thinking.is_empty() {
        let pieces = say.thinking.split_inclusive(' ');
        let deltas = pieces.map(|piece| json!({"type": "thinking_delta", "thinking": piece}));
        let signed = json!({"type": "signature_delta", "signature": say.signature});
        let start = json!({"type": "thinking", "thinking": "", "signature": ""});
        block(start, deltas.chain([signed]).collect());
    }
    if !say.text.is_empty() {
        let pieces = say.text.split_inclusive(' ');
        let deltas = pieces.map(|piece| json!({"type": "text_delta", "text": piece}));
        block(json!({"type": "text", "text": ""}), deltas.collect());
    }
    for (at, call) in say.calls.iter().enumerate() {
        let start = json!({"type": "tool_use", "name": call.name, "input": {}});
        let arguments = arguments(call);
        let pieces = pieces(&arguments, PIECE).into_iter();
        let deltas = pieces.map(|piece| json!({"type": "input_json_delta", "partial_json": piece}));
        block(with_id(start, call, number, at), deltas.collect());
    }
    let stop = json!({"stop_reason": finish(Vendor::Anthropic, say), "stop_sequence": null});
    send(
        "message_delta",
        json!({"delta": stop, "usage": {"output_tokens": output}}),
    );
    send("message_stop", json!({}));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is sent in pieces is what is sent whole.
    #[test]
    fn pieces_are_the_whole() {
        let arguments = json!({"path": "ä/ü/日本語.txt", "text": "a \"b\"\n"});
        let call = Call {
            name: "write_file".to_owned(),
            arguments: arguments.clone(),
            ..Call::default()
        };
        let say = Say {
            text: "Grüße, Welt".to_owned(),
            calls: vec![call],
            ..Say::default()
        };
        let (mut text, mut called) = (String::new(), String::new());
        let stream = stream(Vendor::OpenAi, &say, "m", 1);
        for data in stream
            .lines()
            .filter_map(|line| line.strip_prefix("data: {"))
        {
            let chunk: Value = serde_json::from_str(&format!("{{{data}")).unwrap();
            let delta = &chunk["choices"][0]["delta"];
            text += delta["content"].as_str().unwrap_or_default();
            let function = &delta["tool_calls"][0]["function"];
            called += function["arguments"].as_str().unwrap_or_default();
        }
        assert_eq!(text, say.text);
        assert_eq!(serde_json::from_str::<Value>(&called).unwrap(), arguments);
        assert!(stream.ends_with("data: [DONE]\n\n"));
        let whole = whole(Vendor::Anthropic, &say, "m", 1);
        let whole: Value = serde_json::from_str(&whole).unwrap();
        assert_eq!(whole["content"][0]["text"], say.text);
        assert_eq!(whole["content"][1]["input"], arguments);
        assert_eq!(whole["content"][1]["id"], "call_1_0");
    }
}
