//! `POST …/chat/completions`.

use super::{at, list, object_schema, once, text};
use serde_json::Value;

pub(super) fn hold(body: &Value) -> Result<(), String> {
    if body.get("tools").is_some() {
        tools(body)?;
    }
    let messages = list(body, "messages")?;
    let mut open: Vec<&str> = Vec::new();
    let mut ids = Vec::new();
    let mut begun = false;
    for (number, message) in messages.iter().enumerate() {
        let place = || at(format!("messages[{number}]"));
        let role = text(message, "role").map_err(place())?;
        if role != "tool" && !open.is_empty() {
            return Err(place()(format!(
                "role: {role}, but {open:?} have no result"
            )));
        }
        match role {
            "system" | "developer" if begun => {
                return Err(place()("role: a system message must come first".to_owned()));
            }
            "system" | "developer" | "user" => {
                begun |= role == "user";
                content(message).map_err(place())?;
            }
            _ if !begun => {
                return Err(place()(format!(
                    "role: the first is the user's, got {role}"
                )));
            }
            "assistant" => {
                open = calls(message, &mut ids).map_err(place())?;
                if open.is_empty() || message.get("content").is_some() {
                    content(message).map_err(place())?;
                }
            }
            "tool" => {
                let id = text(message, "tool_call_id").map_err(place())?;
                let call = open.iter().position(|open| *open == id);
                let call =
                    call.ok_or_else(|| place()(format!("tool_call_id: {id:?} has no call")))?;
                open.remove(call);
                content(message).map_err(place())?;
            }
            _ => return Err(place()(format!("role: there is no {role}"))),
        }
    }
    let last = messages.last().and_then(|last| last.get("role"));
    match last.and_then(Value::as_str) {
        _ if !open.is_empty() => Err(format!("messages: {open:?} have no result")),
        Some("user" | "tool") => Ok(()),
        last => Err(format!("messages: the last is of {last:?}")),
    }
}

/// A text, or a list of parts with text, that is not empty.
fn content(message: &Value) -> Result<(), String> {
    if message.get("content").is_some_and(Value::is_array) {
        for part in list(message, "content")? {
            text(part, "text").map_err(at("content".to_owned()))?;
        }
        return Ok(());
    }
    text(message, "content").map(drop)
}

/// The ids of the calls of a message.
fn calls<'a>(message: &'a Value, ids: &mut Vec<&'a str>) -> Result<Vec<&'a str>, String> {
    if message.get("tool_calls").is_none() {
        return Ok(Vec::new());
    }
    let mut open = Vec::new();
    for (number, call) in list(message, "tool_calls")?.iter().enumerate() {
        let place = || at(format!("tool_calls[{number}]"));
        let id = text(call, "id").map_err(place())?;
        once(ids, id, "id").map_err(place())?;
        if call.get("type") != Some(&Value::from("function")) {
            return Err(place()("type: expected function".to_owned()));
        }
        let function = call.get("function").unwrap_or(&Value::Null);
        text(function, "name").map_err(place())?;
        let arguments = text(function, "arguments").map_err(place())?;
        match serde_json::from_str(arguments) {
            Ok(Value::Object(_)) => {}
            _ => return Err(place()(format!("arguments: no JSON object: {arguments}"))),
        }
        open.push(id);
    }
    Ok(open)
}

fn tools(body: &Value) -> Result<(), String> {
    let mut names = Vec::new();
    for (number, tool) in list(body, "tools")?.iter().enumerate() {
        let place = || at(format!("tools[{number}].function"));
        let function = tool.get("function").unwrap_or(&Value::Null);
        let name = text(function, "name").map_err(place())?;
        once(&mut names, name, "name").map_err(place())?;
        text(function, "description").map_err(place())?;
        object_schema(function, "parameters").map_err(place())?;
    }
    Ok(())
}
