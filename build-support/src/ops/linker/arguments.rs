//! The command line with which rustc calls a linker for wasm: read as far as it must be understood,
//! and passed on.

use crate::error::{Error, Result};
use crate::project::compile;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// How many files may name each other by `@`.
const DEPTH: usize = 8;

/// A linker's command line.
pub struct Arguments {
    given: Vec<OsString>,
    /// The same, with the files that stand for arguments opened.
    all: Vec<OsString>,
}

impl Arguments {
    /// Reads `given`, the program's name left out.
    ///
    /// # Errors
    /// [`Error::Io`] where a file named by `@` cannot be read.
    pub fn read(given: Vec<OsString>) -> Result<Self> {
        let mut all = Vec::new();
        open(&given, DEPTH, &mut all)?;
        Ok(Self { given, all })
    }

    /// As they were given.
    pub fn given(&self) -> &[OsString] {
        &self.given
    }

    /// The file to be made.
    pub fn output(&self) -> Option<&Path> {
        let at = self.all.iter().position(|argument| argument == "-o")?;
        self.all.get(at + 1).map(Path::new)
    }

    /// Whether there is no `main` to be called: so it is for a library.
    pub fn has_no_entry(&self) -> bool {
        self.all.iter().any(|argument| argument == "--no-entry")
    }

    /// The folders in which libraries are looked for.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        let apart = self.all.windows(2).filter(|pair| pair[0] == "-L");
        let apart = apart.map(|pair| Path::new(&pair[1]));
        let joined = self.all.iter().filter_map(|argument| {
            let folder = argument.to_str()?.strip_prefix("-L")?;
            (!folder.is_empty()).then(|| Path::new(folder))
        });
        apart.chain(joined)
    }

    /// Whether the standard library has been left for the linker: with LTO it is a part of the
    /// package's own object.
    pub fn has_std_apart(&self) -> bool {
        let files = self.paths().filter_map(|path| path.file_name()?.to_str());
        let mut crates = files.filter(|name| name.ends_with(".rlib"));
        crates.any(|name| name.starts_with("libcore-"))
    }

    /// Every argument as a path, whether or not it is one.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.all.iter().map(Path::new)
    }

    /// The bytes of stack that are asked for, by the last who does; none where it is no number.
    pub fn stack_size(&self) -> Option<u64> {
        let all = self.all.iter().filter_map(|argument| argument.to_str());
        let mut sizes = all.filter_map(|argument| {
            let argument = argument.strip_prefix("-z").unwrap_or(argument);
            argument.strip_prefix("stack-size=")
        });
        sizes.next_back()?.parse().ok()
    }

    /// The target whose ready-made standard library is on the line.
    pub fn target(&self) -> Option<String> {
        self.paths().find_map(super::place::target_of_library)
    }

    /// The same call with names kept, line tables dropped and `more` at the end; and the file it
    /// refers to, if it does, which goes when it is dropped. Such a file is written where rustc
    /// needed one: the line is too long for the system.
    ///
    /// # Errors
    /// [`Error::Io`] where that file cannot be written.
    pub fn without_strip_and_with(
        &self,
        more: &[OsString],
    ) -> Result<(Option<TempPath>, Vec<OsString>)> {
        let kept = self.all.iter();
        let kept = kept.filter(|argument| !argument.to_str().is_some_and(compile::hides));
        let mut call: Vec<OsString> = kept.cloned().collect();
        call.push("--strip-debug".into());
        call.extend_from_slice(more);
        if self.given == self.all {
            return Ok((None, call));
        }
        // rustc's `-flavor wasm` says which of LLVM's linkers it is, and stands before the file.
        let rest = call.split_off(call.len().min(2));
        let folder = std::env::temp_dir();
        let wrong = |e| Error::io("writing linker arguments in", &folder)(e);
        let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(wrong)?;
        file.write_all(&written(&rest)).map_err(wrong)?;
        let path = file.into_temp_path();
        let mut at = OsString::from("@");
        at.push(&path);
        call.push(at);
        Ok((Some(path), call))
    }
}

