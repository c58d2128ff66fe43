//! The report as Markdown, for a comment on a pull request or a job's summary: the verdict, one
//! table, and folded below it what changed and the size by crate. It begins with the same line for
//! the same package each time, so that whoever posts it finds the comment to write it into.
//!
//! Names come from files that anybody can make. They stand in code spans, where GitHub makes no
//! links, mentions or HTML of anything, and what could end the span or the table is replaced by
//! what looks like it.

use crate::attribution::diff::Changes;
use crate::attribution::groups::{self, Grouping};
use crate::attribution::inlined::{Inlined, Part};
use crate::error::Result;
use crate::output::text::table::Table;
use crate::output::view::{Measure, Standing, View};
use crate::report::{Because, Unit, names, units};
use anstyle::Style;
use std::fmt::Write as _;

/// GitHub takes 65,536 characters in a comment; this is in bytes, of which there are never fewer,
/// and leaves space for a line or two of whoever posts it.
pub const MOST_BYTES: usize = 60_000;

/// How much is shown, from what is wanted down to what always fits: entries of a list, and rows of
/// the table.
const SHOWN: [(usize, usize); 7] = [
    (12, usize::MAX),
    (8, usize::MAX),
    (4, usize::MAX),
    (2, usize::MAX),
    (0, usize::MAX),
    (0, 100),
    (0, 15),
];

/// How many characters of a name are shown.
const NAME_WIDTH: usize = 90;

/// What is listed of a file.
const GROUPINGS: [Grouping; 3] = [Grouping::Crate, Grouping::Family, Grouping::Item];

/// `views` as Markdown of at most [`MOST_BYTES`]. The same views give the same text.
///
/// # Errors
/// As [`View::changes`].
pub fn draw(views: &[View]) -> Result<String> {
    let mut text = String::new();
    for (listed, rows) in SHOWN {
        text = page(views, listed, rows)?;
        if text.len() <= MOST_BYTES {
            break;
        }
    }
    Ok(text)
}

fn page(views: &[View], listed: usize, rows: usize) -> Result<String> {
    let mut text = format!("{}\n{}\n", marker(views), headline(views));
    text.push_str(&table(views, rows));
    text.push_str(&remarks(views, rows));
    if listed == 0 {
        text.push_str("\nThe lists are left out: there is no room for them in a comment.\n");
        return Ok(text);
    }
    for view in views {
        text.push_str(&lists(view, listed)?);
    }
    if listed < SHOWN[0].0 {
        text.push_str(&format!(
            "\nEach list is cut to its first {listed}, for there is no room for more in a comment.\n"
        ));
    }
    text.push_str(&made(views));
    Ok(text)
}

/// The line that says whose report this is, and nothing else.
pub fn marker(views: &[View]) -> String {
    let mut names: Vec<String> = views.iter().map(|view| plain(&view.title)).collect();
    names.dedup();
    let names = units::cut(&names.join(" "), 200);
    format!("<!-- build-support: {names} -->")
}

fn headline(views: &[View]) -> String {
    let mut names: Vec<String> = views.iter().map(|view| code(&view.title)).collect();
    names.dedup();
    names.truncate(5);
    let names = names.join(", ");
    let any = |standing| views.iter().any(|view| view.standing == standing);
    match (any(Standing::Over), any(Standing::Within)) {
        (true, _) => format!("### ❌ {names}: over budget\n"),
        (false, true) => format!("### ✅ {names}: within budget\n"),
        (false, false) => format!("### {names}\n"),
    }
}

/// The one table: a row per measure of each file.
fn table(views: &[View], most: usize) -> String {
    let rows = views
        .iter()
        .flat_map(|view| view.measures.iter().map(move |measure| (view, measure)));
    let all = rows.clone().count();
    let compared = rows.clone().any(|(_, measure)| measure.before.is_some());
    let mut heads = " | of | measure | >now | >limit | >used".to_owned();
    if compared {
        let _ = write!(heads, " | >against {}", against(views));
    }
    let rows = rows.take(most).map(|(view, measure)| {
        let mut cells = measure_cells(view, measure);
        if compared {
            let before = measure.before;
            cells.push(before.map_or(String::new(), |before| change(before, measure.actual)));
        }
        cells
    });
    let table = Table::headed(Style::new(), &heads).rows(rows);
    table.markdown() + &left_out("rows", all, most)
}

