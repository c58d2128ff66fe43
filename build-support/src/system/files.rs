//! Files that appear whole, and what killed runs leave of them. What is no file on a disk, a pipe
//! or a device, is written through.

use crate::error::{Error, Result};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};

/// How many symbolic links may lead to each other, as on Linux.
const LINKS: usize = 40;

/// Whether `path`, where something is read from, stands for standard input.
pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether `path`, where something is written to, stands for standard output.
pub fn is_stdout(path: &Path) -> bool {
    ["-", "/dev/stdout"]
        .iter()
        .any(|name| path.as_os_str() == *name)
}

/// What comes out of a device, a pipe or standard input may have no end.
const MOST: u64 = 1 << 30;

/// All of `path`, or of standard input.
///
/// # Errors
/// [`Error::Io`] naming the file; also where one that has no size gives more than 1 GiB.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    if is_stdin(path) {
        let read = read_some(std::io::stdin().lock(), MOST);
        return read.map_err(Error::io("reading", Path::new("standard input")));
    }
    let read = || {
        if std::fs::metadata(path)?.is_file() {
            return std::fs::read(path);
        }
        read_some(std::fs::File::open(path)?, MOST)
    };
    read().map_err(Error::io("reading", path))
}

fn read_some(input: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = "it gives more than 1 GiB, and may have no end";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// Writes `bytes` to `path` so that a kill at any moment leaves the old file or the new one, whole:
/// to a temporary file beside it, synced, then renamed. A symbolic link stays one, and what it
/// points to is written. Standard output, a device or a pipe gets the bytes; where nobody reads
/// them any more, that is no error.
///
/// # Errors
/// [`Error::Io`] naming the file. The old one is as it was then.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    if is_stdout(path) {
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
        return wanted(written).map_err(Error::io("writing", Path::new("standard output")));
    }
    let Some(path) = place(path).map_err(Error::io("writing", path))? else {
        let opened = OpenOptions::new().write(true).open(path);
        let written = opened.and_then(|mut file| file.write_all(bytes));
        return wanted(written).map_err(Error::io("writing", path));
    };
    let path = path.as_path();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    std::fs::create_dir_all(&folder).map_err(Error::io("creating folder", &folder))?;
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .permissions(readable())
        .tempfile_in(&folder)
        .map_err(Error::io("writing beside", path))?;
    file.write_all(bytes).map_err(Error::io("writing", path))?;
    // Its owner chose who may read it.
    if let Ok(before) = std::fs::metadata(path) {
        let kept = file.as_file().set_permissions(before.permissions());
        kept.map_err(Error::io("keeping the permissions of", path))?;
    }
    file.as_file()
        .sync_all()
        .map_err(Error::io("syncing", path))?;
    file.persist(path)
        .map_err(|e| Error::io("renaming to", path)(e.error))?;
    Ok(())
}

/// Whether [`write_atomic`] would find a place beside `path`, for whoever has much to do before it
/// is written.
///
/// # Errors
/// [`Error::Io`] naming the file.
pub fn can_write(path: &Path) -> Result<()> {
    let place = place(path).map_err(Error::io("writing", path))?;
    let place = place.unwrap_or_else(|| path.to_owned());
    let folder = match place.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    let made = builder.prefix(TEMPORARY_PREFIX).tempfile_in(folder);
    made.map(drop).map_err(Error::io("writing beside", path))
}

