//! The platform of a WASI 0.2 host: the first preopened directory, and the wall clock.
//!
//! It binds `wasi:filesystem` and `wasi:clocks` of 0.2.0 as `wit/deps` has them, so that older
//! hosts link: a std program would come with an adapter from preview 1, which is larger than the
//! agent. The host keeps every path inside the directory, symbolic links included. Only what is
//! added to a file takes a stream: there is no other append.
#![allow(unsafe_code)]

use core_alloc::string::String;
use core_alloc::vec::Vec;

use crate::component::bindings::wasi::clocks::wall_clock;
use crate::component::bindings::wasi::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

use super::http::abi::{self, Returned};
use super::{Fault, Kind, Stat};

/// Bytes asked for at a time.
const CHUNK: u64 = crate::budget::READ_PART as u64;

/// Holds nothing: there are no locks in WASI.
#[derive(Debug)]
pub struct Lock;

/// The directory the agent works in.
#[derive(Debug)]
pub struct Root {
    directory: Descriptor,
}

impl Root {
    /// The first preopened directory, if the host gave one.
    pub fn open() -> Option<Root> {
        // SAFETY: it returns a list of handles, each with a text, and each is taken once.
        let directories: Vec<[u32; 3]> =
            unsafe { Returned::by(|to| abi::get_directories(to)).list(0) };
        let mut first = None;
        for [handle, pointer, length] in directories.into_iter().rev() {
            // SAFETY: as above.
            let (directory, _name) = unsafe {
                let name: Vec<u8> = abi::list(pointer, length);
                (Descriptor::from_handle(handle), name)
            };
            first = Some(Root { directory });
        }
        first
    }

