//! How a file is made smaller than an optimiser makes it: the table `compact`.

use super::mistakes::{code, suggestion};
use super::value::Value;

/// What is asked of the compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compact {
    /// Where code may become a function.
    pub outline: Outline,
    /// Whether the addresses below 1,024 are used.
    pub low_memory: LowMemory,
}

impl Compact {
    /// What a table without a key asks for.
    pub const DEFAULT: Compact = Compact {
        outline: Outline::Cold,
        low_memory: LowMemory::Auto,
    };
}

/// Where code may become a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outline {
    /// Nowhere.
    Off,
    /// Not in loops, nor in functions that are called from loops.
    Cold,
    /// Not in loops.
    OutsideLoops,
    /// Everywhere.
    All,
}

impl Outline {
    /// The words for it.
    pub const NAMES: [&'static str; 4] = ["off", "cold", "outside-loops", "all"];
    const ALL: [Outline; 4] = [Self::Off, Self::Cold, Self::OutsideLoops, Self::All];

    /// The one with a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// What is taken for granted of the addresses below 1,024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LowMemory {
    /// What the layout proves.
    Auto,
    /// That they are used.
    Used,
    /// That they are not, on the word of whoever says so.
    Unused,
}

impl LowMemory {
    /// The words for it.
    pub const NAMES: [&'static str; 3] = ["auto", "used", "unused"];

    /// The one with a name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "used" => Some(Self::Used),
            "unused" => Some(Self::Unused),
            _ => None,
        }
    }
}

/// Reads the `compact` table, whose presence asks for it.
pub(super) fn read(value: &Value<'_>, compact: &mut Option<Compact>) {
    let mut asked = Compact::DEFAULT;
    for (key, value) in value.known(&["outline", "low-memory"]) {
        match key {
            "outline" => named(&value, &mut asked.outline, Outline::named, &Outline::NAMES),
            _ => named(
                &value,
                &mut asked.low_memory,
                LowMemory::named,
                &LowMemory::NAMES,
            ),
        }
    }
    *compact = Some(asked);
}

fn named<T>(value: &Value<'_>, into: &mut T, find: fn(&str) -> Option<T>, names: &[&str]) {
    let Some(name) = value.string() else {
        return;
    };
    match find(name) {
        Some(found) => *into = found,
        None => {
            value
                .mistake(code::BAD_NAME, format!("`{name}` is not a way to compact"))
                .label(format!("not one of {}", names.join(", ")))
                .help(suggestion(name, names, "ways"));
        }
    }
}
