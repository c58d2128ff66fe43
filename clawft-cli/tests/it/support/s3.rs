//! An object store on loopback that speaks as much of Amazon's S3 as `weft serve` asks for: put if
//! there is none, get, delete, list in pages. Every request's signature is made again here, of what
//! came over the network, and compared.

use clawft_cli::serve::store::Store;
use clawft_cli::serve::store::sign::{Asked, Keys, encode, sign, time_of};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

const ACCESS: &str = "AKIDEXAMPLE";
const SECRET: &str = "a secret that is nowhere";
const REGION: &str = "eu-north-1";
/// Keys of a page of a listing.
const PAGE: usize = 2;

/// What goes wrong with a request that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not done.
    Unavailable,
    /// It is done, and the connection breaks.
    Lost,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, (Vec<u8>, String)>,
    faults: Vec<Fault>,
    seen: Vec<String>,
    writes_over: bool,
}

/// The store; it ends with the test's process.
#[derive(Clone)]
pub struct S3 {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl S3 {
    /// A store that has nothing yet.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let s3 = Self {
            port,
            state: Arc::default(),
        };
        let served = s3.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = served.clone();
                std::thread::spawn(move || served.serve(stream));
            }
        });
        s3
    }

    /// The variables with which it is reached.
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ACCESS_KEY_ID", ACCESS.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            (
                "AWS_ENDPOINT_URL",
                format!("http://127.0.0.1:{}", self.port),
            ),
        ]
    }

    /// A store in its bucket, as `weft serve --store s3://bucket/some/prefix` opens it.
    pub fn store(&self) -> std::io::Result<Store> {
        let variables = self.variables();
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        Store::open_with("s3://bucket/some/prefix", &variable)
    }

    /// What the next requests that change something meet with, in this order.
    #[allow(dead_code)]
    pub fn fail(&self, faults: &[Fault]) {
        self.state.lock().unwrap().faults = faults.to_vec();
    }

    /// From now on it does not know `If-None-Match`.
    #[allow(dead_code)]
    pub fn write_over(&self) {
        self.state.lock().unwrap().writes_over = true;
    }

    /// The names of its objects.
    #[allow(dead_code)]
    pub fn names(&self) -> Vec<String> {
        self.state.lock().unwrap().objects.keys().cloned().collect()
    }

    /// What was asked, such as `GET /bucket/a`.
    #[allow(dead_code)]
    pub fn seen(&self) -> Vec<String> {
        self.state.lock().unwrap().seen.clone()
    }

    fn serve(&self, mut stream: TcpStream) {
        let Some(request) = Request::read(&mut stream) else {
            return;
        };
        if let Some((status, body)) = self.answer(&request) {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            // Who has gone away needs no answer.
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    }

    /// Status and body; none where the connection breaks.
    fn answer(&self, request: &Request) -> Option<(u16, Vec<u8>)> {
        let error = |status, code: &str| {
            let xml = format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code></Error>");
            Some((status, xml.into_bytes()))
        };
        let mut state = self.state.lock().unwrap();
        state
            .seen
            .push(format!("{} {}", request.method, request.path));
        if !request.is_signed() {
            return error(403, "SignatureDoesNotMatch");
        }
        let Some(rest) = request.path.strip_prefix("/bucket") else {
            return error(404, "NoSuchBucket");
        };
        let key = rest.trim_start_matches('/').to_owned();
        let fault = match request.method.as_str() {
            "PUT" | "DELETE" if !state.faults.is_empty() => Some(state.faults.remove(0)),
            _ => None,
        };
        if fault == Some(Fault::Unavailable) {
            return error(503, "SlowDown");
        }
        let answer = match request.method.as_str() {
            "GET" if key.is_empty() => Some((200, list(&state.objects, &request.query))),
            "GET" => match state.objects.get(&key) {
                Some((bytes, _)) => Some((200, bytes.clone())),
                None => error(404, "NoSuchKey"),
            },
            "PUT" => {
                let is_new = request.header("if-none-match") == Some("*") && !state.writes_over;
                if is_new && state.objects.contains_key(&key) {
                    error(412, "PreconditionFailed")
                } else {
                    let now = (request.body.clone(), now());
                    state.objects.insert(key, now);
                    Some((200, Vec::new()))
                }
            }
            "DELETE" => {
                state.objects.remove(&key);
                Some((204, Vec::new()))
            }
            _ => error(405, "MethodNotAllowed"),
        };
        answer.filter(|_| fault.is_none())
    }
}

