//! Files that appear whole, and what killed runs leave of them.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Writes `bytes` to `path` so that a kill at any moment leaves the old file or the new one, whole:
/// to a temporary file beside it, synced, then renamed.
///
/// # Errors
/// [`Error::Io`] naming the file.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
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
    file.as_file()
        .sync_all()
        .map_err(Error::io("syncing", path))?;
    file.persist(path)
        .map_err(|e| Error::io("renaming to", path)(e.error))?;
    Ok(())
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
fn readable() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

#[cfg(not(unix))]
fn readable() -> std::fs::Permissions {
    // Only the default exists elsewhere; tempfile wants a value, and an existing file has one.
    std::fs::metadata(".")
        .expect("the current folder has permissions")
        .permissions()
}
