//! A turn of the component: its calls as they come out, and what came of them as it goes in.

use crate::host::{Host, Input, Progress as Shown};
use crate::http::Reply;
use crate::keys::is_below;
use clawft_types::json::{self, Value, Writer};
use clawft_types::{AgentError, ErrorCode, ToolCall, ToolConfig, provider};
use clawft_wasm::machine::{Credential, HttpFault, HttpRequest};
use clawft_wasm::steps::frame::Op;
use wasmtime::component::Val;

/// Milliseconds for a connection, and from the request to the first byte, unless the user says
/// otherwise: what the core gives a driver of its own.
const CONNECT_MS: u64 = 10_000;
const FIRST_BYTE_MS: u64 = 60_000;

/// Bytes of headers and of a body that are read.
const MAX_HEADER_BYTES: u64 = 64 << 10;
const MAX_REPLY_BYTES: u64 = 4 << 20;

/// Where requests of the component may go: the same that holds within it.
#[derive(Debug)]
pub(super) struct Reach {
    /// The providers, each with its key.
    pub(super) addresses: Vec<(String, Option<Credential>)>,
    /// Pages of the web.
    pub(super) tools: Box<ToolConfig>,
}

/// Where a turn stands.
#[derive(Debug)]
pub(super) enum Progress {
    /// It is over; this is the JSON of the answer, or of the error.
    Over(String),
    /// It waits; these are the calls that are new.
    Calls(Vec<Call>),
    /// There is more to do.
    More,
}

/// What the host is to do.
#[derive(Debug)]
pub(super) struct Call {
    number: u32,
    op: u16,
    head: String,
    body: Vec<u8>,
}

impl Progress {
    /// The `progress` of the interface.
    pub(super) fn read(value: Val) -> Result<Progress, String> {
        let Val::Variant(name, value) = value else {
            return Err(format!("it gave {value:?} for where a turn stands"));
        };
        match (name.as_str(), value.map(|value| *value)) {
            ("answer", Some(Val::String(json))) => Ok(Progress::Over(json)),
            ("more", None) => Ok(Progress::More),
            ("calls", Some(Val::List(calls))) => {
                let calls = calls.into_iter().map(Call::read).collect();
                let calls: Option<Vec<Call>> = calls;
                calls
                    .map(Progress::Calls)
                    .ok_or_else(|| "it made a call that is none".to_owned())
            }
            (name, value) => Err(format!("a turn stands at {name}, with {value:?}")),
        }
    }
}

impl Call {
    fn read(value: Val) -> Option<Call> {
        let Val::Record(fields) = value else {
            return None;
        };
        let mut call = Call {
            number: 0,
            op: 0,
            head: String::new(),
            body: Vec::new(),
        };
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("call", Val::U32(number)) => call.number = number,
                ("op", Val::U16(op)) => call.op = op,
                ("head", Val::String(head)) => call.head = head,
                ("body", Val::List(bytes)) => {
                    let byte = |value| match value {
                        Val::U8(byte) => Some(byte),
                        _ => None,
                    };
                    call.body = bytes.into_iter().map(byte).collect::<Option<_>>()?;
                }
                _ => {}
            }
        }
        (call.number > 0).then_some(call)
    }

    fn is(&self, op: Op) -> bool {
        self.op == op as u16
    }
}

/// A turn in steps: one exchange, or one wait, at a time.
#[derive(Debug)]
pub(super) struct Turn {
    task: u32,
    /// The call that is being served.
    call: u32,
}

impl Turn {
    pub(super) fn new(task: u32) -> Turn {
        Turn { task, call: 0 }
    }

