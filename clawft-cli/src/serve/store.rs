//! Where segments are kept: files that are made once and never changed. What they need of a store
//! is create-if-absent, reading, listing and removing; a [`folder`] has it, and a [`bucket`] of an
//! object store ([`sign`] proves who asks).

mod bucket;
mod folder;
pub mod sign;

use bucket::Bucket;
use folder::Folder;
use std::io::{self, ErrorKind};
use std::time::{Duration, SystemTime};

/// What a store in a folder is called.
const FOLDER: &str = "file:";
/// What one in a bucket is called.
const BUCKET: &str = "s3://";

/// A store.
#[derive(Debug, Clone)]
pub enum Store {
    /// On this machine.
    Folder(Folder),
    /// Somewhere else, for as many servers as there are.
    Bucket(Bucket),
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is there now.
    Created,
    /// One was there, and is as it was.
    WasThere,
}

/// A file in a folder of a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its folder.
    pub folder: String,
    /// Its name.
    pub name: String,
    /// When it was made, where a listing says so.
    modified: Option<SystemTime>,
}

impl Store {
    /// The store that `name` means, with the variables of the environment.
    ///
    /// # Errors
    /// Where it means none, the folder cannot be made, or the bucket does not answer as it must.
    pub fn open(name: &str) -> io::Result<Self> {
        Self::open_with(name, &|variable| std::env::var(variable).ok())
    }

    /// The same with other variables.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(name: &str, variable: &bucket::Variables<'_>) -> io::Result<Self> {
        if let Some(folder) = name.strip_prefix(FOLDER).filter(|name| !name.is_empty()) {
            return Folder::open(folder).map(Store::Folder);
        }
        if let Some(place) = name.strip_prefix(BUCKET) {
            return Bucket::open(place, variable).map(Store::Bucket);
        }
        let why = format!("{name}: this is no store: give a folder, file:./sync, or s3://bucket/x");
        Err(io::Error::new(ErrorKind::InvalidInput, why))
    }

    /// How often it is looked at for what others have written; each look at a bucket is paid for.
    pub(super) fn look(&self) -> Duration {
        Duration::from_secs(match self {
            Store::Folder(_) => 1,
            Store::Bucket(_) => 5,
        })
    }

    /// Writes a file that is not there yet, so that a kill at any moment leaves it whole or not at
    /// all. The parts of its path are plain names.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(&self, path: &[&str], bytes: &[u8]) -> io::Result<Put> {
        match self {
            Store::Folder(folder) => folder.create(path, bytes),
            Store::Bucket(bucket) => bucket.create(path, bytes),
        }
    }

    /// A file; none where it is not there.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(&self, path: &[&str]) -> io::Result<Option<Vec<u8>>> {
        match self {
            Store::Folder(folder) => folder.read(path),
            Store::Bucket(bucket) => bucket.read(path),
        }
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self, path: &[&str]) -> io::Result<()> {
        match self {
            Store::Folder(folder) => folder.remove(path),
            Store::Bucket(bucket) => bucket.remove(path),
        }
    }

    /// The files in the folders of `space`; those beside the folders are not among them.
    ///
    /// # Errors
    /// What the system says.
    pub fn list(&self, space: &str) -> io::Result<Vec<Entry>> {
        match self {
            Store::Folder(folder) => folder.list(space),
            Store::Bucket(bucket) => bucket.list(space),
        }
    }

    /// When a file of `space` was made.
    ///
    /// # Errors
    /// What the system says.
    pub fn modified(&self, space: &str, entry: &Entry) -> io::Result<SystemTime> {
        match (self, entry.modified) {
            (_, Some(time)) => Ok(time),
            (Store::Folder(folder), None) => folder.modified(&[space, &entry.folder, &entry.name]),
            (Store::Bucket(bucket), None) => Err(io::Error::other(format!(
                "{bucket:?}: the store does not say when {} was made",
                entry.name
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Store;

    #[test]
    fn the_files_of_a_space() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("file:{}", folder.path().display())).unwrap();
        assert!(store.list("s").unwrap().is_empty());
        for path in [["s", "a", "01"], ["s", "b", "x"], ["t", "c", "01"]] {
            store.create(&path, b"").unwrap();
        }
        store.create(&["s", "token"], b"").unwrap();
        let mut all = store.list("s").unwrap();
        all.sort_by(|a, b| a.folder.cmp(&b.folder));
        let names: Vec<_> = all.iter().map(|one| (&*one.folder, &*one.name)).collect();
        assert_eq!(names, [("a", "01"), ("b", "x")]);
        assert!(
            store
                .modified("s", &all[0])
                .unwrap()
                .elapsed()
                .unwrap()
                .as_secs()
                < 3600
        );
        store.remove(&["s", "a", "01"]).unwrap();
        store.remove(&["s", "a", "01"]).unwrap();
        assert_eq!(store.list("s").unwrap().len(), 1);
        assert_eq!(store.read(&["s", "a", "01"]).unwrap(), None);
    }

    #[test]
    fn what_is_no_store() {
        for name in ["gs://bucket/prefix", "file:", "./sync"] {
            let error = Store::open(name).unwrap_err().to_string();
            assert!(error.contains("file:./sync"), "{error}");
        }
    }
}