    fn open_at(
        &self,
        links: PathFlags,
        path: &str,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Result<Descriptor, Fault> {
        self.directory
            .open_at(links, path, open, flags)
            .map_err(fault)
    }

    /// What is at `path`, if anything is.
    ///
    /// # Errors
    ///
    /// If the host does not say.
    pub fn stat(&self, path: &str) -> Result<Option<Stat>, Fault> {
        match self.directory.stat_at(PathFlags::SYMLINK_FOLLOW, path) {
            Ok(stat) => Ok(Some(Stat {
                kind: match stat.type_ {
                    DescriptorType::Directory => Kind::Directory,
                    DescriptorType::RegularFile => Kind::File,
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
        match self.directory.readlink_at(path) {
            Ok(target) => Ok(Some(target)),
            // What a host says of a link to an absolute path, and of one that is no text.
            Err(ErrorCode::NotPermitted | ErrorCode::IllegalByteSequence) => Err(Fault::Outside),
            Err(ErrorCode::Invalid) => Ok(None),
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
        let file = self.open_at(
            PathFlags::SYMLINK_FOLLOW,
            path,
            OpenFlags::empty(),
            DescriptorFlags::READ,
        )?;
        let mut bytes = Vec::new();
        loop {
            let at = from + bytes.len() as u64;
            let (part, end) = file.read(CHUNK, at).map_err(fault)?;
            bytes.extend_from_slice(&part);
            if end || part.is_empty() || bytes.len() as u64 > limit {
                return Ok(bytes);
            }
        }
    }

    /// Makes a new file at `path` with `bytes`, and has them written to the disk. The host decides
    /// on its permissions: WASI has no word for them.
    ///
    /// # Errors
    ///
    /// [`Fault::Exists`] if there is anything at `path`, a link included. If it cannot be written;
    /// it is then not there.
    pub fn create(&self, path: &str, bytes: &[u8], _like: &str) -> Result<(), Fault> {
        // Where it is said, not where a link leads to.
        let file = self.open_at(
            PathFlags::empty(),
            path,
            OpenFlags::CREATE | OpenFlags::EXCLUSIVE,
            DescriptorFlags::WRITE,
        )?;
        write(&file, bytes).inspect_err(|_| {
            let _ = self.remove(path);
        })
    }

    /// Adds `bytes` at the end of the file at `path`, which has `size` bytes, and has them written
    /// to the disk. In one write where the host takes them at once, so that what others add stays
    /// whole.
    ///
    /// # Errors
    ///
    /// If they cannot be written; the file then has `size` bytes, unless that is refused as well.
    pub fn append(&self, path: &str, bytes: &[u8], size: u64) -> Result<(), Fault> {
        let file = self.open_at(
            PathFlags::SYMLINK_FOLLOW,
            path,
            OpenFlags::empty(),
            DescriptorFlags::WRITE,
        )?;
        append(&file, bytes).inspect_err(|_| {
            let _ = file.set_size(size);
        })
    }

    /// Takes what is beyond `size` bytes off the file at `path`.
    ///
    /// # Errors
    ///
    /// If the host refuses.
    pub fn cut(&self, path: &str, size: u64) -> Result<(), Fault> {
        let file = self.open_at(
            PathFlags::SYMLINK_FOLLOW,
            path,
            OpenFlags::empty(),
            DescriptorFlags::WRITE,
        )?;
        file.set_size(size).map_err(fault)
    }

    /// There is no lock in WASI.
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
        self.directory
            .rename_at(from, &self.directory, to)
            .map_err(fault)
    }

    /// Deletes the file at `path`.
    ///
    /// # Errors
    ///
    /// If the host refuses.
    pub fn remove(&self, path: &str) -> Result<(), Fault> {
        self.directory.unlink_file_at(path).map_err(fault)
    }

    /// Makes a directory at `path`; its parent must be there.
    ///
    /// # Errors
    ///
    /// If the host refuses.
    pub fn create_directory(&self, path: &str) -> Result<(), Fault> {
        self.directory.create_directory_at(path).map_err(fault)
    }

    /// The names in the directory at `path`, in no order; names that are not UTF-8 are left out.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn list(&self, path: &str) -> Result<Vec<String>, Fault> {
        let directory = self.open_at(
            PathFlags::SYMLINK_FOLLOW,
            path,
            OpenFlags::DIRECTORY,
            DescriptorFlags::READ,
        )?;
        let entries = directory.read_directory().map_err(fault)?;
        let mut names = Vec::new();
        loop {
            match entries.read_directory_entry() {
                Ok(Some(entry)) => names.push(entry.name),
                Ok(None) => return Ok(names),
                // A name that is not UTF-8, which the host cannot hand over; it goes on behind it.
                Err(ErrorCode::IllegalByteSequence) => {}
                Err(error) => return Err(fault(error)),
            }
        }
    }
}

/// Adds `bytes` to `file`, and has them written to the disk.
fn append(file: &Descriptor, mut bytes: &[u8]) -> Result<(), Fault> {
    let stream = file.append_via_stream().map_err(fault)?;
    while !bytes.is_empty() {
        let room = stream.check_write().map_err(|_| Fault::Other)?;
        let (now, rest) = bytes
            .split_at_checked(room as usize)
            .unwrap_or((bytes, &[]));
        stream.write(now).map_err(|_| Fault::Other)?;
        stream.blocking_flush().map_err(|_| Fault::Other)?;
        bytes = rest;
    }
    file.sync().map_err(fault)
}

/// Writes all of `bytes` to `file`, and has them written to the disk.
fn write(file: &Descriptor, mut bytes: &[u8]) -> Result<(), Fault> {
    let mut at = 0;
    while !bytes.is_empty() {
        let count = file.write(bytes, at).map_err(fault)?;
        at += count;
        match bytes.get(count as usize..) {
            Some(rest) if count > 0 => bytes = rest,
            _ => return Err(Fault::Other),
        }
    }
    file.sync().map_err(fault)
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let now = wall_clock::now();
    now.seconds
        .saturating_mul(1000)
        .saturating_add(u64::from(now.nanoseconds / 1_000_000))
}

fn fault(error: ErrorCode) -> Fault {
    match error {
        ErrorCode::NoEntry => Fault::NotFound,
        ErrorCode::Exist => Fault::Exists,
        ErrorCode::NotDirectory => Fault::NotDirectory,
        ErrorCode::IsDirectory => Fault::IsDirectory,
        ErrorCode::Access | ErrorCode::NotPermitted | ErrorCode::ReadOnly => Fault::Denied,
        _ => Fault::Other,
    }
}
