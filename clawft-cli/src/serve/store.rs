//! Where segments are kept: files that are made once and never changed. What they need of a store is
//! create-if-absent, reading and listing; a folder has it, as object stores have.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// What a store in a folder is called.
const FOLDER: &str = "file:";
/// How files begin that are not there yet.
const TEMPORARY: &str = ".part-";

/// A store.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is there now.
    Created,
    /// One was there, and is as it was.
    WasThere,
}

impl Store {
    /// The store that `name` means.
    ///
    /// # Errors
    /// Where it means none, or the folder cannot be made.
    pub fn open(name: &str) -> io::Result<Self> {
        let Some(folder) = name
            .strip_prefix(FOLDER)
            .filter(|folder| !folder.is_empty())
        else {
            let why = format!("{name}: this is no store of this weft: give a folder, file:./sync");
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        };
        let root = PathBuf::from(folder);
        let about = |why: io::Error| io::Error::new(why.kind(), format!("{folder}: {why}"));
        fs::create_dir_all(&root).map_err(about)?;
        Ok(Self { root })
    }

    /// Writes a file that is not there yet, so that a kill at any moment leaves it whole or not at
    /// all. The parts of its path are plain names.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(&self, path: &[&str], bytes: &[u8]) -> io::Result<Put> {
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

    /// A file; none where it is not there.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(&self, path: &[&str]) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The last file, by name, of each folder of `folder` that has one that `is_name` knows.
    ///
    /// # Errors
    /// What the system says.
    pub fn last(
        &self,
        folder: &str,
        is_name: impl Fn(&str) -> bool,
    ) -> io::Result<BTreeMap<String, String>> {
        let mut all = BTreeMap::new();
        for (name, path) in entries(&self.path(&[folder]))? {
            if !path.is_dir() {
                continue;
            }
            let names = entries(&path)?.into_iter().map(|(name, _)| name);
            let last = names.filter(|name| is_name(name)).max();
            all.extend(last.map(|last| (name, last)));
        }
        Ok(all)
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

#[cfg(test)]
mod tests {
    use super::{Put, Store};
    use std::sync::Barrier;

    /// Protects every device's segments: of many that write one file, one does.
    #[test]
    fn a_file_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("file:{}/a/b", folder.path().display())).unwrap();
        let barrier = Barrier::new(8);
        let puts: Vec<_> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0_u8..8)
                .map(|n| {
                    let (store, barrier) = (&store, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        (n, store.create(&["s", "d", "1"], &[n; 1000]).unwrap())
                    })
                })
                .collect();
            writers.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let made: Vec<_> = puts
            .iter()
            .filter(|(_, put)| *put == Put::Created)
            .collect();
        assert_eq!(made.len(), 1, "{puts:?}");
        let is = store.read(&["s", "d", "1"]).unwrap().unwrap();
        assert_eq!(is, [made[0].0; 1000]);
        let left = std::fs::read_dir(folder.path().join("a/b/s/d"))
            .unwrap()
            .count();
        assert_eq!(left, 1, "nothing is left of the others");
    }

    #[test]
    fn the_last_of_each_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("file:{}", folder.path().display())).unwrap();
        assert!(store.last("s", |_| true).unwrap().is_empty());
        for path in [
            ["s", "a", "01"],
            ["s", "a", "10"],
            ["s", "a", "09"],
            ["s", "b", "x"],
            ["t", "c", "01"],
        ] {
            store.create(&path, b"").unwrap();
        }
        store.create(&["s", "token"], b"").unwrap();
        let last = store.last("s", |name| name.len() == 2).unwrap();
        assert_eq!(last, [("a".to_owned(), "10".to_owned())].into());
        assert_eq!(store.read(&["s", "a", "11"]).unwrap(), None);
    }

    #[test]
    fn what_is_no_store() {
        for name in ["s3://bucket/prefix", "file:", "./sync"] {
            let error = Store::open(name).unwrap_err().to_string();
            assert!(error.contains("file:./sync"), "{error}");
        }
    }
}
