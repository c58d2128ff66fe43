//! The table of `size-bench`: a fixture's steps in a line for each measure, ours in relation to the
//! reference and to wasm-opt alone, and those marked that are too far from the reference.

use crate::size_bench::{Row, Steps};
use anstyle::Style;
use build_support::output::text::style::{BAD, FAINT, HEADING, Paint};
use build_support::output::text::table::Table;
use build_support::report::{Size, Sizes, units};

/// Stands behind a ratio that is too large.
const MARK: &str = " !";

const HEADS: &str = "fixture | bytes | >linked | >wasm-opt | >snip | >ours | >reference | >swept | >ours/ref. | >ours/wasm-opt | >instructions";

/// `rows` as text that ends in a newline. `colour` adds ANSI escapes.
pub fn draw(rows: &[Row], colour: bool) -> String {
    let paint = Paint { colour };
    let mut table = Table::headed(HEADING, HEADS);
    let mut missed = Vec::new();
    for row in rows {
        let too_large = row.missed();
        if !too_large.is_empty() {
            missed.push(row.name.as_str());
        }
        for measure in Size::ALL {
            let missed = too_large.contains(&measure.name());
            let style = if missed { BAD } else { Style::new() };
            table.push(style, line(row, &row.steps, &row.name, measure, missed));
        }
        for compacted in &row.compacted {
            let steps = Steps {
                ours: compacted.sizes,
                ..row.steps
            };
            let name = format!("  compacted: {}", compacted.mode);
            for measure in Size::ALL {
                let mut cells = line(row, &steps, &name, measure, false);
                let more = compacted.instructions.zip(row.instructions);
                cells.pop();
                cells.push(match (more, measure) {
                    (Some((after, before)), Size::Raw) => ratio(after, before),
                    _ => String::new(),
                });
                table.push(FAINT, cells);
            }
        }
        let plain = Steps {
            ours: row.ours_plain_std,
            ..row.steps
        };
        let others = [
            ("  std of its profile", Some(&plain)),
            ("  std as distributed", row.distributed_std.as_ref()),
        ];
        for (name, steps) in others {
            for (measure, steps) in Size::ALL.into_iter().zip(steps.iter().cycle()) {
                table.push(FAINT, line(row, steps, name, measure, false));
            }
        }
    }
    let mut text = table.draw("", paint);
    if !missed.is_empty() {
        text.push_str(&format!(
            "\n{} more than 2% above the reference: {}\n",
            paint.with(BAD, "!"),
            missed.join(", ")
        ));
    }
    text
}

/// The name stands in the first of a fixture's lines.
fn line(row: &Row, steps: &Steps, name: &str, measure: Size, missed: bool) -> Vec<String> {
    let size = |sizes: &Sizes| sizes.get(measure);
    let name = if measure == Size::ALL[0] { name } else { "" };
    let mark = if missed { MARK } else { "  " };
    let (ours, reference) = (size(&steps.ours), size(&row.reference));
    let mut cells = vec![name.to_owned(), measure.name().to_owned()];
    let before = [&steps.linked, &steps.wasm_opt, &steps.snip].map(size);
    let shown = [ours, reference, size(&row.reference_swept)];
    cells.extend(before.into_iter().chain(shown).map(units::bytes));
    cells.push(format!("{}{mark}", ratio(ours, reference)));
    cells.push(ratio(ours, size(&steps.wasm_opt)));
    let instructions = row.instructions.filter(|_| measure == Size::ALL[0]);
    cells.push(instructions.map(units::bytes).unwrap_or_default());
    cells
}

fn ratio(part: u64, whole: u64) -> String {
    format!("{:.3}", part as f64 / whole.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::size_bench::{Compacted, Row, Steps};
    use build_support::report::Sizes;

    /// Protects what is marked: ours beyond the tolerance, and never the distributed library, which
    /// is reported only.
    #[test]
    fn what_is_too_large_is_marked() {
        let sizes = |raw| Sizes {
            raw,
            gzip: raw / 2,
            brotli: raw / 4,
        };
        let steps = |ours| Steps {
            linked: sizes(4_000),
            wasm_opt: sizes(3_000),
            snip: sizes(2_000),
            ours: sizes(ours),
        };
        let row = |name: &str, ours| Row {
            name: name.to_owned(),
            steps: steps(ours),
            ours_plain_std: sizes(ours + 100),
            compacted: vec![Compacted {
                mode: "raw",
                sizes: sizes(ours - 10),
                instructions: Some(1_500),
            }],
            instructions: Some(1_000),
            reference: sizes(1_000),
            reference_swept: sizes(900),
            distributed_std: Some(steps(2_000)),
        };
        let text = draw(&[row("good", 1_020), row("bad", 1_100)], false);
        let lines: Vec<_> = text.lines().collect();
        let words = |i: usize| lines[i].split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            words(1),
            "good raw 4,000 3,000 2,000 1,020 1,000 900 1.020 0.340 1,000"
        );
        assert_eq!(
            words(4),
            "compacted: raw raw 4,000 3,000 2,000 1,010 1,000 900 1.010 0.337 1.500"
        );
        assert_eq!(
            words(13),
            "bad raw 4,000 3,000 2,000 1,100 1,000 900 1.100 ! 0.367 1,000"
        );
        assert_eq!(lines.iter().filter(|line| line.contains(" !")).count(), 2);
        assert_eq!(
            lines.last(),
            Some(&"! more than 2% above the reference: bad")
        );
    }
}
