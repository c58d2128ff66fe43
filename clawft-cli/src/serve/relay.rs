//! `/relay?url=…`: a page of somebody else, for pages that have no CORS. Off unless hosts are
//! named; GET alone, for our own page alone, never an address of this machine or its network.

use super::{guard, header, parameter, put, text};
use crate::public::Public;
use oxhttp::model::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use oxhttp::model::{Body, Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use std::io::{self, ErrorKind};
use std::time::Duration;
use ureq::http::Uri;
use ureq::unversioned::transport::DefaultConnector;

/// The most bytes of an answer.
const MOST: u64 = 8 << 20;
/// How long it may take.
const TIME: Duration = Duration::from_secs(30);

/// Reads pages of hosts that are named.
pub struct Relay {
    hosts: Vec<String>,
    agent: ureq::Agent,
}

impl Relay {
    /// For `hosts`; off where there are none.
    ///
    /// # Errors
    /// Where one of them is no host.
    pub fn new(hosts: &[String]) -> io::Result<Self> {
        for host in hosts {
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let is_label = |label: &str| !label.is_empty() && label.chars().all(is_plain);
            if !host.contains('.') || !host.split('.').all(is_label) {
                let why =
                    format!("--relay-allow {host}: write a host alone, such as www.example.com");
                return Err(io::Error::new(ErrorKind::InvalidInput, why));
            }
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(TIME))
            .proxy(None)
            .user_agent(concat!("weft/", env!("CARGO_PKG_VERSION")))
            .build();
        let public = Public::new("the host has no public address");
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), public);
        Ok(Self {
            hosts: hosts.to_vec(),
            agent,
        })
    }

    /// The answer to a request.
    pub fn answer(&self, request: &Request<Body>) -> Response<Body> {
        let refuse = |status, why: &str| text(status, format!("{why}\n"));
        if self.hosts.is_empty() {
            return refuse(
                StatusCode::NOT_FOUND,
                "nothing is relayed: weft serve --relay-allow HOST",
            );
        }
        if request.method() != Method::GET {
            let mut refused = refuse(StatusCode::METHOD_NOT_ALLOWED, "GET alone");
            put(&mut refused, ALLOW, "GET");
            return refused;
        }
        let from = HeaderName::from_static("sec-fetch-site");
        if header(request, &from) != Some("same-origin") {
            return refuse(
                StatusCode::FORBIDDEN,
                "for the page that is served here alone",
            );
        }
        let url = parameter(request, "url").unwrap_or_default();
        let url = percent_decode_str(url).decode_utf8_lossy();
        let Some(uri) = self.allowed(&url) else {
            return refuse(
                StatusCode::FORBIDDEN,
                "no host that --relay-allow names, by https",
            );
        };
        match self.get(&uri) {
            Ok(response) => response,
            Err(why) => refuse(StatusCode::BAD_GATEWAY, &why),
        }
    }

    /// `url`, where its host is named.
    fn allowed(&self, url: &str) -> Option<Uri> {
        let uri: Uri = url.parse().ok()?;
        let is_https = uri.scheme_str() == Some("https");
        let authority = uri.authority()?;
        // Neither a user's name nor another port.
        let is_bare = authority.as_str() == authority.host();
        let is_named = self.hosts.iter().any(|host| host == authority.host());
        (is_https && is_bare && is_named).then_some(uri)
    }

    fn get(&self, uri: &Uri) -> Result<Response<Body>, String> {
        let mut got = self.agent.get(uri).call().map_err(|why| why.to_string())?;
        let status = got.status();
        if status.is_redirection() {
            return Err("it leads elsewhere, and redirects are not followed".to_owned());
        }
        let kind = got.headers().get("content-type").cloned();
        let body = got.body_mut().with_config().limit(MOST).read_to_vec();
        let body = body.map_err(|why| why.to_string())?;
        let mut response = Response::new(Body::from(body));
        let status = StatusCode::from_u16(status.as_u16());
        *response.status_mut() = status.unwrap_or(StatusCode::BAD_GATEWAY);
        // Never a page of this origin.
        put(&mut response, CONTENT_TYPE, "application/octet-stream");
        let was = HeaderName::from_static("x-relay-content-type");
        if let Some(kind) = kind.as_ref().and_then(|kind| kind.to_str().ok()) {
            put(&mut response, was, kind);
        }
        put(&mut response, CACHE_CONTROL, "no-store");
        guard(&mut response);
        Ok(response)
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("hosts", &self.hosts).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Relay;
    use oxhttp::model::{Body, Request};

    fn status(relay: &Relay, method: &str, site: &str, url: &str) -> u16 {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1/relay?url={url}"))
            .header("sec-fetch-site", site);
        let request = request.body(Body::empty()).unwrap();
        relay.answer(&request).status().as_u16()
    }

    #[test]
    fn only_what_is_named_is_relayed() {
        let off = Relay::new(&[]).unwrap();
        assert_eq!(
            status(&off, "GET", "same-origin", "https%3A%2F%2Fa.example%2F"),
            404
        );
        let relay = Relay::new(&["a.example".to_owned()]).unwrap();
        assert_eq!(
            status(&relay, "POST", "same-origin", "https://a.example/"),
            405
        );
        assert_eq!(
            status(&relay, "GET", "cross-site", "https://a.example/"),
            403
        );
        assert_eq!(status(&relay, "GET", "none", "https://a.example/"), 403);
        for url in [
            "",
            "x",
            "http://a.example/",
            "https://b.example/",
            "https://a.example:8443/",
            "https://u@a.example/",
            "https://a.example.b.example/",
            "https%3A%2F%2Fb.example%2Fa.example",
            "https://a.example@b.example/",
        ] {
            assert_eq!(status(&relay, "GET", "same-origin", url), 403, "{url}");
        }
        assert!(relay.allowed("https://a.example/x?y=z").is_some());
        for host in [
            "localhost",
            "https://a.example",
            "a.example/",
            "a.example:443",
            "*.example",
            "A.example",
        ] {
            assert!(Relay::new(&[host.to_owned()]).is_err(), "{host}");
        }
    }
}
