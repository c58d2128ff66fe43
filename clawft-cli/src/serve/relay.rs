//! `/relay?url=…`: a page of somebody else, for pages that have no CORS. Off unless hosts are
//! named; GET alone, for our own page alone, never an address of this machine or its network.

use super::{guard, header, parameter, put, text};
use oxhttp::model::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use oxhttp::model::{Body, Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

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
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), Public::default());
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

/// Resolves names, to addresses that are nobody's own.
#[derive(Debug, Default)]
struct Public(DefaultResolver);

// The addresses that are looked at are those that are connected to.
impl Resolver for Public {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let all = self.0.resolve(uri, config, timeout)?;
        let mut public = self.empty();
        for address in all.iter().filter(|address| is_public(address.ip())) {
            public.push(*address);
        }
        if public.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        Ok(public)
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("hosts", &self.hosts).finish()
    }
}

/// Whether an address is for everybody: none of this machine, its network, or a special use (RFC
/// 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_4(mapped),
            None => is_public_6(address),
        },
    }
}

fn is_public_4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224.., _, _)
    );
    !is_special
}

fn is_public_6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // What is routed, but for documentation, and tunnels that may lead anywhere.
    (0x2000..=0x3fff).contains(&first)
        && first != 0x2002
        && !(first == 0x2001 && (second < 0x0200 || second == 0x0db8))
}

#[cfg(test)]
mod tests {
    use super::{Relay, is_public};
    use oxhttp::model::{Body, Request};

    #[test]
    fn addresses_of_ones_own_are_not_reached() {
        for own in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.2.1",
            "192.168.1.1",
            "198.19.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2001::1",
            "64:ff9b::a00:1",
        ] {
            assert!(!is_public(own.parse().unwrap()), "{own}");
        }
        for public in [
            "1.1.1.1",
            "100.63.0.1",
            "172.32.0.1",
            "192.1.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

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
