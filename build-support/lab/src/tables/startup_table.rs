//! The tables of `startup`: a line for each way of starting a file, one for each process, and the
//! instructions that do not depend on the machine. What misses a target is marked.

use crate::quantiles::Quantiles;
use crate::startup::targets::{self, Miss, TARGETS, Weight};
use crate::startup::{FileTimes, ModeTimes, Startup};
use crate::tables::duration;
use anstyle::Style;
use build_support::output::text::style::{BAD, FAINT, HEADING, Paint, WARNING};
use build_support::output::text::table::Table;
use build_support::report::units;
use build_support::wasm::artifact::FileKind;

/// `startup` as text that ends in a newline. `colour` adds ANSI escapes.
pub fn draw(startup: &Startup, colour: bool) -> String {
    let paint = Paint { colour };
    let missed = targets::missed(startup);
    [
        modes(startup, &missed).draw("", paint),
        processes(startup).draw("", paint),
        instructions(startup).draw("", paint),
        notes(startup, &missed, paint),
    ]
    .join("\n")
}

fn modes(startup: &Startup, missed: &[Miss]) -> Table {
    let heads = "file | start | >samples | >min | >median | >95% of it | >p90 | >p99 | >target | >configured | >first answer";
    let mut table = Table::headed(HEADING, heads);
    for file in &startup.files {
        for (i, mode) in file.modes.iter().enumerate() {
            // The mark stands behind a figure that misses a target, or an aim.
            let (style, mark) = match worst(missed, file, mode) {
                Some(Weight::Required) => (BAD, " !"),
                Some(Weight::Aim) => (WARNING, " ~"),
                None => (Style::new(), "  "),
            };
            table.push(
                style,
                line(if i == 0 { &file.label } else { "" }, mode, mark),
            );
        }
    }
    table
}

/// The heavier of what a line misses.
fn worst(missed: &[Miss], file: &FileTimes, mode: &ModeTimes) -> Option<Weight> {
    let mine = missed
        .iter()
        .filter(|miss| miss.label == file.label && miss.target.mode == mode.mode);
    mine.map(|miss| miss.target.weight)
        .min_by_key(|weight| *weight != Weight::Required)
}

fn line(label: &str, mode: &ModeTimes, mark: &str) -> Vec<String> {
    let mut limits = TARGETS
        .iter()
        .filter(|target| target.mode == mode.mode && target.weight == Weight::Required);
    let limit = limits.next().map_or(String::new(), |target| {
        format!("< {}", duration::text(target.below_us * 1_000))
    });
    let mut figures = figures(&mode.times.instance);
    figures[2].push_str(mark);
    let later = [&mode.times.configured, &mode.times.answered];
    let mut cells = vec![label.to_owned(), mode.mode.name().to_owned()];
    cells.extend(figures);
    cells.push(limit);
    cells.extend(later.map(|times| duration::text(times.median_ns)));
    cells
}

fn processes(startup: &Startup) -> Table {
    let rows = startup.processes.iter().map(|process| {
        let label = process.label.clone().unwrap_or_default();
        let mut cells = vec![process.process.name().to_owned(), label];
        cells.extend(figures(&process.times));
        cells
    });
    let heads = "process | file | >samples | >min | >median | >95% of it | >p90 | >p99";
    Table::headed(HEADING, heads).rows(rows)
}

fn instructions(startup: &Startup) -> Table {
    let rows = startup.files.iter().map(|file| {
        let instructions = file.instructions;
        let figures = [
            instructions.instance,
            instructions.configured,
            instructions.answered,
            file.bytes,
            file.precompiled_bytes,
        ];
        let mut cells = vec![file.label.clone()];
        cells.extend(figures.map(units::bytes));
        cells
    });
    let heads =
        "instructions | >instance | >configured | >first answer | >wasm bytes | >precompiled";
    Table::headed(HEADING, heads).rows(rows)
}

