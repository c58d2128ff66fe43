//! A bundle drawn: what it weighs, its limits, and the table of its audit.

use crate::config::bundle::{Bundle, Limit, Measure};
use crate::diagnostic::Diagnostic;
use crate::output::diagnostic::OVER_BUDGET;
use crate::output::markdown;
use crate::output::text::style::{BAD, FAINT, GOOD, HEADING, Paint};
use crate::output::text::table::Table;
use crate::report::bundle::{Cell, Report, Row};
use crate::report::{names, units};
use anstyle::Style;

/// How many of the largest files are named.
const LARGEST: usize = 8;

/// What was made, for a terminal. `folder` is its name for people.
pub fn draw(report: &Report, folder: &str, dry_run: bool, colour: bool) -> String {
    let paint = Paint { colour };
    let is = match (dry_run, report.unchanged) {
        (true, _) => "would be made",
        (false, true) => "nothing changed",
        (false, false) => "made",
    };
    let head = format!("{folder}: build {}, {is}", report.build);
    let mut text = format!("{}\n\n", paint.with(HEADING, &head));
    let mut files: Vec<_> = report.files.iter().collect();
    files.sort_by(|a, b| b.1.raw.cmp(&a.1.raw).then(a.0.cmp(b.0)));
    let row = |name: String, sizes: &crate::report::Sizes| {
        let [raw, gzip, brotli] = [sizes.raw, sizes.gzip, sizes.brotli].map(units::bytes);
        [name, raw, gzip, brotli]
    };
    let largest = files.iter().take(LARGEST);
    let mut table = Table::headed(FAINT, "file | >raw | >gzip | >brotli")
        .rows(largest.map(|(path, sizes)| row(names::visible(path), sizes)));
    let rest = files.len().saturating_sub(LARGEST);
    if rest > 0 {
        let none = String::new;
        table.push(FAINT, [format!("and {rest} more"), none(), none(), none()]);
    }
    table.push(
        HEADING,
        row(format!("{} files", files.len()), &report.sizes),
    );
    text += &table.draw("  ", paint);
    let answers = report.first_answer.iter();
    let answers = answers.map(|one| row(names::visible(&one.example), &one.sizes));
    let table = Table::headed(FAINT, "before the first answer of | >raw | >gzip | >brotli");
    text += &format!("\n{}", table.rows(answers).draw("  ", paint));
    if !report.limits.is_empty() {
        let mut table = Table::headed(FAINT, "limit | >actual | >most | >used");
        for limit in &report.limits {
            let style = if limit.actual > limit.limit {
                BAD
            } else {
                GOOD
            };
            let [actual, most] = [limit.actual, limit.limit].map(units::bytes);
            let used = units::used(limit.actual, limit.limit);
            table.push(style, [limit.measure.clone(), actual, most, used]);
        }
        text += &format!("\n{}", table.draw("  ", paint));
    }
    text
}

/// The table of the audit, for a terminal. `examples` are in their order.
pub fn audit(rows: &[Row], examples: &[String], colour: bool) -> String {
    let paint = Paint { colour };
    let mut text = String::new();
    for row in rows {
        text += &format!("{}\n", paint.with(HEADING, &row.name));
        let mut table = Table::aligned("<<<<");
        for (whose, cell) in grouped(row, examples) {
            let style = if cell.is_false() { BAD } else { Style::new() };
            let mark = if cell.is_false() { "not found: " } else { "" };
            table.push(
                style,
                [
                    names::visible(&whose.join(", ")),
                    names::visible(&cell.built),
                    names::visible(&cell.bundle),
                    format!("{mark}{}", names::visible(&cell.evidence)),
                ],
            );
        }
        text += &table.draw("  ", paint);
    }
    text
}

/// The same as Markdown.
pub fn audit_markdown(rows: &[Row], examples: &[String]) -> String {
    let mut table = Table::headed(Style::new(), "row | examples | built | bundle | evidence");
    for row in rows {
        let mut name = row.name.clone();
        for (whose, cell) in grouped(row, examples) {
            let whose = whose.iter().map(|one| markdown::code(one));
            let mark = if cell.is_false() {
                "**not found** "
            } else {
                ""
            };
            let evidence = format!("{mark}{}", markdown::code(&cell.evidence));
            let [built, bundle] = [&cell.built, &cell.bundle].map(|text| markdown::code(text));
            let whose = whose.collect::<Vec<_>>().join(", ");
            let name = std::mem::take(&mut name);
            table.push(Style::new(), [name, whose, built, bundle, evidence]);
        }
    }
    table.markdown()
}

