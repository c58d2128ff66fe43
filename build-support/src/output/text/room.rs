//! Who takes the room in a file, and what changed between two: the tables of `analyze` and `diff`.

use super::cells::{FAINT, GOOD, HEADING, Paint, WARNING, table};
use crate::attribution::diff::{Change, Changes, Diff, What};
use crate::attribution::groups::Group;
use crate::report::units;
use anstyle::Style;

/// How many characters of a name a table shows.
const NAME_WIDTH: usize = 100;

/// What hangs on a function, for [`retained`].
pub struct Hanging<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its own size, in bytes.
    pub bytes: u64,
    /// With everything that is reached through it alone, in bytes.
    pub retained: u64,
    /// How many functions that is.
    pub functions: u64,
}

/// The first `top` of some groups, and the sum of the rest, so that the table sums to the file.
pub fn groups(heading: &str, groups: &[Group], whole: u64, top: usize, colour: bool) -> String {
    let paint = Paint { colour };
    let row = |bytes: u64, count: u64, name: String| {
        [
            units::bytes(bytes),
            units::share(bytes, whole),
            if count == 1 {
                String::new()
            } else {
                format!("{}x", units::bytes(count))
            },
            name,
        ]
    };
    let (shown, rest) = groups.split_at(top.min(groups.len()));
    let mut rows: Vec<_> = shown
        .iter()
        .map(|group| {
            row(
                group.bytes,
                group.count,
                units::shorten(&group.name, NAME_WIDTH),
            )
        })
        .collect();
    if !rest.is_empty() {
        let bytes = rest.iter().map(|group| group.bytes).sum();
        rows.push(row(
            bytes,
            1,
            format!("in {} more", units::bytes(rest.len() as u64)),
        ));
    }
    let mut text = format!("{}\n", paint.with(HEADING, heading));
    let lines = table(&rows, [true, true, true, false]);
    for (position, line) in lines.iter().enumerate() {
        let style = if position < shown.len() {
            Style::new()
        } else {
            FAINT
        };
        text.push_str(&format!("  {}\n", paint.with(style, line)));
    }
    text
}

/// The functions on which the most hangs.
pub fn retained(all: &[Hanging<'_>], colour: bool) -> String {
    let paint = Paint { colour };
    let head = ["with", "alone", "functions", "function"].map(str::to_owned);
    let mut rows = vec![head];
    rows.extend(all.iter().map(|hanging| {
        [
            units::bytes(hanging.retained),
            units::bytes(hanging.bytes),
            units::bytes(hanging.functions),
            units::shorten(hanging.name, NAME_WIDTH),
        ]
    }));
    let heading = "dominators: bytes of the code that would go with a function, and of its own";
    let mut text = format!("{}\n", paint.with(HEADING, heading));
    for (position, line) in table(&rows, [true, true, true, false]).iter().enumerate() {
        let style = if position == 0 { FAINT } else { Style::new() };
        text.push_str(&format!("  {}\n", paint.with(style, line)));
    }
    text
}

/// The changes by each grouping, the first `top` of each by name.
pub fn diff(diff: &Diff, old: &str, new: &str, top: usize, colour: bool) -> String {
    let paint = Paint { colour };
    let mut text = format!(
        "{old} -> {new}: {} -> {} bytes, {}\n",
        units::bytes(diff.before),
        units::bytes(diff.after),
        units::change(diff.before, diff.after)
    );
    for changes in &diff.by {
        text.push_str(&format!("\n{}", changes_of(changes, top, paint)));
    }
    text
}

fn changes_of(changes: &Changes, top: usize, paint: Paint) -> String {
    let all = &changes.changes;
    let heading = format!(
        "{}: {}",
        changes.grouping.plural(),
        if all.is_empty() {
            "nothing changed".to_owned()
        } else {
            summary(changes)
        }
    );
    let mut text = format!("{}\n", paint.with(HEADING, &heading));
    let (shown, rest) = all.split_at(top.min(all.len()));
    let mut rows: Vec<_> = shown
        .iter()
        .map(|change| {
            let way = match change.what {
                What::Appeared | What::Vanished => String::new(),
                What::Grew | What::Shrank => format!(
                    "{} -> {}",
                    units::bytes(change.before),
                    units::bytes(change.after)
                ),
            };
            [
                units::change(change.before, change.after),
                change.what.name().to_owned(),
                way,
                units::shorten(&change.name, NAME_WIDTH),
            ]
        })
        .collect();
    if !rest.is_empty() {
        let name = format!("in {} more", units::bytes(rest.len() as u64));
        rows.push([signed(rest), String::new(), String::new(), name]);
    }
    if rows.len() > 1 {
        rows.push([
            signed(all),
            "in all".to_owned(),
            String::new(),
            String::new(),
        ]);
    }
    let lines = table(&rows, [true, false, true, false]);
    for (position, line) in lines.iter().enumerate() {
        let style = match shown.get(position).map(|change| change.what) {
            Some(What::Appeared | What::Grew) => WARNING,
            Some(What::Shrank | What::Vanished) => GOOD,
            None => FAINT,
        };
        text.push_str(&format!("  {}\n", paint.with(style, line)));
    }
    text
}

/// `2 appeared +120, 1 vanished -70, 8 unchanged`.
fn summary(changes: &Changes) -> String {
    let mut parts = Vec::new();
    for what in What::ALL {
        let of: Vec<_> = changes
            .changes
            .iter()
            .filter(|c| c.what == what)
            .cloned()
            .collect();
        if !of.is_empty() {
            let count = units::bytes(of.len() as u64);
            parts.push(format!("{count} {} {}", what.name(), signed(&of)));
        }
    }
    parts.push(format!("{} unchanged", units::bytes(changes.unchanged)));
    parts.join(", ")
}

fn signed(changes: &[Change]) -> String {
    let sum = |of: fn(&Change) -> u64| changes.iter().map(of).fold(0, u64::saturating_add);
    units::change(sum(|c| c.before), sum(|c| c.after))
}
