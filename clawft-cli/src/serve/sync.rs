//! `/sync/v1`: devices leave segments, which nobody here can read, and see those of others.
//!
//! | request | answer |
//! |---|---|
//! | `GET <space>/heads` | 200, `{"cursor": "…", "heads": {"<device>": "<last>"}, "bases": …}` |
//! | `GET <space>/wait?since=<cursor>` | the same once it is another, 204 after 25 s |
//! | `GET <space>/<device>/<segment>` | 200 and its bytes, or 404 |
//! | `PUT <space>/<device>/<segment>`, `If-None-Match: *` | 201, or 412 where it is there |
//! | `PUT <space>/<device>/<segment>.base`, the same | 201, or 412: see [`base`] |
//!
//! `space` is 32 hex digits, `device` 1 to 64 of `A-Za-z0-9_-`, `segment` 16 hex digits in small
//! letters. Every request has `Authorization: Bearer <token>`; the first segment of a space leaves
//! its SHA-256, and what has another is refused (403).

mod base;

use super::store::{Put, Store};
use super::{guard, header, parameter, put, text};
use clawft_types::json::Writer;
use oxhttp::model::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, IF_NONE_MATCH,
};
use oxhttp::model::{Body, Method, Request, Response, StatusCode};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The most bytes of a segment.
const MOST: u64 = 4 << 20;
/// The most bytes of the file that says what a base covers.
const MOST_OF_BASE: u64 = 64 << 10;
/// The name of the file with the hash of a space's token.
const TOKEN: &str = "token";
/// The longest token.
const LONGEST_TOKEN: usize = 512;

/// The protocol over a store.
pub struct Sync {
    store: Store,
    wait: Duration,
    /// How many segments came through this server, for who waits.
    writes: Mutex<u64>,
    written: Condvar,
    /// The hash of each space's token that has been read: none is ever another.
    tokens: Mutex<BTreeMap<String, Vec<u8>>>,
}

/// What is there of a space: of each device the last segment, and the last base.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heads {
    last: BTreeMap<String, String>,
    bases: BTreeMap<String, String>,
}

/// What a request is about.
#[derive(Debug, PartialEq, Eq)]
enum Subject<'p> {
    Heads,
    Wait,
    Segment { device: &'p str, number: &'p str },
    Base { device: &'p str, number: &'p str },
}

impl Sync {
    /// Over `store`; who waits does so for at most `wait`.
    pub fn new(store: Store, wait: Duration) -> Self {
        Self {
            store,
            wait,
            writes: Mutex::default(),
            written: Condvar::new(),
            tokens: Mutex::default(),
        }
    }

    /// The answer to a request for `path`, below `/sync/v1/`.
    pub fn answer(&self, request: &mut Request<Body>, path: &str) -> Response<Body> {
        let Some((space, subject)) = subject(path) else {
            return refuse(StatusCode::NOT_FOUND, "there is nothing of that name");
        };
        let Some(token) = token(request) else {
            let why = "give the token: Authorization: Bearer …";
            return refuse(StatusCode::UNAUTHORIZED, why);
        };
        let answered = match (&subject, request.method()) {
            (Subject::Heads, &Method::GET) => self.heads(space, &token),
            (Subject::Wait, &Method::GET) => {
                let since = parameter(request, "since").unwrap_or_default().to_owned();
                self.wait(space, &token, &since)
            }
            (Subject::Segment { device, number }, &Method::GET) => {
                self.read(space, &token, device, number)
            }
            (Subject::Segment { device, number }, &Method::PUT) => {
                self.create(request, space, &token, device, number)
            }
            (Subject::Base { device, number }, &Method::PUT) => {
                self.base(request, space, &token, device, number)
            }
            _ => {
                let mut refused = refuse(StatusCode::METHOD_NOT_ALLOWED, "GET, or PUT a segment");
                put(&mut refused, ALLOW, "GET, PUT");
                Ok(refused)
            }
        };
        answered.unwrap_or_else(|error| {
            eprintln!("weft: {path}: {error}");
            refuse(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the store does not answer",
            )
        })
    }

