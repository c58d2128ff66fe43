//! The providers: a context goes in, a request or an answer comes out.
//!
//! [`offline`] answers by itself. [`openai`] and [`anthropic`] are asked over HTTP: each makes the
//! body of a request of a context, made legal by [`wire`], and knows what stands in the JSON of a
//! [`reply`]. None of them sees sessions, tools or the platform: the machine has a driver send the
//! request, runs the tools and asks again.

pub mod anthropic;
pub mod offline;
pub mod openai;
pub mod reply;
pub mod sse;
pub mod wire;

use clawft_types::json::Writer;
use clawft_types::{ProviderConfig, ProviderKind, Value, text};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::context::Context;
use crate::machine::{Credential, HttpRequest};
pub use reply::{Failure, Remedy, Reply};

/// What vendors say where the conversation is too long for the model.
static TOO_LONG: [&str; 6] = [
    "context_length_exceeded",
    "exceed_context_size",
    "prompt is too long",
    "maximum context length",
    "context window",
    "request_too_large",
];

/// Bytes of a request's body; more is too long, whatever the model.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// The request that asks `provider` to answer `context`.
pub fn request(context: &Context<'_>, provider: &ProviderConfig) -> Box<HttpRequest> {
    let is_anthropic = provider.kind == ProviderKind::Anthropic;
    let (path, header, prefix) = if is_anthropic {
        ("/v1/messages", "x-api-key", "")
    } else {
        ("/chat/completions", "authorization", "Bearer ")
    };
    let url = text::fill("{}{}", &[&provider.base_url, path]);
    let mut request = HttpRequest::new("POST", url);
    let headers = &mut request.headers;
    // Those of the configuration are in the place of ours, and the last of a name counts.
    let mut given = provider.headers.as_slice();
    add("content-type", "application/json", given, headers);
    let accept = if provider.stream {
        "text/event-stream, application/json"
    } else {
        "application/json"
    };
    add("accept", accept, given, headers);
    if is_anthropic {
        add("anthropic-version", "2023-06-01", given, headers);
        request.body = anthropic::body(context, provider);
    } else {
        request.body = openai::body(context, provider);
    }
    while let [(name, value), later @ ..] = given {
        given = later;
        add(name, value, later, headers);
    }
    if !provider.credential.is_empty() {
        request.credential = Some(Credential {
            name: provider.credential.clone(),
            header,
            prefix,
        });
    }
    request
}

/// Adds a header, unless it is among those that come later.
fn add(name: &str, value: &str, later: &[(String, String)], to: &mut Vec<(String, String)>) {
    if !later.iter().any(|known| known.0 == name) {
        to.push((String::from(name), String::from(value)));
    }
}

/// Begins the body of a request with what both vendors call the same.
fn begin(context: &Context<'_>, provider: &ProviderConfig, out: &mut Writer) {
    out.open("{");
    out.string_member("model", context.model);
    out.bool_member("stream", provider.stream);
    if let Some(milli) = context.temperature_milli {
        out.key("temperature");
        out.raw(&openai::thousandths(milli));
    }
    for (name, value) in &provider.body {
        out.key(name);
        out.raw(value);
    }
}

/// The member `name`, if it is there and not `null`.
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value
        .get(name)
        .filter(|value| !matches!(value, Value::Null))
}

/// The items of the array `name`; none if it is something else.
fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    match value.get(name) {
        Some(Value::Array(items)) => items,
        _ => &[],
    }
}

/// What the body of an error says, and what is to be done about it; `otherwise` where it is not
/// that there was too much text.
pub fn explain(body: &[u8], otherwise: Remedy) -> Failure {
    let text = text::lossy(body);
    match clawft_types::json::parse_reply(&text, 1024) {
        Ok(value) => Failure::of(member(&value, "error").unwrap_or(&value), otherwise),
        Err(_) => Failure::said(&text, &text, otherwise),
    }
}
