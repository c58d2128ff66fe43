//! A store in a bucket of an object store that speaks Amazon's S3 and makes an object only where
//! there is none (`If-None-Match: *`). Four requests are all: put, get, delete, list.
//!
//! Who asks, and where, is in the environment, by the names that other programs go by:
//! `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` (`us-east-1`)
//! and `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` for a store that is not Amazon's.

use super::sign::{Asked, Keys, encode, sign, time_of};
use super::{Entry, Put};
use std::io::{self, ErrorKind};
use std::time::{Duration, SystemTime};
use ureq::http::{Request, Response};

/// The most bytes of an answer: a segment, or a page of a listing.
const MOST: u64 = 16 << 20;
/// How long a request may take.
const TIME: Duration = Duration::from_secs(30);
/// How often a request is sent that a store does not answer, or answers that it cannot now.
const TRIES: u32 = 4;
/// How long until it is sent again, the first time; then twice as long.
const AGAIN: Duration = Duration::from_millis(100);
/// The object that says whether this store makes an object once.
const PROBE: &str = "weft-makes-once";

/// A bucket, and what all names in it begin with.
#[derive(Clone)]
pub struct Bucket {
    agent: ureq::Agent,
    /// Where requests go: `https://host`, without a `/` at its end.
    endpoint: String,
    host: String,
    /// `/bucket/prefix/`, or `/bucket/`.
    root: String,
    region: String,
    keys: Keys,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.endpoint, self.root)
    }
}

fn wrong(why: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why)
}

impl Bucket {
    /// The bucket that `place`, `bucket/prefix`, means with these variables; that it makes objects
    /// once has been tried.
    pub(super) fn open(place: &str, variable: &Variables<'_>) -> io::Result<Self> {
        let bucket = Self::of(place, variable)?;
        for _ in 0..2 {
            if bucket.create(&[PROBE], b"")? == Put::WasThere {
                return Ok(bucket);
            }
        }
        Err(wrong(format!(
            "{bucket:?}: this store writes over what is there, in spite of If-None-Match: devices \
             would lose what they said"
        )))
    }

    fn of(place: &str, variable: &Variables<'_>) -> io::Result<Self> {
        let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = prefix.trim_end_matches('/');
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        let is_key = |c: char| c.is_ascii_alphanumeric() || "-._/".contains(c);
        if name.is_empty() || !name.chars().all(is_name) || !prefix.chars().all(is_key) {
            return Err(wrong(format!(
                "s3://{place}: write s3://bucket/prefix, of letters, digits, - . _"
            )));
        }
        let wanted = |name: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| wrong(format!("s3://{place}: {name} is not set")))
        };
        let keys = Keys {
            access: wanted("AWS_ACCESS_KEY_ID")?,
            secret: wanted("AWS_SECRET_ACCESS_KEY")?,
            session: variable("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()),
        };
        let region = wanted("AWS_REGION").or_else(|_| wanted("AWS_DEFAULT_REGION"));
        let region = region.unwrap_or_else(|_| "us-east-1".to_owned());
        let endpoint = wanted("AWS_ENDPOINT_URL_S3").or_else(|_| wanted("AWS_ENDPOINT_URL"));
        let endpoint = endpoint.unwrap_or_else(|_| format!("https://s3.{region}.amazonaws.com"));
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let host = ["https://", "http://"]
            .iter()
            .find_map(|scheme| endpoint.strip_prefix(scheme))
            .filter(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@']))
            .ok_or_else(|| wrong(format!("{endpoint}: write https://host")))?
            .to_ascii_lowercase();
        let slash = if prefix.is_empty() { "" } else { "/" };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(TIME))
            .user_agent(concat!("weft/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            agent: config.new_agent(),
            host,
            root: format!("/{name}/{prefix}{slash}"),
            endpoint,
            region,
            keys,
        })
    }

    pub(super) fn create(&self, path: &[&str], bytes: &[u8]) -> io::Result<Put> {
        let (status, answer) = self.ask("PUT", &self.path(path), "", bytes)?;
        match status {
            200 | 201 => Ok(Put::Created),
            412 => Ok(Put::WasThere),
            _ => Err(self.refused(status, &answer)),
        }
    }

    pub(super) fn read(&self, path: &[&str]) -> io::Result<Option<Vec<u8>>> {
        let (status, answer) = self.ask("GET", &self.path(path), "", b"")?;
        match status {
            200 => Ok(Some(answer)),
            404 if tag(&text(&answer), "Code") != Some("NoSuchBucket") => Ok(None),
            _ => Err(self.refused(status, &answer)),
        }
    }

    pub(super) fn remove(&self, path: &[&str]) -> io::Result<()> {
        let (status, answer) = self.ask("DELETE", &self.path(path), "", b"")?;
        match status {
            200 | 204 | 404 => Ok(()),
            _ => Err(self.refused(status, &answer)),
        }
    }

    pub(super) fn list(&self, space: &str) -> io::Result<Vec<Entry>> {
        let (bucket, prefix) = self.root[1..].split_once('/').unwrap_or_default();
        let (bucket, prefix) = (format!("/{bucket}"), format!("{prefix}{space}/"));
        let mut all = Vec::new();
        let mut next = String::new();
        loop {
            let from = if next.is_empty() {
                String::new()
            } else {
                format!("continuation-token={}&", encode(&next, false))
            };
            let query = format!("{from}list-type=2&prefix={}", encode(&prefix, false));
            let (status, answer) = self.ask("GET", &bucket, &query, b"")?;
            if status != 200 {
                return Err(self.refused(status, &answer));
            }
            let answer = text(&answer);
            for object in answer.split("<Contents>").skip(1) {
                let key = tag(object, "Key").unwrap_or_default();
                let Some((folder, name)) = key
                    .strip_prefix(prefix.as_str())
                    .and_then(|rest| rest.split_once('/'))
                else {
                    continue;
                };
                all.push(Entry {
                    folder: folder.to_owned(),
                    name: name.to_owned(),
                    modified: tag(object, "LastModified").and_then(time_of),
                });
            }
            match tag(&answer, "NextContinuationToken") {
                Some(token) if tag(&answer, "IsTruncated") == Some("true") => {
                    next = unescaped(token);
                }
                _ => return Ok(all),
            }
        }
    }

    /// Status and body of the answer. What the network or the store cannot do now is tried again: a
    /// segment that was made by a request whose answer is lost is then there, as it is for a device
    /// that loses an answer of ours.
    fn ask(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> io::Result<(u16, Vec<u8>)> {
        let mut wait = AGAIN;
        for tries in 1.. {
            let answered = self.send(method, path, query, body);
            let is_now = match &answered {
                Ok((status, _)) => matches!(status, 409 | 429 | 500 | 502..=504),
                Err(_) => true,
            };
            if !is_now || tries == TRIES {
                return answered;
            }
            std::thread::sleep(wait);
            wait *= 2;
        }
        unreachable!("the last try returns")
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> io::Result<(u16, Vec<u8>)> {
        let mut headers = vec![("host", self.host.as_str())];
        if method == "PUT" {
            headers.push(("if-none-match", "*"));
        }
        let asked = Asked {
            method,
            path,
            query,
            headers: &headers,
            body,
        };
        let signed = sign(&asked, &self.keys, &self.region, SystemTime::now());
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}{mark}{query}", self.endpoint));
        for (name, value) in headers.iter().skip(1) {
            request = request.header(*name, *value);
        }
        for (name, value) in &signed {
            request = request.header(*name, value);
        }
        let failed = |why: ureq::Error| io::Error::other(format!("{}: {why}", self.endpoint));
        let wrong = |why: ureq::http::Error| wrong(why.to_string());
        let answer = if method == "PUT" {
            self.agent.run(request.body(body).map_err(wrong)?)
        } else {
            self.agent.run(request.body(()).map_err(wrong)?)
        };
        let mut answer: Response<ureq::Body> = answer.map_err(failed)?;
        let status = answer.status().as_u16();
        let bytes = answer.body_mut().with_config().limit(MOST).read_to_vec();
        Ok((status, bytes.map_err(failed)?))
    }

    fn refused(&self, status: u16, answer: &[u8]) -> io::Error {
        let answer = text(answer);
        let code = tag(&answer, "Code").unwrap_or("no reason given");
        io::Error::other(format!("{self:?}: the store answers {status}: {code}"))
    }

    fn path(&self, parts: &[&str]) -> String {
        encode(&format!("{}{}", self.root, parts.join("/")), true)
    }
}