/// Where the file itself is that `path` names, links followed, whether or not it is there yet; none
/// where it is no file but something that takes bytes.
fn place(path: &Path) -> std::io::Result<Option<PathBuf>> {
    match std::fs::metadata(path) {
        Ok(about) if about.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        Ok(about) if !about.is_file() => return Ok(None),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut place = path.to_owned();
    for _ in 0..LINKS {
        let Ok(next) = std::fs::read_link(&place) else {
            return Ok(Some(place));
        };
        let folder = place.parent().unwrap_or(Path::new(""));
        // What `/dev/stdout` leads to is open already: another file in its place would not be it.
        let real = folder.canonicalize();
        if real.is_ok_and(|folder| folder.starts_with("/proc")) {
            return Ok(None);
        }
        place = folder.join(next);
    }
    Ok(Some(place))
}

/// That nobody reads it any more is no fault of what is written.
fn wanted(written: std::io::Result<()>) -> std::io::Result<()> {
    written.or_else(|error| match error.kind() {
        ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    })
}

/// Waits until no other process holds the lock `name` in `folder`, which is made where it is not
/// there, and keeps it from others as long as the result lives.
///
/// # Errors
/// [`Error::Io`].
pub fn lock(folder: &Path, name: &str) -> Result<File> {
    std::fs::create_dir_all(folder).map_err(Error::io("creating folder", folder))?;
    let path = folder.join(name);
    let file = File::create(&path).map_err(Error::io("creating", &path))?;
    file.lock().map_err(Error::io("locking", &path))?;
    Ok(file)
}

/// How the temporary files of [`write_atomic`] begin; a killed run may leave one behind.
const TEMPORARY_PREFIX: &str = ".build-support-";

/// Removes what killed runs left in `folder`. Call it only while holding the folder's lock.
///
/// # Errors
/// [`Error::Io`] where the folder cannot be listed or a left-over cannot be removed.
pub fn remove_leftovers(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(Error::io("listing", folder))? {
        let entry = entry.map_err(Error::io("listing", folder))?;
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(TEMPORARY_PREFIX)
        {
            std::fs::remove_file(entry.path()).map_err(Error::io("removing", &entry.path()))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn readable() -> Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

#[cfg(not(unix))]
fn readable() -> Permissions {
    // Only the default exists elsewhere; tempfile wants a value, and an existing file has one.
    std::fs::metadata(".")
        .expect("the current folder has permissions")
        .permissions()
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    mod unix {
        use super::super::*;
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        fn names(folder: &Path) -> Vec<String> {
            let entries = std::fs::read_dir(folder).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        }

        /// Protects the machine from input that has no end.
        #[test]
        fn what_has_no_end_is_not_read_to_it() {
            let endless = read_some(std::io::repeat(0), 1_000).unwrap_err();
            assert!(endless.to_string().contains("no end"), "{endless}");
            let whole = read_some(&[7; 1_000][..], 1_000).unwrap();
            assert_eq!(whole, [7; 1_000]);
        }

        /// Protects links: they stay, and what they lead to is written, whether or not it is there.
        #[test]
        fn a_link_stays_and_its_file_is_written() {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            std::fs::create_dir(at("real")).unwrap();
            symlink("second", at("first")).unwrap();
            symlink("real/file", at("second")).unwrap();
            for text in ["one", "another"] {
                write_atomic(&at("first"), text.as_bytes()).unwrap();
                assert_eq!(std::fs::read_to_string(at("real/file")).unwrap(), text);
                assert!(at("first").is_symlink() && at("second").is_symlink());
                assert_eq!(names(folder.path()), ["first", "real", "second"]);
                assert_eq!(names(&at("real")), ["file"]);
            }
            symlink("round", at("round")).unwrap();
            let error = write_atomic(&at("round"), b"").unwrap_err().to_string();
            assert!(error.contains("round"), "{error}");
        }

        /// Protects a file's permissions, which its owner chose.
        #[test]
        fn permissions_stay() {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("file");
            let mode = || std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
            write_atomic(&file, b"1").unwrap();
            assert_eq!(mode(), 0o644);
            std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            write_atomic(&file, b"2").unwrap();
            assert_eq!(
                (mode(), read(&file).unwrap().as_slice()),
                (0o600, &b"2"[..])
            );
        }

        /// Protects devices: they take the bytes and stay what they are. Through links, so that a
        /// fault costs no device.
        #[test]
        fn a_device_is_written_through() {
            let folder = tempfile::tempdir().unwrap();
            let (null, full) = (folder.path().join("null"), folder.path().join("full"));
            symlink("/dev/null", &null).unwrap();
            symlink("/dev/full", &full).unwrap();
            write_atomic(&null, b"bytes").unwrap();
            let error = write_atomic(&full, b"bytes").unwrap_err().to_string();
            assert!(error.contains("full: No space left"), "{error}");
            assert!(null.is_symlink() && full.is_symlink());
            assert_eq!(names(folder.path()), ["full", "null"]);
            assert!(write_atomic(folder.path(), b"").is_err());
        }
    }
}