fn measure_cells(view: &View, measure: &Measure) -> Vec<String> {
    let now = units::bytes(measure.actual);
    let (sign, now) = match (measure.over, measure.limit) {
        (true, _) => ("❌", format!("**{now}**")),
        (false, Some(_)) => ("✅", now),
        (false, None) => ("", now),
    };
    let name = code(&measure.name);
    let name = match measure.unit {
        Unit::Bytes | Unit::Count => name,
        Unit::Instructions => format!("{name}, instructions"),
    };
    let used = |limit| units::used(measure.actual, limit);
    let [limit, used] = [measure.limit.map(units::bytes), measure.limit.map(used)];
    let (limit, used) = (limit.unwrap_or_default(), used.unwrap_or_default());
    vec![sign.to_owned(), code(target(view)), name, now, limit, used]
}

/// What a line about `view` calls it.
fn target(view: &View) -> &str {
    view.target.as_ref().unwrap_or(&view.title)
}

/// That there is more than is shown.
fn left_out(what: &str, all: usize, most: usize) -> String {
    match all.checked_sub(most) {
        None | Some(0) => String::new(),
        Some(more) => format!(
            "\n{} more {what} are left out: there is no room for them in a comment.\n",
            units::bytes(more as u64)
        ),
    }
}

/// What the last column compares with, where it is the same for all.
fn against(views: &[View]) -> String {
    let mut all: Vec<_> = views.iter().filter_map(View::versus).collect();
    all.dedup();
    match all.as_slice() {
        [one] => code(one),
        _ => "before".to_owned(),
    }
}

/// `+512 (+1.0%)`.
fn change(before: u64, after: u64) -> String {
    // What was nothing has no share of it to grow by.
    if before == after || before == 0 {
        return units::change(before, after);
    }
    let share = units::change_share(before, after);
    format!("{} ({share})", units::change(before, after))
}

/// What the gate objects to, in words, and what it did not judge. Not folded: it is what the reader
/// has to know.
fn remarks(views: &[View], most: usize) -> String {
    let all: Vec<String> = views.iter().flat_map(remarks_on).collect();
    let shown = all.iter().take(most);
    let mut text: String = shown.map(|remark| format!("\n- {remark}")).collect();
    if !text.is_empty() {
        text.push('\n');
    }
    text + &left_out("remarks", all.len(), most)
}

fn remarks_on(view: &View) -> Vec<String> {
    let target = code(target(view));
    let exceeded = view.exceeded().iter().map(|over| {
        let more = units::amount(over.actual.saturating_sub(over.limit), over.unit);
        let limit = units::bytes(over.limit);
        let than = match over.because {
            Because::Limit => format!("its limit of {limit}"),
            Because::Ratchet => format!("the {limit} that the baseline allows with its tolerance"),
            Because::Drift => {
                format!("the {limit} to which it may grow until the next deliberate raise")
            }
        };
        let (measure, now) = (code(&over.measure), units::bytes(over.actual));
        format!("{target} {measure}: {now} is {more} over {than}")
    });
    let others = view.baseline().into_iter().flat_map(|b| &b.toolchain);
    let others = others.map(|other| {
        let [what, after, before] =
            [&other.what, &other.after, &other.before].map(|name| code(name));
        format!(
            "{target}: {what} is another than the baseline's, {after} instead of {before}: growth is not judged"
        )
    });
    let raises = view.baseline().into_iter().flat_map(|b| &b.raises);
    let raises = raises.map(|raise| {
        let (from, to) = (units::bytes(raise.from.raw), units::bytes(raise.to.raw));
        let reason = code(&raise.reason);
        format!("{target}: raised from {from} to {to} bytes, because {reason}")
    });
    exceeded.chain(others).chain(raises).collect()
}