    /// Whether `token` is that of `space`; none where nobody has written there.
    fn is_known(&self, space: &str, token: &str) -> io::Result<Option<bool>> {
        let is_it = |left: &Vec<u8>| left == token.as_bytes();
        let tokens = || self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = tokens().get(space) {
            return Ok(Some(is_it(left)));
        }
        let Some(left) = self.store.read(&[space, TOKEN])? else {
            return Ok(None);
        };
        let is_it = is_it(&left);
        tokens().insert(space.to_owned(), left);
        Ok(Some(is_it))
    }

    fn heads(&self, space: &str, token: &str) -> io::Result<Response<Body>> {
        Ok(match self.is_known(space, token)? {
            Some(false) => wrong_token(),
            Some(true) => listed(&self.look(space)?),
            None => listed(&Heads::default()),
        })
    }

    fn look(&self, space: &str) -> io::Result<Heads> {
        let mut heads = Heads::default();
        for entry in self.store.list(space)? {
            let (all, number) = match base::number(&entry.name) {
                Some(number) => (&mut heads.bases, number.to_owned()),
                None if is_segment(&entry.name) => (&mut heads.last, entry.name),
                None => continue,
            };
            if !is_device(&entry.folder) {
                continue;
            }
            let last = all.entry(entry.folder).or_default();
            *last = number.max(std::mem::take(last));
        }
        Ok(heads)
    }

    fn wait(&self, space: &str, token: &str, since: &str) -> io::Result<Response<Body>> {
        let end = Instant::now() + self.wait;
        loop {
            // Counted before looking: what comes in between is not missed.
            let seen = *self.writes.lock().unwrap_or_else(PoisonError::into_inner);
            let heads = match self.is_known(space, token)? {
                Some(false) => return Ok(wrong_token()),
                Some(true) => self.look(space)?,
                None => Heads::default(),
            };
            if cursor(&heads.last) != since {
                return Ok(listed(&heads));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(empty(StatusCode::NO_CONTENT));
            }
            let writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
            let unchanged = |writes: &mut u64| *writes == seen;
            let waited =
                self.written
                    .wait_timeout_while(writes, left.min(self.store.look()), unchanged);
            drop(waited);
        }
    }

    fn read(
        &self,
        space: &str,
        token: &str,
        device: &str,
        number: &str,
    ) -> io::Result<Response<Body>> {
        if self.is_known(space, token)? == Some(false) {
            return Ok(wrong_token());
        }
        let Some(bytes) = self.store.read(&[space, device, number])? else {
            return Ok(refuse(StatusCode::NOT_FOUND, "there is no such segment"));
        };
        let mut response = Response::new(Body::from(bytes));
        put(&mut response, CONTENT_TYPE, "application/octet-stream");
        // Its name stands for its bytes; who asks has a token.
        put(
            &mut response,
            CACHE_CONTROL,
            "private, max-age=31536000, immutable",
        );
        guard(&mut response);
        Ok(response)
    }

    fn create(
        &self,
        request: &mut Request<Body>,
        space: &str,
        token: &str,
        device: &str,
        number: &str,
    ) -> io::Result<Response<Body>> {
        let bytes = match body(request, MOST)? {
            Ok(bytes) => bytes,
            Err(refused) => return Ok(refused),
        };
        // Left by the first; of two at once one is, and the other is compared with it.
        if self.is_known(space, token)?.is_none() {
            self.store.create(&[space, TOKEN], token.as_bytes())?;
        }
        if self.is_known(space, token)? != Some(true) {
            return Ok(wrong_token());
        }
        let put = self.store.create(&[space, device, number], &bytes)?;
        Ok(match put {
            Put::WasThere => refuse(StatusCode::PRECONDITION_FAILED, "it is there"),
            Put::Created => {
                *self.writes.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                self.written.notify_all();
                empty(StatusCode::CREATED)
            }
        })
    }

