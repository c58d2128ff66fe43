//! The manifest of a bundle: JSON → [`Manifest`], every mistake with its line and column, all in
//! one go. What is not switched on is off. Pure: what is on disk is asked of whoever calls.

mod example;
mod grants;
mod options;
mod reader;

pub use example::{Asset, Example, Files, HostCall, Module, Say};
pub use grants::{Crypto, Fetch, Fs, Grants, Most, Names, OPS, Op};
pub use options::Optimizations;
pub use reader::There;

use super::json::{self, Node};
use crate::config::mistakes::{Mistakes, code, suggestion};
use crate::error::{Error, Result};
use crate::size;
use reader::Reader;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The version of the layout.
const VERSION: u64 = 1;

/// The most bytes that a manifest has.
pub const MOST: usize = 256 << 10;

/// What a manifest says, everything that it may leave out filled in. As `plan.json` it is what the
/// page reads.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the layout.
    pub version: u64,
    /// The example that is shown first.
    pub default: String,
    /// Whether the manifest says which that is.
    #[serde(skip)]
    pub is_chosen: bool,
    /// What is in the folder beside the plan.
    pub assets: Vec<Asset>,
    /// In the order of the manifest.
    pub examples: Vec<Example>,
    /// The file it was read from, and its text.
    #[serde(skip)]
    pub file: PathBuf,
    #[serde(skip)]
    /// Its text, which every span is a byte range of.
    pub source: String,
}

/// Reads `source`, the text of `file`. `is_there` says what there is.
///
/// # Errors
/// [`Error::Manifest`] with every mistake, in the order of the file; [`Error::Input`] where it is
/// larger than [`MOST`].
pub fn parse(
    file: &Path,
    source: &str,
    is_there: &dyn Fn(There, &str) -> bool,
) -> Result<Manifest> {
    if source.len() > MOST {
        let (is, most) = (size::bytes(source.len() as u64), size::bytes(MOST as u64));
        return Err(Error::input(
            file,
            format!("the manifest has {is} bytes, and at most {most} are read"),
            "put what is long into files of `rootfs`",
        ));
    }
    let mistakes = Mistakes::new(file, source);
    let value = json::parse(source, &mistakes);
    let manifest = value.as_ref().map(|value| {
        let reader = Reader { source, is_there };
        Manifest {
            file: file.to_owned(),
            source: source.to_owned(),
            ..self::manifest(&reader, &Node::root(value, &mistakes))
        }
    });
    drop(value);
    mistakes
        .or(manifest.unwrap_or_default())
        .map_err(Error::Manifest)
}

fn manifest(reader: &Reader<'_>, root: &Node<'_>) -> Manifest {
    let mut manifest = Manifest::default();
    let (mut version, mut chosen, mut examples) = (None, None, None);
    for (key, node) in root.known(&["version", "default", "examples"]) {
        match key.text {
            "version" => version = Some(node),
            "default" => chosen = Some(node),
            _ => examples = Some(node),
        }
    }
    if !root.is_object() {
        return manifest;
    }
    match version {
        Some(version) => {
            let read = version.whole(VERSION..=VERSION, "this tool reads version 1");
            manifest.version = read.unwrap_or(VERSION);
        }
        None => {
            let mistake = root.mistake(code::UNKNOWN_KEY, "the manifest has no `version`");
            mistake.help("add \"version\": 1");
        }
    }
    match &examples {
        Some(examples) => {
            let read = examples.entries().into_iter();
            let read = read.map(|(key, node)| reader.example(&key, &node));
            manifest.examples = read.collect();
        }
        None => {
            let mistake = root.mistake(code::UNKNOWN_KEY, "the manifest has no `examples`");
            mistake.help("add \"examples\": { \"NAME\": { \"title\": \"…\" } }");
        }
    }
    if let (Some(examples), true) = (&examples, manifest.examples.is_empty()) {
        let mistake = examples.mistake(code::CONFLICT, "there is no example in the manifest");
        mistake.help("a page without an example shows nothing: add one");
    }
    let first = manifest.examples.first();
    manifest.default = first.map_or(String::new(), |example| example.name.clone());
    if let Some(node) = chosen {
        manifest.is_chosen = true;
        choose(&node, &mut manifest);
    }
    manifest
}

fn choose(node: &Node<'_>, manifest: &mut Manifest) {
    let Some(name) = node.string() else {
        return;
    };
    let names = manifest.examples.iter().map(|one| one.name.as_str());
    let names: Vec<_> = names.collect();
    if !names.contains(&name) {
        node.mistake(code::BAD_NAME, format!("no example is called `{name}`"))
            .help(suggestion(name, &names, "examples"));
    }
    manifest.default = name.to_owned();
}

#[cfg(test)]
mod tests;