/// The cells of a row, one for the examples that have the same.
fn grouped<'r>(row: &'r Row, examples: &[String]) -> Vec<(Vec<String>, &'r Cell)> {
    let mut groups: Vec<(Vec<String>, &Cell)> = Vec::new();
    for example in examples {
        let Some(cell) = row.cells.get(example) else {
            continue;
        };
        match groups.iter_mut().find(|(_, other)| *other == cell) {
            Some((whose, _)) => whose.push(example.clone()),
            None => groups.push((vec![example.clone()], cell)),
        }
    }
    groups
}

/// One error for each limit that does not hold, at its place in the manifest.
pub fn over(breaches: &[(Limit, u64)], settings: &Bundle) -> Vec<Diagnostic> {
    let breaches = breaches.iter();
    breaches
        .map(|(limit, actual)| {
            let (now, most) = (units::bytes(*actual), units::bytes(limit.most));
            let over = units::bytes(actual - limit.most);
            let is = match limit.measure {
                Measure::Brotli => format!("the bundle is {now} bytes after brotli -q 11"),
                Measure::Gzip => format!("the bundle is {now} bytes after gzip -9"),
                Measure::Files => format!("the bundle has {now} files"),
                Measure::FirstAnswer => {
                    format!("the default example takes {now} bytes before it answers")
                }
            };
            Diagnostic {
                code: OVER_BUDGET,
                message: format!("{is}, {over} over its limit of {most}"),
                label: format!("{} of the limit", units::used(*actual, limit.most)),
                help: vec![format!(
                    "to raise the limit deliberately, set {} = {} here and say why in the commit",
                    limit.measure.key(),
                    now.replace(',', "_")
                )],
                ..Diagnostic::at(&settings.manifest, &settings.source, limit.span.clone())
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{audit, audit_markdown, over};
    use crate::config::bundle;
    use crate::report::bundle::{Cell, Row};
    use std::path::Path;

    fn rows() -> (Vec<Row>, Vec<String>) {
        let cell = |bundle: &str, claimed, evidence: &str| Cell {
            built: "no".into(),
            bundle: bundle.into(),
            evidence: evidence.into(),
            claimed,
            found: false,
        };
        let cells = [
            ("a".to_owned(), cell("off", false, "x in y.js:1")),
            (
                "b".to_owned(),
                cell("on", true, "x in no script | \u{1b}[2J"),
            ),
            ("c".to_owned(), cell("off", false, "x in y.js:1")),
        ];
        let row = Row {
            name: "Flat arena".into(),
            cells: cells.into(),
        };
        (vec![row], ["b", "c", "a"].map(str::to_owned).to_vec())
    }

    #[test]
    fn examples_that_are_alike_share_a_line() {
        let (rows, examples) = rows();
        assert_eq!(
            audit(&rows, &examples, false),
            "Flat arena\n  b     no  on   not found: x in no script | {1b}[2J\n  c, a  no  off  x in y.js:1\n"
        );
    }

    /// Protects the table from what stands in a file of somebody else.
    #[test]
    fn markdown_keeps_cells_in_their_places() {
        let (rows, examples) = rows();
        let text = audit_markdown(&rows, &examples);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(
            lines.iter().all(|line| line.matches('|').count() == 6),
            "{text}"
        );
        assert!(
            lines[2].contains("**not found** `x in no script \u{2223} {1b}[2J`"),
            "{text}"
        );
    }

    #[test]
    fn a_limit_that_does_not_hold_points_at_its_place() {
        let source = "[package]\nname = \"a\"\n[package.metadata.bundle]\nfolder = \".\"\ntarget = \"t\"\ninit = \"i\"\nlimits = { files = 1, gzip = 10 }\n";
        let settings = bundle::parse(Path::new("Cargo.toml"), source)
            .unwrap()
            .unwrap();
        let breaches = [
            (settings.limits[0].clone(), 12),
            (settings.limits[1].clone(), 2),
        ];
        let said = over(&breaches, &settings);
        assert_eq!(
            said[0].message,
            "the bundle is 12 bytes after gzip -9, 2 over its limit of 10"
        );
        assert_eq!(&source[said[1].span.clone()], "1");
        assert_eq!(
            said[1].message,
            "the bundle has 2 files, 1 over its limit of 1"
        );
    }
}
