//! The folder an example begins with as one file: ustar, the same bytes wherever it lies and
//! whoever packed it.

use super::manifest::{Asset, Files};
use crate::error::{Error, Result};
use crate::size;
use std::collections::BTreeMap;
use std::path::Path;
use tar::{Builder, EntryType, Header};

/// The most bytes of a session's files.
const MOST: u64 = 64 << 20;

/// Every file below `folder`, by its path there with `/` between the parts. What begins with a dot
/// is left out.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] where a name is not UTF-8, or something is neither a file nor a
/// folder.
pub(super) fn read(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    add(folder, "", &mut found)?;
    Ok(found)
}

fn add(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(Error::io("listing", folder))? {
        let entry = entry.map_err(Error::io("listing", folder))?;
        let path = entry.path();
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| Error::input(&path, "its name is not UTF-8", "give it another name"))?;
        if name.starts_with('.') {
            continue;
        }
        // Links are followed: what they lead to is what is meant.
        let about = std::fs::metadata(&path).map_err(Error::io("reading", &path))?;
        let name = format!("{prefix}{name}");
        if about.is_dir() {
            add(&path, &format!("{name}/"), found)?;
        } else if about.is_file() {
            let bytes = std::fs::read(&path).map_err(Error::io("reading", &path))?;
            found.insert(name, bytes);
        } else {
            return Err(Error::input(
                &path,
                "it is neither a file nor a folder",
                "take it out: a bundle has files",
            ));
        }
    }
    Ok(())
}

/// `files` as an archive that is called `name`; `folder` is where they are, for errors.
///
/// # Errors
/// [`Error::Input`] where they are too large or a path is too long for ustar.
pub(super) fn pack(
    name: &str,
    files: &BTreeMap<String, Vec<u8>>,
    folder: &Path,
) -> Result<(Files, Vec<u8>)> {
    let sum: u64 = files.values().map(|bytes| bytes.len() as u64).sum();
    if sum > MOST {
        return Err(Error::input(
            folder,
            format!("its files have {} bytes", size::bytes(sum)),
            format!("a session holds at most {} bytes", size::bytes(MOST)),
        ));
    }
    // Folders stand in front of what is in them: sorted by path, `a` before `a/b`.
    let mut entries: BTreeMap<&str, Option<&[u8]>> = BTreeMap::new();
    for (path, bytes) in files {
        for (at, _) in path.match_indices('/') {
            entries.insert(&path[..at], None);
        }
        entries.insert(path, Some(bytes));
    }
    let mut builder = Builder::new(Vec::new());
    for (path, bytes) in entries {
        let refused = |why: std::io::Error| {
            Error::input(
                &folder.join(path),
                format!("it cannot be packed: {why}"),
                "give it a shorter path",
            )
        };
        let mut header = Header::new_ustar();
        let (kind, mode) = match bytes {
            Some(_) => (EntryType::Regular, 0o644),
            None => (EntryType::Directory, 0o755),
        };
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(bytes.map_or(0, |bytes| bytes.len() as u64));
        match bytes {
            Some(_) => header.set_path(path),
            None => header.set_path(format!("{path}/")),
        }
        .map_err(refused)?;
        header.set_cksum();
        builder
            .append(&header, bytes.unwrap_or_default())
            .map_err(refused)?;
    }
    let archive = builder.into_inner().map_err(Error::io("packing", folder))?;
    let list = files.iter().map(|(path, bytes)| Asset {
        path: path.clone(),
        bytes: bytes.len() as u64,
    });
    let about = Files {
        path: format!("{name}.tar"),
        bytes: archive.len() as u64,
        list: list.collect(),
    };
    Ok((about, archive))
}

#[cfg(test)]
mod tests {
    use super::{pack, read};
    use std::fs;
    use std::io::Read as _;

    /// Protects who builds elsewhere: neither times, owners nor the order of a folder are seen.
    #[test]
    fn the_same_files_give_the_same_bytes() {
        let archive = |names: &[&str]| {
            let folder = tempfile::tempdir().unwrap();
            for name in names {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, name).unwrap();
            }
            fs::write(folder.path().join(".hidden"), "x").unwrap();
            pack("a", &read(folder.path()).unwrap(), folder.path()).unwrap()
        };
        let (about, bytes) = archive(&["b.txt", "a/c.txt", "a.txt"]);
        assert_eq!(
            archive(&["a.txt", "a/c.txt", "b.txt"]),
            (about.clone(), bytes.clone())
        );
        assert_eq!(about.path, "a.tar");
        let list: Vec<_> = about.list.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(list, ["a.txt", "a/c.txt", "b.txt"]);
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let header = entry.header();
            let (mode, time) = (header.mode().unwrap(), header.mtime().unwrap());
            let path = String::from_utf8(entry.path_bytes().to_vec()).unwrap();
            (path, text, mode, time)
        });
        let expected = [
            ("a/", "", 0o755),
            ("a.txt", "a.txt", 0o644),
            ("a/c.txt", "a/c.txt", 0o644),
            ("b.txt", "b.txt", 0o644),
        ];
        let expected =
            expected.map(|(path, text, mode)| (path.to_owned(), text.to_owned(), mode, 0));
        assert_eq!(entries.collect::<Vec<_>>(), expected);
        assert!(bytes.ends_with(&[0; 1024]));
    }

    #[test]
    fn what_ustar_cannot_hold_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let long = "x".repeat(200);
        let files = [(long, Vec::new())].into();
        let error = pack("a", &files, folder.path()).unwrap_err().to_string();
        assert!(error.contains("shorter path"), "{error}");
    }
}
