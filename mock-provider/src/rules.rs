//! What a request must be, whatever the script: what vendors refuse with a 400, and what some of
//! their sessions die of.
//!
//! Every call has its results right after it, no result is without its call, nothing is empty or
//! `null`, the first message is the user's, and for Anthropic the roles alternate.

mod anthropic;
mod openai;

use crate::Vendor;
use crate::http::Request;
use crate::scenario::Expect;
use serde_json::Value;

/// Holds `request` against what its vendor takes.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn hold(request: &Request) -> Result<Vendor, String> {
    if request.method != "POST" {
        return Err(format!("method: expected POST, got {}", request.method));
    }
    let vendor = Vendor::of_path(&request.path);
    let vendor = vendor.ok_or_else(|| format!("path: nothing is at {}", request.path))?;
    let kind = request.header("content-type").unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(format!(
            "content-type: expected application/json, got {kind:?}"
        ));
    }
    if !request.json.is_object() {
        return Err("body: expected a JSON object".to_owned());
    }
    text(&request.json, "model")?;
    match request.json.get("stream") {
        None | Some(Value::Bool(_)) => {}
        Some(other) => return Err(format!("stream: expected true or false, got {other}")),
    }
    match vendor {
        Vendor::OpenAi => openai::hold(&request.json)?,
        Vendor::Anthropic => anthropic::hold(request)?,
    }
    Ok(vendor)
}

/// Holds `request` against what the script expects.
///
/// # Errors
/// The first thing that is not so.
pub fn expected(request: &Request, expect: &Expect) -> Result<(), String> {
    if !request.path.contains(&expect.path) {
        return Err(format!(
            "path: expected {}, got {}",
            expect.path, request.path
        ));
    }
    let body = request.text();
    if let Some(missing) = expect.contains.iter().find(|text| !body.contains(*text)) {
        return Err(format!("body: expected {missing:?} in {body}"));
    }
    if let Some(there) = expect.absent.iter().find(|text| body.contains(*text)) {
        return Err(format!("body: expected no {there:?} in {body}"));
    }
    for (name, value) in &expect.headers {
        if request.header(name) != Some(value) {
            return Err(format!("header {name}: not as expected"));
        }
    }
    let tools = request.json.get("tools").and_then(Value::as_array);
    let offered = tools.is_some_and(|tools| !tools.is_empty()) && !none(&request.json);
    match expect.tools {
        Some(wanted) if wanted != offered => {
            Err(format!("tools: expected {wanted}, got {offered}"))
        }
        _ => Ok(()),
    }
}

/// Whether no tool may be called: where there were calls before, Anthropic wants the list of tools
/// all the same.
fn none(body: &Value) -> bool {
    let choice = body.get("tool_choice");
    let kind = choice.and_then(|choice| choice.get("type")).or(choice);
    kind.and_then(Value::as_str) == Some("none")
}

/// The member `name` of `of`, a text that is not empty.
fn text<'a>(of: &'a Value, name: &str) -> Result<&'a str, String> {
    match of.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        None => Err(format!("{name}: missing")),
        Some(other) => Err(format!(
            "{name}: expected a text that is not empty, got {other}"
        )),
    }
}

/// The member `name` of `of`, a list that is not empty.
fn list<'a>(of: &'a Value, name: &str) -> Result<&'a [Value], String> {
    match of.get(name) {
        Some(Value::Array(list)) if !list.is_empty() => Ok(list),
        None => Err(format!("{name}: missing")),
        Some(other) => Err(format!(
            "{name}: expected a list that is not empty, got {other}"
        )),
    }
}

/// Whether `schema` is one of an object's members.
fn object_schema(of: &Value, name: &str) -> Result<(), String> {
    if of.get(name).and_then(|schema| schema.get("type")) == Some(&Value::from("object")) {
        return Ok(());
    }
    Err(format!("{name}: expected a schema of type object"))
}

/// Adds `new` to `names`, where it must not be yet.
fn once<'a>(names: &mut Vec<&'a str>, new: &'a str, what: &str) -> Result<(), String> {
    if names.contains(&new) {
        return Err(format!("{what}: {new:?} is there twice"));
    }
    names.push(new);
    Ok(())
}

/// Something wrong, with the place before it.
fn at(place: String) -> impl FnOnce(String) -> String {
    move |what| format!("{place}.{what}")
}

#[cfg(test)]
mod tests;
