//! A store in a folder: a file beside its place, synced, then linked to its name where there is
//! none.

use super::{Entry, Put};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How files begin that are not there yet.
const TEMPORARY: &str = ".part-";

/// A folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn open(folder: &str) -> io::Result<Self> {
        let root = PathBuf::from(folder);
        let about = |why: io::Error| io::Error::new(why.kind(), format!("{folder}: {why}"));
        fs::create_dir_all(&root).map_err(about)?;
        Ok(Self { root })
    }

    pub(super) fn create(&self, path: &[&str], bytes: &[u8]) -> io::Result<Put> {
        let path = self.path(path);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        if path.exists() {
            return Ok(Put::WasThere);
        }
        let mut file = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(&path) {
            Ok(_) => {
                sync_folder(folder)?;
                Ok(Put::Created)
            }
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(Put::WasThere),
            Err(error) => Err(error.error),
        }
    }

    pub(super) fn read(&self, path: &[&str]) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn remove(&self, path: &[&str]) -> io::Result<()> {
        match fs::remove_file(self.path(path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn list(&self, space: &str) -> io::Result<Vec<Entry>> {
        let mut all = Vec::new();
        for (folder, path) in entries(&self.path(&[space]))? {
            if !path.is_dir() {
                continue;
            }
            let names = entries(&path)?.into_iter().map(|(name, _)| Entry {
                folder: folder.clone(),
                name,
                modified: None,
            });
            all.extend(names);
        }
        Ok(all)
    }

    pub(super) fn modified(&self, path: &[&str]) -> io::Result<SystemTime> {
        fs::metadata(self.path(path))?.modified()
    }

    fn path(&self, parts: &[&str]) -> PathBuf {
        let mut path = self.root.clone();
        path.extend(parts);
        path
    }
}

/// What is in a folder; nothing where it is not there.
fn entries(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().into_string().ok();
        all.extend(name.map(|name| (name, entry.path())));
    }
    Ok(all)
}

/// Without it a file's name may be lost with the power.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