fn now() -> String {
    let keys = Keys {
        access: String::new(),
        secret: String::new(),
        session: None,
    };
    let asked = Asked {
        method: "",
        path: "",
        query: "",
        headers: &[],
        body: b"",
    };
    // `20130524T000000Z`, as a signature has it.
    let added = sign(&asked, &keys, "", SystemTime::now());
    let time = &added
        .iter()
        .find(|(name, _)| *name == "x-amz-date")
        .unwrap()
        .1;
    let (d, t) = (&time[..8], &time[9..]);
    let (d, t) = ([&d[..4], &d[4..6], &d[6..]], [&t[..2], &t[2..4], &t[4..6]]);
    format!("{}T{}.000Z", d.join("-"), t.join(":"))
}

/// A page of a listing, whose continuation is the last name of it.
fn list(objects: &BTreeMap<String, (Vec<u8>, String)>, query: &str) -> Vec<u8> {
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.find_map(|(known, value)| (known == name).then_some(value));
        decoded(value.unwrap_or_default())
    };
    let (prefix, after) = (parameter("prefix"), parameter("continuation-token"));
    // A token that has to be escaped, and encoded.
    let after = after.trim_start_matches("<&>").to_owned();
    let found: Vec<_> = objects
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix) && **key > after)
        .collect();
    let page = &found[..found.len().min(PAGE)];
    let contents: String = page
        .iter()
        .map(|(key, (bytes, time))| {
            let size = bytes.len();
            format!(
                "<Contents><Key>{key}</Key><LastModified>{time}</LastModified><ETag>&quot;x&quot;</ETag><Size>{size}</Size></Contents>"
            )
        })
        .collect();
    let next = match page.last() {
        Some((key, _)) if found.len() > PAGE => format!(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>&lt;&amp;&gt;{key}</NextContinuationToken>"
        ),
        _ => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    let name = "http://s3.amazonaws.com/doc/2006-03-01/";
    format!(
        "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"{name}\"><Name>bucket</Name><Prefix>{prefix}</Prefix>{next}{contents}</ListBucketResult>"
    )
    .into_bytes()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let code = rest.get(1..3).filter(|_| first == '%');
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = &rest[3..];
        } else {
            bytes.extend(first.to_string().bytes());
            rest = &rest[first.len_utf8()..];
        }
    }
    String::from_utf8(bytes).unwrap()
}

struct Request {
    method: String,
    /// As it came, and what comes after its question mark.
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).ok()?;
        let (first, lines) = head.split_once("\r\n")?;
        let mut words = first.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<_> = lines
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let mut request = Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: Vec::new(),
        };
        let length = request.header("content-length").unwrap_or("0");
        request.body = vec![0; length.parse().ok()?];
        stream.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the signature is that of what came; and whether the headers that count are in it.
    fn is_signed(&self) -> bool {
        let Some(proof) = self.header("authorization") else {
            return false;
        };
        let names = proof.split_once("SignedHeaders=").unwrap().1;
        let names: Vec<_> = names.split_once(',').unwrap().0.split(';').collect();
        assert!(names.contains(&"host"), "{proof}");
        let is_conditional = self.header("if-none-match").is_some();
        assert_eq!(names.contains(&"if-none-match"), is_conditional, "{proof}");
        assert_eq!(
            self.path,
            encode(&decoded(&self.path), true),
            "the path is in its one form"
        );
        let headers: Vec<_> = names
            .iter()
            .filter(|name| !["x-amz-content-sha256", "x-amz-date"].contains(name))
            .map(|name| (*name, self.header(name).unwrap_or_default()))
            .collect();
        let asked = Asked {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: &self.body,
        };
        let keys = Keys {
            access: ACCESS.to_owned(),
            secret: SECRET.to_owned(),
            session: None,
        };
        let date = self.header("x-amz-date").unwrap_or_default();
        let (d, t) = (&date[..8], &date[9..]);
        let time = [
            [&d[..4], &d[4..6], &d[6..]].join("-"),
            [&t[..2], &t[2..4], &t[4..]].join(":"),
        ];
        let time = time_of(&time.join("T")).unwrap();
        assert!(
            time.elapsed().unwrap_or_default().as_secs() < 900,
            "{date} is not now"
        );
        let added = sign(&asked, &keys, REGION, time);
        let hash = &added[0].1;
        self.header("x-amz-content-sha256") == Some(hash) && added.last().unwrap().1 == proof
    }
}
