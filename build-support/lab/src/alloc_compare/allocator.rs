//! The allocators that are compared, and the one thing about them that is judged and not measured.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An allocator of the agent, by the feature that chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allocator {
    /// dlmalloc, the default.
    Dlmalloc,
    /// talc.
    Talc,
    /// talc without resizing in place and without joining what is grown.
    TalcSmall,
    /// lol_alloc's free list.
    LolFree,
    /// lol_alloc's bump allocator, which takes nothing back.
    Lol,
}

/// How well proven an allocator is: a judgement, with its reason in [`Allocator::maturity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Maturity {
    /// What nearly everybody uses, for years.
    High,
    /// Maintained and tested, with fewer users or a young interface.
    Medium,
    /// Little used in this role, with little upkeep.
    Low,
}

impl Maturity {
    /// As a criterion of the score, 0 to 1: the same distance between each two.
    pub fn score(self) -> f64 {
        match self {
            Self::High => 1.0,
            Self::Medium => 0.6,
            Self::Low => 0.2,
        }
    }
}

impl Allocator {
    /// All of them, the default first.
    pub const ALL: [Self; 5] = [
        Self::Dlmalloc,
        Self::Talc,
        Self::TalcSmall,
        Self::LolFree,
        Self::Lol,
    ];

    /// The one that the agent has where nothing is asked for.
    pub const DEFAULT: Self = Self::Dlmalloc;

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dlmalloc => "dlmalloc",
            Self::Talc => "talc",
            Self::TalcSmall => "talc-small",
            Self::LolFree => "lol-free",
            Self::Lol => "lol",
        }
    }

    /// The one of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|allocator| allocator.name() == name)
    }

    /// The feature of `clawft-wasm` that chooses it.
    pub fn feature(self) -> String {
        format!("alloc-{}", self.name())
    }

    /// Whether it ever takes memory back. One that does not can only serve a module that lives for
    /// one message.
    pub fn frees(self) -> bool {
        self != Self::Lol
    }

    /// How well proven it is, and why that is thought. Not measured; to be looked at again whenever
    /// one of the crates is.
    pub fn maturity(self) -> (Maturity, &'static str) {
        match self {
            Self::Dlmalloc => (
                Maturity::High,
                "the crate is the allocator of Rust's own std on wasm; Doug Lea's algorithm has been in use since 1987",
            ),
            Self::Talc => (
                Maturity::Medium,
                "maintained, its changelog answers issues; few users, and version 5 is a new interface",
            ),
            Self::TalcSmall => (
                Maturity::Medium,
                "as talc, in a configuration that is no longer its default: its changelog (5.1.0) says why",
            ),
            Self::LolFree => (
                Maturity::Low,
                "its README: no success reported by users, \"use at your own risk\", soundness \"currently unclear\"",
            ),
            Self::Lol => (
                Maturity::Low,
                "the same README; a hundred lines in which little could be wrong, with \"at least minimal testing\"",
            ),
        }
    }
}

impl fmt::Display for Allocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Allocator;

    /// Protects the command line and the JSON, which call them by the same names.
    #[test]
    fn names_are_one() {
        for allocator in Allocator::ALL {
            assert_eq!(Allocator::of(allocator.name()), Some(allocator));
            assert_eq!(
                serde_json::to_value(allocator).unwrap(),
                allocator.name(),
                "{allocator:?}"
            );
        }
        assert_eq!(Allocator::of("wee"), None);
    }
}
