//! The file itself: read whole or refused with what is wrong, written whole or not at all, by one
//! process at a time.

use crate::baseline::{older, place};
use crate::error::{Error, Result};
use crate::gate::entries::Entries;
use crate::gate::entry::Entry;
use crate::project::package::Package;
use crate::system::calling;
use crate::system::files;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Entries, by package and then by target.
pub type Ratchet = BTreeMap<String, BTreeMap<String, Entries>>;

/// The version of the layout; raised when a field changes meaning or goes. An older one is read as
/// what it is now, and written so; a newer one is refused.
pub const SCHEMA: u32 = 3;

/// What is in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// What it was read as, [`SCHEMA`] or older; it is written as that.
    pub schema: u32,
    /// What growth is counted from.
    pub ratchet: Ratchet,
    /// What was measured.
    pub measured: Option<Measured>,
}

/// What was measured of a package, as the text it is in the file: whoever measures knows what it
/// says, and others write it back as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured(String);

/// The file as it is read and, but for what was measured, written.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "baseline.json"))]
#[serde(deny_unknown_fields)]
struct Layout {
    schema: u32,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    ratchet: Ratchet,
    #[serde(default, skip_serializing, rename = "measured")]
    #[cfg_attr(test, schemars(with = "Option<serde_json::Value>", transform = no_way_round))]
    _measured: Option<IgnoredAny>,
}

/// It is read and written, though by others.
#[cfg(test)]
fn no_way_round(schema: &mut schemars::Schema) {
    schema.remove("writeOnly");
}

/// The JSON schema of the file.
#[cfg(test)]
pub fn json_schema() -> schemars::Schema {
    schemars::schema_for!(Layout)
}

/// What stands between a value of the file's own object and its end.
const END: &str = "\n}";

impl Measured {
    /// The text of `figures` in the file.
    pub fn new(figures: &impl Serialize) -> Self {
        let json = serde_json::to_string_pretty(figures).expect("plain data");
        Self(json.replace('\n', "\n  "))
    }

    /// What it says, of the file at `file`.
    ///
    /// # Errors
    /// [`Error::Input`] with line and column in it where it says something else.
    pub fn read<T: DeserializeOwned>(&self, file: &Path) -> Result<T> {
        let read = serde_json::from_str(&self.0);
        read.map_err(|error| refused(file, format!("in `measured`: {error}")))
    }
}

impl Default for File {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            ratchet: Ratchet::new(),
            measured: None,
        }
    }
}

impl File {
    /// Its name.
    pub const NAME: &str = "baseline.json";

    /// Where it is in the workspace of `package`.
    pub fn path(package: &Package) -> PathBuf {
        package.root.join(Self::NAME)
    }

    /// Waits until no other process of this tool writes the file of the workspace in `root`, and
    /// keeps others from it as long as the result lives. The lock is in `target`, whatever target
    /// folder is in use: all must find the same one.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn lock(root: &Path) -> Result<fs::File> {
        files::lock(&root.join("target"), ".baseline.lock")
    }

    /// Reads `file`; none where there is no such file.
    ///
    /// # Errors
    /// As [`File::parse`], and [`Error::Io`].
    pub fn read(file: &Path) -> Result<Option<Self>> {
        let text = text(file)?;
        text.map(|text| Self::parse(file, &text)).transpose()
    }

    /// What `text` says, which is of `file`.
    ///
    /// # Errors
    /// [`Error::Input`] with line and column where it is no baseline, one of a newer layout, or one
    /// whose contents do not sum to its size.
    pub fn parse(file: &Path, text: &str) -> Result<Self> {
        let refused = |message: String| refused(file, message);
        let version = schema(text).map_err(|error| refused(error.to_string()))?;
        let ratchet = match version {
            1 => older::first(text),
            2 => older::second(text),
            SCHEMA => serde_json::from_str(text).map(|Layout { ratchet, .. }| ratchet),
            _ => {
                return Err(Error::input(
                    file,
                    format!("its layout is version {version}, and this tool's is {SCHEMA}"),
                    "a newer build-support wrote it: use that one, and leave the file as it is",
                ));
            }
        };
        let ratchet = ratchet.map_err(|error| refused(error.to_string()))?;
        for (package, targets) in &ratchet {
            for (target, entries) in targets {
                check(entries).map_err(|why| refused(format!("{package} for {target}: {why}")))?;
            }
        }
        let measured = match version {
            1 => older::measured(text),
            _ => place::find(text, &["measured"]).map(|range| text[range].to_owned()),
        };
        let measured = measured.filter(|text| text != "null");
        Ok(Self {
            schema: version,
            ratchet,
            measured: measured.map(Measured),
        })
    }

    /// The entries of `package` for `target`; none where it has not begun.
    pub fn entries(&self, package: &str, target: &str) -> Option<&Entries> {
        self.ratchet.get(package)?.get(target)
    }

    /// Writes it whole, or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, file: &Path) -> Result<()> {
        let layout = Layout {
            schema: SCHEMA,
            ratchet: self.ratchet.clone(),
            _measured: None,
        };
        let mut json = serde_json::to_string_pretty(&layout).expect("plain data");
        if let Some(Measured(text)) = &self.measured {
            json.truncate(json.len() - END.len());
            json.push_str(&format!(",\n  \"measured\": {text}{END}"));
        }
        json.push('\n');
        files::write_atomic(file, json.as_bytes())
    }
}

/// What is wrong with the entries of one file, if anything is.
fn check(entries: &Entries) -> std::result::Result<(), String> {
    if let Some(key) = entries.misplaced() {
        return Err(format!("{key} is not the fingerprint of its toolchain"));
    }
    match entries.iter().find(|(_, entry)| !entry.is_whole()) {
        None => Ok(()),
        Some((_, Entry { sizes, .. })) => Err(format!(
            "the contents do not sum to the {} bytes of its baseline",
            sizes.raw
        )),
    }
}

fn refused(file: &Path, message: String) -> Error {
    Error::input(
        file,
        message,
        format!(
            "it is written by `{} --update` alone: restore it from git, or remove it and make it anew",
            calling::call("gate")
        ),
    )
}

/// The text of `file`; none where there is no such file.
pub(super) fn text(file: &Path) -> Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("reading", file)(error)),
    }
}

/// The layout's version in `text`.
fn schema(text: &str) -> serde_json::Result<u32> {
    #[derive(Deserialize)]
    struct Version {
        schema: u32,
    }
    serde_json::from_str::<Version>(text).map(|version| version.schema)
}