fn lists(view: &View, most: usize) -> Result<String> {
    let target = plain(target(view));
    let mut text = String::new();
    if let (Some(diff), Some(old)) = (view.changes(&GROUPINGS)?, view.versus()) {
        let (before, after) = (diff.before, diff.after);
        let same = before == after && diff.by.iter().all(|by| by.changes.is_empty());
        let summary = if same {
            "nothing changed".to_owned()
        } else {
            format!("what changed, {} bytes", units::change(before, after))
        };
        let [before, after] = [before, after].map(units::bytes);
        let _ = writeln!(
            text,
            "\n<details><summary>{target}: {summary}</summary>\n\n{before} → {after} bytes, against {}.\n",
            code(&old)
        );
        for changes in &diff.by {
            text.push_str(&changed(changes, most));
        }
        text.push_str("</details>\n");
    }
    let all = &view.attribution;
    let _ = writeln!(
        text,
        "\n<details><summary>{target}: size by crate, {} bytes</summary>\n",
        units::bytes(all.bytes)
    );
    for by in GROUPINGS {
        let groups = groups::run(all, by);
        let _ = writeln!(text, "**{}**\n", by.plural());
        for group in groups.iter().take(most) {
            let share = units::share(group.bytes, all.bytes);
            let (bytes, name) = (units::bytes(group.bytes), code(&group.name));
            let _ = writeln!(text, "- {bytes} ({share}) {name}");
        }
        let rest = groups.get(most..).unwrap_or_default();
        let bytes = rest.iter().map(|group| group.bytes);
        let bytes = bytes.fold(0, u64::saturating_add);
        text.push_str(&in_more(rest.len(), &units::bytes(bytes)));
    }
    text.push_str("</details>\n");
    if let Some(inlined) = &view.inlined {
        text.push_str(&written(&target, inlined, most));
    }
    Ok(text)
}

/// Where the code of the linked file was written.
fn written(target: &str, inlined: &Inlined, most: usize) -> String {
    let bytes = units::bytes(inlined.bytes);
    let mut text = format!(
        "\n<details><summary>{target}: where the code was written, {bytes} bytes linked</summary>\n\n"
    );
    let by = |name: fn(&Part) -> &str| inlined.by(name);
    for (what, sums) in [
        ("crates", by(|part| &part.krate)),
        ("functions", by(|part| &part.source)),
    ] {
        let _ = writeln!(text, "**{what}**\n");
        for (name, bytes, elsewhere) in sums.iter().take(most) {
            let share = units::share(*bytes, inlined.bytes);
            let [bytes, elsewhere] = [*bytes, *elsewhere].map(units::bytes);
            let name = code(name);
            let _ = writeln!(
                text,
                "- {bytes} ({share}, {elsewhere} inlined elsewhere) {name}"
            );
        }
        let rest = sums.get(most..).unwrap_or_default();
        let bytes = rest.iter().map(|(_, bytes, _)| bytes).sum();
        text.push_str(&in_more(rest.len(), &units::bytes(bytes)));
    }
    text + "</details>\n"
}

fn changed(changes: &Changes, most: usize) -> String {
    let all = &changes.changes;
    let mut text = format!("**{}**\n\n", changes.grouping.plural());
    for change in all.iter().take(most) {
        let way = units::change(change.before, change.after);
        let [before, after] = [change.before, change.after].map(units::bytes);
        let (what, name) = (change.what.name(), code(&change.name));
        let _ = writeln!(text, "- {way} {what} ({before} → {after}) {name}");
    }
    let rest = all.get(most..).unwrap_or_default();
    text + &in_more(rest.len(), &units::change_of_all(rest))
}

fn in_more(count: usize, bytes: &str) -> String {
    match count {
        0 => "\n".to_owned(),
        count => format!("- {bytes} in {} more\n\n", units::bytes(count as u64)),
    }
}

fn made(views: &[View]) -> String {
    let reports = views.iter().filter_map(|view| view.report.as_ref());
    let made = reports.map(|report| {
        let by = [&report.toolchain.rustc, &report.toolchain.wasm_opt];
        let by = by.into_iter().filter(|by| !by.is_empty());
        by.map(|by| code(by)).collect::<Vec<_>>().join(", ")
    });
    let mut made: Vec<String> = made.filter(|made| !made.is_empty()).collect();
    made.dedup();
    match made.as_slice() {
        [made] => format!("\nMade by {made}.\n"),
        _ => String::new(),
    }
}

/// A name as a code span.
pub fn code(name: &str) -> String {
    let mut text = String::from("`");
    let name = units::shorten(&names::visible(name), NAME_WIDTH);
    text.extend(name.chars().map(|c| match c {
        '`' => '\u{2cb}',
        '|' => '\u{2223}',
        // It escapes nothing in a code span but does in a table.
        '\\' => '\u{2216}',
        c => c,
    }));
    if name.trim().is_empty() {
        text.push_str("(no name)");
    }
    text.push('`');
    text
}

/// A name where only plain letters may stand: in HTML.
fn plain(name: &str) -> String {
    let name = units::shorten(name, NAME_WIDTH);
    let plain = name.replace(
        |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-'),
        "_",
    );
    // Two hyphens are no business of a comment's inside.
    plain.replace("--", "-_")
}
