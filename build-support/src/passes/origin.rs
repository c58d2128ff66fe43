//! Where the functions of a module come from after a step: what names, attribution and the symbol
//! map follow.

use crate::wasm::names::Names;
use crate::wasm::path::OUTLINED;
use crate::wasm::{Module, ReadError};
use std::collections::BTreeMap;

/// Where a function that a module defines comes from. Functions are told by position, imports left
/// out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// From the function at this position.
    Kept(u32),
    /// From pieces of others: how many of each, by position.
    Outlined(BTreeMap<u32, u32>),
}

/// What a step made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The module.
    pub bytes: Vec<u8>,
    /// For each function it defines.
    pub origins: Vec<Origin>,
}

impl Rewritten {
    /// A module that no step has touched.
    ///
    /// # Errors
    /// A [`ReadError`] where it cannot be read.
    pub fn untouched(bytes: Vec<u8>) -> Result<Self, ReadError> {
        let count = Module::read(&bytes)?.bodies.len() as u32;
        Ok(Self {
            bytes,
            origins: (0..count).map(Origin::Kept).collect(),
        })
    }

    /// What a step made of this, with origins in what this was made of.
    pub fn then(&self, next: Rewritten) -> Rewritten {
        let origins = next.origins.iter().map(|origin| match origin {
            Origin::Kept(position) => self.origins[*position as usize].clone(),
            Origin::Outlined(pieces) => {
                let mut all = BTreeMap::new();
                for (position, count) in pieces {
                    match &self.origins[*position as usize] {
                        Origin::Kept(before) => *all.entry(*before).or_default() += count,
                        Origin::Outlined(before) => {
                            for before in before.keys() {
                                *all.entry(*before).or_default() += count;
                            }
                        }
                    }
                }
                Origin::Outlined(all)
            }
        });
        Rewritten {
            origins: origins.collect(),
            bytes: next.bytes,
        }
    }

    /// What was known as `names` of the module before, for this one.
    ///
    /// # Errors
    /// A [`ReadError`] where the module cannot be read.
    pub fn names(&self, names: &Names) -> Result<Names, ReadError> {
        let module = Module::read(&self.bytes)?;
        let name = |position: u32| names.functions.get(position as usize)?.clone();
        let functions = self.origins.iter().map(|origin| match origin {
            Origin::Kept(position) => name(*position),
            Origin::Outlined(pieces) => Some(outlined(pieces, name)),
        });
        Ok(Names {
            code: module.code().to_vec(),
            functions: functions.collect(),
            ..names.clone()
        })
    }
}

/// What a function of pieces is called: after the two that most of them are from.
fn outlined(pieces: &BTreeMap<u32, u32>, name: impl Fn(u32) -> Option<String>) -> String {
    let mut by_count: Vec<_> = pieces.iter().map(|(from, count)| (count, *from)).collect();
    by_count.sort_by_key(|(count, from)| (std::cmp::Reverse(**count), *from));
    let mut called: Vec<_> = by_count
        .iter()
        .map(|(_, from)| name(*from).unwrap_or_else(|| format!("[function {from}]")))
        .collect();
    // One function is compiled for several types, and all of them have its name.
    let mut seen = std::collections::HashSet::new();
    called.retain(|name| seen.insert(name.clone()));
    match called.as_slice() {
        [] => "outlined".to_owned(),
        [one] => format!("{OUTLINED}{one}"),
        [one, other] => format!("{OUTLINED}{one} and {other}"),
        [one, other, more @ ..] => format!("{OUTLINED}{one}, {other} and {} more", more.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, Rewritten};
    use std::collections::BTreeMap;

    fn rewritten(origins: Vec<Origin>) -> Rewritten {
        Rewritten {
            bytes: wat::parse_str("(module)").unwrap(),
            origins,
        }
    }

    fn outlined(pieces: &[(u32, u32)]) -> Origin {
        Origin::Outlined(pieces.iter().copied().collect())
    }

    /// Protects names after several steps: each leads back to what was compiled.
    #[test]
    fn origins_go_through_steps() {
        let first = rewritten(vec![
            Origin::Kept(2),
            outlined(&[(0, 3), (1, 1)]),
            Origin::Kept(0),
        ]);
        let next = rewritten(vec![Origin::Kept(1), outlined(&[(0, 1), (1, 2)])]);
        assert_eq!(
            first.then(next).origins,
            [
                outlined(&[(0, 3), (1, 1)]),
                outlined(&[(0, 2), (1, 2), (2, 1)])
            ]
        );
    }

    /// Protects whoever reads a report: pieces are named after most of their places.
    #[test]
    fn pieces_are_named_after_their_places() {
        let pieces: BTreeMap<_, _> = [(0, 1), (1, 5), (2, 2), (3, 2), (4, 1)].into();
        let named = |position| Some(["a", "b", "c", "b", "d"][position as usize].to_owned());
        assert_eq!(
            super::outlined(&pieces, named),
            "outlined from b, c and 2 more"
        );
        assert_eq!(
            super::outlined(&[(7, 1)].into(), |_| None),
            "outlined from [function 7]"
        );
    }
}
