//! A reply on its way: bytes of a body in the pieces that the script asks for.

use super::Shared;
use crate::http::Request;
use crate::scenario::{End, Exchange, Reply};
use crate::{Vendor, render};
use serde_json::Value;
use std::borrow::Cow;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

impl Shared {
    /// Answers the `number`th request as `exchange` says.
    pub(super) fn reply(
        &self,
        mut stream: &TcpStream,
        request: &Request,
        vendor: Vendor,
        number: usize,
        exchange: &Exchange,
    ) -> io::Result<()> {
        let reply = &exchange.reply;
        stream.set_nodelay(true)?;
        match reply.end {
            End::Silent => return until_closed(stream),
            End::Closed => return Ok(()),
            _ => {}
        }
        let (status, kind, body) = body(request, vendor, number, reply);
        let chunked = kind == "text/event-stream" || reply.end == End::Endless;
        let mut head = format!("HTTP/1.1 {status} Scripted\r\nconnection: close\r\n");
        for (name, value) in &reply.headers {
            head += &format!("{name}: {}\r\n", value.replace("{url}", &self.url()));
        }
        if !reply
            .headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("content-type"))
        {
            head += &format!("content-type: {kind}\r\n");
        }
        let repeat = reply.repeat.unwrap_or(1);
        if chunked {
            head += "transfer-encoding: chunked\r\n\r\n";
        } else {
            head += &format!("content-length: {}\r\n\r\n", body.len() * repeat);
        }
        stream.write_all(head.as_bytes())?;
        let limit = match reply.end {
            End::Cut | End::Hang => reply.after,
            _ => usize::MAX,
        };
        let mut pieces = Pieces::new(&exchange.chunks);
        let mut sent = 0;
        let mut rounds = 0;
        while rounds < repeat || reply.end == End::Endless {
            let mut rest = body.as_slice();
            while !rest.is_empty() && sent < limit {
                let (size, delay_ms) = pieces.next(rest.len().min(limit - sent));
                let (piece, after) = rest.split_at(size);
                self.delay(delay_ms);
                if sent == 0 {
                    self.lock().first_bytes.push(Instant::now());
                }
                write(stream, piece, chunked)?;
                sent += size;
                rest = after;
            }
            rounds += 1;
        }
        match reply.end {
            End::Hang => until_closed(stream),
            End::Cut => Ok(()),
            _ if chunked => stream.write_all(b"0\r\n\r\n"),
            _ => Ok(()),
        }
    }

    /// Waits as the script says, or until it is stopped.
    fn delay(&self, delay_ms: u64) {
        let wait = Duration::from_millis(delay_ms) * self.pace_percent / 100;
        let end = Instant::now() + wait;
        let mut state = self.lock();
        while !state.stopped {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The sizes and delays of what a body is sent in.
struct Pieces<'a> {
    chunks: &'a [(usize, u64)],
    at: usize,
}

impl<'a> Pieces<'a> {
    fn new(chunks: &'a [(usize, u64)]) -> Self {
        Pieces { chunks, at: 0 }
    }

    /// The next size, at least 1 and at most `left`, and its delay.
    fn next(&mut self, left: usize) -> (usize, u64) {
        let chunk = self.chunks.get(self.at).or(self.chunks.last());
        self.at += 1;
        let (size, delay_ms) = chunk.copied().unwrap_or((left, 0));
        (size.clamp(1, left), delay_ms)
    }
}

/// One piece in one write, so that it can arrive as one.
fn write(mut stream: &TcpStream, piece: &[u8], chunked: bool) -> io::Result<()> {
    if !chunked {
        return stream.write_all(piece);
    }
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    stream.write_all(&chunk)
}

/// Waits until the other side closes.
fn until_closed(mut stream: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 64];
    while stream.read(&mut buffer)? > 0 {}
    Ok(())
}

/// The status, the type and the bytes of a reply's body.
fn body(
    request: &Request,
    vendor: Vendor,
    number: usize,
    reply: &Reply,
) -> (u16, &'static str, Vec<u8>) {
    const JSON: &str = "application/json";
    const EVENTS: &str = "text/event-stream";
    let streaming = request.json.get("stream") == Some(&Value::Bool(true)) && !reply.whole;
    let model = request.json.get("model").and_then(Value::as_str);
    let model = model.unwrap_or_default();
    let (status, kind, body): (u16, _, Cow<'_, str>) = if let Some(fault) = reply.error {
        let (status, body) = render::fault(vendor, fault);
        (status, JSON, body.into())
    } else if let Some(say) = &reply.say {
        if streaming {
            (
                200,
                EVENTS,
                render::stream(vendor, say, model, number).into(),
            )
        } else {
            (200, JSON, render::whole(vendor, say, model, number).into())
        }
    } else if let Some(json) = &reply.json {
        (200, JSON, json.to_string().into())
    } else if let Some(events) = &reply.events {
        let events: String = events.iter().map(render::event).collect();
        (200, EVENTS, events.into())
    } else {
        (
            200,
            EVENTS,
            reply.text.as_deref().unwrap_or_default().into(),
        )
    };
    (
        reply.status.unwrap_or(status),
        kind,
        body.into_owned().into_bytes(),
    )
}
