//! The table of `corpus`: a file in a line for each size, and what is not as it should be.

use crate::corpus::{Check, Ours, Row};
use anstyle::Style;
use build_support::output::text::style::{BAD, HEADING, Paint};
use build_support::output::text::table::Table;
use build_support::report::{Metric, Size, units};

const HEADS: &str = "file | bytes | >input | >wasm-opt | >ours | >snip | >ours/input | >ours/wasm-opt | >time/wasm-opt | >time | >time/MB | >peak | >peak/file | check";

/// `rows` as text that ends in a newline. `colour` adds ANSI escapes.
pub fn draw(rows: &[Row], metric: &Metric, colour: bool) -> String {
    let paint = Paint { colour };
    let mut table = Table::headed(HEADING, HEADS);
    let mut missed = Vec::new();
    for row in rows {
        let of_row = row.missed(metric);
        let style = if of_row.is_empty() { Style::new() } else { BAD };
        for size in Size::ALL {
            table.push(style, line(row, size));
        }
        missed.extend(of_row.iter().map(|what| format!("{}: {what}", row.file)));
    }
    for size in Size::ALL {
        table.push(HEADING, medians(rows, size));
    }
    let mut text = table.draw("", paint);
    for what in missed {
        text.push_str(&format!("{} {what}\n", paint.with(BAD, "!")));
    }
    text
}

fn line(row: &Row, size: Size) -> Vec<String> {
    let bytes = |sizes: Option<u64>| sizes.map_or("-".to_owned(), units::bytes);
    let ours = row.ours.sizes.get(size);
    let wasm_opt = row.wasm_opt.map(|sizes| sizes.get(size));
    let snipped = row
        .snipped
        .as_ref()
        .map(|Ours { sizes, .. }| sizes.get(size));
    let input = row.input.get(size);
    let is_first = size == Size::ALL[0];
    let once = |text: String| if is_first { text } else { String::new() };
    vec![
        once(row.file.clone()),
        size.name().to_owned(),
        units::bytes(input),
        bytes(wasm_opt),
        units::bytes(ours),
        bytes(snipped),
        ratio(ours, input),
        wasm_opt.map_or_else(String::new, |alone| ratio(ours, alone)),
        once(format!("{:.2}", row.time_share() as f64 / 100.0)),
        once(units::time(row.post_link_millis as f64)),
        once(units::time(
            row.post_link_millis as f64 * 1e6 / row.published.max(1) as f64,
        )),
        once(bytes(row.peak_bytes)),
        once(ratio(row.peak_bytes.unwrap_or_default(), row.published)),
        once(match row.check {
            Check::Same => "same".to_owned(),
            Check::Differs => "differs".to_owned(),
            Check::None => "-".to_owned(),
        }),
    ]
}

/// What the file in the middle is of its input, and of what wasm-opt makes of it, where it can.
fn medians(rows: &[Row], size: Size) -> Vec<String> {
    let ours = |row: &Row| row.ours.sizes.get(size) as f64;
    let input = rows
        .iter()
        .map(|row| ours(row) / row.input.get(size) as f64);
    let read = rows.iter().filter_map(|row| Some((row, row.wasm_opt?)));
    let alone = read.map(|(row, alone)| ours(row) / alone.get(size) as f64);
    let name = match size == Size::ALL[0] {
        true => "median",
        false => "",
    };
    let mut line = vec![String::new(); HEADS.split(" | ").count()];
    line[0] = name.to_owned();
    line[1] = size.name().to_owned();
    line[6] = median(input.collect());
    line[7] = median(alone.collect());
    line
}

fn median(mut ratios: Vec<f64>) -> String {
    ratios.sort_by(f64::total_cmp);
    let middle = ratios.get(ratios.len() / 2);
    middle.map_or_else(String::new, |ratio| format!("{ratio:.3}"))
}

fn ratio(part: u64, whole: u64) -> String {
    format!("{:.3}", part as f64 / whole.max(1) as f64)
}
