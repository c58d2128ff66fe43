//! What the libraries on a linker's line define: the index that every archive begins with, which
//! for an `rlib` rustc writes from its objects and its bitcode alike, so that it is there whatever
//! LTO does with them. Nothing but the index and the members' names is read.
//!
//! Format: the System V / GNU archive, "ar(5)".

use crate::attribution::definers::Definers;
use crate::wasm::symbols;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER: usize = 60;
/// More than the index of any library, in bytes.
const LARGEST: u64 = 64 << 20;

/// What is known of the crate `linked`, its `libraries` and the `file` that was made of them. A
/// file that is no archive, or cannot be read, says nothing.
pub fn read(linked: &str, libraries: impl IntoIterator<Item = PathBuf>, file: &[u8]) -> Definers {
    let mut definers = Definers::new(linked);
    for library in libraries {
        let krate = krate(&library);
        for (symbol, is_rust) in index(&library).unwrap_or_default() {
            definers.add(&symbol, krate.as_deref().filter(|_| is_rust));
        }
    }
    for symbol in symbols::locals(file) {
        definers.add_local(symbol);
    }
    definers
}

/// The archives in a folder, in the order of their names.
pub fn in_folder(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path());
    let mut files: Vec<_> = files.filter(|file| is_archive(file)).collect();
    files.sort();
    files
}

fn is_archive(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("rlib" | "a"))
}

/// `dep` for `libdep-0123456789abcdef.rlib`.
fn krate(library: &Path) -> Option<String> {
    let name = library.file_name()?.to_str()?;
    let name = name.strip_suffix(".rlib")?.strip_prefix("lib")?;
    let krate = name.rsplit_once('-').map_or(name, |(krate, _)| krate);
    Some(krate.to_owned())
}

/// The symbols of an archive, each with whether a Rust object defines it: an `rlib` may hold those
/// of a C library besides.
fn index(library: &Path) -> io::Result<Vec<(String, bool)>> {
    let mut file = File::open(library)?;
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic)?;
    let index = match member(&mut file)? {
        (name, contents) if magic == MAGIC && name == "/" => contents,
        _ => return Ok(Vec::new()),
    };
    let word = |at: usize| {
        let bytes = index.get(at * 4..at * 4 + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let count = word(0).unwrap_or(0) as usize;
    let offsets: Vec<u32> = (1..=count).map_while(word).collect();
    let names = index.get((count + 1) * 4..).unwrap_or_default();
    // What is too long for a header stands in a member of its own.
    let long = match member(&mut file) {
        Ok((name, contents)) if name == "//" => contents,
        _ => Vec::new(),
    };
    let mut rust = HashMap::new();
    let names = names.split(|byte| *byte == 0);
    let mut symbols = Vec::new();
    for (name, offset) in names.zip(offsets) {
        let is_rust = match rust.get(&offset) {
            Some(is_rust) => *is_rust,
            None => {
                let name = name_at(&mut file, offset, &long)?;
                *rust.entry(offset).or_insert(name.contains(".rcgu."))
            }
        };
        symbols.push((String::from_utf8_lossy(name).into_owned(), is_rust));
    }
    Ok(symbols)
}

/// The member that begins here: its name as it is in the header, and its contents.
fn member(file: &mut File) -> io::Result<(String, Vec<u8>)> {
    let mut header = [0; HEADER];
    file.read_exact(&mut header)?;
    let text = |range: std::ops::Range<usize>| String::from_utf8_lossy(&header[range]);
    let size: u64 = text(48..58).trim().parse().unwrap_or(0);
    let mut contents = Vec::new();
    // Members begin at even places.
    file.take((size + size % 2).min(LARGEST))
        .read_to_end(&mut contents)?;
    Ok((text(0..16).trim_end().to_owned(), contents))
}

fn name_at(file: &mut File, offset: u32, long: &[u8]) -> io::Result<String> {
    file.seek(SeekFrom::Start(u64::from(offset)))?;
    let mut name = [0; 16];
    file.read_exact(&mut name)?;
    let name = String::from_utf8_lossy(&name);
    let name = name.trim_end();
    let at = name
        .strip_prefix('/')
        .and_then(|at| at.parse::<usize>().ok());
    let Some(at) = at else {
        return Ok(name.to_owned());
    };
    let rest = long.get(at..).unwrap_or_default();
    let name = rest.split(|byte| matches!(byte, b'/' | b'\n')).next();
    Ok(String::from_utf8_lossy(name.unwrap_or_default()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{in_folder, index, krate};
    use std::path::Path;

    /// An archive of members with their names and symbols, as rustc writes it.
    fn archive(members: &[(&str, &[&str])]) -> Vec<u8> {
        let member = |name: &str, contents: &[u8]| {
            let head = format!("{name:<16}{:<32}{:<10}`\n", "", contents.len());
            let padding = vec![b'\n'; contents.len() % 2];
            [head.as_bytes(), contents, &padding].concat()
        };
        let long: String = members
            .iter()
            .map(|(name, _)| format!("{name}/\n"))
            .collect();
        let long = member("//", long.as_bytes());
        let names: String = members
            .iter()
            .flat_map(|(_, symbols)| symbols.iter().map(|symbol| format!("{symbol}\0")))
            .collect();
        let count = members
            .iter()
            .map(|(_, symbols)| symbols.len())
            .sum::<usize>();
        let index = (count + 1) * 4 + names.len();
        let mut at = (8 + 60 + index + index % 2 + long.len()) as u32;
        let mut offsets = (count as u32).to_be_bytes().to_vec();
        let mut bodies = Vec::new();
        let mut in_long = 0;
        for (name, symbols) in members {
            for _ in *symbols {
                offsets.extend(at.to_be_bytes());
            }
            let body = member(&format!("/{in_long}"), b"BC");
            in_long += name.len() + 2;
            at += body.len() as u32;
            bodies.extend(body);
        }
        offsets.extend(names.as_bytes());
        [b"!<arch>\n", &*member("/", &offsets), &long, &bodies].concat()
    }

    #[test]
    fn an_index_says_what_is_defined_and_by_which_language() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("libdep-0123456789abcdef.rlib");
        let whole = archive(&[
            (
                "dep-01.dep.89ab-cgu.0.rcgu.o",
                &["dep_function", "_ZN3dep1fE"],
            ),
            ("a_long_name_of_an_object.o", &["memcpy"]),
        ]);
        std::fs::write(&file, &whole).unwrap();
        let expected = [
            ("dep_function", true),
            ("_ZN3dep1fE", true),
            ("memcpy", false),
        ];
        let expected = expected.map(|(name, is_rust)| (name.to_owned(), is_rust));
        assert_eq!(index(&file).unwrap(), expected);
        assert_eq!(krate(&file).as_deref(), Some("dep"));
        assert_eq!(krate(Path::new("libc.a")), None);
        std::fs::write(folder.path().join("other.o"), "").unwrap();
        assert_eq!(in_folder(folder.path()), [file.as_path()]);
        // Cut short anywhere it is an error, or says less.
        for length in 0..whole.len() {
            std::fs::write(&file, &whole[..length]).unwrap();
            assert!(index(&file).unwrap_or_default().len() <= expected.len());
        }
    }
}
