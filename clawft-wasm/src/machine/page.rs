//! A page of the web that a tool call wants: requests, each to an address that is allowed.

use clawft_types::json::decimal;
use clawft_types::{AgentError, ErrorCode, Result, ToolCall, ToolConfig, provider, text};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::effect::HttpRequest;
use super::event::Event;
use super::exchange;
use crate::agent::{tools, web};

/// Bytes of a page that are read.
const MAX_BYTES: usize = 256 * 1024;

/// Redirects that are followed.
const MAX_REDIRECTS: u32 = 5;

/// A page that is being fetched.
#[derive(Debug)]
pub struct Page {
    /// The call that wants it.
    pub id: String,
    url: String,
    until_ms: u64,
    redirects: u32,
    /// Whether it is HTML, once its head is there.
    is_html: Option<bool>,
    bytes: Vec<u8>,
}

/// What an event has come to.
#[derive(Debug)]
pub enum Fetched {
    /// There is more to read.
    More,
    /// It is elsewhere.
    Go(Box<HttpRequest>),
    /// What the page says, or why it says nothing.
    Over(Result<String>),
    /// The event is none of a page at this point.
    Unexpected,
}

impl Page {
    /// Begins to fetch what `call` wants.
    ///
    /// # Errors
    ///
    /// `invalid_json`, `invalid_arguments`, `host_not_allowed`.
    pub fn begin(
        call: &ToolCall,
        tools: &ToolConfig,
        until_ms: u64,
    ) -> Result<(Box<Page>, Box<HttpRequest>)> {
        let page = Box::new(Page {
            id: call.id.clone(),
            url: tools::url(call)?,
            until_ms,
            redirects: 0,
            is_html: None,
            bytes: Vec::new(),
        });
        let request = page.request(tools)?;
        Ok((page, request))
    }

    /// Takes what has come.
    pub fn step(&mut self, event: &Event<'_>, tools: &ToolConfig) -> Fetched {
        match event {
            Event::Head { status, headers } if self.is_html.is_none() => {
                self.head(*status, headers, tools)
            }
            Event::HttpFailed(fault) => {
                let (code, _, message) = exchange::told(*fault);
                let code = match code {
                    ErrorCode::ProviderFailed => ErrorCode::Io,
                    other => other,
                };
                self.over(code, message)
            }
            Event::Body(bytes) if self.is_html.is_some() => {
                let room = MAX_BYTES - self.bytes.len();
                let part = bytes.get(..room);
                self.bytes.extend_from_slice(part.unwrap_or(bytes));
                match part {
                    None => Fetched::More,
                    Some(_) => Fetched::Over(Ok(self.text())),
                }
            }
            Event::End if self.is_html.is_some() => Fetched::Over(Ok(self.text())),
            _ => Fetched::Unexpected,
        }
    }

    fn head(&mut self, status: u16, headers: &[(&str, &[u8])], tools: &ToolConfig) -> Fetched {
        let header = |name| exchange::header(headers, name).unwrap_or_default();
        match status {
            200..=299 => {
                let given = header("content-type");
                self.is_html = web::kind(given);
                if self.is_html.is_some() {
                    return Fetched::More;
                }
                let shown = text::first_characters(given, 80);
                self.over(
                    ErrorCode::NotText,
                    &text::fill("it is of the type {}", &[shown]),
                )
            }
            301 | 302 | 303 | 307 | 308 if !header("location").is_empty() => {
                self.redirects += 1;
                if self.redirects > MAX_REDIRECTS {
                    return self.over(ErrorCode::Io, "more than 5 redirects");
                }
                self.url = web::resolve(&self.url, header("location"));
                match self.request(tools) {
                    Ok(request) => Fetched::Go(request),
                    Err(error) => Fetched::Over(Err(error)),
                }
            }
            _ => {
                let status = decimal(u64::from(status));
                self.over(ErrorCode::Io, &text::fill("status {}", &[&status]))
            }
        }
    }

    fn over(&self, code: ErrorCode, what: &str) -> Fetched {
        let url = text::first_characters(&self.url, 200);
        Fetched::Over(Err(AgentError::new(code, "{}: {}", &[url, what])))
    }

    /// What it says, as far as it was read.
    fn text(&mut self) -> String {
        let bytes = core::mem::take(&mut self.bytes);
        let is_cut = bytes.len() == MAX_BYTES;
        let mut text = text::lossy(&bytes);
        if self.is_html == Some(true) {
            text = web::plain(&text);
        }
        if is_cut {
            text.push_str("\n(the page has more than 256 KiB, of which this is the beginning)");
        }
        text
    }

    /// The request for it, if its address is allowed.
    fn request(&self, tools: &ToolConfig) -> Result<Box<HttpRequest>> {
        let url = text::split(&self.url, "#").map_or(self.url.as_str(), |(url, _)| url);
        if !tools.may_fetch(url) {
            let shown = text::first_characters(url, 200);
            let message = "{}: config.web.allow does not name this host";
            return Err(AgentError::new(
                ErrorCode::HostNotAllowed,
                message,
                &[shown],
            ));
        }
        let (secure, host) = provider::host(url).unwrap_or_default();
        let is_number = host
            .bytes()
            .all(|byte| byte == b'.' || byte.is_ascii_digit());
        let mut request = HttpRequest::new("GET", String::from(url));
        request.headers.push((
            String::from("accept"),
            String::from("text/html, text/*, application/json, application/xml"),
        ));
        request.until_ms = self.until_ms;
        // What is beyond `MAX_BYTES` is not read, and no fault.
        request.max_reply_bytes = u64::MAX;
        request.is_public = secure && !is_number && !host.starts_with('[');
        Ok(request)
    }
}
