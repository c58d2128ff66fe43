//! The platform of a WASI preview 1 host: the first preopened directory, and the realtime clock.
//!
//! The host keeps every path inside the directory, symbolic links included.
#![allow(unsafe_code)]

use core_alloc::string::String;
use core_alloc::vec;
use core_alloc::vec::Vec;

use super::{Fault, Kind, Stat};

/// Preopened directories begin here: 0, 1 and 2 are the standard streams.
const FIRST_PREOPEN: wasip1::Fd = 3;

/// Bytes asked for at a time.
const CHUNK: usize = crate::budget::READ_BUFFER;

/// A directory entry in the buffer of `fd_readdir`: next, inode, length of the name, type; the name
/// follows. (WASI preview 1, `dirent`.)
const ENTRY: usize = 24;

/// The longest text of a symbolic link that is read.
const MAX_LINK: usize = 1024;

/// Holds nothing: there are no locks in WASI.
#[derive(Debug)]
pub struct Lock;

/// The directory the agent works in. Its descriptor is always the same: there is nothing to keep.
#[derive(Debug)]
pub struct Root;

/// An open file or directory, closed at the end of its scope.
struct File(wasip1::Fd);

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours and open, and is not used after this.
        let _ = unsafe { wasip1::fd_close(self.0) };
    }
}

impl File {
    /// Writes all of `bytes`, and has them written to the disk.
    fn write(&self, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let part = wasip1::Ciovec {
                buf: bytes.as_ptr(),
                buf_len: bytes.len(),
            };
            // SAFETY: the one part is memory of `bytes`, which lives through the call.
            let count = unsafe { wasip1::fd_write(self.0, &[part]) }.map_err(fault)?;
            match bytes.get(count..) {
                Some(rest) if count > 0 => bytes = rest,
                _ => return Err(Fault::Other),
            }
        }
        // SAFETY: the descriptor is ours and open.
        unsafe { wasip1::fd_sync(self.0) }.map_err(fault)
    }
}

impl Root {
    /// The first preopened directory, if the host gave one.
    pub fn open() -> Option<Root> {
        // SAFETY: the call takes no pointer of ours; a descriptor that is not open is an error.
        unsafe { wasip1::fd_prestat_get(FIRST_PREOPEN) }.ok()?;
        Some(Root)
    }

    fn open_at(
        &self,
        path: &str,
        flags: wasip1::Oflags,
        rights: wasip1::Rights,
        append: wasip1::Fdflags,
    ) -> Result<File, Fault> {
        // What is made is made where it is said, not where a link leads to.
        let follow = if flags & wasip1::OFLAGS_CREAT == 0 {
            wasip1::LOOKUPFLAGS_SYMLINK_FOLLOW
        } else {
            0
        };
        // SAFETY: `path` is a live string for the whole of the call.
        let fd =
            unsafe { wasip1::path_open(FIRST_PREOPEN, follow, path, flags, rights, 0, append) };
        fd.map(File).map_err(fault)
    }

