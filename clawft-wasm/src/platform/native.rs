//! The platform of a native host: `std::fs` under a directory, and the system clock.
//!
//! WASI keeps a program inside its directory by itself. Here [`Root`] does it: what a path resolves
//! to, symbolic links followed, must lie in the root. Somebody who changes the tree between that
//! check and the access could still slip out; against an agent's own tool calls it is enough.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Fault, STATE, Stat};

pub use clawft_types::os::now_ms;

/// The directory the agent works in.
#[derive(Debug)]
pub struct Root {
    /// Canonical.
    path: PathBuf,
}

impl Root {
    /// Takes `path` for the root, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// If it can neither be found nor made.
    pub fn at(path: &Path) -> Result<Root, Fault> {
        fs::create_dir_all(path).map_err(fault)?;
        Ok(Root {
            path: path.canonicalize().map_err(fault)?,
        })
    }

    /// The user's own root: `clawft` in the data folder.
    pub fn open() -> Option<Root> {
        Root::at(&clawft_types::os::default_root()?).ok()
    }

    /// What is at `path`, if anything is.
    ///
    /// # Errors
    ///
    /// If the system does not say.
    pub fn stat(&self, path: &str) -> Result<Option<Stat>, Fault> {
        match fs::metadata(self.resolve(path)?) {
            Ok(data) => Ok(Some(Stat {
                directory: data.is_dir(),
                bytes: data.len(),
            })),
            Err(error) => match fault(error) {
                Fault::NotFound | Fault::NotDirectory => Ok(None),
                other => Err(other),
            },
        }
    }

    /// The bytes of the file at `path`.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Fault> {
        fs::read(self.resolve(path)?).map_err(fault)
    }

    /// Makes the file at `path` hold `bytes`, and has them written to the disk.
    ///
    /// # Errors
    ///
    /// If it cannot be written; some of it may be.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Fault> {
        let mut file = fs::File::create(self.resolve(path)?).map_err(fault)?;
        file.write_all(bytes).map_err(fault)?;
        file.sync_all().map_err(fault)
    }

    /// Gives the file at `from` the name `to`, in place of what had it.
    ///
    /// # Errors
    ///
    /// If the system refuses; both are then as before.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), Fault> {
        fs::rename(self.resolve(from)?, self.path.join(to)).map_err(fault)
    }

    /// Deletes the file at `path`.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn remove(&self, path: &str) -> Result<(), Fault> {
        fs::remove_file(self.resolve(path)?).map_err(fault)
    }

    /// Makes a directory at `path`; its parent must be there.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn create_directory(&self, path: &str) -> Result<(), Fault> {
        fs::create_dir(self.resolve(path)?).map_err(fault)
    }

    /// The names in the directory at `path`, in no order; names that are not UTF-8 are left out.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn list(&self, path: &str) -> Result<Vec<String>, Fault> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.resolve(path)?).map_err(fault)? {
            names.extend(entry.map_err(fault)?.file_name().into_string());
        }
        Ok(names)
    }

    /// `path` on the system, after checking that it stays in the root, and that only a path that
    /// says `.clawft` leads there.
    fn resolve(&self, path: &str) -> Result<PathBuf, Fault> {
        let full = self.path.join(path);
        let mut there = full.as_path();
        // The nearest thing that exists; a link to nowhere exists, and is refused below.
        while fs::symlink_metadata(there).is_err() {
            there = there.parent().ok_or(Fault::Outside)?;
        }
        let real = there.canonicalize().map_err(|_| Fault::Outside)?;
        let inside = real.strip_prefix(&self.path).map_err(|_| Fault::Outside)?;
        let state = OsStr::new(STATE);
        let leads_to_state = inside.iter().next() == Some(state);
        if leads_to_state && Path::new(path).iter().next() != Some(state) {
            return Err(Fault::Outside);
        }
        Ok(full)
    }
}

fn fault(error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::NotFound => Fault::NotFound,
        io::ErrorKind::AlreadyExists => Fault::Exists,
        io::ErrorKind::NotADirectory => Fault::NotDirectory,
        io::ErrorKind::IsADirectory => Fault::IsDirectory,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Fault::Denied,
        _ => Fault::Other,
    }
}
