//! The file itself: read whole or refused with what is wrong, written whole or not at all, by one process at a time.

use crate::error::{Error, Result};
use crate::gate::entry::Held;
use crate::project::package::Package;
use crate::system::files;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What is held, by package and then by target.
pub type Ratchet = BTreeMap<String, BTreeMap<String, Held>>;

/// The version of the layout; raised when a field changes meaning or goes.
pub const SCHEMA: u32 = 2;

/// What was measured of a package, as text: whoever measures knows what it says, and others write it back as it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untouched(Box<RawValue>);

impl PartialEq for Untouched {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

/// The file for whoever measures nothing.
pub type File = Whole<Untouched>;

/// What is in the file; `M` is what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whole<M> {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What the ratchet holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ratchet: Ratchet,
    /// What was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<M>,
}

impl<M> Default for Whole<M> {
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

    /// Waits until no other process of this tool writes the file of the workspace in `root`, and keeps others from it as
    /// long as the result lives. The lock is in `target`, whatever target folder is in use: all must find the same one.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn lock(root: &Path) -> Result<fs::File> {
        let folder = root.join("target");
        fs::create_dir_all(&folder).map_err(Error::io("creating folder", &folder))?;
        let path = folder.join(".baseline.lock");
        let lock = fs::File::create(&path).map_err(Error::io("creating", &path))?;
        lock.lock().map_err(Error::io("locking", &path))?;
        Ok(lock)
    }
}

impl<M: Serialize + DeserializeOwned> Whole<M> {
    /// Reads `file`; none where there is no such file.
    ///
    /// # Errors
    /// As [`File::parse`], and [`Error::Io`].
    pub fn read(file: &Path) -> Result<Option<Self>> {
        match fs::read_to_string(file) {
            Ok(text) => Self::parse(file, &text).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("reading", file)(error)),
        }
    }

    /// What `text` holds, which is of `file`.
    ///
    /// # Errors
    /// [`Error::Input`] with line and column where it is no baseline, one of another layout, or one whose contents do not
    /// sum to what it holds.
    pub fn parse(file: &Path, text: &str) -> Result<Self> {
        let refused = |message: String| {
            Error::Input {
            file: file.to_owned(),
            offset: None,
            message,
            help: "it is written by `build-support gate` and `build-support baseline` alone: restore it from git, or \
                   remove it and make it anew"
                .to_owned(),
        }
        };
        let version = schema(text).map_err(|error| refused(error.to_string()))?;
        if version != SCHEMA {
            return Err(refused(format!(
                "its layout is version {version}, and this tool's is {SCHEMA}"
            )));
        }
        let read: Self = serde_json::from_str(text).map_err(|error| refused(error.to_string()))?;
        for (package, targets) in &read.ratchet {
            for (target, held) in targets {
                if held.contents.sum() != Some(held.sizes.raw) {
                    return Err(refused(format!(
                        "the contents of {package} for {target} do not sum to the {} bytes that are held",
                        held.sizes.raw
                    )));
                }
            }
        }
        Ok(read)
    }

    /// What is held of `package` for `target`.
    pub fn held(&self, package: &str, target: &str) -> Option<&Held> {
        self.ratchet.get(package)?.get(target)
    }

    /// Writes it whole, or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, file: &Path) -> Result<()> {
        let mut json = serde_json::to_string_pretty(self).expect("plain data");
        json.push('\n');
        files::write_atomic(file, json.as_bytes())
    }
}

/// The layout's version in `text`.
pub(super) fn schema(text: &str) -> serde_json::Result<u32> {
    #[derive(Deserialize)]
    struct Version {
        schema: u32,
    }
    serde_json::from_str::<Version>(text).map(|version| version.schema)
}
