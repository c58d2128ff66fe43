//! What of HTTP/1.1 a provider needs: a request is read whole, a reply is written in pieces.

use serde_json::Value;
use std::io::{self, BufRead as _, BufReader, Read};
use std::net::TcpStream;
use std::time::Instant;

/// The most bytes of a request's head and of its body, so that no mistake fills the memory.
const MAX_HEAD: u64 = 256 * 1024;
const MAX_BODY: usize = 16 * 1024 * 1024;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// `POST`
    pub method: String,
    /// The path with the query.
    pub path: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// The body, if it is JSON; otherwise `null`.
    pub json: Value,
    /// When the last byte of it had been read.
    pub at: Instant,
}

impl Request {
    /// The value of the header `name` (lower case), if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(given, _)| given == name);
        header.map(|(_, value)| value.as_str())
    }

    /// The body as text, with what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// Reads a request; none where the other side closes before its first byte.
///
/// # Errors
/// What the system says, and `InvalidData` for what is no request.
pub fn read(stream: &TcpStream) -> io::Result<Option<Request>> {
    let mut from = BufReader::new(stream);
    let mut head = (&mut from).take(MAX_HEAD);
    let mut line = String::new();
    if head.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(wrong(format!("no request line: {line:?}")));
    };
    let (method, path) = (method.to_owned(), path.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if head.read_line(&mut line)? == 0 {
            return Err(wrong("the head does not end"));
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| wrong(format!("no header: {line:?}")))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let body = body(&mut from, &headers)?;
    let json = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Some(Request {
        method,
        path,
        headers,
        body,
        json,
        at: Instant::now(),
    }))
}

fn body(from: &mut BufReader<&TcpStream>, headers: &[(String, String)]) -> io::Result<Vec<u8>> {
    let header = |name: &str| headers.iter().find(|(given, _)| given == name);
    let mut body = Vec::new();
    if let Some((_, length)) = header("content-length") {
        let length: usize = length.parse().map_err(|_| wrong("content-length"))?;
        if length > MAX_BODY {
            return Err(wrong(format!("a body of {length} bytes")));
        }
        body.resize(length, 0);
        from.read_exact(&mut body)?;
    } else if header("transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            from.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16);
            let size = size.map_err(|_| wrong(format!("size of a chunk: {line:?}")))?;
            if body.len() + size > MAX_BODY {
                return Err(wrong("the body is too large"));
            }
            let start = body.len();
            body.resize(start + size, 0);
            from.read_exact(&mut body[start..])?;
            from.read_line(&mut line)?;
            if size == 0 {
                break;
            }
        }
    }
    Ok(body)
}
