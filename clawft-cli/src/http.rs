//! Requests over the network: each in a thread, which hands on what comes as it comes, so that the
//! driver can be interrupted whatever a server does.
//!
//! Redirects are not followed: a key would go where it does not belong. A body is bounded while it
//! is read. Where a status says that something went wrong, keys are taken out of the whole body,
//! because some servers send back what they were sent.

use crate::host::Input;
use crate::keys::Header;
use crate::public::Public;
use clawft_wasm::machine::{HttpFault, HttpRequest};
use std::io::{self, Read as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Body, Error, http::Response};

/// What a page on a host of nobody's is refused with.
const NOT_PUBLIC: &str =
    "the host has no public address; web.allow takes it with http://, or as a number";

/// Bytes of a body that are read at a time.
const PART: usize = 16 * 1024;

/// Bytes of an error's body that are read.
const ERROR_BODY: u64 = 64 * 1024;

/// A part of a reply.
#[derive(Debug)]
pub enum Reply {
    /// Status and headers.
    Head {
        /// The status.
        status: u16,
        /// Names in lower case, and values.
        headers: Vec<(String, Vec<u8>)>,
    },
    /// Bytes of the body.
    Body(Vec<u8>),
    /// The body is complete.
    End,
    /// It is no reply: a wait is over.
    Waited,
    /// There is nothing more to come, and why, in words.
    Failed(HttpFault, String),
}

/// How long an exchange may take, in milliseconds; what is not given is the core's to say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// For the connection, TLS included.
    pub connect_ms: Option<u64>,
    /// From the request to the head of the reply.
    pub first_byte_ms: Option<u64>,
    /// Between two bytes.
    pub between_bytes_ms: Option<u64>,
    /// Until the turn is over.
    pub until_ms: Option<u64>,
}

impl Times {
    /// These, and where they are not given those of `request` and `until_ms`.
    pub fn or_of(self, request: &HttpRequest, until_ms: Option<u64>) -> Times {
        Times {
            connect_ms: self.connect_ms.or(Some(request.connect_ms)),
            first_byte_ms: self.first_byte_ms.or(Some(request.first_byte_ms)),
            between_bytes_ms: self.between_bytes_ms.or(Some(request.between_bytes_ms)),
            until_ms: self.until_ms.or(until_ms),
        }
    }
}

/// Sends requests, one at a time; connections are kept and used again.
#[derive(Debug)]
pub struct Client {
    through_proxy: ureq::Agent,
    direct: ureq::Agent,
    /// Asks nobody but hosts with public addresses.
    public: ureq::Agent,
    /// The number of the request that somebody waits for.
    current: Arc<AtomicU64>,
    out: Sender<Input>,
}

impl Client {
    /// A client without connections; the parts of replies go to `out`.
    pub fn new(out: Sender<Input>) -> Client {
        let config = |builder: ureq::config::ConfigBuilder<ureq::typestate::AgentScope>| {
            let builder = builder.http_status_as_error(false);
            let builder = builder.max_redirects(0).max_redirects_will_error(false);
            let user_agent = concat!("weft/", env!("CARGO_PKG_VERSION"));
            builder.user_agent(user_agent).build()
        };
        let direct = config(ureq::Agent::config_builder().proxy(None));
        Client {
            through_proxy: config(ureq::Agent::config_builder()).new_agent(),
            // A proxy would look the name up itself.
            public: ureq::Agent::with_parts(
                direct.clone(),
                DefaultConnector::default(),
                Public::new(NOT_PUBLIC),
            ),
            // This machine is reached without.
            direct: direct.new_agent(),
            current: Arc::default(),
            out,
        }
    }

    /// Whether the reply is of the request that was sent last, and has not been let go.
    pub fn is_current(&self, number: u64) -> bool {
        self.current.load(Ordering::SeqCst) == number
    }

