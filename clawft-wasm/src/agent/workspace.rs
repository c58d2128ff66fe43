//! The root directory as the agent uses it: checked paths, atomic writes, uniform errors.
//!
//! Tools hand in paths from outside and [`Workspace::inside`] checks them; sessions and memory have
//! paths of their own below [`STATE`], which no tool reaches. Both then go to [`crate::platform`].

mod path;

pub use path::normal;

use clawft_types::json::decimal;
use clawft_types::{AgentError, ErrorCode, Result, text};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use crate::platform::{Fault, Kind, Lock, Root, STATE, Stat};
use path::{folder_of, is_state, joined};

/// Bytes of a session file that are read at a time; a line may be longer.
const PART: u64 = 256 * 1024;

/// Symbolic links that are followed on one path.
const MAX_LINKS: u32 = 40;

/// Names that are tried for a temporary file: each of them may be somebody's.
const MAX_NAMES: u64 = 1000;

/// A lock of the platform, held until it goes.
#[derive(Debug)]
pub struct Held(#[allow(dead_code, reason = "it is held, not read")] Lock);

/// The root directory, if there is one.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Nothing until the host was asked for it.
    root: Option<Option<Root>>,
}

impl Workspace {
    /// The workspace in `root`.
    pub fn new(root: Option<Root>) -> Self {
        Workspace { root: Some(root) }
    }

    /// Asks the host for its directory, once. Until then a default workspace has none.
    pub fn open(&mut self) {
        self.root.get_or_insert_with(Root::open);
    }

    /// Whether there is a directory at all.
    pub fn is_there(&self) -> bool {
        matches!(self.root, Some(Some(_)))
    }

    fn root(&self) -> Result<&Root> {
        match &self.root {
            Some(Some(root)) => Ok(root),
            _ => Err(no_root()),
        }
    }

    /// What is at `path`, if anything is.
    fn stat(&self, path: &str) -> Result<Option<Stat>> {
        let stat = self.root()?.stat(path);
        stat.map_err(|fault| error(path, fault))
    }

    /// Whether there is something at `path`.
    ///
    /// # Errors
    ///
    /// `no_file_system`, or what the platform says.
    pub fn exists(&self, path: &str) -> Result<bool> {
        Ok(self.stat(path)?.is_some())
    }

    /// The text of the file at `path`, if it has at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// `not_found`, `wrong_kind`, `too_large`, `not_text`, or what the platform says.
    pub fn read(&self, path: &str, limit: u64) -> Result<String> {
        let root = self.root()?;
        match self.stat(path)? {
            None => return Err(error(path, Fault::NotFound)),
            Some(stat) => match stat.kind {
                Kind::Directory => return Err(error(path, Fault::IsDirectory)),
                Kind::Other => return Err(error(path, Fault::NoFile)),
                Kind::File if stat.bytes > limit => {
                    return Err(too_large(path, stat.bytes, limit));
                }
                Kind::File => {}
            },
        }
        let bytes = root
            .read(path, 0, limit)
            .map_err(|fault| error(path, fault))?;
        // It may have grown, or be one of those that say 0 and have more.
        if bytes.len() as u64 > limit {
            return Err(AgentError::new(
                ErrorCode::TooLarge,
                "{}: has more bytes than limits.max_file_bytes = {}",
                &[path, &decimal(limit)],
            ));
        }
        String::from_utf8(bytes)
            .map_err(|_| AgentError::new(ErrorCode::NotText, "{}: not UTF-8 text", &[path]))
    }

    /// The size of the file at `path` in bytes, if there is one.
    ///
    /// # Errors
    ///
    /// `wrong_kind`, or what the platform says.
    pub fn size(&self, path: &str) -> Result<Option<u64>> {
        match self.stat(path)? {
            Some(stat) if stat.kind != Kind::File => Err(error(path, Fault::NoFile)),
            stat => Ok(stat.map(|stat| stat.bytes)),
        }
    }

