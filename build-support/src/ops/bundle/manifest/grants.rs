//! What the host calls of an example may do.

use super::reader::Reader;
use crate::config::mistakes::{code, suggestion};
use crate::ops::bundle::json::Node;
use crate::ops::bundle::origin;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A host call, and the grant that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Op {
    /// Its number in frames.
    pub number: u16,
    /// Its name in manifests.
    pub name: &'static str,
    /// The key of its grant.
    pub grant: &'static str,
}

/// The host calls that need a grant.
pub const OPS: [Op; 7] = [
    op(500, "host_fetch", "fetch"),
    op(501, "host_fs_write", "fs"),
    op(502, "host_fs_read", "fs"),
    op(503, "host_spawn", "spawn"),
    op(504, "host_crypto", "crypto"),
    op(505, "host_snapshot", "snapshot"),
    op(506, "host_tool", "tool"),
];

const GRANTS: [&str; 6] = ["fetch", "fs", "spawn", "crypto", "snapshot", "tool"];
const METHODS: [&str; 6] = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];
const CRYPTO: [&str; 6] = ["random", "digest", "sign", "verify", "encrypt", "decrypt"];

/// The most bytes of an answer.
const MOST_RESPONSE: u64 = 8 << 20;
/// The most bytes of a session's files.
const MOST_FILES: u64 = 64 << 20;
/// How many agents may be spawned, and images kept.
const SPAWNED: u64 = 4;
const IMAGES: u64 = 16;

const fn op(number: u16, name: &'static str, grant: &'static str) -> Op {
    Op {
        number,
        name,
        grant,
    }
}

/// The grants that are given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch: Option<Fetch>,
    /// Of files beside the agent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fs: Option<Fs>,
    /// Of other agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spawn: Option<Most>,
    /// Of keys and digests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crypto: Option<Crypto>,
    /// Of images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Most>,
    /// Of the host's own tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Names>,
}

/// What may be requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fetch {
    /// Schemes, hosts and ports.
    pub origins: Vec<String>,
    /// Methods.
    pub methods: Vec<String>,
    /// The most bytes of an answer.
    pub max_response: u64,
    /// Whether redirects are followed.
    pub redirects: bool,
    /// Whether a header names the call.
    pub idempotency_header: bool,
}

/// Which files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fs {
    /// Files, and folders that end in `/`.
    pub paths: Vec<String>,
    /// The most bytes of all.
    pub max_bytes: u64,
}

/// How many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Most {
    /// At most.
    pub max: u64,
}

/// What may be done with which keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crypto {
    /// What.
    #[serde(rename = "do")]
    pub operations: Vec<String>,
    /// Names of keys.
    pub keys: Vec<String>,
}

/// Which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Their names.
    pub names: Vec<String>,
}

/// Says where a host call has no grant; `node` is where grants stand, or else the example.
pub(super) fn missing(
    calls: &[(String, Range<usize>)],
    grants: &[(String, Range<usize>)],
    node: &Node<'_>,
) -> Vec<(Range<usize>, String, String)> {
    let mut all = Vec::new();
    for (name, span) in calls {
        let Some(op) = OPS.iter().find(|op| op.name == name) else {
            continue;
        };
        if !grants.iter().any(|(grant, _)| grant == op.grant) {
            let message = format!("`{name}` has no grant in `{}`", node.path);
            let help = format!(
                "add \"grants\": {{ \"{}\": {{ … }} }}, or remove it",
                op.grant
            );
            all.push((span.clone(), message, help));
        }
    }
    for (grant, span) in grants {
        let ops: Vec<_> = OPS.iter().filter(|op| op.grant == grant).collect();
        let is_used = |op: &&Op| calls.iter().any(|(name, _)| name == op.name);
        if !ops.iter().any(is_used) {
            let names = ops.iter().map(|op| format!("\"{}\"", op.name));
            let names = names.collect::<Vec<_>>().join(" or ");
            let message = format!(
                "a grant of `{grant}`, and no host call that needs it, in `{}`",
                node.path
            );
            all.push((
                span.clone(),
                message,
                format!("add {names} to `hypercalls`, or remove it"),
            ));
        }
    }
    all
}

impl Reader<'_> {
    /// What is granted, and the keys with their places.
    pub(super) fn grants(&self, node: &Node<'_>) -> (Grants, Vec<(String, Range<usize>)>) {
        let mut grants = Grants::default();
        let mut keys = Vec::new();
        for (key, node) in node.known(&GRANTS) {
            keys.push((key.text.to_owned(), key.span.clone()));
            match key.text {
                "fetch" => grants.fetch = Some(fetch(&node)),
                "fs" => grants.fs = Some(fs(&node)),
                "spawn" => grants.spawn = Some(most(&node, SPAWNED)),
                "crypto" => grants.crypto = Some(crypto(&node)),
                "snapshot" => grants.snapshot = Some(most(&node, IMAGES)),
                _ => grants.tool = Some(tool(&node)),
            }
        }
        (grants, keys)
    }
}

