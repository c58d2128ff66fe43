//! The size of a file by crate and other groupings, and what changed between two: the tables of
//! `analyze` and `diff`.

use super::style::{FAINT, GOOD, HEADING, Paint, WARNING};
use super::table::Table;
use crate::attribution::diff::{Changes, Diff, What};
use crate::attribution::groups::Group;
use crate::report::units;
use serde::Serialize;

/// How many characters of a name a table shows.
const NAME_WIDTH: usize = 100;

/// A function and what would go with it: what it dominates in the graph of calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retained {
    /// Its name.
    pub name: String,
    /// Its own size, in bytes.
    pub bytes: u64,
    /// With everything that is reached through it alone, in bytes.
    pub retained: u64,
    /// How many functions that is.
    pub functions: u64,
}

/// The first `top` of some groups, and the sum of the rest, so that the table sums to the file.
pub fn groups(heading: &str, groups: &[Group], whole: u64, top: usize, colour: bool) -> String {
    let (shown, rest) = groups.split_at(top.min(groups.len()));
    let mut table = Table::aligned(">>><").rows(shown.iter().map(|group| {
        let count = match group.count {
            1 => String::new(),
            count => format!("{}x", units::bytes(count)),
        };
        let name = units::shorten(&group.name, NAME_WIDTH);
        [
            units::bytes(group.bytes),
            units::share(group.bytes, whole),
            count,
            name,
        ]
    }));
    if !rest.is_empty() {
        let bytes = rest.iter().map(|group| group.bytes).sum();
        let share = units::share(bytes, whole);
        table.push(
            FAINT,
            [units::bytes(bytes), share, String::new(), in_more(rest)],
        );
    }
    under(heading, &table, Paint { colour })
}

/// The functions that retain the most.
pub fn retained(all: &[Retained], colour: bool) -> String {
    let rows = all.iter().map(|function| {
        let name = units::shorten(&function.name, NAME_WIDTH);
        let figures = [function.retained, function.bytes, function.functions];
        let [retained, bytes, functions] = figures.map(units::bytes);
        [retained, bytes, functions, name]
    });
    let table = Table::headed(FAINT, ">retained | >own | >functions | function").rows(rows);
    let heading = "dominators: bytes of the code that would go with a function, and of its own";
    under(heading, &table, Paint { colour })
}

/// The changes by each grouping, the first `top` of each by name.
pub fn diff(diff: &Diff, old: &str, new: &str, top: usize, colour: bool) -> String {
    let mut text = format!(
        "{old} -> {new}: {} -> {} bytes, {}\n",
        units::bytes(diff.before),
        units::bytes(diff.after),
        units::change(diff.before, diff.after)
    );
    for changes in &diff.by {
        let drawn = changes_by(changes, top, Paint { colour });
        text.push_str(&format!("\n{drawn}"));
    }
    text
}

fn changes_by(changes: &Changes, top: usize, paint: Paint) -> String {
    let all = &changes.changes;
    let summary = if all.is_empty() {
        "nothing changed".to_owned()
    } else {
        summary(changes)
    };
    let (shown, rest) = all.split_at(top.min(all.len()));
    let mut table = Table::aligned("><><");
    for change in shown {
        let (before, after) = (units::bytes(change.before), units::bytes(change.after));
        let (style, way) = match change.what {
            What::Appeared => (WARNING, String::new()),
            What::Vanished => (GOOD, String::new()),
            What::Grew => (WARNING, format!("{before} -> {after}")),
            What::Shrank => (GOOD, format!("{before} -> {after}")),
        };
        let bytes = units::change(change.before, change.after);
        let name = units::shorten(&change.name, NAME_WIDTH);
        table.push(style, [bytes, change.what.name().to_owned(), way, name]);
    }
    if !rest.is_empty() {
        table.push(
            FAINT,
            [
                units::change_of_all(rest),
                String::new(),
                String::new(),
                in_more(rest),
            ],
        );
    }
    if all.len() > 1 && top > 0 {
        table.push(
            FAINT,
            [units::change_of_all(all).as_str(), "in all", "", ""].map(str::to_owned),
        );
    }
    let heading = format!("{}: {summary}", changes.grouping.plural());
    under(&heading, &table, paint)
}

/// `2 appeared +120, 1 vanished -70, 8 unchanged`.
fn summary(changes: &Changes) -> String {
    let mut parts = Vec::new();
    for what in What::ALL {
        let changes = changes.changes.iter().filter(|change| change.what == what);
        let count = changes.clone().count() as u64;
        if count > 0 {
            let count = units::bytes(count);
            parts.push(format!(
                "{count} {} {}",
                what.name(),
                units::change_of_all(changes)
            ));
        }
    }
    parts.push(format!("{} unchanged", units::bytes(changes.unchanged)));
    parts.join(", ")
}

fn in_more<T>(rest: &[T]) -> String {
    format!("in {} more", units::bytes(rest.len() as u64))
}

/// The table, indented below its heading.
fn under(heading: &str, table: &Table, paint: Paint) -> String {
    format!(
        "{}\n{}",
        paint.with(HEADING, heading),
        table.draw("  ", paint)
    )
}
