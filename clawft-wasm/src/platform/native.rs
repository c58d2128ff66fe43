//! The platform of a native host: `std::fs` under a directory, and the system clock.
//!
//! WASI keeps a program inside its directory by itself. Here [`Root`] does it: what a path resolves
//! to, symbolic links followed, must lie in the root. Somebody who changes the tree between that
//! check and the access could still slip out; against an agent's own tool calls it is enough.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::{Fault, Kind, STATE, Stat};

pub use clawft_types::os::now_ms;

/// The directory the agent works in.
#[derive(Debug)]
pub struct Root {
    /// Canonical.
    path: PathBuf,
}

/// A lock that is held; the system lets it go with the file, and with the process.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "it is held, not read")] fs::File);

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
                kind: match data.file_type() {
                    kind if kind.is_dir() => Kind::Directory,
                    kind if kind.is_file() => Kind::File,
                    _ => Kind::Other,
                },
                bytes: data.len(),
            })),
            Err(error) => match fault(error) {
                Fault::NotFound | Fault::NotDirectory => Ok(None),
                other => Err(other),
            },
        }
    }

    /// What the symbolic link at `path` says; nothing where there is no link.
    ///
    /// # Errors
    ///
    /// If the system does not say, and [`Fault::Outside`] for a link that is no text.
    pub fn link(&self, path: &str) -> Result<Option<String>, Fault> {
        match fs::read_link(self.path.join(path)) {
            Ok(target) => match target.into_os_string().into_string() {
                Ok(target) => Ok(Some(target)),
                Err(_) => Err(Fault::Outside),
            },
            Err(error) => match (error.kind(), fault(error)) {
                (io::ErrorKind::InvalidInput, _) => Ok(None),
                (_, Fault::NotFound | Fault::NotDirectory) => Ok(None),
                (_, other) => Err(other),
            },
        }
    }

    /// The bytes of the file at `path` from the byte `from` on, up to one more than `limit`.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(&self, path: &str, from: u64, limit: u64) -> Result<Vec<u8>, Fault> {
        let mut file = fs::File::open(self.resolve(path)?).map_err(fault)?;
        file.seek(SeekFrom::Start(from)).map_err(fault)?;
        let mut bytes = Vec::new();
        let mut part = file.take(limit.saturating_add(1));
        part.read_to_end(&mut bytes).map_err(fault)?;
        Ok(bytes)
    }

    /// Makes a new file at `path` with `bytes`, and has them written to the disk; with the
    /// permissions of the file at `like`, if there is one.
    ///
    /// # Errors
    ///
    /// [`Fault::Exists`] if there is anything at `path`, a link included. If it cannot be written;
    /// it is then not there.
    pub fn create(&self, path: &str, bytes: &[u8], like: &str) -> Result<(), Fault> {
        let path = self.resolve_new(path)?;
        let mut file = fs::File::create_new(&path).map_err(fault)?;
        let permissions = fs::metadata(self.path.join(like)).map(|data| data.permissions());
        let done = permissions
            .map_or(Ok(()), |permissions| file.set_permissions(permissions))
            .and_then(|()| file.write_all(bytes))
            .and_then(|()| file.sync_all());
        done.map_err(|error| {
            let _ = fs::remove_file(&path);
            fault(error)
        })
    }

    /// Adds `bytes` at the end of the file at `path`, which has `size` bytes, and has them written
    /// to the disk.
    ///
    /// # Errors
    ///
    /// If they cannot be written; the file then has `size` bytes, unless that is refused as well.
    pub fn append(&self, path: &str, bytes: &[u8], size: u64) -> Result<(), Fault> {
        let path = self.resolve(path)?;
        let mut file = fs::OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(fault)?;
        let done = file.write_all(bytes).and_then(|()| file.sync_all());
        done.map_err(|error| {
            let _ = file.set_len(size);
            fault(error)
        })
    }

    /// Takes what is beyond `size` bytes off the file at `path`.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn cut(&self, path: &str, size: u64) -> Result<(), Fault> {
        let path = self.resolve(path)?;
        let file = fs::OpenOptions::new()
            .write(true)
            .open(path)
            .map_err(fault)?;
        file.set_len(size)
            .and_then(|()| file.sync_all())
            .map_err(fault)
    }

    /// Waits until no other process holds the lock file at `path`, and holds it until the value
    /// goes. A file system without locks has none.
    ///
    /// # Errors
    ///
    /// If there can be no such file.
    pub fn lock(&self, path: &str) -> Result<Lock, Fault> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let file = options.open(self.resolve(path)?).map_err(fault)?;
        match file.lock() {
            Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(fault(error)),
            _ => Ok(Lock(file)),
        }
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

    /// The names in the directory at `path`, in no order.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn list(&self, path: &str) -> Result<Vec<String>, Fault> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.resolve(path)?).map_err(fault)? {
            let name = entry.map_err(fault)?.file_name();
            names.push(super::shown(name.as_encoded_bytes()));
        }
        Ok(names)
    }

    /// `path` on the system, for what is to be made there: its folder is [resolved](Self::resolve).
    fn resolve_new(&self, path: &str) -> Result<PathBuf, Fault> {
        let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
        Ok(self.resolve(folder)?.join(name))
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
