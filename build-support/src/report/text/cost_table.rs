//! The table of `scaling`: a line for each file, with time and memory for each of its megabytes, so that
//! growth shows at a glance: where it is linear these columns stay.

use super::cells::{HEADING, Paint, table};
use crate::report::units;
use crate::scaling::Cost;
use anstyle::Style;

const RIGHT: [bool; 8] = [false, true, true, true, true, true, true, true];

/// `costs` as text that ends in a newline. `colour` adds ANSI escapes.
pub fn draw(costs: &[Cost], colour: bool) -> String {
    let mut cells = vec![
        [
            "file",
            "linked",
            "sweep",
            "wasm-opt",
            "ratio",
            "sweep/MB",
            "peak",
            "peak/linked",
        ]
        .map(str::to_owned),
    ];
    cells.extend(costs.iter().map(line));
    let paint = Paint { colour };
    let styles = std::iter::once(HEADING).chain(std::iter::repeat(Style::new()));
    table(&cells, RIGHT)
        .iter()
        .zip(styles)
        .map(|(line, style)| format!("{}\n", paint.with(style, line)))
        .collect()
}

fn line(cost: &Cost) -> [String; 8] {
    let sweep = cost.analysis_millis + cost.rewrite_millis;
    let linked = cost.linked_bytes.max(1) as f64;
    let peak = |show: fn(u64, f64) -> String| {
        cost.sweep_peak_bytes
            .map_or_else(|| "unknown".to_owned(), |peak| show(peak, linked))
    };
    let name = cost.file.file_name().unwrap_or_default();
    [
        name.to_string_lossy().into_owned(),
        units::bytes(cost.linked_bytes),
        units::time(sweep),
        units::time(cost.wasm_opt_millis),
        format!("{:.2}", cost.ratio),
        units::time(sweep / (linked / 1e6)),
        peak(|peak, _| units::human(peak)),
        peak(|peak, linked| format!("{:.1}", peak as f64 / linked)),
    ]
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::scaling::Cost;

    /// Protects what the columns for growth are divided by.
    #[test]
    fn growth_is_by_the_megabyte() {
        let cost = Cost {
            file: "target/2-mb.wasm".into(),
            linked_bytes: 2_000_000,
            analysis_millis: 150.0,
            rewrite_millis: 50.0,
            wasm_opt_millis: 800.0,
            ratio: 0.25,
            sweep_peak_bytes: Some(20_000_000),
            peak_bytes: None,
        };
        let text = draw(&[cost], false);
        let words: Vec<_> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(
            words.join(" "),
            "2-mb.wasm 2,000,000 200 ms 800 ms 0.25 100 ms 19.1 MiB 10.0"
        );
    }
}
