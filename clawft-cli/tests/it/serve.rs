//! `weft serve` over real connections: what comes back, byte for byte, and what does not.
#![cfg(unix)]

use crate::support::s3::S3;
use crate::support::{Home, run};
use build_support::system::process;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};

const BUILD: &str = "0123456789abcdef";
const SPACE: &str = "00112233445566778899aabbccddeeff";
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// A server of a bundle in a home of its own.
struct Server {
    home: Home,
    child: Child,
    port: u16,
}

/// An answer: its status, its headers in small letters, its body.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    fn has(&self, header: &str) {
        assert!(
            self.head.lines().any(|line| line == header),
            "{header}: {}",
            self.head
        );
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Server {
    fn start(args: &[&str]) -> Self {
        Self::start_with(args, &[])
    }

    /// The same with variables of its own.
    fn start_with(args: &[&str], variables: &[(&str, String)]) -> Self {
        let home = Home::new();
        let bundle = home.path().join("bundle");
        let files = [
            (
                "audit.json",
                format!("{{\"version\":1,\"policy\":\"{POLICY}\",\"rows\":[]}}"),
            ),
            ("index.html", "<p>page".to_owned()),
            ("index.html.br", "as brotli".to_owned()),
            ("index.html.gz", "as gzip".to_owned()),
            (&format!("{BUILD}/a.js"), "a()".to_owned()),
            (&format!("{BUILD}/a.js.gz"), "a as gzip".to_owned()),
            (&format!("{BUILD}/agent.wasm"), "\0asm".to_owned()),
        ];
        for (path, text) in &files {
            let path = bundle.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::fs::write(home.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink(home.path().join("secret"), bundle.join("link")).unwrap();
        let mut child = home
            .weft()
            .arg("serve")
            .arg(&bundle)
            .args(["--port", "0"])
            .args(args)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .current_dir(home.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("http://127.0.0.1:").unwrap();
        let port = port.strip_suffix('/').unwrap().parse().unwrap();
        Self { home, child, port }
    }

    fn bundle(&self) -> PathBuf {
        self.home.path().join("bundle")
    }

    /// Sends `head` as it is, with `body`.
    fn send(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // One that refuses at once may not read it.
        let _ = stream.write_all(body);
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        let end = all.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(all[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            head: head.to_lowercase(),
            body: all[end + 4..].to_vec(),
        }
    }

    /// A request with these lines of its head.
    fn ask(&self, method: &str, path: &str, lines: &str) -> Answer {
        let host = format!("host: 127.0.0.1:{}\r\nconnection: close\r\n", self.port);
        self.send(
            &format!("{method} {path} HTTP/1.1\r\n{host}{lines}\r\n"),
            b"",
        )
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }

    fn put(&self, path: &str, body: &[u8]) -> u16 {
        let lines = format!(
            "host: localhost\r\nconnection: close\r\nif-none-match: *\r\nauthorization: Bearer key\r\ncontent-length: {}\r\n",
            body.len()
        );
        self.send(&format!("PUT {path} HTTP/1.1\r\n{lines}\r\n"), body)
            .status
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already where a test has seen to that.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn files_and_their_headers() {
    let server = Server::start(&[]);
    let page = server.get("/");
    assert_eq!((page.status, page.text()), (200, "<p>page"));
    for header in [
        "content-type: text/html; charset=utf-8",
        "cache-control: no-cache",
        "vary: accept-encoding",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        &format!("content-security-policy: {POLICY}"),
    ] {
        page.has(header);
    }
    assert_eq!(server.get("/index.html").text(), "<p>page");
    let script = server.get(&format!("/{BUILD}/a.js?x"));
    assert_eq!(script.text(), "a()");
    script.has("content-type: text/javascript; charset=utf-8");
    script.has("cache-control: public, max-age=31536000, immutable");
    // A worker has no policy but this one.
    script.has(&format!("content-security-policy: {POLICY}"));
    server
        .get(&format!("/{BUILD}/agent.wasm"))
        .has("content-type: application/wasm");
    let head = server.ask("HEAD", "/", "");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(server.ask("POST", "/", "content-length: 0\r\n").status, 405);
    // A new bundle is there at once, with its policy.
    let audit = server.bundle().join("audit.json");
    std::fs::write(audit, "{\"policy\":\"default-src 'self'\"}").unwrap();
    server
        .get("/")
        .has("content-security-policy: default-src 'self'");
}

#[test]
fn the_best_form_that_is_asked_for() {
    let server = Server::start(&[]);
    for (accept, path, encoding, body) in [
        ("gzip, deflate, br, zstd", "/", "br", "as brotli"),
        ("gzip", "/", "gzip", "as gzip"),
        ("br;q=0, *", "/", "gzip", "as gzip"),
        ("br, gzip", &format!("/{BUILD}/a.js"), "gzip", "a as gzip"),
    ] {
        let answer = server.ask("GET", path, &format!("accept-encoding: {accept}\r\n"));
        answer.has(&format!("content-encoding: {encoding}"));
        assert_eq!(answer.text(), body, "{accept}");
    }
    let plain = server.ask("GET", "/", "accept-encoding: identity\r\n");
    assert!(!plain.head.contains("content-encoding"), "{}", plain.head);
    assert_eq!(plain.text(), "<p>page");
}

/// Protects whatever else is on the machine.
#[test]
fn nothing_else_is_read() {
    let server = Server::start(&[]);
    for path in [
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/x/../../secret",
        "//../secret",
        "/link",
        "/.hidden",
        "/missing",
        &format!("/{BUILD}"),
        "/relay?url=https://example.com/",
        &format!("/sync/v1/{SPACE}/heads"),
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        assert!(!answer.text().contains("secret\n"), "{path}");
    }
    // A page elsewhere whose name leads here.
    let foreign = server.send(
        "GET / HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
        b"",
    );
    assert_eq!(foreign.status, 421);
    for nonsense in [
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "\0\0\r\n\r\n",
    ] {
        assert!(
            (400..500).contains(&server.send(nonsense, b"").status),
            "{nonsense:?}"
        );
    }
    assert_eq!(server.get("/").status, 200, "it goes on");
}

#[test]
fn devices_share_segments() {
    let server = Server::start(&["--store", "file:./sync"]);
    share(&server, &server);
    // What is kept has no token in it.
    let kept = server.home.path().join("sync").join(SPACE).join("token");
    assert_ne!(std::fs::read_to_string(kept).unwrap(), "key");
}

/// Two servers that know nothing of each other, over one bucket.
#[test]
fn devices_share_segments_in_an_object_store() {
    let s3 = S3::start();
    let start = || Server::start_with(&["--store", "s3://bucket/some/prefix"], &s3.variables());
    share(&start(), &start());
    assert!(!s3.names().is_empty());
    assert!(
        s3.names()
            .iter()
            .all(|name| name.starts_with("some/prefix/"))
    );
}

/// The protocol, on two servers of one store.
fn share(server: &Server, other: &Server) {
    let segment = |device: &str| format!("/sync/v1/{SPACE}/{device}/0000000000000001");
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(server.put(&segment("phone"), &bytes), 201);
    assert_eq!(other.put(&segment("phone"), b"other"), 412);
    assert_eq!(server.put(&segment("laptop"), &vec![0; (4 << 20) + 1]), 413);
    let key = "authorization: Bearer key\r\n";
    assert_eq!(other.ask("GET", &segment("phone"), key).body, bytes);
    let heads = || {
        let heads = other.ask("GET", &format!("/sync/v1/{SPACE}/heads"), key);
        serde_json::from_slice::<serde_json::Value>(&heads.body).unwrap()
    };
    let first = heads();
    assert_eq!(
        first["heads"],
        serde_json::json!({"phone": "0000000000000001"})
    );
    let wait = format!(
        "/sync/v1/{SPACE}/wait?since={}",
        first["cursor"].as_str().unwrap()
    );
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| server.ask("GET", &wait, key));
        assert_eq!(server.put(&segment("laptop"), b"x"), 201);
        let told = waiting.join().unwrap();
        assert!(told.text().contains("laptop"), "{}", told.text());
    });
    // A base: told to everybody, and not a segment.
    let base = format!("{}.base", segment("laptop"));
    let covers = br#"{"covers": {"phone": "0000000000000001"}}"#;
    assert_eq!(server.put(&base, b"{}"), 400);
    assert_eq!(
        server.put(&base, br#"{"covers": {"laptop": "0000000000000001"}}"#),
        400
    );
    assert_eq!(server.put(&base, &vec![b' '; (64 << 10) + 1]), 413);
    assert_eq!(server.put(&base, covers), 201);
    assert_eq!(other.put(&base, covers), 412);
    let last = heads();
    assert_eq!(
        last["bases"],
        serde_json::json!({"laptop": "0000000000000001"})
    );
    assert_eq!(last["heads"].as_object().unwrap().len(), 2);
    assert_eq!(other.get(&segment("phone")).status, 401);
    let wrong = "authorization: Bearer no\r\n";
    assert_eq!(other.ask("GET", &segment("phone"), wrong).status, 403);
}

#[test]
fn it_ends_well() {
    let mut server = Server::start(&[]);
    let mut kill = process::command("kill");
    process::output(kill.args(["-INT", &server.child.id().to_string()])).unwrap();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_cannot_be_served_is_said() {
    let server = Server::start(&[]);
    let bundle = server.bundle();
    let bundle = bundle.to_str().unwrap();
    let port = server.port.to_string();
    for (args, words) in [
        (
            vec!["serve", "missing"],
            "missing: it is no bundle: audit.json: ",
        ),
        (
            vec!["serve", bundle, "--port", &port],
            "is taken: give another with --port, or --port 0",
        ),
        (
            vec!["serve", bundle, "--store", "gs://bucket"],
            "give a folder, file:./sync, or s3://bucket/x",
        ),
        (
            vec!["serve", bundle, "--relay-allow", "https://x"],
            "write a host alone",
        ),
    ] {
        let (code, _, stderr) = run(server.home.weft().args(&args));
        assert_eq!(code, Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(words), "{args:?}: {stderr}");
    }
}