fn notes(startup: &Startup, missed: &[Miss], paint: Paint) -> String {
    let mut notes = vec![
        format!(
            "{}, compiling on one thread{}; min to p99 are up to the instance, the last two columns the median; 95% of it: \
             between these two the median is with that confidence",
            startup.engine,
            if startup.debug_assertions {
                ", built with debug assertions, which slow the compilers"
            } else {
                ""
            }
        ),
        "up to a later point: `init` called, first message answered".to_owned(),
    ];
    notes.push(match &startup.node {
        None => "node was left out, as --no-node asks".to_owned(),
        Some(version) => format!(
            "node {version}, with --no-turbo-fast-api-calls, without which its WASI crashes (nodejs/node#46777){}",
            if startup.files.iter().any(|file| file.kind == FileKind::Component) {
                "; core modules alone: it has no components"
            } else {
                ""
            }
        ),
    });
    let mut text: String = notes
        .iter()
        .map(|note| format!("{}\n", paint.with(FAINT, note)))
        .collect();
    for miss in missed {
        let (mark, style, what) = match miss.target.weight {
            Weight::Required => ("!", BAD, "target"),
            Weight::Aim => ("~", WARNING, "aim"),
        };
        text.push_str(&format!(
            "{} {}, {}: median {}, the {what} of {} is less than {}\n",
            paint.with(style, mark),
            miss.label,
            miss.target.mode.name(),
            duration::text(miss.actual_ns),
            miss.target.id,
            duration::text(miss.target.below_us * 1_000),
        ));
    }
    text
}

/// With nothing where there were too few samples for it.
fn figures(times: &Quantiles) -> [String; 6] {
    let samples = units::bytes(times.samples);
    let [min, median] = [times.min_ns, times.median_ns].map(duration::text);
    let [p90, p99] =
        [times.p90_ns, times.p99_ns].map(|time| time.map_or(String::new(), duration::text));
    let interval = times.median_95_ns.map_or(String::new(), |interval| {
        interval.map(duration::text).join(" to ")
    });
    [samples, min, median, interval, p90, p99]
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::quantiles::Quantiles;
    use crate::startup::{FileTimes, Milestones, Mode, ModeTimes, Startup};
    use build_support::wasm::artifact::FileKind;

    fn mode(mode: Mode, median_ns: u64) -> ModeTimes {
        let times = Quantiles {
            samples: 100,
            min_ns: 1_000,
            median_ns,
            median_95_ns: Some([900, 1_100_000]),
            p90_ns: Some(9_000_000),
            p99_ns: Some(99_000_000),
        };
        ModeTimes {
            mode,
            times: Milestones {
                instance: times,
                configured: times,
                answered: times,
            },
        }
    }

    /// Protects the marks: at the limit is missed, a nanosecond below is not; an aim is no target.
    #[test]
    fn what_misses_its_target_is_marked() {
        let startup = Startup {
            engine: "wasmtime 1".to_owned(),
            debug_assertions: false,
            node: None,
            files: vec![FileTimes {
                label: "app".to_owned(),
                kind: FileKind::Core,
                bytes: 1_000,
                precompiled_bytes: 2_000,
                instructions: Milestones {
                    instance: 1,
                    configured: 2,
                    answered: 3,
                },
                modes: vec![
                    mode(Mode::ColdCranelift, 5_000_000),
                    mode(Mode::ColdWinch, 4_999_999),
                    mode(Mode::Warm, 60_000),
                    mode(Mode::NodeCold, 90_000_000),
                ],
            }],
            processes: Vec::new(),
        };
        let text = draw(&startup, false);
        let words = |i: usize| {
            let line = text.lines().nth(i).unwrap();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            words(1),
            "app cold, Cranelift 100 1.0 µs 5.00 ms ~ 0.9 µs to 1.10 ms 9.00 ms 99.0 ms 5.00 ms 5.00 ms"
        );
        assert!(!words(2).contains('!'), "{text}");
        assert!(words(3).contains("60.0 µs ~"), "{text}");
        assert!(
            words(4).starts_with("node, cold 100 1.0 µs 90.0 ms 0.9 µs to 1.10 ms 9.00 ms"),
            "{text}"
        );
        let last: Vec<_> = text.lines().rev().take(2).collect();
        assert_eq!(
            last,
            [
                "~ app, warm, pooled: median 60.0 µs, the aim of FR-09 is less than 50.0 µs",
                "~ app, cold, Cranelift: median 5.00 ms, the aim of NFR-03 is less than 5.00 ms"
            ]
        );
        assert!(text.contains("--no-node"), "{text}");
    }
}