    /// Does what `calls` want, or goes on with what is being done; gives what came of it, as the
    /// interface has it, or nothing after an interrupt.
    ///
    /// # Errors
    /// Where they are what no agent of this version wants.
    pub(super) fn serve(
        &mut self,
        calls: &[Call],
        host: &mut Host,
        reach: &Reach,
        show: &mut dyn FnMut(Shown<'_>),
    ) -> Result<Option<Vec<Val>>, String> {
        let mut input = None;
        let mut results = Vec::new();
        for call in calls {
            if call.is(Op::Show) {
                show(Shown::Text(&String::from_utf8_lossy(&call.body)));
                continue;
            }
            let head = json::parse(&call.head).map_err(|error| error.message)?;
            if call.is(Op::Tool) || call.is(Op::Ask) {
                results.push(of_tool(call, &head, host));
                continue;
            }
            self.call = call.number;
            input = Some(if call.is(Op::Wait) {
                host.wait(
                    head.get("for_ms")
                        .and_then(Value::as_u64)
                        .unwrap_or_default(),
                )
            } else if call.is(Op::Fetch) {
                show(Shown::Request);
                match request(&head, &call.body, reach) {
                    Some(request) => host.exchange(request),
                    None => {
                        let why = "the configuration names no such address".to_owned();
                        Input::Reply(0, Reply::Failed(HttpFault::NotAllowed, why))
                    }
                }
            } else {
                let (task, op) = (self.task, call.op);
                return Err(format!("task {task} wants op {op}, which weft has not"));
            });
        }
        let input = match input {
            Some(input) => input,
            None if !results.is_empty() => return Ok(Some(results)),
            None if self.call == 0 => return Err(format!("task {} waits for nothing", self.task)),
            None => host.receive(),
        };
        let result = self.result(input, host);
        Ok(result.map(|result| {
            results.push(result);
            results
        }))
    }

    /// The `host-result` that `input` is; none for an interrupt.
    fn result(&self, input: Input, host: &mut Host) -> Option<Val> {
        let Input::Reply(_, reply) = input else {
            return None;
        };
        Some(match reply {
            Reply::Head { status, headers } => self.given(0, true, &head(status, &headers), &[]),
            Reply::Body(bytes) => self.given(0, true, "", &bytes),
            Reply::End => self.given(0, false, "", &[]),
            Reply::Waited => {
                let mut out = Writer::new();
                out.open("{");
                out.unsigned_member("now_ms", host.now_ms());
                out.close("}");
                self.given(0, false, &out.finish(), &[])
            }
            Reply::Failed(fault, why) => {
                host.failed(why);
                self.given(status(fault), false, "", &[])
            }
        })
    }

    fn given(&self, status: i16, has_more: bool, head: &str, body: &[u8]) -> Val {
        given(self.call, status, has_more, head, body)
    }
}

/// A `host-result`.
fn given(call: u32, status: i16, has_more: bool, head: &str, body: &[u8]) -> Val {
    let body = body.iter().map(|byte| Val::U8(*byte)).collect();
    let fields = [
        ("call", Val::U32(call)),
        ("status", Val::S16(status)),
        ("has-more", Val::Bool(has_more)),
        ("head", Val::String(head.to_owned())),
        ("body", Val::List(body)),
    ];
    Val::Record(fields.map(|(name, value)| (name.to_owned(), value)).into())
}

/// What came of a call of a tool of the host, or whether the user agrees to a call.
fn of_tool(call: &Call, head: &Value, host: &mut Host) -> Val {
    let arguments = head.get("arguments").unwrap_or(&Value::Null);
    let tool = ToolCall {
        id: call.number.to_string(),
        name: head
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        arguments: arguments.to_json(),
    };
    let mut out = Writer::new();
    out.open("{");
    let mut status = 0;
    if call.is(Op::Ask) {
        out.bool_member("approved", host.agrees(&tool));
    } else {
        match host.run(&tool) {
            Ok(output) => out.string_member("output", &output),
            Err(error) => {
                status = -i16::from(error.code.number());
                out.string_member("message", &error.message);
            }
        }
    }
    out.close("}");
    given(call.number, status, false, &out.finish(), &[])
}

/// The request of a fetch: to a provider, with the key of that, whatever the component says of one;
/// or for a page that may be read. None where it is neither.
fn request(head: &Value, body: &[u8], reach: &Reach) -> Option<HttpRequest> {
    let url = head.get("url").and_then(Value::as_str)?;
    let is_page = head.get("method").and_then(Value::as_str) == Some("GET");
    let mut addresses = reach.addresses.iter();
    let credential = if is_page {
        reach.tools.may_fetch(url).then_some(None)?
    } else {
        let address = addresses.find(|(base_url, _)| is_below(url, base_url));
        address?.1.clone()
    };
    let mut headers = Vec::new();
    if let Some(Value::Object(members)) = head.get("headers") {
        for (name, value) in members {
            let is_key = ["authorization", "x-api-key"].contains(&name.to_lowercase().as_str());
            if !is_key {
                headers.push((name.clone(), value.as_str()?.to_owned()));
            }
        }
    }
    let between_bytes_ms = head.get("timeout_ms").and_then(Value::as_u64);
    Some(HttpRequest {
        method: if is_page { "GET" } else { "POST" },
        url: url.to_owned(),
        headers,
        credential,
        body: String::from_utf8(body.to_vec()).ok()?,
        connect_ms: CONNECT_MS,
        first_byte_ms: FIRST_BYTE_MS,
        between_bytes_ms: between_bytes_ms.unwrap_or(FIRST_BYTE_MS),
        until_ms: 0,
        max_header_bytes: MAX_HEADER_BYTES,
        // Of a page the component reads the beginning, and lets go.
        max_reply_bytes: if is_page { u64::MAX } else { MAX_REPLY_BYTES },
        is_public: is_page && is_a_name(url),
    })
}

/// Whether the host of `url` is known by a name, which may lead anywhere, and by TLS: a number, or
/// a host without TLS, is meant as it was written into the configuration.
fn is_a_name(url: &str) -> bool {
    provider::host(url).is_some_and(|(secure, host)| {
        let is_number = host
            .bytes()
            .all(|byte| byte == b'.' || byte.is_ascii_digit());
        secure && !is_number && !host.starts_with('[')
    })
}

/// The head of a reply.
fn head(status: u16, headers: &[(String, Vec<u8>)]) -> String {
    let mut out = Writer::new();
    out.open("{");
    out.unsigned_member("status", u64::from(status));
    out.open("\"headers\":{");
    for (at, (name, value)) in headers.iter().enumerate() {
        // The first of a name counts; JSON has each once.
        if headers.iter().position(|(other, _)| other == name) == Some(at) {
            out.string_member(name, &String::from_utf8_lossy(value));
        }
    }
    out.close("}");
    out.close("}");
    out.finish()
}

/// What the interface calls a fault.
fn status(fault: HttpFault) -> i16 {
    let code = match fault {
        HttpFault::TimedOut => ErrorCode::TimedOut,
        HttpFault::NotAllowed => ErrorCode::HostNotAllowed,
        HttpFault::TooLarge => ErrorCode::TooLarge,
        HttpFault::NoKey => ErrorCode::NotFound,
        HttpFault::Unsupported => ErrorCode::Unsupported,
        HttpFault::Interrupted => ErrorCode::Interrupted,
        _ => ErrorCode::Io,
    };
    -i16::from(code.number())
}

/// An `error` of the interface.
pub(super) fn error(value: &Val) -> Box<AgentError> {
    let mut error = AgentError::new(ErrorCode::Io, "it gave an error without words", &[]);
    let Val::Record(fields) = value else {
        return error;
    };
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("code", Val::Enum(code)) => {
                let code = code.replace('-', "_");
                let known = ErrorCode::ALL.iter().find(|known| known.as_str() == code);
                error.code = known.copied().unwrap_or(ErrorCode::Io);
            }
            ("message", Val::String(message)) => error.message.clone_from(message),
            ("retry-after-ms", Val::Option(Some(after))) => {
                if let Val::U32(after) = **after {
                    error.retry_after_ms = u64::from(after);
                }
            }
            _ => {}
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::{Credential, Reach, request};
    use clawft_types::{Config, json};

    /// Protects keys and the network from the component: a request goes to a provider, with that
    /// provider's key, whatever it says itself, or for a page of the list without any.
    #[test]
    fn a_request_goes_to_a_provider_or_to_a_page_of_the_list() {
        let credential = Credential {
            name: "p".to_owned(),
            header: "authorization",
            prefix: "Bearer ",
        };
        let web = r#"{"web":{"allow":["docs.rs","http://intranet:8080"]}}"#;
        let reach = Reach {
            addresses: vec![
                ("https://a.example/v1".to_owned(), Some(credential)),
                ("http://localhost:1".to_owned(), None),
            ],
            tools: Config::parse(web).unwrap().tools,
        };
        let of = |method: &str, url: &str| {
            let head = format!(
                r#"{{"method":"{method}","url":"{url}","headers":{{"Authorization":"x","a":"b"}},"credential":{{"name":"q"}}}}"#
            );
            request(&json::parse(&head).unwrap(), b"", &reach)
        };
        let sent = of("POST", "https://a.example/v1/chat/completions").unwrap();
        assert_eq!(sent.credential.unwrap().name, "p");
        assert_eq!(sent.headers, [("a".to_owned(), "b".to_owned())]);
        assert!(!sent.is_public);
        let local = of("POST", "http://localhost:1/x").unwrap();
        assert!(local.credential.is_none());
        let page = of("GET", "https://docs.rs/serde").unwrap();
        assert!(page.is_public && page.credential.is_none() && page.method == "GET");
        assert!(!of("GET", "http://intranet:8080/").unwrap().is_public);
        for (method, url) in [
            ("POST", "https://b.example/v1/x"),
            ("POST", "https://a.example/v2"),
            ("POST", "https://docs.rs/serde"),
            ("GET", "https://a.example/v1/models"),
            ("GET", "file:///etc/passwd"),
        ] {
            assert!(of(method, url).is_none(), "{method} {url}");
        }
    }
}
