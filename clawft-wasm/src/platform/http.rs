//! HTTP of a WASI 0.2 host: `wasi:http/outgoing-handler`, one exchange at a time, blocking.
//!
//! The functions are bound by hand, as the canonical ABI has them, and of the forty cases of the
//! interface's errors the number alone is read: generated bindings make values of all of that,
//! which takes more bytes than the rest of the driver. What they are is said in `wit/deps`.
//!
//! A key that the environment has is put into a header when a request is sent, and overwritten
//! afterwards. Where the host adds keys by itself the environment has none, and no key ever comes
//! here.
#![allow(unsafe_code)]

#[path = "http/abi.rs"]
pub(super) mod abi;

use clawft_types::provider;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use crate::machine::{Credential, HttpFault, HttpRequest};
use abi::{Entry, Returned};

/// Bytes of a body that are written at a time: the most that a host must take.
const WRITTEN: usize = 4096;

/// Bytes of a body that are read at a time.
const READ: u64 = 16 * 1024;

/// An exchange whose reply has begun.
#[derive(Debug)]
pub struct Exchange {
    response: u32,
    body: u32,
    stream: u32,
    until_ms: u64,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // What was made of another goes first.
        abi::drop_input(self.stream);
        abi::drop_incoming(self.body);
        abi::drop_response(self.response);
    }
}

/// The status and the headers that the agent reads.
#[derive(Debug)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// Those of [`HEADERS`]; empty where there is none.
    pub headers: [Vec<u8>; 3],
}

/// The names of [`Head::headers`].
pub const HEADERS: [&str; 3] = ["content-type", "retry-after", "location"];

impl Exchange {
    /// Sends `request`, and waits for the reply's head.
    ///
    /// # Errors
    ///
    /// As the host has it.
    pub fn send(request: &HttpRequest) -> Result<(Exchange, Head), HttpFault> {
        let outgoing = prepare(request)?;
        let mut sink = None;
        if !is_get(request) {
            // SAFETY: the functions take no pointer but that of what they return.
            let made = Returned::by(|to| unsafe { abi::body(outgoing, to) });
            sink = Some(made.handle(1).ok_or(HttpFault::Broken)?);
        }
        let options = abi::new_options();
        abi::set_connect(options, 1, request.connect_ms * 1_000_000);
        abi::set_first_byte(options, 1, request.first_byte_ms * 1_000_000);
        abi::set_between(options, 1, request.between_bytes_ms * 1_000_000);
        // SAFETY: as above; the request and its options are handed over.
        let future = Returned::by(|to| unsafe { abi::handle(outgoing, 1, options, to) });
        let refused = future.case(0) != 0;
        if let Some(sink) = sink {
            let body = if refused { "" } else { &request.body };
            write_body(sink, body.as_bytes());
        }
        if refused {
            return Err(fault(future.case(2)));
        }
        let response = receive(future.at(2));
        abi::drop_future(future.at(2));
        let response = response?;
        let fields = abi::headers(response);
        let headers = HEADERS.map(|name| field(fields, name));
        abi::drop_fields(fields);
        // SAFETY: as above. A body and its stream can be taken once, which is here.
        let incoming = Returned::by(|to| unsafe { abi::consume(response, to) }).only();
        // SAFETY: as above.
        let stream = Returned::by(|to| unsafe { abi::stream(incoming, to) }).only();
        let exchange = Exchange {
            response,
            body: incoming,
            stream,
            until_ms: request.until_ms,
        };
        let head = Head {
            // Below 1,000.
            status: abi::status(response) as u16,
            headers,
        };
        Ok((exchange, head))
    }

    /// The next bytes of the body; none at its end.
    ///
    /// # Errors
    ///
    /// As the host has it, and where the turn's time is over.
    pub fn read(&mut self) -> Result<Vec<u8>, HttpFault> {
        if self.until_ms > 0 && super::now_ms() >= self.until_ms {
            return Err(HttpFault::TimedOut);
        }
        // SAFETY: the function takes no pointer but that of what it returns.
        let read = Returned::by(|to| unsafe { abi::blocking_read(self.stream, READ, to) });
        match (read.case(0), read.case(1)) {
            // SAFETY: it returns a list of bytes.
            (0, _) => Ok(unsafe { read.list(1) }),
            (_, 1) => Ok(Vec::new()),
            _ => Err(HttpFault::Broken),
        }
    }
}

/// Waits.
pub fn wait(for_ms: u64) {
    let pollable = abi::subscribe_duration(for_ms.saturating_mul(1_000_000));
    abi::block(pollable);
    abi::drop_pollable(pollable);
}

fn is_get(request: &HttpRequest) -> bool {
    request.body.is_empty()
}

