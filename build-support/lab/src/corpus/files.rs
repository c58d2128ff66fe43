//! The files: which there are, and npm, which fetches them once into the target folder.

use build_support::error::{Error, Result};
use build_support::system::process;
use std::fs;
use std::path::{Path, PathBuf};

/// A file a line, and the name of its script where its package has one.
const LIST: &str = include_str!("../../../tests/it/foreign/files.txt");
/// What npm gets.
const PACKAGES: [(&str, &str); 2] = [
    (
        "package.json",
        include_str!("../../../tests/it/foreign/package.json"),
    ),
    (
        "package-lock.json",
        include_str!("../../../tests/it/foreign/package-lock.json"),
    ),
];

/// One file of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is, below `node_modules`.
    pub name: String,
    /// What its package can do.
    pub script: Option<&'static str>,
}

/// The folder that has all of them.
pub struct Fetched {
    folder: PathBuf,
}

impl Fetched {
    /// What npm made.
    pub fn modules(&self) -> PathBuf {
        self.folder.join("node_modules")
    }

    /// Where a file is.
    pub fn path(&self, file: &File) -> PathBuf {
        self.modules().join(&file.name)
    }

    /// A folder for what is made of them.
    pub fn scratch(&self) -> PathBuf {
        self.folder.join("work")
    }
}

/// Every file of the list.
pub fn list() -> Vec<File> {
    let lines = LIST.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (name, script) = line.split_once(' ').unwrap_or((line, ""));
            File {
                name: name.to_owned(),
                script: (!script.is_empty()).then_some(script),
            }
        })
        .collect()
}

/// Has npm fetch the packages into `folder`, held to their bytes by the lock file, unless they are
/// there.
///
/// # Errors
/// [`Error::Toolchain`] where there is no npm, [`Error::Process`] where it fails.
pub fn fetch(folder: &Path) -> Result<Fetched> {
    fs::create_dir_all(folder).map_err(Error::io("creating folder", folder))?;
    let done = folder.join("fetched");
    let (_, lock) = PACKAGES[1];
    if fs::read_to_string(&done).ok().as_deref() != Some(lock) {
        for (name, text) in PACKAGES {
            let file = folder.join(name);
            fs::write(&file, text).map_err(Error::io("writing", &file))?;
        }
        let npm = process::on_path("npm")
            .ok_or_else(|| Error::toolchain("npm is not on PATH", "install node and npm"))?;
        let arguments = [
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--omit=optional",
            "--force",
        ];
        process::output(process::command(npm).args(arguments).current_dir(folder))?;
        fs::write(&done, lock).map_err(Error::io("writing", &done))?;
    }
    Ok(Fetched {
        folder: folder.to_owned(),
    })
}
