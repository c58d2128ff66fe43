//! The size of a file by crate and other groupings, and what changed between two: the tables of
//! `analyze` and `diff`.

use super::style::{FAINT, GOOD, HEADING, Paint, WARNING};
use super::table::Table;
use crate::attribution::diff::{Changes, Diff, What};
use crate::attribution::groups::Group;
use crate::report::{Size, Sizes, units};
use serde::Serialize;

/// How many characters of a name a table shows.
pub(super) const NAME_WIDTH: usize = 100;

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
    let mut table = Table::aligned(">>>><").rows(shown.iter().map(|group| {
        let name = units::shorten(&group.name, NAME_WIDTH);
        let at = group.offset.map(|offset| format!("{offset:#x}"));
        group_row(
            group.bytes,
            whole,
            group.count,
            at.unwrap_or_default(),
            name,
        )
    }));
    if !rest.is_empty() {
        let bytes = rest.iter().map(|group| group.bytes).sum();
        table.push(
            FAINT,
            group_row(bytes, whole, 1, String::new(), in_more(rest)),
        );
    }
    under(heading, &table, Paint { colour })
}

fn group_row(bytes: u64, whole: u64, count: u64, at: String, name: String) -> [String; 5] {
    let share = units::share(bytes, whole);
    let count = match count {
        1 => String::new(),
        count => format!("{}x", units::bytes(count)),
    };
    [units::bytes(bytes), share, count, at, name]
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
pub fn diff(
    diff: &Diff,
    [old, new]: &[String; 2],
    sizes: Option<&[Sizes; 2]>,
    top: usize,
    colour: bool,
) -> String {
    let mut text = format!(
        "{old} -> {new}: {} -> {} bytes, {}\n",
        units::bytes(diff.before),
        units::bytes(diff.after),
        units::change(diff.before, diff.after)
    );
    if let Some(sizes) = sizes {
        text.push_str(&format!("{}\n", compressed(sizes)));
    }
    for changes in &diff.by {
        let drawn = changes_by(changes, top, Paint { colour });
        text.push_str(&format!("\n{drawn}"));
    }
    text
}

/// `gzip 52 -> 48, -4; brotli …`.
pub fn compressed([before, after]: &[Sizes; 2]) -> String {
    let size = |size: Size| {
        let [before, after] = [before, after].map(|sizes| sizes.get(size));
        let change = units::change(before, after);
        let [before, after] = [before, after].map(units::bytes);
        format!("{} {before} -> {after}, {change}", size.name())
    };
    format!("{}; {}", size(Size::Gzip), size(Size::Brotli))
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
        let style = match change.what {
            What::Appeared | What::Grew => WARNING,
            What::Vanished | What::Shrank => GOOD,
        };
        let [before, after] = [change.before, change.after].map(units::bytes);
        let way = match change.what {
            What::Appeared | What::Vanished => String::new(),
            What::Grew | What::Shrank => format!("{before} -> {after}"),
        };
        let bytes = units::change(change.before, change.after);
        let name = units::shorten(&change.name, NAME_WIDTH);
        table.push(style, [bytes, change.what.name().to_owned(), way, name]);
    }
    let mut sum = |changes, what: &str, name: &str| {
        let cells = [&units::change_of_all(changes), what, "", name];
        table.push(FAINT, cells.map(str::to_owned));
    };
    if !rest.is_empty() {
        sum(rest, "", &in_more(rest));
    }
    if all.len() > 1 && top > 0 {
        sum(all, "in all", "");
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
            let (count, change) = (units::bytes(count), units::change_of_all(changes));
            parts.push(format!("{count} {} {change}", what.name()));
        }
    }
    parts.push(format!("{} unchanged", units::bytes(changes.unchanged)));
    parts.join(", ")
}

fn in_more<T>(rest: &[T]) -> String {
    format!("in {} more", units::bytes(rest.len() as u64))
}

/// The table, indented below its heading.
pub(super) fn under(heading: &str, table: &Table, paint: Paint) -> String {
    let table = table.draw("  ", paint);
    format!("{}\n{table}", paint.with(HEADING, heading))
}