    /// A base is whole: what it covers goes in time.
    fn base(
        &self,
        request: &mut Request<Body>,
        space: &str,
        token: &str,
        device: &str,
        number: &str,
    ) -> io::Result<Response<Body>> {
        let bytes = match body(request, MOST_OF_BASE)? {
            Ok(bytes) => bytes,
            Err(refused) => return Ok(refused),
        };
        match self.is_known(space, token)? {
            Some(true) => {}
            Some(false) => return Ok(wrong_token()),
            None => return Ok(refuse(StatusCode::NOT_FOUND, "there is no such segment")),
        }
        let covers = base::covers(&bytes);
        // A base that covered itself would be the end of what it holds.
        let is_sound = covers
            .is_some_and(|covers| covers.get(device).is_none_or(|last| last.as_str() < number));
        if !is_sound {
            let why = "it covers: {\"covers\": {\"<device>\": \"<segment>\"}}, and not itself";
            return Ok(refuse(StatusCode::BAD_REQUEST, why));
        }
        let put = self
            .store
            .create(&[space, device, &base::name(number)], &bytes)?;
        base::clear(&self.store, space, SystemTime::now())?;
        Ok(match put {
            Put::WasThere => refuse(StatusCode::PRECONDITION_FAILED, "it is there"),
            Put::Created => empty(StatusCode::CREATED),
        })
    }
}

/// The bytes of what is to be made, at most `most`; or why it is not made.
fn body(request: &mut Request<Body>, most: u64) -> io::Result<Result<Vec<u8>, Response<Body>>> {
    if header(request, &IF_NONE_MATCH) != Some("*") {
        let why = "segments are made and never changed: If-None-Match: *";
        return Ok(Err(refuse(StatusCode::PRECONDITION_REQUIRED, why)));
    }
    let length = header(request, &CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length > most) {
        return Ok(Err(too_large(most)));
    }
    let mut bytes = Vec::new();
    request.body_mut().take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Ok(Err(too_large(most)));
    }
    Ok(Ok(bytes))
}

/// What a path names: a space, and what of it.
fn subject(path: &str) -> Option<(&str, Subject<'_>)> {
    let parts: Vec<_> = path.split('/').collect();
    let (space, subject) = match *parts.as_slice() {
        [space, "heads"] => (space, Subject::Heads),
        [space, "wait"] => (space, Subject::Wait),
        [space, device, number] if is_device(device) && is_segment(number) => {
            (space, Subject::Segment { device, number })
        }
        [space, device, name] if is_device(device) => {
            let number = base::number(name)?;
            (space, Subject::Base { device, number })
        }
        _ => return None,
    };
    is_hex(space, 32).then_some((space, subject))
}

fn is_hex(text: &str, digits: usize) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == digits && text.bytes().all(is_digit)
}

fn is_segment(name: &str) -> bool {
    is_hex(name, 16)
}

fn is_device(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    // The space's own file is no device.
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain) && name != TOKEN
}

