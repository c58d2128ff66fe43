//! The platform of a WASI 0.2 host: the first preopened directory, and the wall clock.
//!
//! It binds `wasi:filesystem` and `wasi:clocks` directly: a std program would come with an adapter
//! from preview 1, which is larger than the agent. The host keeps every path inside the directory,
//! symbolic links included. Files are read and written without streams, which saves `wasi:io`.

use core_alloc::string::String;
use core_alloc::vec::Vec;

use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

use super::{Fault, Stat};

/// Bytes asked for at a time.
const CHUNK: u64 = crate::budget::READ_PART as u64;

/// The directory the agent works in.
#[derive(Debug)]
pub struct Root {
    directory: Descriptor,
}

impl Root {
    /// The first preopened directory, if the host gave one.
    pub fn open() -> Option<Root> {
        let mut directories = preopens::get_directories();
        directories.truncate(1);
        let (directory, _) = directories.pop()?;
        Some(Root { directory })
    }

    fn open_at(
        &self,
        path: &str,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Result<Descriptor, Fault> {
        self.directory
            .open_at(PathFlags::SYMLINK_FOLLOW, path, open, flags)
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
                directory: stat.type_ == DescriptorType::Directory,
                bytes: stat.size,
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
        let file = self.open_at(path, OpenFlags::empty(), DescriptorFlags::READ)?;
        let mut bytes = Vec::new();
        loop {
            let (part, end) = file.read(CHUNK, bytes.len() as u64).map_err(fault)?;
            bytes.extend_from_slice(&part);
            if end || part.is_empty() {
                return Ok(bytes);
            }
        }
    }

    /// Makes the file at `path` hold `bytes`, and has them written to the disk.
    ///
    /// # Errors
    ///
    /// If it cannot be written; some of it may be.
    pub fn write(&self, path: &str, mut bytes: &[u8]) -> Result<(), Fault> {
        let file = self.open_at(
            path,
            OpenFlags::CREATE | OpenFlags::TRUNCATE,
            DescriptorFlags::WRITE,
        )?;
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

    /// The names in the directory at `path`, in no order.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn list(&self, path: &str) -> Result<Vec<String>, Fault> {
        let directory = self.open_at(path, OpenFlags::DIRECTORY, DescriptorFlags::READ)?;
        let entries = directory.read_directory().map_err(fault)?;
        let mut names = Vec::new();
        while let Some(entry) = entries.read_directory_entry().map_err(fault)? {
            names.push(entry.name);
        }
        Ok(names)
    }
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let now = wasip2::clocks::wall_clock::now();
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
