//! `weft serve`: a bundle, the agent in a page, on this machine: static files with the headers of
//! their policy, `/sync/v1` for devices that share sessions, and where it is asked for `/relay`.
//!
//! [`bundle`] has the files, [`store`] what devices leave, [`sync`] the protocol over it, [`relay`]
//! reads pages of others. A thread a connection: few clients, which wait most of the time.

pub mod bundle;
pub mod relay;
pub mod store;
pub mod sync;

use bundle::Bundle;
use oxhttp::ListeningServer;
use oxhttp::model::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use oxhttp::model::{Body, HeaderValue, Method, Request, Response, StatusCode};
use relay::Relay;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;
use sync::Sync;

/// How long a connection may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// How many connections there may be.
const CONNECTIONS: usize = 256;

/// How often a port is looked for that is free.
const TRIES: usize = 8;

/// The hosts by which this machine may be called: a page elsewhere whose name leads here is no page
/// of ours.
const HERE: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// What is served.
pub struct Site {
    bundle: Bundle,
    sync: Option<Sync>,
    relay: Relay,
}

impl Site {
    /// A bundle, and what goes with it.
    pub fn new(bundle: Bundle, sync: Option<Sync>, relay: Relay) -> Self {
        Self {
            bundle,
            sync,
            relay,
        }
    }

    /// The answer to a request.
    pub fn answer(&self, request: &mut Request<Body>) -> Response<Body> {
        let host = request.uri().host().unwrap_or_default();
        if !HERE.contains(&host) {
            let why = format!("{host}: this is 127.0.0.1\n");
            return text(StatusCode::MISDIRECTED_REQUEST, why);
        }
        let path = request.uri().path().to_owned();
        let response = if let Some(rest) = path.strip_prefix("/sync/v1/") {
            match &self.sync {
                Some(sync) => sync.answer(request, rest),
                None => text(
                    StatusCode::NOT_FOUND,
                    "nothing is synced here: weft serve --store file:./sync\n".to_owned(),
                ),
            }
        } else if path == "/relay" {
            self.relay.answer(request)
        } else {
            self.bundle.answer(request, &path)
        };
        if request.method() == Method::HEAD {
            return response.map(|_| Body::empty());
        }
        response
    }
}

/// A server that runs.
pub struct Server {
    /// Its port.
    pub port: u16,
    running: ListeningServer,
}

impl Server {
    /// Serves `site` on a port of 127.0.0.1; 0 is any that is free.
    ///
    /// # Errors
    /// What the system says, with what to do where the port is taken.
    pub fn start(site: Site, port: u16) -> io::Result<Self> {
        let site = std::sync::Arc::new(site);
        let mut tries = TRIES;
        loop {
            let here = (Ipv4Addr::LOCALHOST, port);
            // The server says no port: one that is free is looked for here, and may be taken by
            // somebody else meanwhile.
            let port = match port {
                0 => TcpListener::bind(here)?.local_addr()?.port(),
                port => port,
            };
            let served = std::sync::Arc::clone(&site);
            let server = oxhttp::Server::new(move |request| served.answer(request))
                .bind((Ipv4Addr::LOCALHOST, port))
                .with_global_timeout(SILENCE)
                .with_max_concurrent_connections(CONNECTIONS);
            tries -= 1;
            match server.spawn() {
                Ok(running) => return Ok(Self { port, running }),
                Err(error) if error.kind() == ErrorKind::AddrInUse && here.1 == 0 && tries > 0 => {}
                Err(error) if error.kind() == ErrorKind::AddrInUse => {
                    let why =
                        format!("port {port} is taken: give another with --port, or --port 0");
                    return Err(io::Error::new(ErrorKind::AddrInUse, why));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Why it ended.
    pub fn join(self) -> io::Result<()> {
        self.running.join()
    }
}

/// A few words.
fn text(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    put(&mut response, CONTENT_TYPE, "text/plain; charset=utf-8");
    put(&mut response, CACHE_CONTROL, "no-store");
    guard(&mut response);
    response
}

/// What every answer has.
fn guard(response: &mut Response<Body>) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        put(response, HeaderName::from_static(name), value);
    }
}

/// Sets a header; one that is no header is left out.
fn put(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// What of a request's header is text.
fn header<'r>(request: &'r Request<Body>, name: &HeaderName) -> Option<&'r str> {
    request.headers().get(name)?.to_str().ok()
}

/// The value of a parameter in a request's query, as it is written.
fn parameter<'r>(request: &'r Request<Body>, name: &str) -> Option<&'r str> {
    let query = request.uri().query()?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}
