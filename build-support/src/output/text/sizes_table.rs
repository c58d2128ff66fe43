//! Files and their sizes, a line each.

use super::style::{HEADING, Paint};
use super::table::Table;
use crate::report::{Sizes, units};

/// `rows` as text that ends in a newline. `colour` adds ANSI escapes.
pub fn draw(rows: &[(String, Sizes)], colour: bool) -> String {
    let rows = rows.iter().map(|(name, sizes)| {
        let [raw, gzip, brotli] = [sizes.raw, sizes.gzip, sizes.brotli].map(units::bytes);
        [name.clone(), raw, gzip, brotli]
    });
    let table = Table::headed(HEADING, "file | >raw | >gzip | >brotli");
    table.rows(rows).draw("", Paint { colour })
}
