//! The files of a bundle, as they are on disk at each request: a new bundle is served at once.

use super::{guard, header, put, text};
use clawft_types::json::{self, Value};
use oxhttp::model::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    HeaderName, VARY,
};
use oxhttp::model::{Body, HeaderValue, Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// What is in a bundle, and its policy.
const AUDIT: &str = "audit.json";
/// Where a visit begins.
const PAGE: &str = "index.html";
/// How many digits a build id has: the name of the folder whose files never change.
const BUILD: usize = 16;
/// How deep `audit.json` is nested, and more.
const DEPTH: usize = 16;
/// The compressed forms by what browsers call them, the best first.
const FORMS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// A bundle.
#[derive(Debug, Clone)]
pub struct Bundle {
    root: PathBuf,
}

impl Bundle {
    /// The one in `folder`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let no_bundle = |why: String| {
            let folder = folder.display();
            let why = format!("{folder}: it is no bundle: {why}; `cargo bundle` makes one");
            io::Error::new(ErrorKind::InvalidInput, why)
        };
        let bundle = Self {
            root: folder.to_owned(),
        };
        bundle.policy().map_err(no_bundle)?;
        Ok(bundle)
    }

    /// The policy that every answer has: workers have no other.
    fn policy(&self) -> Result<HeaderValue, String> {
        let path = self.root.join(AUDIT);
        let audit = std::fs::read_to_string(path).map_err(|why| format!("{AUDIT}: {why}"))?;
        let audit =
            json::parse_deep(&audit, DEPTH).map_err(|why| format!("{AUDIT}: {}", why.message))?;
        let policy = audit.get("policy").and_then(Value::as_str);
        let policy = policy.ok_or_else(|| format!("{AUDIT} has no policy"))?;
        HeaderValue::from_str(policy).map_err(|_| format!("{AUDIT} has a policy that is none"))
    }

    /// The answer to a request for `path`, which begins with `/`.
    pub fn answer(&self, request: &Request<Body>, path: &str) -> Response<Body> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let why = "files are read here\n".to_owned();
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, why);
            put(&mut response, ALLOW, "GET, HEAD");
            return response;
        }
        let policy = match self.policy() {
            Ok(policy) => policy,
            Err(why) => return text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        };
        let mut response = match self.file(path) {
            Some(file) => respond(&file, path, header(request, &ACCEPT_ENCODING)),
            None => text(StatusCode::NOT_FOUND, "there is no such file\n".to_owned()),
        };
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, policy);
        response
    }

    /// The file that `path` names, if it is one of the folder.
    fn file(&self, path: &str) -> Option<PathBuf> {
        let parts = parts(path)?;
        let root = self.root.canonicalize().ok()?;
        let mut file = root.clone();
        file.extend(&parts);
        if parts.is_empty() {
            file.push(PAGE);
        }
        // A link may lead out.
        let file = file.canonicalize().ok()?;
        (file.starts_with(&root) && file.is_file()).then_some(file)
    }
}

/// The parts of a path, decoded; none where one of them is no plain name.
fn parts(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some(Vec::new());
    }
    let parts = path.split('/').map(|part| {
        let part = percent_decode_str(part).decode_utf8().ok()?;
        let is_plain = !part.is_empty()
            && !part.starts_with('.')
            && !part.contains(['/', '\\', ':'])
            && !part.contains(char::is_control);
        is_plain.then(|| part.into_owned())
    });
    parts.collect()
}

fn respond(file: &Path, path: &str, accepted: Option<&str>) -> Response<Body> {
    let forms = FORMS.iter().filter(|(name, _)| accepts(accepted, name));
    let form = forms
        .map(|(name, end)| {
            let mut form = file.as_os_str().to_owned();
            form.push(end);
            (*name, PathBuf::from(form))
        })
        .find_map(|(name, form)| Some((name, std::fs::read(form).ok()?)));
    let (encoding, bytes) = match form {
        Some((name, bytes)) => (Some(name), bytes),
        None => match std::fs::read(file) {
            Ok(bytes) => (None, bytes),
            // A bundle that was just replaced.
            Err(_) => return text(StatusCode::NOT_FOUND, "there is no such file\n".to_owned()),
        },
    };
    let mut response = Response::new(Body::from(bytes));
    put(&mut response, CONTENT_TYPE, kind(file));
    put(&mut response, VARY, "accept-encoding");
    if let Some(name) = encoding {
        put(&mut response, CONTENT_ENCODING, name);
    }
    let first = path.trim_start_matches('/').split_once('/');
    let is_build = |name: &str| name.len() == BUILD && name.bytes().all(|b| b.is_ascii_hexdigit());
    let cache = match first {
        Some((name, _)) if is_build(name) => "public, max-age=31536000, immutable",
        _ => "no-cache",
    };
    put(&mut response, CACHE_CONTROL, cache);
    let ranges = HeaderName::from_static("accept-ranges");
    put(&mut response, ranges, "none");
    guard(&mut response);
    response
}

/// Whether who sent this `Accept-Encoding` takes `name` (RFC 9110, section 12.5.3).
fn accepts(accepted: Option<&str>, name: &str) -> bool {
    let mut others = false;
    for one in accepted.unwrap_or_default().split(',') {
        let mut parts = one.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        let is_wanted = weight.is_none_or(|q| q.parse::<f32>().is_ok_and(|q| q > 0.0));
        if coding.eq_ignore_ascii_case(name) {
            return is_wanted;
        }
        others |= coding == "*" && is_wanted;
    }
    others
}

/// The type of a file by its name.
fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|end| end.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        Some("tar") => "application/x-tar",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::{accepts, parts};

    #[test]
    fn paths_stay_inside() {
        for (path, expected) in [
            ("/", Some(vec![])),
            ("/a.js", Some(vec!["a.js"])),
            (
                "/0123456789abcdef/a%20b.js",
                Some(vec!["0123456789abcdef", "a b.js"]),
            ),
            ("", None),
            ("/../a", None),
            ("/a/../b", None),
            ("/%2e%2e/a", None),
            ("/a%2fb", None),
            ("/a%5cb", None),
            ("/..%5ca", None),
            ("/C:/a", None),
            ("/a//b", None),
            ("//a", None),
            ("/a/", None),
            ("/.hidden", None),
            ("/a%00", None),
            ("/%ff", None),
        ] {
            let expected = expected
                .map(|parts: Vec<&str>| parts.iter().map(|one| (*one).to_owned()).collect());
            assert_eq!(parts(path), expected, "{path}");
        }
    }

    #[test]
    fn encodings_are_what_is_asked_for() {
        for (header, br, gzip) in [
            (None, false, false),
            (Some(""), false, false),
            (Some("gzip, deflate, br, zstd"), true, true),
            (Some("gzip"), false, true),
            (Some("br;q=0, gzip;q=0.5"), false, true),
            (Some("BR; q=1.0"), true, false),
            (Some("*"), true, true),
            (Some("*;q=0"), false, false),
            (Some("gzip;q=0, *"), true, false),
            (Some("brotli"), false, false),
            (Some("br;q=x"), false, false),
        ] {
            assert_eq!(accepts(header, "br"), br, "{header:?}");
            assert_eq!(accepts(header, "gzip"), gzip, "{header:?}");
        }
    }
}