/// The variables of an environment.
pub type Variables<'v> = dyn Fn(&str) -> Option<String> + 'v;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The text of the first element of this name: the answers that are read have no attribute on one
/// that has text, and names that need no escape.
fn tag<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

fn unescaped(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::{Bucket, tag, unescaped};

    fn of(place: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let bucket = Bucket::of(place, &variable).map_err(|error| error.to_string())?;
        Ok(format!(
            "{bucket:?}{} {}",
            bucket.path(&["a b"]),
            bucket.host
        ))
    }

    #[test]
    fn places_and_who_asks() {
        let keys = [
            ("AWS_ACCESS_KEY_ID", "k"),
            ("AWS_SECRET_ACCESS_KEY", "hidden"),
        ];
        let with = |more: &[(&'static str, &'static str)]| [&keys[..], more].concat();
        let amazon = of("b/p/q/", &with(&[("AWS_REGION", "eu-west-1")])).unwrap();
        let host = "s3.eu-west-1.amazonaws.com";
        assert_eq!(amazon, format!("https://{host}/b/p/q//b/p/q/a%20b {host}"));
        let own = with(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:9000/")]);
        let own = of("b", &own).unwrap();
        assert_eq!(own, "http://127.0.0.1:9000/b//b/a%20b 127.0.0.1:9000");
        for (place, variables, words) in [
            ("", with(&[]), "write s3://bucket/prefix"),
            ("B", with(&[]), "write s3://bucket/prefix"),
            ("b/é", with(&[]), "write s3://bucket/prefix"),
            ("b", vec![], "AWS_ACCESS_KEY_ID is not set"),
            (
                "b",
                vec![("AWS_ACCESS_KEY_ID", "k")],
                "AWS_SECRET_ACCESS_KEY is not set",
            ),
            (
                "b",
                with(&[("AWS_ENDPOINT_URL", "host:1")]),
                "write https://host",
            ),
            (
                "b",
                with(&[("AWS_ENDPOINT_URL", "http://u@h")]),
                "write https://host",
            ),
        ] {
            let error = of(place, &variables).unwrap_err();
            assert!(
                error.contains(words) && !error.contains("hidden"),
                "{error}"
            );
        }
    }

    #[test]
    fn elements_are_read() {
        let xml = "<A><Key>a/b</Key><N>x&amp;lt;</N></A>";
        assert_eq!((tag(xml, "Key"), tag(xml, "None")), (Some("a/b"), None));
        assert_eq!(tag(xml, "N").map(unescaped).as_deref(), Some("x&lt;"));
        assert_eq!(tag("<Key>cut", "Key"), None);
    }
}