    /// Lets go of the exchange that is open, if one is: no more of it is read than what comes next.
    pub fn let_go(&self) -> u64 {
        self.current.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Sends `request` with the header of its key, instead of any other.
    pub fn send(&self, request: HttpRequest, key: Option<Header>, times: Times) {
        let local = request.url.starts_with("http://");
        let agent = if request.is_public {
            &self.public
        } else if local {
            &self.direct
        } else {
            &self.through_proxy
        };
        let agent = agent.clone();
        let exchange = Exchange {
            request,
            key,
            times,
            number: self.let_go(),
            current: Arc::clone(&self.current),
            out: self.out.clone(),
        };
        let thread = std::thread::Builder::new().name("weft-http".to_owned());
        let spawned = thread.spawn(move || {
            if let Err((fault, why)) = exchange.run(&agent) {
                exchange.tell(Reply::Failed(fault, why));
            }
        });
        if let Err(why) = spawned {
            self.fail(HttpFault::Connect, format!("no thread: {why}"));
        }
    }

    /// Says that the exchange that is open has failed.
    pub fn fail(&self, fault: HttpFault, why: String) {
        let number = self.current.load(Ordering::SeqCst);
        // The other end is the driver, which has this client.
        drop(
            self.out
                .send(Input::Reply(number, Reply::Failed(fault, why))),
        );
    }
}

struct Exchange {
    request: HttpRequest,
    key: Option<Header>,
    times: Times,
    number: u64,
    current: Arc<AtomicU64>,
    out: Sender<Input>,
}

type Result<T> = std::result::Result<T, (HttpFault, String)>;

impl Exchange {
    /// Hands on `reply`; gives whether somebody still waits for more.
    fn tell(&self, reply: Reply) -> bool {
        self.current.load(Ordering::SeqCst) == self.number
            && self.out.send(Input::Reply(self.number, reply)).is_ok()
    }

    fn run(&self, agent: &ureq::Agent) -> Result<()> {
        let response = self.ask(agent).map_err(|error| self.fault(error))?;
        let status = response.status().as_u16();
        let headers = response.headers().iter().map(|(name, value)| {
            let value = value.as_bytes().to_vec();
            (name.as_str().to_owned(), value)
        });
        let headers = headers.collect();
        self.tell(Reply::Head { status, headers });
        let mut body = response.into_body().into_reader();
        if status >= 300 {
            let mut bytes = Vec::new();
            let read = body.take(ERROR_BODY).read_to_end(&mut bytes);
            read.map_err(|error| self.fault(error.into()))?;
            if let Some(key) = &self.key {
                bytes = key.without(&String::from_utf8_lossy(&bytes)).into_bytes();
            }
            self.tell(Reply::Body(bytes));
            self.tell(Reply::End);
            return Ok(());
        }
        let mut left = self.request.max_reply_bytes;
        let mut part = vec![0; PART];
        loop {
            let read = match body.read(&mut part) {
                Ok(0) => {
                    self.tell(Reply::End);
                    return Ok(());
                }
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.fault(error.into())),
            };
            left = left.checked_sub(read as u64).ok_or_else(|| {
                let most = self.request.max_reply_bytes;
                (HttpFault::TooLarge, format!("more than {most} bytes"))
            })?;
            if !self.tell(Reply::Body(part.get(..read).unwrap_or_default().to_vec())) {
                return Ok(());
            }
        }
    }

    fn ask(&self, agent: &ureq::Agent) -> std::result::Result<Response<Body>, Error> {
        let after = |ms: Option<u64>| ms.map(Duration::from_millis);
        let headers = usize::try_from(self.request.max_header_bytes).unwrap_or(usize::MAX);
        let url = &self.request.url;
        let begun = match self.request.method {
            "GET" => agent.get(url).force_send_body(),
            _ => agent.post(url),
        };
        let mut builder = begun
            .config()
            .timeout_connect(after(self.times.connect_ms))
            .timeout_send_request(after(self.times.first_byte_ms))
            .timeout_send_body(after(self.times.first_byte_ms))
            .timeout_recv_response(after(self.times.first_byte_ms))
            .timeout_per_read(after(
                self.times.between_bytes_ms.max(self.times.first_byte_ms),
            ))
            .timeout_global(after(self.times.until_ms))
            .max_response_header_size(headers)
            .build();
        for (name, value) in &self.request.headers {
            builder = builder.header(name, value);
        }
        if let Some(key) = &self.key {
            builder = builder.header(key.name, key.value());
        }
        builder.send(&self.request.body)
    }

    fn fault(&self, error: Error) -> (HttpFault, String) {
        let fault = match &error {
            Error::Timeout(_) => HttpFault::TimedOut,
            Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) | Error::TlsRequired => HttpFault::Tls,
            Error::HostNotFound | Error::ConnectionFailed | Error::ConnectProxyFailed(_) => {
                HttpFault::Connect
            }
            Error::LargeResponseHeader(..) => HttpFault::TooLarge,
            Error::Io(io) => match io.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => HttpFault::TimedOut,
                io::ErrorKind::PermissionDenied => HttpFault::NotAllowed,
                io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::AddrNotAvailable => HttpFault::Connect,
                // What rustls says comes wrapped so.
                io::ErrorKind::InvalidData => HttpFault::Tls,
                _ => HttpFault::Broken,
            },
            _ => HttpFault::Broken,
        };
        let why = error.to_string();
        let why = match &self.key {
            Some(key) => key.without(&why),
            None => why,
        };
        (fault, why)
    }
}
