//! One example of a manifest.

use super::grants::{Grants, OPS, is_inside, missing};
use super::options::Optimizations;
use super::reader::{Reader, There};
use crate::config::mistakes::code;
use crate::ops::bundle::json::{Key, Node};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The first number that an example's own host calls have.
const OWN_CALLS: u64 = 600;

/// The longest name.
const LONGEST_NAME: usize = 64;

/// An example: an agent with its configuration, and what it may use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it runs.
    pub module: Module,
    /// The agent's configuration.
    pub config: serde_json::Value,
    /// What is switched on.
    pub optimizations: Optimizations,
    /// The host calls it may make.
    pub hypercalls: Vec<String>,
    /// What they may do.
    pub grants: Grants,
    /// Host calls of its own.
    pub hostcalls: Vec<HostCall>,
    /// The files it begins with, packed.
    pub files: Option<Files>,
    /// What it is asked to see whether it works.
    pub selftest: Vec<Say>,
    /// The folder of [`Example::files`], below the manifest's.
    #[serde(skip)]
    pub rootfs: Option<String>,
    /// Where its name stands.
    #[serde(skip)]
    pub span: Range<usize>,
    /// Where the most bytes of its memory stand.
    #[serde(skip)]
    pub memory_span: Range<usize>,
}

/// The module that an example runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// Its path in the bundle.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
    /// Whether it is configured already.
    pub preinit: bool,
}

/// A host call of an example's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostCall {
    /// Its number in frames.
    pub op: u64,
    /// Its name.
    pub name: String,
    /// The module of the page that has it.
    pub path: String,
}

/// The files that an example begins with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// The archive's path in the bundle.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
    /// What is in it.
    pub list: Vec<Asset>,
}

/// A file of the bundle's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its path there.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
}

/// A message, and what its answer has in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Say {
    /// The message.
    pub say: String,
    /// A part of the answer.
    pub has: String,
}

/// Whether `name` can stand in file names and URLs.
fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_plain)
}