/// Puts `given` into `all`, and for `@file` what stands in that file.
fn open(given: &[OsString], depth: usize, all: &mut Vec<OsString>) -> Result<()> {
    for argument in given {
        let file = argument.to_str().and_then(|text| text.strip_prefix('@'));
        // As LLVM does: what is no file is an argument that begins with an `@`.
        match file
            .map(PathBuf::from)
            .filter(|file| file.is_file() && depth > 0)
        {
            Some(file) => {
                let text = std::fs::read_to_string(&file).map_err(Error::io("reading", &file))?;
                open(&split(&text), depth - 1, all)?;
            }
            None => all.push(argument.clone()),
        }
    }
    Ok(())
}

/// Takes a response file apart as GNU's and LLVM's linkers do: white space parts, quotes join, and
/// a backslash takes the next character as it is.
fn split(text: &str) -> Vec<OsString> {
    let mut arguments = Vec::new();
    let mut current: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('\\', _) => current.get_or_insert_default().extend(characters.next()),
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                current.get_or_insert_default();
            }
            (c, None) if c.is_ascii_whitespace() => {
                arguments.extend(current.take().map(OsString::from));
            }
            (c, _) => current.get_or_insert_default().push(c),
        }
    }
    arguments.extend(current.map(OsString::from));
    arguments
}

/// The arguments as rustc writes them to a file: one on a line, a backslash before what would part
/// or join.
fn written(arguments: &[OsString]) -> Vec<u8> {
    let mut text = Vec::new();
    for argument in arguments {
        for &byte in argument.as_encoded_bytes() {
            if matches!(byte, b'\\' | b' ' | b'"' | b'\'') {
                text.push(b'\\');
            }
            text.push(byte);
        }
        text.push(b'\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &[&str]) -> Vec<OsString> {
        text.iter().map(OsString::from).collect()
    }

    /// Protects the names and the relocations, which a `strip` in the user's profile would take.
    #[test]
    fn what_strips_is_left_out_and_the_rest_stays_in_order() {
        let given = [
            "-flavor",
            "wasm",
            "a.o",
            "--strip-all",
            "-o",
            "a.wasm",
            "-S",
            "--compress-relocations",
            "--no-entry",
        ];
        let arguments = Arguments::read(words(&given)).unwrap();
        let (file, call) = arguments
            .without_strip_and_with(&words(&["--emit-relocs"]))
            .unwrap();
        assert!(file.is_none());
        let expected = [
            "-flavor",
            "wasm",
            "a.o",
            "-o",
            "a.wasm",
            "--no-entry",
            "--strip-debug",
            "--emit-relocs",
        ];
        assert_eq!(call, words(&expected));
        assert_eq!(arguments.given(), words(&given));
        assert_eq!(arguments.output(), Some(Path::new("a.wasm")));
    }

    /// Protects long command lines, which rustc puts into a file.
    #[test]
    fn a_response_file_is_read_and_written_alike() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("linker arguments");
        let inside = words(&[
            "-o",
            "a b\\c.wasm",
            "it's",
            "",
            "--no-entry",
            "-L",
            "/lib \"x\"",
        ]);
        // An empty argument takes quotes, which rustc never writes.
        let text = "-o\na\\ b\\\\c.wasm\n\"it's\" ''\n--no-entry\n-L\n'/lib \"x\"'\n";
        std::fs::write(&file, text).unwrap();
        let given = words(&["-flavor", "wasm", &format!("@{}", file.display())]);
        let arguments = Arguments::read(given.clone()).unwrap();
        assert_eq!(arguments.all[2..], inside);
        assert!(arguments.has_no_entry());
        assert_eq!(arguments.output(), Some(Path::new("a b\\c.wasm")));
        assert_eq!(
            arguments.folders().collect::<Vec<_>>(),
            [Path::new("/lib \"x\"")]
        );

        let inside: Vec<_> = inside.into_iter().filter(|word| !word.is_empty()).collect();
        assert_eq!(
            split(std::str::from_utf8(&written(&inside)).unwrap()),
            inside
        );
        let (ours, call) = arguments.without_strip_and_with(&words(&["--x"])).unwrap();
        let ours = ours.expect("the line was too long, and still is");
        assert_eq!(call[2], *format!("@{}", ours.display()));
        let again = Arguments::read(call).unwrap();
        assert_eq!(again.all.last(), Some(&"--x".into()));
    }

    #[test]
    fn what_is_no_file_is_an_argument() {
        let given = words(&["-flavor", "wasm", "@no such file"]);
        assert_eq!(Arguments::read(given.clone()).unwrap().all, given);
    }
}
