//! The line table, as far as it says which crate a byte's source is of: by the path of its file.

use gimli::{Dwarf, EndianSlice, LittleEndian};
use std::collections::HashMap;

/// The contents of a section.
pub type Bytes<'a> = EndianSlice<'a, LittleEndian>;
/// A compilation unit.
pub type Unit<'a> = gimli::Unit<Bytes<'a>>;

/// Where sources of which crate begin.
#[derive(Default)]
pub struct Lines {
    crates: Vec<String>,
    /// Addresses in order, each with an index of `crates`; none where the file is of no crate.
    rows: Vec<(u64, Option<usize>)>,
}

impl Lines {
    /// The crate of the source at an address.
    pub fn krate(&self, address: u64) -> Option<&str> {
        let next = self.rows.partition_point(|(at, _)| *at <= address);
        let (_, krate) = self.rows.get(next.checked_sub(1)?)?;
        Some(&self.crates[(*krate)?])
    }
}

/// Reads the table of a unit.
pub fn read<'a>(dwarf: &Dwarf<Bytes<'a>>, unit: &Unit<'a>) -> gimli::Result<Lines> {
    let mut lines = Lines::default();
    let Some(program) = unit.line_program.clone() else {
        return Ok(lines);
    };
    let mut of_file: HashMap<u64, Option<usize>> = HashMap::new();
    let mut rows = program.rows();
    while let Some((header, row)) = rows.next_row()? {
        let file = row.file_index();
        let krate = match of_file.get(&file) {
            Some(krate) => *krate,
            None => {
                let entry = header.file(file);
                let text = |value| {
                    let text = dwarf.attr_string(unit, value).ok();
                    text.map(|text| text.to_string_lossy().into_owned())
                };
                let folder = entry.and_then(|entry| text(entry.directory(header)?));
                let name = entry.and_then(|entry| text(entry.path_name()));
                let path = format!(
                    "{}/{}",
                    folder.unwrap_or_default(),
                    name.unwrap_or_default()
                );
                let krate = krate_of(&path).map(|name| {
                    lines.crates.push(name);
                    lines.crates.len() - 1
                });
                *of_file.entry(file).or_insert(krate)
            }
        };
        let krate = krate.filter(|_| !row.end_sequence());
        lines.rows.push((row.address(), krate));
    }
    lines.rows.sort_by_key(|(at, _)| *at);
    Ok(lines)
}

/// `core` for `/rustc/0123/library/core/src/option.rs`, `serde_json` for
/// `deps/serde_json-1.0.1/src/de.rs`: the folder that has the `src`, without a version.
fn krate_of(path: &str) -> Option<String> {
    let (before, _) = path.rsplit_once("/src/")?;
    let folder = before.rsplit('/').next()?;
    let version = folder.match_indices('-').find(|(at, _)| {
        let behind = folder[at + 1..].chars().next();
        behind.is_some_and(|c| c.is_ascii_digit())
    });
    let name = version.map_or(folder, |(at, _)| &folder[..at]);
    (!name.is_empty() && name != ".").then(|| name.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::krate_of;

    #[test]
    fn files_are_in_crates() {
        for (path, krate) in [
            ("./library/core/src/str/mod.rs", Some("core")),
            (
                "/rustc/59807/library/alloc/src/raw_vec/mod.rs",
                Some("alloc"),
            ),
            ("deps/serde_json-1.0.154/src/de.rs", Some("serde_json")),
            (
                "/a/registry/src/index/wit-bindgen-0.63.0/src/rt.rs",
                Some("wit_bindgen"),
            ),
            ("./clawft-wasm/src/lib.rs", Some("clawft_wasm")),
            ("./src/lib.rs", None),
            ("lib.rs", None),
        ] {
            assert_eq!(krate_of(path).as_deref(), krate, "{path}");
        }
    }
}