impl Reader<'_> {
    pub(super) fn example(&self, key: &Key<'_>, node: &Node<'_>) -> Example {
        if !is_name(key.text) {
            key.mistake(code::BAD_NAME, format!("`{}` is no name", key.text))
                .label("an example is called so in file names and URLs")
                .help(format!("1 to {LONGEST_NAME} of A-Z, a-z, 0-9, _ and -"));
        }
        let mut example = Example {
            name: key.text.to_owned(),
            title: key.text.to_owned(),
            config: serde_json::json!({}),
            span: key.span.clone(),
            ..Example::default()
        };
        example.optimizations.tasks = 1;
        let (mut calls, mut granted) = (Vec::new(), Vec::new());
        for (key, node) in node.known(&[
            "title",
            "entrypoint",
            "rootfs",
            "config",
            "optimizations",
            "grants",
            "hostcalls",
            "selftest",
        ]) {
            match key.text {
                "title" => {
                    let title = node.string().unwrap_or_default();
                    example.title = title.to_owned();
                }
                // Kept for who knows the key: there is one thing to run here.
                "entrypoint" => drop(node.strings(|_, _| true)),
                "rootfs" => example.rootfs = self.rootfs(&node),
                "config" => {
                    let config = node.object(self.source);
                    example.config = config.unwrap_or_default();
                }
                "optimizations" => {
                    let read = self.options(&node);
                    example.optimizations = read.options;
                    example.memory_span = read.memory_span;
                    calls = read.hypercalls;
                }
                "grants" => (example.grants, granted) = self.grants(&node),
                "hostcalls" => example.hostcalls = self.own_calls(&node),
                _ => example.selftest = selftest(&node),
            }
        }
        for (span, message, help) in missing(&calls, &granted, node) {
            node.at_span(span, message).help(help);
        }
        no_redirects_with_credentials(node, &example, &granted);
        example.hypercalls = calls.into_iter().map(|(name, _)| name).collect();
        example
    }

    /// A folder below the manifest's.
    fn rootfs(&self, node: &Node<'_>) -> Option<String> {
        let written = node.string()?;
        let path = written.strip_prefix("./").unwrap_or(written);
        let path = path.strip_suffix('/').unwrap_or(path);
        let (why, help) = if !is_inside(path) {
            (
                "no path inside of the manifest's folder",
                "write \"./examples/NAME\"",
            )
        } else if !(self.is_there)(There::Folder, path) {
            ("no folder", "make the folder, or remove the key")
        } else {
            return Some(path.to_owned());
        };
        node.mistake(code::BAD_NAME, format!("`{written}` is {why}"))
            .help(help);
        None
    }

    fn own_calls(&self, node: &Node<'_>) -> Vec<HostCall> {
        let mut calls: Vec<HostCall> = Vec::new();
        for node in node.elements() {
            let (mut op, mut name, mut path) = (None, None, None);
            let said = node.known(&["op", "name", "path"]);
            let is_whole = said.len() == 3;
            for (key, node) in said {
                match key.text {
                    "op" => {
                        let why = "numbers below 600 are taken";
                        op = node.whole(OWN_CALLS..=u64::from(u16::MAX), why);
                    }
                    "name" => name = self.own_name(&node),
                    _ => path = self.module(&node),
                }
            }
            match (op, name, path) {
                (Some(op), Some(name), Some(path)) => {
                    if calls.iter().any(|call| call.op == op || call.name == name) {
                        let message = format!("a second `{}` in the same example", node.path);
                        node.mistake(code::CONFLICT, message)
                            .help("numbers and names are there once");
                    }
                    calls.push(HostCall { op, name, path });
                }
                _ if node.is_object() && !is_whole => {
                    let message = format!("`{}` has to have op, name and path", node.path);
                    node.mistake(code::UNKNOWN_KEY, message)
                        .help("write { \"op\": 600, \"name\": \"host_x\", \"path\": \"x.js\" }");
                }
                _ => {}
            }
        }
        calls
    }

    fn own_name(&self, node: &Node<'_>) -> Option<String> {
        let name = node.string()?;
        if is_name(name) && !OPS.iter().any(|op| op.name == name) {
            return Some(name.to_owned());
        }
        node.mistake(code::BAD_NAME, format!("`{name}` is no name for it"))
            .help("letters, digits and _, and none that is taken, such as \"host_x\"");
        None
    }

    fn module(&self, node: &Node<'_>) -> Option<String> {
        let path = node.string()?;
        if is_inside(path) && (self.is_there)(There::Module, path) {
            return Some(path.to_owned());
        }
        node.mistake(code::BAD_NAME, format!("`{path}` is no module of the page"))
            .help("name a file of www/");
        None
    }
}

/// A page cannot see where a redirect leads before it follows it.
fn no_redirects_with_credentials(
    node: &Node<'_>,
    example: &Example,
    granted: &[(String, Range<usize>)],
) {
    let redirects = example
        .grants
        .fetch
        .as_ref()
        .is_some_and(|one| one.redirects);
    let span = granted.iter().find(|(name, _)| name == "fetch");
    if let (true, true, Some((_, span))) = (redirects, has_credential(&example.config), span) {
        let message = format!("redirects and a credential in `{}`", node.path);
        let help = "remove \"redirects\": true: a key must not follow one";
        node.at_span(span.clone(), message).help(help);
    }
}

fn has_credential(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Object(entries) => {
            entries.contains_key("credential") || entries.values().any(has_credential)
        }
        serde_json::Value::Array(elements) => elements.iter().any(has_credential),
        _ => false,
    }
}

fn selftest(node: &Node<'_>) -> Vec<Say> {
    let mut all = Vec::new();
    for node in node.elements() {
        let (mut say, mut has) = (None, None);
        let said = node.known(&["say", "has"]);
        let is_whole = said.len() == 2;
        for (key, node) in said {
            let text = node.string().map(str::to_owned);
            match key.text {
                "say" => say = text,
                _ => has = text,
            }
        }
        match (say, has) {
            (Some(say), Some(has)) => all.push(Say { say, has }),
            _ if node.is_object() && !is_whole => {
                let message = format!("`{}` has to have say and has", node.path);
                node.mistake(code::UNKNOWN_KEY, message)
                    .help("write { \"say\": \"hello\", \"has\": \"a part of the answer\" }");
            }
            _ => {}
        }
    }
    all
}