    /// A part of the file at `path` from the byte `from` on; nothing at its end.
    ///
    /// # Errors
    ///
    /// What the platform says.
    pub fn part(&self, path: &str, from: u64) -> Result<Vec<u8>> {
        let part = self.root()?.read(path, from, PART);
        part.map_err(|fault| error(path, fault))
    }

    /// Adds `text` at the end of the file at `path`, which has `size` bytes.
    ///
    /// # Errors
    ///
    /// What the platform says; the file is then as before, if that can be had.
    pub fn append(&self, path: &str, text: &str, size: u64) -> Result<()> {
        let done = self.root()?.append(path, text.as_bytes(), size);
        done.map_err(|fault| error(path, fault))
    }

    /// Moves what is beyond `size` bytes of the file at `path`, which is `tail`, to a new file
    /// `aside`.
    ///
    /// # Errors
    ///
    /// What the platform says; nothing is lost then.
    pub fn cut(&self, path: &str, size: u64, tail: &[u8], aside: &str) -> Result<()> {
        let root = self.root()?;
        root.create(aside, tail, path)
            .and_then(|()| root.cut(path, size))
            .map_err(|fault| error(path, fault))
    }

    /// Keeps other processes from writing to [`STATE`] until the value goes, where the platform has
    /// locks.
    ///
    /// # Errors
    ///
    /// What the platform says.
    pub fn lock(&self) -> Result<Held> {
        let path = text::fill("{}/lock", &[STATE]);
        self.make_folders(&path)?;
        let lock = self.root()?.lock(&path);
        lock.map(Held).map_err(|fault| error(&path, fault))
    }

    /// Makes the file at `path` hold `content`, at once or not at all: it is written beside,
    /// flushed and renamed. Directories on the way are made.
    ///
    /// # Errors
    ///
    /// `wrong_kind`, or what the platform says.
    pub fn write(&self, path: &str, content: &str) -> Result<()> {
        let root = self.root()?;
        self.make_folders(path)?;
        match self.stat(path)? {
            None => {}
            Some(stat) => match stat.kind {
                Kind::File => {}
                Kind::Directory => return Err(error(path, Fault::IsDirectory)),
                Kind::Other => return Err(error(path, Fault::NoFile)),
            },
        }
        let mut number = 0;
        let beside = loop {
            let beside = text::fill("{}.clawft-tmp{}", &[folder_of(path), &decimal(number)]);
            match root.create(&beside, content.as_bytes(), path) {
                Ok(()) => break beside,
                // It is another process's, or the user's.
                Err(Fault::Exists) if number < MAX_NAMES => number += 1,
                Err(fault) => return Err(error(path, fault)),
            }
        };
        root.rename(&beside, path).map_err(|fault| {
            let _ = root.remove(&beside);
            error(path, fault)
        })
    }

    /// Makes the directories on the way to `path`.
    fn make_folders(&self, path: &str) -> Result<()> {
        let root = self.root()?;
        for (at, byte) in path.bytes().enumerate() {
            if byte != b'/' {
                continue;
            }
            let parent = path.get(..at).unwrap_or_default();
            match root.stat(parent).map_err(|fault| error(parent, fault))? {
                Some(stat) if stat.kind == Kind::Directory => {}
                Some(_) => return Err(error(parent, Fault::NotDirectory)),
                None => match root.create_directory(parent) {
                    Ok(()) | Err(Fault::Exists) => {}
                    Err(fault) => return Err(error(parent, fault)),
                },
            }
        }
        Ok(())
    }

    /// `path` from outside, [`normal`] and with what symbolic links on it lead to in their place.
    ///
    /// # Errors
    ///
    /// `path_outside_sandbox` where that is out of the root or in [`STATE`], `no_file_system`, or
    /// what the platform says.
    pub fn inside(&self, path: &str) -> Result<String> {
        let given = normal(path)?;
        let mut path = given.clone();
        for _ in 0..MAX_LINKS {
            let Some(led) = self.first_link(&path)? else {
                if is_state(&path) {
                    break;
                }
                return Ok(path);
            };
            match joined(&led, true) {
                Ok(led) => path = led,
                Err(_) => break,
            }
        }
        Err(error(&given, Fault::Outside))
    }