/// The request as the host has it, without its body.
fn prepare(request: &HttpRequest) -> Result<u32, HttpFault> {
    let mut key = request.credential.as_ref().map(key).unwrap_or_default();
    let mut entries: Vec<Entry> = Vec::new();
    let mut add = |name: &str, value: &str| {
        entries.push(Entry {
            name: name.as_ptr(),
            name_length: name.len(),
            value: value.as_ptr(),
            value_length: value.len(),
        });
    };
    for (name, value) in &request.headers {
        add(name, value);
    }
    let length = clawft_types::json::decimal(request.body.len() as u64);
    if !is_get(request) {
        add("content-length", &length);
    }
    if let Some(credential) = request.credential.as_ref().filter(|_| !key.is_empty()) {
        add(credential.header, &key);
    }
    // SAFETY: the entries point at texts that live through the call.
    let fields = Returned::by(|to| unsafe { abi::from_list(entries.as_ptr(), entries.len(), to) });
    wipe(&mut key);
    let fields = fields.handle(1).ok_or(HttpFault::NotAllowed)?;
    let outgoing = abi::new_request(fields);
    let (secure, _) = provider::host(&request.url).ok_or(HttpFault::Connect)?;
    let rest = request
        .url
        .get(if secure { 8.. } else { 7.. })
        .unwrap_or_default();
    let slash = rest
        .bytes()
        .position(|byte| byte == b'/')
        .unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(slash).unwrap_or((rest, ""));
    let none = core::ptr::null();
    // What a host refuses here it refuses to send as well.
    // SAFETY: the texts live through the calls; cases without a text take none.
    unsafe {
        abi::set_method(outgoing, if is_get(request) { 0 } else { 2 }, none, 0);
        abi::set_scheme(outgoing, 1, u32::from(secure), none, 0);
        abi::set_authority(outgoing, 1, authority.as_ptr(), authority.len());
        abi::set_path(outgoing, 1, path.as_ptr(), path.len());
    }
    Ok(outgoing)
}

/// Writes the whole body, and ends it. What goes wrong the host tells where the reply is waited
/// for.
fn write_body(sink: u32, bytes: &[u8]) {
    // SAFETY: no pointer but that of what is returned; the one stream there is.
    let out = Returned::by(|to| unsafe { abi::write(sink, to) }).only();
    for part in bytes.chunks(WRITTEN) {
        // SAFETY: the part lives through the call.
        let done =
            Returned::by(|to| unsafe { abi::write_and_flush(out, part.as_ptr(), part.len(), to) });
        if done.case(0) != 0 {
            break;
        }
    }
    abi::drop_output(out);
    // SAFETY: as above; the body is handed over.
    Returned::by(|to| unsafe { abi::finish(sink, 0, 0, to) });
}

/// Waits for the reply.
fn receive(future: u32) -> Result<u32, HttpFault> {
    let pollable = abi::subscribe(future);
    abi::block(pollable);
    abi::drop_pollable(pollable);
    // SAFETY: no pointer but that of what is returned.
    let response = Returned::by(|to| unsafe { abi::get_response(future, to) });
    // An option, a result and a result, each at a multiple of eight bytes.
    if response.case(0) == 0 || response.case(2) != 0 {
        return Err(HttpFault::Broken);
    }
    match response.case(4) {
        0 => Ok(response.at(6)),
        _ => Err(fault(response.case(6))),
    }
}

/// The first value of a header.
fn field(fields: u32, name: &str) -> Vec<u8> {
    // SAFETY: the name lives through the call.
    let values =
        Returned::by(|to| unsafe { abi::get_field(fields, name.as_ptr(), name.len(), to) });
    // SAFETY: it returns a list of lists of bytes, each with pointer and length.
    let values: Vec<[u32; 2]> = unsafe { values.list(0) };
    let mut first = Vec::new();
    for [pointer, length] in values.into_iter().rev() {
        // SAFETY: as above; each is taken once.
        first = unsafe { abi::list(pointer, length) };
    }
    first
}

/// The key as its header has it, if the environment has one; otherwise nothing.
fn key(credential: &Credential) -> String {
    let mut wanted = String::new();
    for letter in credential.name.bytes() {
        let letter = if letter.is_ascii_alphanumeric() {
            letter
        } else {
            b'_'
        };
        wanted.push(char::from(letter.to_ascii_uppercase()));
    }
    wanted.push_str("_API_KEY");
    // SAFETY: no pointer but that of what is returned: a list of two texts each, and each of the
    // texts is a list of bytes, taken once.
    let variables: Vec<[u32; 4]> = unsafe { Returned::by(|to| abi::get_environment(to)).list(0) };
    let mut found = String::new();
    for [name, name_length, value, value_length] in variables {
        // SAFETY: as above.
        let (name, value): (Vec<u8>, Vec<u8>) =
            unsafe { (abi::list(name, name_length), abi::list(value, value_length)) };
        let mut value = String::from_utf8(value).unwrap_or_default();
        if name == wanted.as_bytes() {
            found.reserve_exact(credential.prefix.len() + value.len());
            found.push_str(credential.prefix);
            found.push_str(&value);
        }
        wipe(&mut value);
    }
    found
}

/// Overwrites a text and empties it.
fn wipe(text: &mut String) {
    let mut bytes = core::mem::take(text).into_bytes();
    for byte in &mut bytes {
        // SAFETY: it is a byte of ours. Volatile, or the compiler would leave it out.
        unsafe { core::ptr::write_volatile(byte, 0) };
    }
}

/// What the error with this number is for the machine (`wasi:http/types`, `error-code`).
fn fault(case: u32) -> HttpFault {
    match case {
        0 | 8 | 9 | 10 | 33 => HttpFault::TimedOut,
        4 | 15 => HttpFault::NotAllowed,
        7 | 25 | 34 | 35 => HttpFault::Broken,
        12..=14 => HttpFault::Tls,
        26..=30 => HttpFault::TooLarge,
        _ => HttpFault::Connect,
    }
}
