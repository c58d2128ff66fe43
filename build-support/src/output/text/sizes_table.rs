//! Files and their sizes, a line each.

use super::cells::{HEADING, Paint, table};
use crate::report::{Sizes, units};
use anstyle::Style;

/// `rows` as text that ends in a newline. `colour` adds ANSI escapes.
pub fn draw(rows: &[(String, Sizes)], colour: bool) -> String {
    let mut cells = vec![["file", "raw", "gzip", "brotli"].map(str::to_owned)];
    cells.extend(rows.iter().map(|(name, sizes)| {
        [
            name.clone(),
            units::bytes(sizes.raw),
            units::bytes(sizes.gzip),
            units::bytes(sizes.brotli),
        ]
    }));
    let paint = Paint { colour };
    let styles = std::iter::once(HEADING).chain(std::iter::repeat(Style::new()));
    table(&cells, [false, true, true, true])
        .iter()
        .zip(styles)
        .map(|(line, style)| format!("{}\n", paint.with(style, line)))
        .collect()
}
