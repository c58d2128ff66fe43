//! A file as [`subject`] reads it, with the names of a symbol map where it has none of its own: the
//! map that was given for it, or the one beside it.

use crate::attribution::{self, Attribution};
use crate::error::{Error, Result};
use crate::measure::sizes;
use crate::ops::symbol_map::{self, Scope, SymbolMap};
use crate::report::Sizes;
use crate::report::subject::{self, Subject};
use crate::wasm::artifact::Artifact;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Reads each file. Every one of `maps` is of one of them.
///
/// # Errors
/// As [`subject::read`] and [`SymbolMap::read`]; [`Error::Input`] for a map of another file.
pub fn read(files: &[&Path], maps: &[PathBuf]) -> Result<Vec<Subject>> {
    let subjects = files.iter().map(|file| subject::read(file));
    let mut subjects: Vec<Subject> = subjects.collect::<Result<_>>()?;
    for map in maps {
        let mut fits = false;
        for (file, subject) in files.iter().zip(&mut subjects) {
            fits |= name(subject, file, &SymbolMap::read(map)?);
        }
        if !fits {
            let files: Vec<_> = files.iter().map(|f| f.display().to_string()).collect();
            return Err(Error::input(
                map,
                format!("the symbol map is not of {}", files.join(" or ")),
                "give the .symbols.json that was written with the very file",
            ));
        }
    }
    for (file, subject) in files.iter().zip(&mut subjects) {
        // Nobody asked for it: what cannot be read, or is of another build, is left.
        if let Ok(map) = SymbolMap::read(&symbol_map::beside(file)) {
            name(subject, file, &map);
        }
    }
    Ok(subjects)
}

/// What it takes compressed: by its report, or measured where that is soon done.
pub fn sizes(subject: &Subject) -> Option<Sizes> {
    let of_report = subject.report.as_ref().map(|report| report.sizes);
    of_report.or_else(|| sizes::soon(subject.artifact.as_ref()?.bytes()))
}

/// The size of a file by name, with the names of the map beside it where there is one.
///
/// # Errors
/// As [`attribution::of_file`].
pub fn attribution(file: &Path, artifact: &Artifact) -> Result<Attribution> {
    let mut found = attribution::of_file(file, artifact)?;
    if let Ok(map) = SymbolMap::read(&symbol_map::beside(file)) {
        rename(&mut found, artifact, file, &map);
    }
    Ok(found)
}

/// Names the functions, if the map is of this file.
fn name(subject: &mut Subject, file: &Path, map: &SymbolMap) -> bool {
    let artifact = subject.artifact.as_ref();
    artifact
        .filter(|_| subject.report.is_none())
        .is_some_and(|artifact| rename(&mut subject.attribution, artifact, file, map))
}

fn rename(found: &mut Attribution, artifact: &Artifact, file: &Path, map: &SymbolMap) -> bool {
    let Ok(scope) = map.scope(file, artifact.bytes()) else {
        return false;
    };
    let mut names = HashMap::new();
    for module in &map.modules {
        let core = match scope {
            Scope::File => module.core,
            Scope::Module(core) if core == module.core => 0,
            Scope::Module(_) => continue,
        };
        let named = module.functions.iter().filter(|f| !f.name.starts_with('['));
        names.extend(named.map(|function| ((core, function.index), function)));
    }
    *found = std::mem::take(found).named(|core, index| {
        let function = names.get(&(core, index))?;
        Some((function.name.clone(), function.krate.clone()))
    });
    true
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::attribution::{self, Row};
    use crate::ops::symbol_map::{SymbolMap, beside};
    use crate::wasm::artifact::Artifact;
    use std::path::Path;

    const NAMED: &str = "(module (func $app::a::h0123456789abcdef (nop)) (func $app::a::hfedcba9876543210 (nop) (nop)) (func $main))";
    const BARE: &str = "(module (func (nop)) (func (nop) (nop)) (func))";

    /// Protects comparisons of shipped files, which have no names: the map beside one is found, a
    /// given one is of one of the files, and every sum stays.
    #[test]
    fn a_map_gives_its_names_to_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("app.wasm"), folder.path().join("b.wasm"));
        let bare = wat::parse_str(BARE).unwrap();
        std::fs::write(&file, &bare).unwrap();
        std::fs::write(&other, wat::parse_str("(module (func (nop)))").unwrap()).unwrap();
        let files = [file.as_path(), other.as_path()];
        let crates = |maps: &[_]| {
            let subjects = read(&files, maps).unwrap();
            let rows = subjects[0].attribution.rows.iter();
            assert_eq!(
                rows.clone().map(|row| row.bytes).sum::<u64>(),
                bare.len() as u64
            );
            rows.filter(|row| !row.functions.is_empty())
                .map(|row| (row.krate(), row.count))
                .collect::<Vec<_>>()
        };
        let own = |name: &str, count| (name.to_owned(), count);
        assert_eq!(
            crates(&[]),
            [
                own("[unnamed]", 1),
                own("[unnamed]", 1),
                own("[unnamed]", 1)
            ]
        );

        let artifact = Artifact::new(bare.clone(), &file).unwrap();
        let named = Artifact::new(wat::parse_str(NAMED).unwrap(), Path::new("n.wasm")).unwrap();
        let mut names = attribution::of_file(Path::new("n.wasm"), &named).unwrap();
        let main = |row: &&mut Row| row.name == "main";
        names.rows.iter_mut().find(main).unwrap().krate = Some("app".to_owned());
        let map = SymbolMap::new("app", &artifact, &names).unwrap().write();
        let given = folder.path().join("given.json");
        std::fs::write(&given, &map).unwrap();
        let expected = [own("app", 2), own("app", 1)];
        assert_eq!(crates(std::slice::from_ref(&given)), expected);
        std::fs::write(beside(&file), &map).unwrap();
        assert_eq!(crates(&[]), expected, "and the one beside it is found");
        let wrong = read(&[&other], &[given]).unwrap_err().to_string();
        assert!(
            wrong.contains("is not of") && wrong.contains("b.wasm"),
            "{wrong}"
        );
    }
}
