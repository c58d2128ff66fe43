//! The one table: rows in columns, each row in its style, as a terminal shows it or as Markdown has
//! it.

use super::style::Paint;
use anstyle::Style;

/// Rows of cells, all of as many as there are columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<Align>,
    rows: Vec<Vec<String>>,
    /// Of the rows, in their order.
    styles: Vec<Style>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

impl Table {
    /// One with a first row of `heads`, which `|` stands between. Columns are on the left; a `>` in
    /// front of its head puts one on the right: `"file | >raw | >gzip"`.
    pub fn headed(style: Style, heads: &str) -> Self {
        let heads = heads.split('|').map(|head| {
            let head = head.trim();
            match head.strip_prefix('>') {
                Some(head) => (Align::Right, head.to_owned()),
                None => (Align::Left, head.to_owned()),
            }
        });
        let (columns, heads) = heads.unzip();
        Self {
            columns,
            rows: vec![heads],
            styles: vec![style],
        }
    }

    /// One without heads: `<` stands for a column on the left, `>` for one on the right.
    pub fn aligned(columns: &str) -> Self {
        let columns = columns.chars().map(|sign| match sign {
            '>' => Align::Right,
            _ => Align::Left,
        });
        Self {
            columns: columns.collect(),
            rows: Vec::new(),
            styles: Vec::new(),
        }
    }

    /// With a row in `style`.
    pub fn push(&mut self, style: Style, cells: impl Into<Vec<String>>) {
        let cells = cells.into();
        debug_assert_eq!(cells.len(), self.columns.len(), "{cells:?}");
        self.rows.push(cells);
        self.styles.push(style);
    }

    /// With all of `rows`, without style.
    pub fn rows<R: Into<Vec<String>>>(mut self, rows: impl IntoIterator<Item = R>) -> Self {
        for row in rows {
            self.push(Style::new(), row);
        }
        self
    }

    /// As text in which every line ends in a newline and begins with `indent`.
    pub fn draw(&self, indent: &str, paint: Paint) -> String {
        let lines = self.lines().into_iter();
        lines
            .map(|(style, line)| format!("{indent}{}\n", paint.with(style, &line)))
            .collect()
    }

    /// The rows as lines with their styles: each column as wide as what is widest in it, two blanks
    /// between columns, none at the end. Columns without any text fall away.
    pub fn lines(&self) -> Vec<(Style, String)> {
        let mut widths = vec![0; self.columns.len()];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let columns: Vec<_> = self.columns.iter().zip(widths).collect();
        let lines = self.rows.iter().map(|row| {
            let cells = row
                .iter()
                .zip(&columns)
                .filter(|(_, (_, width))| *width > 0);
            let cells = cells.map(|(cell, (align, width))| match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        });
        self.styles.iter().copied().zip(lines).collect()
    }

    /// As a table of Markdown, whose first row are the heads. Cells stand in it as they are.
    pub fn markdown(&self) -> String {
        let rules = self.columns.iter().map(|align| match align {
            Align::Left => "---",
            Align::Right => "--:",
        });
        let rule = format!("|{}|\n", rules.collect::<Vec<_>>().join("|"));
        let mut rows = self
            .rows
            .iter()
            .map(|row| format!("| {} |\n", row.join(" | ")));
        let head = rows.next().unwrap_or_default();
        rows.fold(head + &rule, |text, row| text + &row)
    }
}

#[cfg(test)]
mod tests {
    use super::Table;
    use crate::output::text::style::{FAINT, Paint};

    fn table() -> Table {
        let rows = [["a", "", "1"], ["bbb", "", "22"]];
        let rows = rows.map(|row| row.map(str::to_owned));
        Table::headed(FAINT, "name | | >n").rows(rows)
    }

    /// Protects the columns: aligned, without blanks at the end, and left out where they are empty.
    #[test]
    fn columns_align_and_empty_ones_fall() {
        let plain = Paint::PLAIN;
        assert_eq!(
            table().draw("  ", plain),
            "  name   n\n  a      1\n  bbb   22\n"
        );
        let rows = [["é", "x"], ["long", ""]].map(|row| row.map(str::to_owned));
        let bare = Table::aligned("><").rows(rows);
        assert_eq!(bare.draw("", plain), "   é  x\nlong\n");
    }

    /// Protects the indent from the style, and rows without one from escapes.
    #[test]
    fn a_row_is_drawn_in_its_style() {
        let text = table().draw(" ", Paint { colour: true });
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [" \u{1b}[2mname   n\u{1b}[0m", " a      1", " bbb   22"]
        );
    }

    #[test]
    fn markdown_has_every_cell() {
        assert_eq!(
            table().markdown(),
            "| name |  | n |\n|---|---|--:|\n| a |  | 1 |\n| bbb |  | 22 |\n"
        );
    }
}
