//! Anthropic's messages: the request, and what stands in replies.

use clawft_types::json::Writer;
use clawft_types::{ProviderConfig, Value};
use core_alloc::string::String;

use super::reply::{Content, Kind};
use super::wire::{self, Item};
use crate::agent::capabilities;
use crate::agent::context::Context;

/// The body of a request.
pub fn body(context: &Context<'_>, provider: &ProviderConfig) -> String {
    let mut out = Writer::new();
    super::begin(context, provider, &mut out);
    if !provider.body.iter().any(|(name, _)| name == "max_tokens") {
        out.unsigned_member("max_tokens", provider.max_tokens);
    }
    if !context.system.is_empty() {
        out.string_member("system", context.system);
    }
    out.open(r#""messages":["#);
    // Neighbours of one role are one message: blocks are added while the role is the same.
    let mut role = "";
    let (mut next_call, mut next_result) = (1, 1);
    wire::items(context, &mut |item| {
        let new = match item {
            Item::Assistant { .. } => "assistant",
            _ => "user",
        };
        if new != role {
            if !role.is_empty() {
                out.close("]}");
            }
            out.open("{");
            out.string_member("role", new);
            out.open(r#""content":["#);
            role = new;
        }
        match item {
            Item::User(text) => block(text, &mut out),
            Item::Assistant {
                text,
                thinking,
                calls,
            } => {
                if !thinking.is_empty() {
                    out.raw(thinking);
                }
                if !text.is_empty() {
                    block(text, &mut out);
                }
                for call in calls {
                    out.open(r#"{"type":"tool_use""#);
                    out.string_member("id", &wire::call_id(next_call));
                    next_call += 1;
                    out.string_member("name", wire::name(call));
                    out.key("input");
                    out.raw(wire::arguments(call));
                    out.close("}");
                }
            }
            Item::Result(text) => {
                out.open(r#"{"type":"tool_result""#);
                out.string_member("tool_use_id", &wire::call_id(next_result));
                next_result += 1;
                out.string_member("content", text);
                out.close("}");
            }
        }
    });
    out.close(if role.is_empty() { "]" } else { "]}]" });
    // They stay when none may be called: a history with calls is refused without.
    let mut before = r#""tools":["#;
    context.allowed.each(true, &mut |spec| {
        if !before.is_empty() {
            out.open(before);
            before = "";
        }
        capabilities::tool(spec, "input_schema", &mut out);
    });
    if before.is_empty() {
        out.close("]");
        if context.tools.is_none() {
            out.raw(r#""tool_choice":{"type":"none"}"#);
        }
    }
    out.close("}");
    out.finish()
}

fn block(text: &str, out: &mut Writer) {
    out.open(r#"{"type":"text""#);
    out.string_member("text", text);
    out.close("}");
}

/// Takes what stands in an event, or in a whole reply.
pub fn take(value: &Value, content: &mut Content) {
    let index = value.count("index");
    match value.text("type") {
        "error" => content.fail_with(value.get("error").unwrap_or(value)),
        "message_start" => count(value.get("message").unwrap_or(value), content),
        "content_block_start" => {
            if let Some(block) = value.get("content_block") {
                begin(block, index, content);
            }
        }
        "content_block_delta" => {
            let Some(delta) = value.get("delta") else {
                return;
            };
            match delta.text("type") {
                "text_delta" => content.say(delta.text("text")),
                "input_json_delta" => {
                    let json = delta.text("partial_json");
                    content.part(Kind::Call, index).text.push_str(json);
                }
                "thinking_delta" => {
                    let text = delta.text("thinking");
                    content.part(Kind::Thinking, index).text.push_str(text);
                }
                "signature_delta" => {
                    let signature = &mut content.part(Kind::Thinking, index).signature;
                    signature.push_str(delta.text("signature"));
                }
                _ => {}
            }
        }
        "message_delta" => count(value, content),
        "message_stop" => content.is_complete = true,
        "message" => {
            for (index, block) in super::array(value, "content").iter().enumerate() {
                begin(block, index as u64, content);
            }
            count(value, content);
            content.is_complete = true;
        }
        // `ping`, `content_block_stop`, and what is yet to come.
        _ => {}
    }
}

/// Takes a block, or its beginning.
fn begin(block: &Value, index: u64, content: &mut Content) {
    match block.text("type") {
        "text" => content.say(block.text("text")),
        "tool_use" => {
            let part = content.call(Some(index), block.text("id"), block.text("name"));
            match block.get("input") {
                // In a stream it comes bit by bit.
                Some(Value::Object(members)) if members.is_empty() => {}
                Some(input) => part.text.push_str(&input.to_json()),
                None => {}
            }
        }
        "thinking" => {
            let part = content.part(Kind::Thinking, index);
            part.text.push_str(block.text("thinking"));
            part.signature.push_str(block.text("signature"));
        }
        "redacted_thinking" => {
            let part = content.part(Kind::Redacted, index);
            part.text.push_str(block.text("data"));
        }
        _ => {}
    }
}

/// Takes what was counted: the input at the beginning, the output, which grows, to the end.
fn count(value: &Value, content: &mut Content) {
    let Some(usage) = super::member(value, "usage") else {
        return;
    };
    let cached = usage.count("cache_read_input_tokens");
    let input = usage
        .count("input_tokens")
        .saturating_add(cached)
        .saturating_add(usage.count("cache_creation_input_tokens"));
    let tokens = &mut content.tokens;
    tokens.input = tokens.input.max(input);
    tokens.cached = tokens.cached.max(cached);
    tokens.output = tokens.output.max(usage.count("output_tokens"));
}
