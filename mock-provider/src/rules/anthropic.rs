//! `POST …/v1/messages`.

use super::{at, list, object_schema, once, text};
use crate::http::Request;
use serde_json::Value;

pub(super) fn hold(request: &Request) -> Result<(), String> {
    let body = &request.json;
    if request.header("anthropic-version").is_none() {
        return Err("header anthropic-version: missing".to_owned());
    }
    match body.get("max_tokens").and_then(Value::as_u64) {
        Some(1..) => {}
        other => return Err(format!("max_tokens: expected a number, got {other:?}")),
    }
    if body.get("system").is_some_and(Value::is_string) {
        text(body, "system")?;
    }
    if body.get("tools").is_some() {
        tools(body)?;
    }
    let messages = list(body, "messages")?;
    let has_tools = body.get("tools").is_some();
    let mut open: Vec<&str> = Vec::new();
    let mut ids = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        let place = || at(format!("messages[{number}]"));
        let wanted = ["user", "assistant"][number % 2];
        let role = text(message, "role").map_err(place())?;
        if role != wanted {
            return Err(place()(format!("role: expected {wanted}, got {role}")));
        }
        let blocks = match message.get("content") {
            Some(Value::String(_)) => {
                text(message, "content").map_err(place())?;
                &[]
            }
            _ => list(message, "content").map_err(place())?,
        };
        if role == "user" {
            results(blocks, &open).map_err(place())?;
        }
        open = Vec::new();
        for (number, block) in blocks.iter().enumerate() {
            let inner = || |what| place()(format!("content[{number}].{what}"));
            let called = self::block(block, role).map_err(inner())?;
            if let Some(id) = called {
                if !has_tools {
                    return Err(inner()(
                        "type: a request with calls defines tools".to_owned(),
                    ));
                }
                once(&mut ids, id, "id").map_err(inner())?;
                open.push(id);
            }
            let thinks = is_of(block, "thinking") || is_of(block, "redacted_thinking");
            let before = number.checked_sub(1).and_then(|before| blocks.get(before));
            if thinks
                && before.is_some_and(|before| {
                    !is_of(before, "thinking") && !is_of(before, "redacted_thinking")
                })
            {
                return Err(inner()("type: thinking comes first".to_owned()));
            }
        }
    }
    if messages.len() % 2 == 0 {
        return Err("messages: the last is the assistant's".to_owned());
    }
    Ok(())
}

fn is_of(block: &Value, kind: &str) -> bool {
    block.get("type").and_then(Value::as_str) == Some(kind)
}

/// Whether the user's `blocks` begin with the results of `open`, each once.
fn results(blocks: &[Value], open: &[&str]) -> Result<(), String> {
    let mut open = open.to_vec();
    let mut over = false;
    for (number, block) in blocks.iter().enumerate() {
        if !is_of(block, "tool_result") {
            over = true;
            continue;
        }
        let place = || at(format!("content[{number}]"));
        if over {
            return Err(place()("type: results come before text".to_owned()));
        }
        let id = text(block, "tool_use_id").map_err(place())?;
        let call = open.iter().position(|open| *open == id);
        let call = call.ok_or_else(|| place()(format!("tool_use_id: {id:?} has no call")))?;
        open.remove(call);
    }
    if open.is_empty() {
        return Ok(());
    }
    Err(format!("content: {open:?} have no result"))
}

/// Holds one block of `role`; gives the id of a call.
fn block<'a>(block: &'a Value, role: &str) -> Result<Option<&'a str>, String> {
    match (text(block, "type")?, role) {
        ("text", _) => text(block, "text").map(|_| None),
        ("tool_result", "user") => match block.get("content") {
            Some(Value::Array(_)) => {
                for part in list(block, "content")? {
                    text(part, "text")?;
                }
                Ok(None)
            }
            _ => text(block, "content").map(|_| None),
        },
        ("thinking", "assistant") => {
            text(block, "thinking")?;
            text(block, "signature").map(|_| None)
        }
        ("redacted_thinking", "assistant") => text(block, "data").map(|_| None),
        ("tool_use", "assistant") => {
            text(block, "name")?;
            if !block.get("input").is_some_and(Value::is_object) {
                return Err("input: expected an object".to_owned());
            }
            let id = text(block, "id")?;
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            if !id.bytes().all(allowed) {
                return Err(format!("id: {id:?} has characters that none may have"));
            }
            Ok(Some(id))
        }
        (kind, role) => Err(format!("type: {role} has no {kind}")),
    }
}

fn tools(body: &Value) -> Result<(), String> {
    let mut names = Vec::new();
    for (number, tool) in list(body, "tools")?.iter().enumerate() {
        let place = || at(format!("tools[{number}]"));
        let name = text(tool, "name").map_err(place())?;
        once(&mut names, name, "name").map_err(place())?;
        text(tool, "description").map_err(place())?;
        object_schema(tool, "input_schema").map_err(place())?;
    }
    Ok(())
}
