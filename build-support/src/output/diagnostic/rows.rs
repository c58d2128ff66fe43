//! Figures with the names they are of, as the lines of a note.

use crate::report::units;

/// How many characters of a name from a file are shown.
const NAME_WIDTH: usize = 64;

/// `name`, as long as it can be shown.
pub(super) fn shorten(name: &str) -> String {
    units::shorten(name, NAME_WIDTH)
}

/// Rows of a figure and its name as lines, the figures' ends below each other.
pub(super) fn aligned(rows: &[(String, String)]) -> impl Iterator<Item = String> {
    let width = rows.iter().map(|(figure, _)| figure.len()).max();
    let width = width.unwrap_or_default();
    let rows = rows.iter();
    rows.map(move |(figure, name)| format!("{figure:>width$}  {name}"))
}