/// SHA-256 of a request's token, in hexadecimal: the token itself is kept nowhere.
fn token(request: &Request<Body>) -> Option<String> {
    let token = header(request, &AUTHORIZATION)?
        .strip_prefix("Bearer ")?
        .trim();
    let is_one = (1..=LONGEST_TOKEN).contains(&token.len());
    is_one.then(|| digest(token.as_bytes()))
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What tells two states of a space apart.
fn cursor(heads: &BTreeMap<String, String>) -> String {
    let lines = heads
        .iter()
        .map(|(device, last)| format!("{device} {last}\n"));
    let mut digest = digest(lines.collect::<String>().as_bytes());
    digest.truncate(16);
    digest
}

fn listed(heads: &Heads) -> Response<Body> {
    let mut json = Writer::default();
    json.open("{");
    json.string_member("cursor", &cursor(&heads.last));
    for (name, all) in [("heads", &heads.last), ("bases", &heads.bases)] {
        json.key(name);
        json.open("{");
        for (device, last) in all {
            json.string_member(device, last);
        }
        json.close("}");
    }
    json.close("}");
    let mut response = Response::new(Body::from(json.finish()));
    put(&mut response, CONTENT_TYPE, "application/json");
    put(&mut response, CACHE_CONTROL, "no-store");
    guard(&mut response);
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    put(&mut response, CACHE_CONTROL, "no-store");
    guard(&mut response);
    response
}

fn refuse(status: StatusCode, why: &str) -> Response<Body> {
    text(status, format!("{why}\n"))
}

fn wrong_token() -> Response<Body> {
    refuse(StatusCode::FORBIDDEN, "this space has another token")
}

fn too_large(most: u64) -> Response<Body> {
    refuse(
        StatusCode::PAYLOAD_TOO_LARGE,
        &format!("at most {most} bytes"),
    )
}

#[cfg(test)]
mod tests {
    use super::{MOST, Subject, Sync, subject};
    use crate::serve::store::Store;
    use oxhttp::model::{Body, Request};
    use std::time::Duration;
    use tempfile::TempDir;

    const SPACE: &str = "00112233445566778899aabbccddeeff";
    const FIRST: &str = "0000000000000001";
    const SECOND: &str = "0000000000000002";

    fn sync(wait: Duration) -> (TempDir, Sync) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("file:{}", folder.path().display())).unwrap();
        (folder, Sync::new(store, wait))
    }

    /// The status and the body of the answer.
    fn ask(sync: &Sync, method: &str, path: &str, token: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1/sync/v1/{path}"))
            .header("if-none-match", "*");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut request = request.body(Body::from(body.to_vec())).unwrap();
        let path = path.split('?').next().unwrap();
        let response = sync.answer(&mut request, path);
        (
            response.status().as_u16(),
            response.into_body().to_vec().unwrap(),
        )
    }

    fn heads(sync: &Sync, token: &str) -> serde_json::Value {
        let (status, body) = ask(sync, "GET", &format!("{SPACE}/heads"), token, b"");
        assert_eq!(status, 200);
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn a_segment_is_made_once_and_read_by_who_has_the_token() {
        let (_folder, sync) = sync(Duration::ZERO);
        let path = format!("{SPACE}/phone/{FIRST}");
        assert_eq!(ask(&sync, "GET", &path, "key", b"").0, 404);
        assert_eq!(ask(&sync, "PUT", &path, "key", b"one").0, 201);
        assert_eq!(ask(&sync, "PUT", &path, "key", b"two").0, 412);
        assert_eq!(ask(&sync, "GET", &path, "key", b""), (200, b"one".to_vec()));
        for (method, path) in [
            ("GET", path.as_str()),
            ("PUT", &format!("{SPACE}/laptop/{FIRST}")),
            ("GET", &format!("{SPACE}/heads")),
            ("GET", &format!("{SPACE}/wait")),
        ] {
            assert_eq!(
                ask(&sync, method, path, "other", b"").0,
                403,
                "{method} {path}"
            );
            assert_eq!(ask(&sync, method, path, "", b"").0, 401, "{method} {path}");
        }
        assert_eq!(
            heads(&sync, "key")["heads"],
            serde_json::json!({ "phone": FIRST })
        );
    }

    #[test]
    fn heads_are_the_last_of_each_device() {
        let (_folder, sync) = sync(Duration::ZERO);
        assert_eq!(heads(&sync, "key")["heads"], serde_json::json!({}));
        for (device, number) in [("b", FIRST), ("a", SECOND), ("a", FIRST)] {
            assert_eq!(
                ask(
                    &sync,
                    "PUT",
                    &format!("{SPACE}/{device}/{number}"),
                    "key",
                    b"x"
                )
                .0,
                201
            );
        }
        assert_eq!(
            heads(&sync, "key")["heads"],
            serde_json::json!({ "a": SECOND, "b": FIRST })
        );
    }

    #[test]
    fn who_waits_is_told_at_once_or_after_the_time() {
        let (_folder, sync) = sync(Duration::from_secs(60));
        let cursor = heads(&sync, "key")["cursor"].as_str().unwrap().to_owned();
        let wait = format!("{SPACE}/wait?since={cursor}");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| ask(&sync, "GET", &wait, "key", b""));
            assert_eq!(
                ask(&sync, "PUT", &format!("{SPACE}/a/{FIRST}"), "key", b"x").0,
                201
            );
            let (status, body) = waiting.join().unwrap();
            let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((status, &told["heads"]["a"]), (200, &FIRST.into()));
            assert_eq!(told["cursor"], heads(&sync, "key")["cursor"]);
            assert_ne!(told["cursor"], cursor);
        });
        let sync = Sync {
            wait: Duration::ZERO,
            ..sync
        };
        let cursor = heads(&sync, "key")["cursor"].as_str().unwrap().to_owned();
        assert_eq!(
            ask(
                &sync,
                "GET",
                &format!("{SPACE}/wait?since={cursor}"),
                "key",
                b""
            )
            .0,
            204
        );
        assert_eq!(
            ask(&sync, "GET", &format!("{SPACE}/wait"), "key", b"").0,
            200
        );
    }

    #[test]
    fn segments_have_a_limit() {
        let (_folder, sync) = sync(Duration::ZERO);
        let most = vec![7; MOST as usize];
        assert_eq!(
            ask(&sync, "PUT", &format!("{SPACE}/a/{FIRST}"), "key", &most).0,
            201
        );
        let more = vec![7; MOST as usize + 1];
        assert_eq!(
            ask(&sync, "PUT", &format!("{SPACE}/a/{SECOND}"), "key", &more).0,
            413
        );
        assert_eq!(heads(&sync, "key")["heads"]["a"], FIRST);
    }

    #[test]
    fn only_creation_writes() {
        let (_folder, sync) = sync(Duration::ZERO);
        let path = format!("{SPACE}/a/{FIRST}");
        let request = Request::builder()
            .method("PUT")
            .uri(format!("http://127.0.0.1/sync/v1/{path}"));
        let request = request
            .header("authorization", "Bearer key")
            .body(Body::from("x"));
        assert_eq!(
            sync.answer(&mut request.unwrap(), &path).status().as_u16(),
            428
        );
        assert_eq!(ask(&sync, "DELETE", &path, "key", b"").0, 405);
        assert_eq!(
            ask(&sync, "PUT", &format!("{SPACE}/heads"), "key", b"").0,
            405
        );
    }

    #[test]
    fn names_are_what_they_should_be() {
        let segment = Subject::Segment {
            device: "a-b_C",
            number: FIRST,
        };
        assert_eq!(
            subject(&format!("{SPACE}/a-b_C/{FIRST}")),
            Some((SPACE, segment))
        );
        for path in [
            "heads".to_owned(),
            format!("{SPACE}/"),
            format!("{}/heads", &SPACE[1..]),
            format!("{}/heads", SPACE.to_uppercase()),
            format!("../{SPACE}/heads"),
            format!("{SPACE}/../{FIRST}"),
            format!("{SPACE}/token/{FIRST}"),
            format!("{SPACE}/a.b/{FIRST}"),
            format!("{SPACE}//{FIRST}"),
            format!("{SPACE}/{}/{FIRST}", "a".repeat(65)),
            format!("{SPACE}/a/{}", &FIRST[1..]),
            format!("{SPACE}/a/{FIRST}/x"),
        ] {
            assert_eq!(subject(&path), None, "{path}");
        }
    }
}
