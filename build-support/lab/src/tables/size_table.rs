//! The table of `size-bench`: a fixture's steps in a line for each measure, ours in relation to the reference
//! and to wasm-opt alone, and those marked that are too far from the reference.

use crate::size_bench::{Row, Steps};
use anstyle::Style;
use build_support::output::text::cells::{BAD, FAINT, HEADING, Paint, table};
use build_support::report::{Size, Sizes, units};

/// Stands behind a ratio that is too large.
const MARK: &str = " !";

/// Which columns are aligned on the right.
const RIGHT: [bool; 10] = [false, false, true, true, true, true, true, true, true, true];

/// `rows` as text that ends in a newline. `colour` adds ANSI escapes.
pub fn draw(rows: &[Row], colour: bool) -> String {
    let paint = Paint { colour };
    let mut cells = vec![
        [
            "fixture",
            "bytes",
            "linked",
            "wasm-opt",
            "snip",
            "ours",
            "reference",
            "swept",
            "ours/ref.",
            "ours/wasm-opt",
        ]
        .map(str::to_owned),
    ];
    let mut styles = vec![HEADING];
    for row in rows {
        for measure in Size::ALL {
            let missed = row.missed().contains(&measure.name());
            cells.push(line(row, &row.steps, &row.name, measure, missed));
            styles.push(if missed { BAD } else { Style::new() });
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
                cells.push(line(row, steps, name, measure, false));
                styles.push(FAINT);
            }
        }
    }
    let mut text: String = table(&cells, RIGHT)
        .iter()
        .zip(styles)
        .map(|(line, style)| format!("{}\n", paint.with(style, line.trim_end())))
        .collect();
    let missed: Vec<_> = rows
        .iter()
        .filter(|row| !row.missed().is_empty())
        .map(|row| row.name.as_str())
        .collect();
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
fn line(row: &Row, steps: &Steps, name: &str, measure: Size, missed: bool) -> [String; 10] {
    let of = |sizes: &Sizes| sizes.get(measure);
    let (ours, reference) = (of(&steps.ours), of(&row.reference));
    let first = measure == Size::ALL[0];
    let mark = if missed { MARK } else { "  " };
    [
        if first {
            name.to_owned()
        } else {
            String::new()
        },
        measure.name().to_owned(),
        units::bytes(of(&steps.linked)),
        units::bytes(of(&steps.wasm_opt)),
        units::bytes(of(&steps.snip)),
        units::bytes(ours),
        units::bytes(reference),
        units::bytes(of(&row.reference_swept)),
        format!("{}{mark}", ratio(ours, reference)),
        ratio(ours, of(&steps.wasm_opt)),
    ]
}

fn ratio(part: u64, whole: u64) -> String {
    format!("{:.3}", part as f64 / whole.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::size_bench::{Row, Steps};
    use build_support::report::Sizes;

    /// Protects what is marked: ours beyond the tolerance, and never the distributed library, which is reported only.
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
            reference: sizes(1_000),
            reference_swept: sizes(900),
            distributed_std: Some(steps(2_000)),
        };
        let text = draw(&[row("good", 1_020), row("bad", 1_100)], false);
        let lines: Vec<_> = text.lines().collect();
        let words = |i: usize| lines[i].split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            words(1),
            "good raw 4,000 3,000 2,000 1,020 1,000 900 1.020 0.340"
        );
        assert_eq!(
            words(10),
            "bad raw 4,000 3,000 2,000 1,100 1,000 900 1.100 ! 0.367"
        );
        assert_eq!(lines.iter().filter(|line| line.contains(" !")).count(), 2);
        assert_eq!(
            lines.last(),
            Some(&"! more than 2% above the reference: bad")
        );
    }
}
