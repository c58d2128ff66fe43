//! The tables of `startup`: a line for each way of starting a file, one for each process, and the instructions that do
//! not depend on the machine. What misses a target is marked.

use crate::quantiles::Quantiles;
use crate::startup::targets::{self, Miss, TARGETS, Weight};
use crate::startup::{FileTimes, ModeTimes, Startup};
use anstyle::Style;
use build_support::output::text::cells::{BAD, FAINT, HEADING, Paint, WARNING, table};
use build_support::report::units;
use build_support::wasm::artifact::Kind;

/// Stands behind a figure that misses a target, or an aim.
const MARKS: [&str; 3] = [" !", " ~", "  "];

/// `startup` as text that ends in a newline. `colour` adds ANSI escapes.
pub fn draw(startup: &Startup, colour: bool) -> String {
    let paint = Paint { colour };
    let missed = targets::missed(startup);
    [
        modes(startup, &missed, paint),
        processes(startup, paint),
        instructions(startup, paint),
        notes(startup, &missed, paint),
    ]
    .join("\n")
}

fn modes(startup: &Startup, missed: &[Miss], paint: Paint) -> String {
    let head = [
        "file",
        "start",
        "samples",
        "min",
        "median",
        "p90",
        "p99",
        "target",
        "configured",
        "first answer",
    ];
    let mut cells = vec![head.map(str::to_owned)];
    let mut styles = vec![HEADING];
    for file in &startup.files {
        for (i, mode) in file.modes.iter().enumerate() {
            let weight = worst(missed, file, mode);
            cells.push(line(if i == 0 { &file.label } else { "" }, mode, weight));
            styles.push(match weight {
                Some(Weight::Required) => BAD,
                Some(Weight::Aim) => WARNING,
                None => Style::new(),
            });
        }
    }
    let right = [false, false, true, true, true, true, true, true, true, true];
    lines(&cells, right, &styles, paint)
}

/// The heavier of what a line misses.
fn worst(missed: &[Miss], file: &FileTimes, mode: &ModeTimes) -> Option<Weight> {
    let mine = missed
        .iter()
        .filter(|miss| miss.label == file.label && miss.target.mode == mode.mode);
    mine.map(|miss| miss.target.weight)
        .min_by_key(|weight| *weight != Weight::Required)
}

fn line(label: &str, mode: &ModeTimes, weight: Option<Weight>) -> [String; 10] {
    let mark = match weight {
        Some(Weight::Required) => MARKS[0],
        Some(Weight::Aim) => MARKS[1],
        None => MARKS[2],
    };
    let mut limits = TARGETS
        .iter()
        .filter(|target| target.mode == mode.mode && target.weight == Weight::Required);
    let limit = limits.next().map_or(String::new(), |target| {
        format!("< {}", units::duration(target.below_us * 1_000))
    });
    let [samples, min, median, p90, p99] = figures(&mode.times.instance);
    [
        label.to_owned(),
        mode.mode.name().to_owned(),
        samples,
        min,
        format!("{median}{mark}"),
        p90,
        p99,
        limit,
        units::duration(mode.times.configured.median_ns),
        units::duration(mode.times.answered.median_ns),
    ]
}

fn processes(startup: &Startup, paint: Paint) -> String {
    let head = ["process", "file", "samples", "min", "median", "p90", "p99"];
    let mut cells = vec![head.map(str::to_owned)];
    for process in &startup.processes {
        let [samples, min, median, p90, p99] = figures(&process.times);
        cells.push([
            process.process.name().to_owned(),
            process.label.clone().unwrap_or_default(),
            samples,
            min,
            median,
            p90,
            p99,
        ]);
    }
    let right = [false, false, true, true, true, true, true];
    lines(&cells, right, &[HEADING], paint)
}

fn instructions(startup: &Startup, paint: Paint) -> String {
    let head = [
        "instructions",
        "instance",
        "configured",
        "first answer",
        "wasm bytes",
        "precompiled",
    ];
    let mut cells = vec![head.map(str::to_owned)];
    for file in &startup.files {
        cells.push([
            file.label.clone(),
            units::bytes(file.instructions.instance),
            units::bytes(file.instructions.configured),
            units::bytes(file.instructions.answered),
            units::bytes(file.bytes),
            units::bytes(file.precompiled_bytes),
        ]);
    }
    let right = [false, true, true, true, true, true];
    lines(&cells, right, &[HEADING], paint)
}

fn notes(startup: &Startup, missed: &[Miss], paint: Paint) -> String {
    let mut notes = vec![
        format!(
            "{}, compiling on one thread{}; min to p99 are up to the instance, the last two columns the median",
            startup.engine,
            match startup.debug_assertions {
                true => ", built with debug assertions, which slow the compilers",
                false => "",
            }
        ),
        "up to a later point: `init` called, first message answered".to_owned(),
    ];
    notes.push(match &startup.node {
        None => "node was left out, as --no-node asks".to_owned(),
        Some(version) => format!(
            "node {version}, with --no-turbo-fast-api-calls, without which its WASI crashes (nodejs/node#46777){}",
            match startup.files.iter().any(|f| f.kind == Kind::Component) {
                true => "; core modules alone: it has no components",
                false => "",
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
            units::duration(miss.actual_ns),
            miss.target.id,
            units::duration(miss.target.below_us * 1_000),
        ));
    }
    text
}

fn figures(times: &Quantiles) -> [String; 5] {
    [
        units::bytes(times.samples),
        units::duration(times.min_ns),
        units::duration(times.median_ns),
        units::duration(times.p90_ns),
        units::duration(times.p99_ns),
    ]
}

/// The rows as lines, each in its style; those without one are plain.
fn lines<const N: usize>(
    cells: &[[String; N]],
    right: [bool; N],
    styles: &[Style],
    paint: Paint,
) -> String {
    let styles = styles
        .iter()
        .copied()
        .chain(std::iter::repeat(Style::new()));
    table(cells, right)
        .iter()
        .zip(styles)
        .map(|(line, style)| format!("{}\n", paint.with(style, line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::quantiles::Quantiles;
    use crate::startup::{FileTimes, Milestones, Mode, ModeTimes, Startup};
    use build_support::wasm::artifact::Kind;

    fn mode(mode: Mode, median_ns: u64) -> ModeTimes {
        let times = Quantiles {
            samples: 100,
            min_ns: 1_000,
            median_ns,
            p90_ns: 9_000_000,
            p99_ns: 99_000_000,
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
                kind: Kind::Core,
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
            "app cold, Cranelift 100 1.0 µs 5.00 ms ! 9.00 ms 99.0 ms < 5.00 ms 5.00 ms 5.00 ms"
        );
        assert!(!words(2).contains('!'), "{text}");
        assert!(words(3).contains("60.0 µs ~"), "{text}");
        assert!(
            words(4).starts_with("node, cold 100 1.0 µs 90.0 ms 9.00 ms"),
            "{text}"
        );
        let last: Vec<_> = text.lines().rev().take(2).collect();
        assert_eq!(
            last,
            [
                "~ app, warm, pooled: median 60.0 µs, the aim of FR-09 is less than 50.0 µs",
                "! app, cold, Cranelift: median 5.00 ms, the target of NFR-03 is less than 5.00 ms"
            ]
        );
        assert!(text.contains("--no-node"), "{text}");
    }
}
