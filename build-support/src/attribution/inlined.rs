//! Where the code of a file was written: every byte by the source function that was inlined into
//! the one it stands in. By debug information, which a linked file can have and a shipped one has
//! not.

use super::Attribution;
use super::origin::NO_CRATE;
use crate::error::{Error, Result};
use crate::wasm::debug_info::{self, Origins};
use crate::wasm::path::{self, RustPath};
use crate::wasm::{Module, ReadError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Every byte of code, by the function it stands in and the one it was written in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inlined {
    /// The bodies of all functions, in bytes, each with its length in front: the sum of all parts.
    pub bytes: u64,
    /// The largest first, those of one size by name.
    pub parts: Vec<Part>,
}

/// What of one function was written in another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The function it stands in, as in the attribution.
    pub function: String,
    /// The crate of that.
    pub of: String,
    /// The function it was written in; the same one where nothing says otherwise.
    pub source: String,
    /// The crate of that.
    #[serde(rename = "crate")]
    pub krate: String,
    /// How many bytes.
    pub bytes: u64,
}

/// The account of a core module in `file`; `attribution` is of the same file.
///
/// # Errors
/// [`Error::Input`] where it has no debug information, or that cannot be read;
/// [`Error::InvalidOutput`] where the parts would not sum to the code.
pub fn run(file: &Path, module: &Module<'_>, attribution: &Attribution) -> Result<Inlined> {
    let help = "link it with `-Cdebuginfo=limited` and without stripping; without a file, `analyze --inlined` does that for the package here";
    let origins = debug_info::read(module).map_err(ReadError::input(file, help))?;
    let Some(origins) = origins else {
        return Err(Error::input(file, "it has no debug information", help));
    };
    let rows = attribution.rows_of(0);
    let mut parts: BTreeMap<[String; 4], u64> = BTreeMap::new();
    let mut whole = 0;
    for (position, bytes) in module.function_bytes().enumerate() {
        let index = module.imported + position as u32;
        let Some(row) = rows.get(&index) else {
            continue;
        };
        let of = own_crate(row.krate(), &origins, &row.name);
        let mut own = bytes;
        let mut add = |source: &str, krate: String, bytes| {
            let key = [row.name.clone(), of.clone(), source.to_owned(), krate];
            *parts.entry(key).or_default() += bytes;
        };
        let within = origins.within(debug_info::place(module, position));
        for (source, bytes) in within {
            let source = &origins.functions[source as usize];
            if source.name != row.name {
                own -= bytes;
                add(&source.name, krate(source), bytes);
            }
        }
        add(&row.name, of.clone(), own);
        whole += bytes;
    }
    let parts = parts.into_iter();
    let mut parts: Vec<_> = parts
        .map(|([function, of, source, krate], bytes)| Part {
            function,
            of,
            source,
            krate,
            bytes,
        })
        .collect();
    // Stable: those of one size stay by name.
    parts.sort_by_key(|part| std::cmp::Reverse(part.bytes));
    let sum: u64 = parts.iter().map(|part| part.bytes).sum();
    if sum != whole {
        return Err(Error::InvalidOutput {
            pass: "inlined",
            offset: None,
            message: format!("the parts sum to {sum} bytes and the code has {whole}"),
        });
    }
    Ok(Inlined {
        bytes: whole,
        parts,
    })
}

impl Inlined {
    /// The sums of what `name` says of each part, the largest first: bytes by where they were
    /// written, and how many of them stand in another function.
    pub fn by(&self, name: impl Fn(&Part) -> &str) -> Vec<(&str, u64, u64)> {
        let mut sums: HashMap<&str, (u64, u64)> = HashMap::new();
        for part in &self.parts {
            let (bytes, inlined) = sums.entry(name(part)).or_default();
            *bytes += part.bytes;
            if part.source != part.function {
                *inlined += part.bytes;
            }
        }
        let sums = sums.into_iter();
        let mut sums: Vec<_> = sums
            .map(|(name, (all, inlined))| (name, all, inlined))
            .collect();
        sums.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        sums
    }
}

fn krate(source: &debug_info::Source) -> String {
    match &source.krate {
        _ if path::says_its_crate(&source.name) => RustPath::parse(&source.name).krate().to_owned(),
        Some(krate) => krate.clone(),
        None => NO_CRATE.to_owned(),
    }
}

/// The crate of a function by its name in the file, or else by its sources.
fn own_crate(by_name: String, origins: &Origins, name: &str) -> String {
    if by_name != NO_CRATE {
        return by_name;
    }
    let source = origins.functions.iter().find(|source| source.name == name);
    source.map_or(by_name, krate)
}

#[cfg(test)]
mod tests;
