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
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut header = |name: &str, value: &str| {
        headers.push((String::from(name), String::from(value)));
    };
    header("content-type", "application/json");
    let accept = if provider.stream {
        "text/event-stream, application/json"
    } else {
        "application/json"
    };
    header("accept", accept);
    let (path, key_header, prefix, body);
    if provider.kind == ProviderKind::Anthropic {
        header("anthropic-version", "2023-06-01");
        (path, key_header, prefix) = ("/v1/messages", "x-api-key", "");
        body = anthropic::body(context, provider);
    } else {
        (path, key_header, prefix) = ("/chat/completions", "authorization", "Bearer ");
        body = openai::body(context, provider);
    }
    for (name, value) in &provider.headers {
        headers.retain(|known| known.0 != *name);
        headers.push((name.clone(), value.clone()));
    }
    Box::new(HttpRequest {
        method: "POST",
        url: text::fill("{}{}", &[&provider.base_url, path]),
        headers,
        credential: (!provider.credential.is_empty()).then(|| Credential {
            name: provider.credential.clone(),
            header: key_header,
            prefix,
        }),
        body,
        connect_ms: 10_000,
        first_byte_ms: 60_000,
        between_bytes_ms: 60_000,
        until_ms: 0,
        max_header_bytes: 64 * 1024,
        max_reply_bytes: 4 * 1024 * 1024,
        is_public: false,
    })
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
        value.write(out);
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
    let text = String::from_utf8_lossy(body);
    match clawft_types::json::parse_reply(&text, 1024) {
        Ok(value) => Failure::of(member(&value, "error").unwrap_or(&value), otherwise),
        Err(_) => Failure::said(&text, &text, otherwise),
    }
}
