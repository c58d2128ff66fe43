//! The tables of `scaling`: a line for each file, with time and memory for each of its megabytes, so that
//! growth shows at a glance: where it is linear these columns stay.

use crate::scaling::Cost;
use crate::scaling::attribution::Reading;
use anstyle::Style;
use build_support::output::text::cells::{HEADING, Paint, table};
use build_support::report::units;

const RIGHT: [bool; 8] = [false, true, true, true, true, true, true, true];

/// What the sweep costs, as text that ends in a newline. `colour` adds ANSI escapes.
pub fn draw(costs: &[Cost], colour: bool) -> String {
    const HEAD: [&str; 8] = [
        "file",
        "linked",
        "sweep",
        "wasm-opt",
        "ratio",
        "sweep/MB",
        "peak",
        "peak/linked",
    ];
    lines(HEAD, costs.iter().map(line), colour)
}

/// The same of what `analyze` and `diff` cost.
pub fn draw_readings(readings: &[Reading], colour: bool) -> String {
    const HEAD: [&str; 8] = [
        "file",
        "bytes",
        "functions",
        "analyze",
        "analyze/MB",
        "diff",
        "peak",
        "peak/file",
    ];
    lines(HEAD, readings.iter().map(reading), colour)
}

fn lines(head: [&str; 8], rows: impl Iterator<Item = [String; 8]>, colour: bool) -> String {
    let mut cells = vec![head.map(str::to_owned)];
    cells.extend(rows);
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

fn reading(reading: &Reading) -> [String; 8] {
    let bytes = reading.bytes.max(1) as f64;
    let peak = |show: fn(u64, f64) -> String| {
        reading
            .analyze_peak_bytes
            .map_or_else(|| "unknown".to_owned(), |peak| show(peak, bytes))
    };
    let name = reading.file.file_name().unwrap_or_default();
    [
        name.to_string_lossy().into_owned(),
        units::bytes(reading.bytes),
        units::bytes(reading.functions),
        units::time(reading.analyze_millis),
        units::time(reading.analyze_millis / (bytes / 1e6)),
        units::time(reading.diff_millis),
        peak(|peak, _| units::human(peak)),
        peak(|peak, bytes| format!("{:.1}", peak as f64 / bytes)),
    ]
}

#[cfg(test)]
mod tests {
    use super::{draw, draw_readings};
    use crate::scaling::Cost;
    use crate::scaling::attribution::Reading;

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

    /// Protects the same of the other table.
    #[test]
    fn so_it_is_for_analyze() {
        let reading = Reading {
            file: "target/2-mb.wasm".into(),
            bytes: 2_000_000,
            functions: 1_234,
            analyze_millis: 50.0,
            diff_millis: 90.0,
            analyze_peak_bytes: Some(20_000_000),
            peak_bytes: None,
        };
        let text = draw_readings(&[reading], false);
        let words: Vec<_> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(
            words.join(" "),
            "2-mb.wasm 2,000,000 1,234 50.0 ms 25.0 ms 90.0 ms 19.1 MiB 10.0"
        );
    }
}
