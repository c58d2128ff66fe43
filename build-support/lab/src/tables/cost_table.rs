//! The tables of `scaling`: a line for each file, with time and memory for each of its megabytes,
//! so that growth shows at a glance: where it is linear these columns stay.

use crate::scaling::Cost;
use crate::scaling::attribution::Reading;
use build_support::output::text::style::{HEADING, Paint};
use build_support::output::text::table::Table;
use build_support::report::units;
use std::path::Path;

/// What sweep and compaction cost, as text that ends in a newline. `colour` adds ANSI escapes.
pub fn draw(costs: &[Cost], colour: bool) -> String {
    let heads = "file | >linked | >sweep | >wasm-opt | >ratio | >sweep/MB | >peak | >peak/linked | >compact | >ratio | >for brotli | >ratio";
    let rows = costs.iter().map(|cost| {
        let sweep = cost.analysis_millis + cost.rewrite_millis;
        let [peak, growth] = peak(cost.sweep_peak_bytes, cost.linked_bytes);
        [
            name(&cost.file),
            units::bytes(cost.linked_bytes),
            units::time(sweep),
            units::time(cost.wasm_opt_millis),
            format!("{:.2}", cost.ratio),
            by_megabyte(sweep, cost.linked_bytes),
            peak,
            growth,
            units::time(cost.compact_millis),
            format!("{:.2}", cost.compact_millis / cost.wasm_opt_millis),
            units::time(cost.compact_compressed_millis),
            format!(
                "{:.2}",
                cost.compact_compressed_millis / cost.wasm_opt_millis
            ),
        ]
    });
    let table = Table::headed(HEADING, heads).rows(rows);
    table.draw("", Paint { colour })
}

/// The same of what `analyze` and `diff` cost.
pub fn draw_readings(readings: &[Reading], colour: bool) -> String {
    let heads = "file | >bytes | >functions | >analyze | >analyze/MB | >diff | >peak | >peak/file";
    let rows = readings.iter().map(|reading| {
        let [peak, growth] = peak(reading.analyze_peak_bytes, reading.bytes);
        [
            name(&reading.file),
            units::bytes(reading.bytes),
            units::bytes(reading.functions),
            units::time(reading.analyze_millis),
            by_megabyte(reading.analyze_millis, reading.bytes),
            units::time(reading.diff_millis),
            peak,
            growth,
        ]
    });
    let table = Table::headed(HEADING, heads).rows(rows);
    table.draw("", Paint { colour })
}

fn name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn by_megabyte(millis: f64, bytes: u64) -> String {
    units::time(millis / (bytes.max(1) as f64 / 1e6))
}

/// The peak, and it in relation to the file.
fn peak(peak: Option<u64>, bytes: u64) -> [String; 2] {
    match peak {
        Some(peak) => [
            units::human(peak),
            format!("{:.1}", peak as f64 / bytes.max(1) as f64),
        ],
        None => ["unknown", "unknown"].map(str::to_owned),
    }
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
            compact_millis: 200.0,
            compact_compressed_millis: 600.0,
            sweep_peak_bytes: Some(20_000_000),
            peak_bytes: None,
        };
        let text = draw(&[cost], false);
        let words: Vec<_> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(
            words.join(" "),
            "2-mb.wasm 2,000,000 200 ms 800 ms 0.25 100 ms 19.1 MiB 10.0 200 ms 0.25 600 ms 0.75"
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