fn fetch(node: &Node<'_>) -> Fetch {
    let mut fetch = Fetch {
        origins: Vec::new(),
        methods: vec!["GET".to_owned()],
        max_response: MOST_RESPONSE,
        redirects: false,
        idempotency_header: false,
    };
    let mut has_origins = false;
    for (key, node) in node.known(&[
        "origins",
        "methods",
        "maxResponse",
        "redirects",
        "idempotencyHeader",
    ]) {
        match key.text {
            "origins" => {
                has_origins = true;
                fetch.origins = node.strings(|node, written| match origin::check(written) {
                    Ok(()) => true,
                    Err(why) => {
                        node.mistake(code::BAD_NAME, format!("`{written}` is not an origin"))
                            .label(why)
                            .help("write a scheme, a host and where it is not the usual one a port: \"https://api.example.com\"");
                        false
                    }
                });
                some(&node, &fetch.origins);
            }
            "methods" => {
                fetch.methods = node.strings(|node, name| among(node, name, &METHODS, "methods"));
                some(&node, &fetch.methods);
            }
            "maxResponse" => {
                fetch.max_response = node.size(MOST_RESPONSE).unwrap_or(MOST_RESPONSE);
            }
            "redirects" => fetch.redirects = node.boolean(),
            _ => fetch.idempotency_header = node.boolean(),
        }
    }
    needs(node, "origins", has_origins);
    fetch
}

fn fs(node: &Node<'_>) -> Fs {
    let mut fs = Fs {
        paths: Vec::new(),
        max_bytes: MOST_FILES,
    };
    let mut has_paths = false;
    for (key, node) in node.known(&["paths", "maxBytes"]) {
        match key.text {
            "paths" => {
                has_paths = true;
                fs.paths = node.strings(|node, path| {
                    let is_good = is_inside(path.strip_suffix('/').unwrap_or(path));
                    if !is_good {
                        let message = format!("`{path}` is no path inside of the session's folder");
                        node.mistake(code::BAD_NAME, message)
                            .help("write \"out/\" for a folder, \"out/a.txt\" for a file");
                    }
                    is_good
                });
                some(&node, &fs.paths);
            }
            _ => fs.max_bytes = node.size(MOST_FILES).unwrap_or(MOST_FILES),
        }
    }
    needs(node, "paths", has_paths);
    fs
}

fn most(node: &Node<'_>, limit: u64) -> Most {
    let mut most = Most { max: limit };
    for (_, node) in node.known(&["max"]) {
        let why = "how many there may be at once";
        most.max = node.whole(1..=limit, why).unwrap_or(limit);
    }
    most
}

fn crypto(node: &Node<'_>) -> Crypto {
    let mut crypto = Crypto {
        operations: Vec::new(),
        keys: Vec::new(),
    };
    let mut has_operations = false;
    for (key, node) in node.known(&["do", "keys"]) {
        match key.text {
            "do" => {
                has_operations = true;
                crypto.operations =
                    node.strings(|node, name| among(node, name, &CRYPTO, "operations"));
                some(&node, &crypto.operations);
            }
            _ => crypto.keys = node.strings(|_, _| true),
        }
    }
    needs(node, "do", has_operations);
    crypto
}

fn tool(node: &Node<'_>) -> Names {
    let mut tool = Names { names: Vec::new() };
    let mut has_names = false;
    for (_, node) in node.known(&["names"]) {
        has_names = true;
        tool.names = node.strings(|_, _| true);
        some(&node, &tool.names);
    }
    needs(node, "names", has_names);
    tool
}

/// Whether `path` leads to something inside: parts with names, and nothing else.
pub(super) fn is_inside(path: &str) -> bool {
    let is_name =
        |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0', ':']);
    path.split('/').all(is_name)
}

/// A list without anything grants nothing.
fn some(node: &Node<'_>, list: &[String]) {
    if list.is_empty() && node.is_empty_array() {
        let message = format!("nothing in `{}`", node.path);
        node.mistake(code::CONFLICT, message)
            .label("grants nothing")
            .help("name what is granted, or remove the grant and its host call");
    }
}

fn needs(node: &Node<'_>, key: &str, is_there: bool) {
    if !is_there && node.is_object() {
        let message = format!("`{}` has no `{key}`", node.path);
        node.mistake(code::UNKNOWN_KEY, message)
            .help(format!("add \"{key}\": [\"…\"]"));
    }
}

fn among(node: &Node<'_>, name: &str, known: &[&str], what: &str) -> bool {
    let is_known = known.contains(&name);
    if !is_known {
        node.mistake(code::BAD_NAME, format!("`{name}` is not one of the {what}"))
            .help(suggestion(name, known, what));
    }
    is_known
}
