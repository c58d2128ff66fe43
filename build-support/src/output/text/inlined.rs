//! Where code was written: the tables of `analyze --inlined`.

use super::size_by::{NAME_WIDTH, under};
use super::style::{FAINT, Paint};
use super::table::Table;
use crate::attribution::inlined::{Inlined, Part};
use crate::report::units;
use std::collections::HashMap;

/// How many sources are listed of one function.
const SOURCES: usize = 8;
/// How many functions are taken apart.
const FUNCTIONS: usize = 5;

/// By crate, by source function, and the largest functions taken apart; the first two sum to the
/// code.
pub fn draw(inlined: &Inlined, top: usize, colour: bool) -> String {
    let paint = Paint { colour };
    let mut standing: HashMap<&str, u64> = HashMap::new();
    for part in &inlined.parts {
        *standing.entry(&part.of).or_default() += part.bytes;
    }
    let crates = inlined.by(|part| &part.krate);
    let heads = ">written in | > | >inlined | >in its functions | crate";
    let crates = table(heads, inlined.bytes, &crates, top, |name| {
        units::bytes(standing.get(name).copied().unwrap_or(0))
    });
    let sources = inlined.by(|part| &part.source);
    let heads = ">written in | > | >inlined | > | function";
    let sources = table(heads, inlined.bytes, &sources, top, |_| String::new());
    let mut text = under("crates", &crates, paint);
    text.push_str(&format!(
        "\n{}",
        under("functions as they are written", &sources, paint)
    ));
    let mut functions = inlined.by(|part| &part.function);
    functions.truncate(FUNCTIONS.min(top));
    for (function, bytes, _) in functions {
        let heading = format!("{function}: {}", units::counted(bytes));
        let parts = inlined
            .parts
            .iter()
            .filter(|part| part.function == function);
        let table = one(parts.collect(), bytes);
        text.push_str(&format!("\n{}", under(&heading, &table, paint)));
    }
    text
}

fn table(
    heads: &str,
    whole: u64,
    sums: &[(&str, u64, u64)],
    top: usize,
    more: impl Fn(&str) -> String,
) -> Table {
    let (shown, rest) = sums.split_at(top.min(sums.len()));
    let row = |bytes: u64, inlined: u64, more: String, name: String| {
        let share = units::share(bytes, whole);
        [
            units::bytes(bytes),
            share,
            units::bytes(inlined),
            more,
            name,
        ]
    };
    let rows = shown.iter().map(|(name, bytes, inlined)| {
        let shown = units::shorten(name, NAME_WIDTH);
        row(*bytes, *inlined, more(name), shown)
    });
    let mut table = Table::headed(FAINT, heads).rows(rows);
    if !rest.is_empty() {
        let sum = |of: fn(&(&str, u64, u64)) -> u64| rest.iter().map(of).sum();
        let name = format!("in {} more", units::bytes(rest.len() as u64));
        table.push(FAINT, row(sum(|s| s.1), sum(|s| s.2), String::new(), name));
    }
    table
}

/// What one function is made of.
fn one(parts: Vec<&Part>, whole: u64) -> Table {
    let (shown, rest) = parts.split_at(SOURCES.min(parts.len()));
    let row = |bytes: u64, krate: &str, name: String| {
        [
            units::bytes(bytes),
            units::share(bytes, whole),
            krate.to_owned(),
            name,
        ]
    };
    let rows = shown.iter().map(|part| {
        let name = match part.source == part.function {
            true => "itself".to_owned(),
            false => units::shorten(&part.source, NAME_WIDTH),
        };
        row(part.bytes, &part.krate, name)
    });
    let mut table = Table::aligned(">><<").rows(rows);
    if !rest.is_empty() {
        let bytes = rest.iter().map(|part| part.bytes).sum();
        let name = format!("in {} more", units::bytes(rest.len() as u64));
        table.push(FAINT, row(bytes, "", name));
    }
    table
}