    /// What is at `path`, if anything is.
    ///
    /// # Errors
    ///
    /// If the host does not say.
    pub fn stat(&self, path: &str) -> Result<Option<Stat>, Fault> {
        let follow = wasip1::LOOKUPFLAGS_SYMLINK_FOLLOW;
        // SAFETY: `path` is a live string for the whole of the call.
        match unsafe { wasip1::path_filestat_get(FIRST_PREOPEN, follow, path) } {
            Ok(stat) => Ok(Some(Stat {
                kind: match stat.filetype {
                    wasip1::FILETYPE_DIRECTORY => Kind::Directory,
                    wasip1::FILETYPE_REGULAR_FILE => Kind::File,
                    _ => Kind::Other,
                },
                bytes: stat.size,
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
    /// If the host does not say, and [`Fault::Outside`] for a link that no path of ours can be.
    pub fn link(&self, path: &str) -> Result<Option<String>, Fault> {
        let mut target = vec![0; MAX_LINK];
        // SAFETY: `path` is a live string, pointer and length are those of `target`, which nothing
        // else uses meanwhile.
        let length = unsafe {
            wasip1::path_readlink(FIRST_PREOPEN, path, target.as_mut_ptr(), target.len())
        };
        match length {
            // It may go on beyond the buffer.
            Ok(length) if length >= MAX_LINK => Err(Fault::Outside),
            Ok(length) => {
                target.truncate(length);
                String::from_utf8(target)
                    .map(Some)
                    .map_err(|_| Fault::Outside)
            }
            // What a host says of a link to an absolute path.
            Err(wasip1::ERRNO_PERM | wasip1::ERRNO_NOTCAPABLE) => Err(Fault::Outside),
            Err(wasip1::ERRNO_INVAL) => Ok(None),
            Err(error) => match fault(error) {
                Fault::NotFound | Fault::NotDirectory => Ok(None),
                other => Err(other),
            },
        }
    }

    /// The bytes of the file at `path` from the byte `from` on, up to a part more than `limit`.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(&self, path: &str, from: u64, limit: u64) -> Result<Vec<u8>, Fault> {
        let rights = wasip1::RIGHTS_FD_READ | wasip1::RIGHTS_FD_SEEK;
        let file = self.open_at(path, 0, rights, 0)?;
        let mut bytes = Vec::new();
        loop {
            let start = bytes.len();
            bytes.resize(start + CHUNK, 0);
            let free = bytes.get_mut(start..).unwrap_or_default();
            let part = wasip1::Iovec {
                buf: free.as_mut_ptr(),
                buf_len: free.len(),
            };
            let at = from + start as u64;
            // SAFETY: the one part is memory of `bytes`, which nothing else uses during the call.
            let count = unsafe { wasip1::fd_pread(file.0, &[part], at) }.map_err(fault)?;
            bytes.truncate(start + count);
            if count == 0 || bytes.len() as u64 > limit {
                return Ok(bytes);
            }
        }
    }

    /// Makes a new file at `path` with `bytes`, and has them written to the disk. The host decides
    /// on its permissions: preview 1 has no word for them.
    ///
    /// # Errors
    ///
    /// [`Fault::Exists`] if there is anything at `path`, a link included. If it cannot be written;
    /// it is then not there.
    pub fn create(&self, path: &str, bytes: &[u8], _like: &str) -> Result<(), Fault> {
        let rights = wasip1::RIGHTS_FD_WRITE | wasip1::RIGHTS_FD_SYNC;
        let file = self.open_at(path, wasip1::OFLAGS_CREAT | wasip1::OFLAGS_EXCL, rights, 0)?;
        file.write(bytes).inspect_err(|_| {
            let _ = self.remove(path);
        })
    }

    /// Adds `bytes` at the end of the file at `path`, which has `size` bytes, and has them written
    /// to the disk.
    ///
    /// # Errors
    ///
    /// If they cannot be written; the file then has `size` bytes, unless that is refused as well.
    pub fn append(&self, path: &str, bytes: &[u8], size: u64) -> Result<(), Fault> {
        let rights = wasip1::RIGHTS_FD_WRITE | wasip1::RIGHTS_FD_SYNC;
        let file = self.open_at(path, 0, rights, wasip1::FDFLAGS_APPEND)?;
        file.write(bytes).inspect_err(|_| {
            let _ = self.cut(path, size);
        })
    }

    /// Takes what is beyond `size` bytes off the file at `path`.
    ///
    /// # Errors
    ///
    /// If the host refuses.
    pub fn cut(&self, path: &str, size: u64) -> Result<(), Fault> {
        let rights = wasip1::RIGHTS_FD_WRITE | wasip1::RIGHTS_FD_FILESTAT_SET_SIZE;
        let file = self.open_at(path, 0, rights, 0)?;
        // SAFETY: the descriptor is ours and open.
        unsafe { wasip1::fd_filestat_set_size(file.0, size) }.map_err(fault)
    }

    /// There is no lock in preview 1.
    ///
    /// # Errors
    ///
    /// None.
    pub fn lock(&self, _path: &str) -> Result<Lock, Fault> {
        Ok(Lock)
    }

    /// Gives the file at `from` the name `to`, in place of what had it.
    ///
    /// # Errors
    ///
    /// If the host refuses; both are then as before.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), Fault> {
        // SAFETY: both paths are live strings for the whole of the call.
        unsafe { wasip1::path_rename(FIRST_PREOPEN, from, FIRST_PREOPEN, to) }.map_err(fault)
    }

    /// Deletes the file at `path`.
    ///
    /// # Errors
    ///
    /// If the host refuses.
    pub fn remove(&self, path: &str) -> Result<(), Fault> {
        // SAFETY: `path` is a live string for the whole of the call.
        unsafe { wasip1::path_unlink_file(FIRST_PREOPEN, path) }.map_err(fault)
    }

    /// Makes a directory at `path`; its parent must be there.
    ///
    /// # Errors
    ///
    /// If the host refuses.
    pub fn create_directory(&self, path: &str) -> Result<(), Fault> {
        // SAFETY: `path` is a live string for the whole of the call.
        unsafe { wasip1::path_create_directory(FIRST_PREOPEN, path) }.map_err(fault)
    }

    /// The names in the directory at `path`, in no order.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn list(&self, path: &str) -> Result<Vec<String>, Fault> {
        let directory =
            self.open_at(path, wasip1::OFLAGS_DIRECTORY, wasip1::RIGHTS_FD_READDIR, 0)?;
        let mut names = Vec::new();
        let mut cookie = wasip1::DIRCOOKIE_START;
        // Larger than any entry: a name has at most 255 bytes on the systems there are.
        let mut buffer = vec![0; CHUNK];
        loop {
            // SAFETY: pointer and length are those of `buffer`, which nothing else uses meanwhile.
            let filled = unsafe {
                wasip1::fd_readdir(directory.0, buffer.as_mut_ptr(), buffer.len(), cookie)
            }
            .map_err(fault)?;
            let mut rest = buffer.get(..filled).unwrap_or_default();
            let mut found = false;
            // What is cut off at the end of the buffer comes first in the next one.
            while let Some((next, name, after)) = entry(rest) {
                found = true;
                cookie = next;
                rest = after;
                if !matches!(name, b"." | b"..") {
                    names.push(super::shown(name));
                }
            }
            if !found || filled < CHUNK {
                return Ok(names);
            }
        }
    }
}

/// The first entry in `buffer`: the cookie of the next one, the name, and what comes after.
fn entry(buffer: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let next = u64::from_le_bytes(buffer.get(..8)?.try_into().ok()?);
    let length = u32::from_le_bytes(buffer.get(16..20)?.try_into().ok()?);
    let end = ENTRY.checked_add(length as usize)?;
    Some((next, buffer.get(ENTRY..end)?, buffer.get(end..)?))
}

/// Milliseconds since the Unix epoch; 0 if the host has no clock.
pub fn now_ms() -> u64 {
    // SAFETY: the call takes no pointer of ours.
    unsafe { wasip1::clock_time_get(wasip1::CLOCKID_REALTIME, 1_000_000) }.unwrap_or(0) / 1_000_000
}

fn fault(error: wasip1::Errno) -> Fault {
    match error {
        wasip1::ERRNO_NOENT => Fault::NotFound,
        wasip1::ERRNO_EXIST => Fault::Exists,
        wasip1::ERRNO_NOTDIR => Fault::NotDirectory,
        wasip1::ERRNO_ISDIR => Fault::IsDirectory,
        wasip1::ERRNO_ACCES
        | wasip1::ERRNO_PERM
        | wasip1::ERRNO_ROFS
        | wasip1::ERRNO_NOTCAPABLE => Fault::Denied,
        _ => Fault::Other,
    }
}
