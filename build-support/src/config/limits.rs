//! What can be limited, and the limits that are set.

use crate::report::{Size, Unit};
use std::ops::Range;

/// The limits on the shipped file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// At most one on each measure, in the order of measures.
    list: Vec<Limit>,
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The most that is allowed, in the measure's unit; never zero.
    pub most: u64,
    /// Where the value stands in [`super::Config::source`], quotes included.
    pub span: Range<usize>,
    /// What it limits.
    pub measure: Measure,
}

/// What of a shipped file is measured, in the order it is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Its size.
    Size(Size),
    /// Functions with a body.
    Functions,
    /// Crates that have bytes in it.
    Crates,
    /// Linear memory at the start.
    Memory,
    /// Instructions until there is an instance.
    Start,
    /// What a crate takes of it; the name is a Rust identifier, or in brackets what stands for
    /// none.
    Crate(String),
    /// What a section takes of it, by the name that `analyze` prints.
    Section(String),
}

impl Limits {
    /// The limit on `measure`, if there is one.
    pub fn get(&self, measure: &Measure) -> Option<&Limit> {
        self.list.iter().find(|limit| limit.measure == *measure)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The limits there are, in the order of measures.
    pub fn iter(&self) -> impl Iterator<Item = &Limit> {
        self.list.iter()
    }

    /// Sets one; another on the same measure goes.
    pub fn set(&mut self, limit: Limit) {
        let place = self
            .list
            .binary_search_by(|other| other.measure.cmp(&limit.measure));
        match place {
            Ok(at) => self.list[at] = limit,
            Err(at) => self.list.insert(at, limit),
        }
    }
}

impl Measure {
    /// Those that are of the file as a whole, each a key of the manifest.
    pub const WHOLE: [Measure; 7] = [
        Measure::Size(Size::Raw),
        Measure::Size(Size::Gzip),
        Measure::Size(Size::Brotli),
        Measure::Functions,
        Measure::Crates,
        Measure::Memory,
        Measure::Start,
    ];

    /// Its key in the manifest's table of limits: for a crate or a section the table's.
    pub fn key(&self) -> &'static str {
        match self {
            Measure::Size(size) => size.name(),
            Measure::Functions => "functions",
            Measure::Crates => "crates",
            Measure::Memory => "memory",
            Measure::Start => "start",
            Measure::Crate(_) => "crate",
            Measure::Section(_) => "section",
        }
    }

    /// What reports call it.
    pub fn name(&self) -> String {
        match self {
            Measure::Crate(name) | Measure::Section(name) => format!("{} {name}", self.key()),
            _ => self.key().to_owned(),
        }
    }

    /// What it is counted in.
    pub fn unit(&self) -> Unit {
        match self {
            Measure::Size(_) | Measure::Memory | Measure::Crate(_) | Measure::Section(_) => {
                Unit::Bytes
            }
            Measure::Functions | Measure::Crates => Unit::Count,
            Measure::Start => Unit::Instructions,
        }
    }
}
