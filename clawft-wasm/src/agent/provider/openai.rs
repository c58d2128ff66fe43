//! OpenAI's chat completions, which most servers speak: the request, and what stands in replies.

use clawft_types::json::{Writer, decimal};
use clawft_types::{ProviderConfig, Value};
use core_alloc::string::String;

use super::reply::Content;
use super::wire::{self, Item};
use crate::agent::capabilities;
use crate::agent::context::Context;

/// The body of a request.
pub fn body(context: &Context<'_>, provider: &ProviderConfig) -> String {
    let mut out = Writer::new();
    super::begin(context, provider, &mut out);
    if provider.stream {
        out.raw(r#""stream_options":{"include_usage":true}"#);
    }
    out.open(r#""messages":["#);
    if !context.system.is_empty() {
        message("system", context.system, &mut out);
        out.close("}");
    }
    let (mut next_call, mut next_result) = (1, 1);
    wire::items(context, &mut |item| match item {
        Item::User(text) => {
            message("user", text, &mut out);
            out.close("}");
        }
        Item::Assistant { text, calls, .. } => {
            if text.is_empty() {
                out.open(r#"{"role":"assistant""#);
            } else {
                message("assistant", text, &mut out);
            }
            if !calls.is_empty() {
                out.open(r#""tool_calls":["#);
                for call in calls {
                    out.open("{");
                    out.string_member("id", &wire::call_id(next_call));
                    next_call += 1;
                    out.open(r#""type":"function","function":{"#);
                    out.string_member("name", wire::name(call));
                    out.string_member("arguments", wire::arguments(call));
                    out.close("}}");
                }
                out.close("]");
            }
            out.close("}");
        }
        Item::Result(text) => {
            message("tool", text, &mut out);
            out.string_member("tool_call_id", &wire::call_id(next_result));
            next_result += 1;
            out.close("}");
        }
    });
    out.close("]");
    if let Some(tools) = context.tools {
        // An empty list is refused.
        let mut before = r#""tools":["#;
        tools.each(true, &mut |spec| {
            if !before.is_empty() {
                out.open(before);
                before = "";
            }
            out.open(r#"{"type":"function","function":"#);
            capabilities::tool(spec, "parameters", &mut out);
            out.close("}");
        });
        if before.is_empty() {
            out.close("]");
        }
    }
    out.close("}");
    out.finish()
}

/// Begins a message.
fn message(role: &str, text: &str, out: &mut Writer) {
    out.open("{");
    out.string_member("role", role);
    out.string_member("content", text);
}

/// Takes what stands in a chunk, or in a whole reply: the same but for a name.
pub fn take(value: &Value, content: &mut Content) {
    if let Some(error) = super::member(value, "error") {
        return content.fail_with(error);
    }
    if let Some(usage) = super::member(value, "usage") {
        content.tokens.input = usage.count("prompt_tokens");
        content.tokens.output = usage.count("completion_tokens");
        if let Some(details) = usage.get("prompt_tokens_details") {
            content.tokens.cached = details.count("cached_tokens");
        }
    }
    // One answer was asked for; further ones are not read.
    let [choice, ..] = super::array(value, "choices") else {
        return;
    };
    let Some(message) = choice.get("delta").or_else(|| choice.get("message")) else {
        return content.fail(super::Failure::new("the reply has no message"));
    };
    match message.get("content") {
        Some(Value::String(text)) => content.say(text),
        Some(Value::Array(parts)) => {
            for part in parts {
                content.say(part.text("text"));
            }
        }
        _ => {}
    }
    content.say(message.text("refusal"));
    let is_whole = choice.get("message").is_some();
    for (at, call) in super::array(message, "tool_calls").iter().enumerate() {
        let given = call.get("index").and_then(Value::as_u64);
        let index = if is_whole { Some(at as u64) } else { given };
        let function = call.get("function").unwrap_or(&Value::Null);
        let part = content.call(index, call.text("id"), function.text("name"));
        match function.get("arguments") {
            Some(Value::String(text)) => part.text.push_str(text),
            None | Some(Value::Null) => {}
            // Some servers hand them out as they are.
            Some(other) => part.text.push_str(&other.to_json()),
        }
    }
    if is_whole || super::member(choice, "finish_reason").is_some() {
        content.is_complete = true;
    }
}

/// Thousandths as a JSON number.
pub fn thousandths(value: u16) -> String {
    let mut out = decimal(u64::from(value / 1000));
    out.push('.');
    // Four digits, of which the first is the mark that keeps the zeros.
    let digits = decimal(u64::from(value % 1000 + 1000));
    out.push_str(digits.get(1..).unwrap_or_default());
    out
}