    /// `path` with what the first symbolic link on it says in its place, if there is one.
    fn first_link(&self, path: &str) -> Result<Option<String>> {
        let root = self.root()?;
        let ends = path.bytes().enumerate().filter(|(_, byte)| *byte == b'/');
        for end in ends.map(|(at, _)| at).chain([path.len()]) {
            let (to, rest) = path.split_at_checked(end).unwrap_or_default();
            if let Some(link) = root.link(to).map_err(|fault| error(path, fault))? {
                // What is absolute stays so, and is refused.
                let folder = if link.starts_with('/') {
                    ""
                } else {
                    folder_of(to)
                };
                return Ok(Some(text::fill("{}{}{}", &[folder, &link, rest])));
            }
        }
        Ok(None)
    }

    /// Gives the file at `from` the name `to`.
    ///
    /// # Errors
    ///
    /// What the platform says.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.root()?
            .rename(from, to)
            .map_err(|fault| error(from, fault))
    }

    /// Deletes the file at `path`.
    ///
    /// # Errors
    ///
    /// What the platform says.
    pub fn remove(&self, path: &str) -> Result<()> {
        self.root()?
            .remove(path)
            .map_err(|fault| error(path, fault))
    }

    /// The names in the directory at `path` in the order of their bytes, directories with `/` at
    /// the end, without [`STATE`].
    ///
    /// # Errors
    ///
    /// `not_found`, `wrong_kind`, `too_large` if the names have more than `limit` bytes, or what
    /// the platform says.
    pub fn list(&self, path: &str, limit: u64) -> Result<Vec<String>> {
        let root = self.root()?;
        match self.stat(path)? {
            None => return Err(error(path, Fault::NotFound)),
            Some(stat) if stat.kind != Kind::Directory => {
                return Err(error(path, Fault::NotDirectory));
            }
            Some(_) => {}
        }
        let mut names = root.list(path).map_err(|fault| error(path, fault))?;
        if path == "." {
            while let Some(at) = names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(STATE))
            {
                names.swap_remove(at);
            }
        }
        let bytes = names.iter().map(|name| name.len() as u64 + 1).sum();
        if bytes > limit {
            return Err(too_large(path, bytes, limit));
        }
        text::sort(&mut names);
        for name in &mut names {
            // What cannot be looked at (a link out of the root) is shown like a file.
            if let Ok(Some(stat)) = root.stat(&text::fill("{}/{}", &[path, name]))
                && stat.kind == Kind::Directory
            {
                name.push('/');
            }
        }
        Ok(names)
    }
}

fn no_root() -> Box<AgentError> {
    AgentError::new(ErrorCode::NoFileSystem, "the host gave no directory", &[])
}

/// The error for something larger than its limit.
pub fn too_large(what: &str, bytes: u64, limit: u64) -> Box<AgentError> {
    AgentError::new(
        ErrorCode::TooLarge,
        "{}: has {} bytes, limits.max_file_bytes is {}",
        &[what, &decimal(bytes), &decimal(limit)],
    )
}

fn error(path: &str, fault: Fault) -> Box<AgentError> {
    let (code, what) = match fault {
        Fault::NotFound => (ErrorCode::NotFound, "{}: not found"),
        Fault::Exists => (ErrorCode::Io, "{}: is there already"),
        Fault::NotDirectory => (ErrorCode::WrongKind, "{}: not a directory"),
        Fault::IsDirectory => (ErrorCode::WrongKind, "{}: is a directory"),
        Fault::NoFile => (ErrorCode::WrongKind, "{}: is a pipe, a socket or a device"),
        Fault::Denied => (ErrorCode::PermissionDenied, "{}: permission denied"),
        Fault::Outside => (ErrorCode::PathOutsideSandbox, "{}: leads out of the root"),
        Fault::Other => (ErrorCode::Io, "{}: input or output failed"),
    };
    AgentError::new(code, what, &[path])
}
