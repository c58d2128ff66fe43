//! The report as a person at a terminal reads it: what ran, how large the result is, whether it may
//! be. Only text is made here; the command prints it and decides about colour.

mod baseline;
pub mod inlined;
mod judged;
pub mod size_by;
mod sizes_table;
pub mod style;
mod swept;
pub mod table;

pub use baseline::{changed as baseline_change, draw as baseline};
pub use sizes_table::draw as sizes_table;
pub use swept::listing as sweep_listing;

use crate::output::view;
use crate::report::{Report, Size, Snipped, Stage, Step, units};
use anstyle::Style;
use std::cmp::Reverse;
use std::path::Path;
use style::{FAINT, HEADING, Paint, WARNING, WIDTH};
use table::Table;

/// How many of the snipped functions are named.
const SNIPPED: usize = 3;

/// How many characters of a function's name are shown.
const NAME_WIDTH: usize = 78;

/// `report` as text that ends in a newline, at most 100 columns wide but for paths and versions.
/// `files` are the files that were written, as they are to be named. `colour` adds ANSI escapes.
pub fn draw(report: &Report, files: &[impl AsRef<Path>], colour: bool) -> String {
    let paint = Paint { colour };
    let parts = [
        header(report, paint),
        stage_table(&report.stages, colour),
        judged::sizes(report, paint),
        judged::others(report, paint),
        snipped(report, paint),
        swept::draw(&report.swept, paint),
        prunable(report, paint),
        written(files, paint),
        judged::verdict(report, paint),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

fn header(report: &Report, paint: Paint) -> String {
    let kind = view::kind(report.kind);
    let name = paint.with(HEADING, &report.package);
    let mut text = format!("{name} for {}, {kind}\n", report.target);
    let made = view::made_by(&report.toolchain);
    if !made.is_empty() {
        text.push_str(&format!("{}\n", paint.with(FAINT, &made)));
    }
    text
}

/// What each stage made of the file, with the change over all of them as the last line. Empty where
/// no stage ran.
pub fn stage_table(stages: &[Stage], colour: bool) -> String {
    let (Some(first), Some(last)) = (stages.first(), stages.last()) else {
        return String::new();
    };
    let mut table = Table::headed(FAINT, "stage | >bytes | >change | > | >time |");
    let mut before = None;
    for stage in stages {
        table.push(Style::new(), stage_row(stage, before));
        for step in &stage.steps {
            table.push(FAINT, step_row(step));
        }
        before = Some(stage.bytes);
    }
    if stages.len() > 1 {
        let all = Stage {
            name: "all".to_owned(),
            bytes: last.bytes,
            millis: stages.iter().map(|stage| stage.millis).sum(),
            note: String::new(),
            steps: Vec::new(),
        };
        table.push(HEADING, stage_row(&all, Some(first.bytes)));
    }
    let paint = Paint { colour };
    let lines: Vec<_> = table.lines().into_iter().collect();
    // All that comes before a note is as wide in every line.
    let notes = stages.iter().flat_map(|stage| {
        std::iter::once(stage.note.chars().count()).chain(stage.steps.iter().map(|_| 0))
    });
    let indents = lines.iter().skip(1).zip(notes);
    let indents = indents.filter(|(_, note)| *note > 0);
    let indent = indents
        .map(|((_, line), note)| line.chars().count().saturating_sub(note))
        .next()
        .unwrap_or(0);
    let whole = |(style, line): (Style, String)| -> String {
        let pieces = units::broken(&line, WIDTH, indent);
        let pieces = pieces.iter().map(|piece| paint.with(style, piece) + "\n");
        pieces.collect()
    };
    lines.into_iter().map(whole).collect()
}

/// What a step gave by itself: the core modules, without what is around them.
fn step_row(step: &Step) -> [String; 6] {
    let change = |size: Size| units::change(step.before.get(size), step.after.get(size));
    let compressed =
        [Size::Gzip, Size::Brotli].map(|size| format!("{} {}", size.name(), change(size)));
    [
        format!("  {}", step.name),
        String::new(),
        change(Size::Raw),
        String::new(),
        String::new(),
        compressed.join(", "),
    ]
}

fn stage_row(stage: &Stage, before: Option<u64>) -> [String; 6] {
    let change = before.map(|before| units::change(before, stage.bytes));
    let changed = before.filter(|before| *before != stage.bytes);
    let share = changed.map(|before| units::change_share(before, stage.bytes));
    [
        stage.name.clone(),
        units::bytes(stage.bytes),
        change.unwrap_or_default(),
        share.unwrap_or_default(),
        // As wide as times get: where a note is cut does not depend on how fast it went.
        format!("{:>8}", units::time(stage.millis)),
        stage.note.clone(),
    ]
}

/// What would be snipped, largest first as it is given, with the rule that chose each function, and
/// the functions that a rule names but that were `spared` because they can return. Names are whole
/// here. `unmatched` are patterns of the lists that name no function.
pub fn snip_listing(snipped: &[Snipped], spared: &[String], unmatched: &[String]) -> String {
    let mut text = format!("{}\n", count_and_bytes("to be snipped:", snipped));
    let rows = snipped
        .iter()
        .map(|s| [units::bytes(s.bytes), s.family.clone(), s.function.clone()]);
    text.push_str(&Table::aligned("><<").rows(rows).draw("  ", Paint::PLAIN));
    if !spared.is_empty() {
        text.push_str("\nspared, because they can return:\n");
        text.extend(spared.iter().map(|name| format!("  {name}\n")));
    }
    let warnings = unmatched.iter();
    text.extend(
        warnings.map(|pattern| format!("\nwarning: `{pattern}` names no function of this file\n")),
    );
    text
}

fn snipped(report: &Report, paint: Paint) -> String {
    let all = &report.snipped;
    if all.is_empty() {
        return String::new();
    }
    let heading = count_and_bytes("snipped", all);
    let mut largest: Vec<_> = all.iter().collect();
    largest.sort_by_key(|snipped| (Reverse(snipped.bytes), &snipped.function));
    let rows = largest.into_iter().take(SNIPPED).map(|snipped| {
        let name = units::shorten(&snipped.function, NAME_WIDTH);
        [units::bytes(snipped.bytes), name]
    });
    let table = Table::aligned("><").rows(rows).draw("  ", paint);
    format!("{}\n{table}", paint.with(FAINT, &heading))
}

fn count_and_bytes(lead: &str, snipped: &[Snipped]) -> String {
    let total = snipped.iter().map(|function| function.bytes);
    let total = units::counted(total.fold(0, u64::saturating_add));
    let count = units::bytes(snipped.len() as u64);
    let plural = if snipped.len() == 1 { "" } else { "s" };
    format!("{lead} {count} function{plural}, {total}")
}

/// Dead code that should not be there; nothing where there is none.
fn prunable(report: &Report, paint: Paint) -> String {
    let prunable = &report.prunable;
    if prunable.linked.is_empty() && prunable.shipped == 0 {
        return String::new();
    }
    let line = format!(
        "prunable: nothing can call {} functions of the linked file and {} of the shipped one",
        units::bytes(prunable.linked.len() as u64),
        units::bytes(prunable.shipped)
    );
    format!("{}\n", paint.with(WARNING, &line))
}

fn written(files: &[impl AsRef<Path>], paint: Paint) -> String {
    let mut text = String::new();
    for (i, file) in files.iter().enumerate() {
        let lead = paint.with(FAINT, if i == 0 { "wrote" } else { "     " });
        text.push_str(&format!("{lead} {}\n", file.as_ref().display()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{draw, snip_listing};
    use crate::report::{
        Figures, LimitRecord, Report, Sizes, Snipped, Stage, Toolchain, Unit, sample,
    };

    fn report() -> Report {
        Report {
            target: "unknown".into(),
            toolchain: Toolchain::default(),
            sizes: Sizes {
                raw: 1,
                gzip: 2,
                brotli: 3,
            },
            figures: Figures::default(),
            ..sample::report(&[])
        }
    }

    const NO_FILES: [&str; 0] = [];

    #[test]
    fn a_bare_report_has_no_empty_parts() {
        let expected = "\
app for unknown, core module

size    bytes       limit  used
raw         1  1 B   none
gzip        2  2 B   none
brotli      3  3 B   none

no limits are set
";
        assert_eq!(draw(&report(), &NO_FILES, false), expected);
    }

    #[test]
    fn without_colour_there_is_no_escape_and_with_it_the_same_text() {
        let mut report = report();
        report.budget = vec![LimitRecord {
            measure: "raw".into(),
            unit: Unit::Bytes,
            limit: 1,
            actual: 1,
        }];
        report.snipped = vec![
            Snipped {
                function: "f".into(),
                family: "g".into(),
                bytes: u64::MAX
            };
            2
        ];
        report.stages = vec![
            Stage {
                name: "link".into(),
                bytes: 5,
                millis: 1.0,
                note: "note".into(),
                steps: Vec::new(),
            };
            2
        ];
        let plain = draw(&report, &["a.wasm"], false);
        let mut coloured = draw(&report, &["a.wasm"], true);
        assert!(!plain.contains('\u{1b}') && coloured.contains('\u{1b}'));
        while let Some(start) = coloured.find('\u{1b}') {
            let end = start + coloured[start..].find('m').unwrap();
            coloured.replace_range(start..=end, "");
        }
        assert_eq!(plain, coloured);
    }

    #[test]
    fn long_names_and_notes_stay_within_a_hundred_columns() {
        let mut report = report();
        let long = "é::very_long_name".repeat(50);
        report.snipped = vec![Snipped {
            function: long.clone(),
            family: "x".into(),
            bytes: 999_999,
        }];
        let stage = |bytes| Stage {
            name: "componentize".into(),
            bytes,
            millis: 99_999.0,
            note: long.replace("::", " "),
            steps: Vec::new(),
        };
        report.stages = vec![stage(12_345_678), stage(345_678)];
        for line in draw(&report, &NO_FILES, false).lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }

    #[test]
    fn a_listing_gives_whole_names_and_rules() {
        let function = |name: &str, bytes| Snipped {
            function: name.into(),
            family: "core::panicking".into(),
            bytes,
        };
        let snipped = [
            function("core::panicking::panic_fmt", 1_204),
            function("core::panicking::panic", 7),
        ];
        let expected = "\
to be snipped: 2 functions, 1,211 bytes
  1,204  core::panicking  core::panicking::panic_fmt
      7  core::panicking  core::panicking::panic

spared, because they can return:
  core::panicking::is_quiet
";
        assert_eq!(
            snip_listing(&snipped, &["core::panicking::is_quiet".into()], &[]),
            expected
        );
        assert_eq!(
            snip_listing(&[], &[], &[]),
            "to be snipped: 0 functions, 0 bytes\n"
        );
    }
}
