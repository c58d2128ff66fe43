//! The table of `memory`: for each file what it says before it runs, the linked file's figure
//! beside it where that differs, and how far its memory grew.

use crate::memory::{FileMemory, MemoryProfile};
use build_support::output::text::style::{FAINT, HEADING, Paint};
use build_support::output::text::table;
use build_support::output::view;
use build_support::report::units;
use build_support::wasm::layout::{
    FoundBy, Global, Initial, Layout, Memory, Place, Stack, Table, ZERO_RUN,
};

/// Bytes of a page, where a figure of the whole instance is given in pages (core specification,
/// 4.2.8).
const PAGE: u64 = 65_536;

/// How many globals of a file are listed.
const GLOBALS: usize = 8;

/// What, figure, note.
type Line = [String; 3];

/// `profile` as text that ends in a newline. `colour` adds ANSI escapes.
pub fn draw(profile: &MemoryProfile, colour: bool) -> String {
    let paint = Paint { colour };
    let blocks = profile.files.iter().map(|file| block(file, profile, paint));
    blocks.collect::<Vec<_>>().join("\n")
}

fn block(file: &FileMemory, profile: &MemoryProfile, paint: Paint) -> String {
    let mut table = table::Table::aligned("<><");
    let several = file.modules.len() > 1;
    for (i, module) in file.modules.iter().enumerate() {
        let said = says(module);
        if several && !said.is_empty() {
            table.push(FAINT, line(&format!("core module {i}"), "", ""));
        }
        table = table.rows(said);
    }
    if let Some(linked) = &file.linked {
        table.push(FAINT, line("the linked file, with its names", "", ""));
        table = table.rows(says(linked));
    }
    table.push(FAINT, line("when it runs", "pages", "bytes"));
    let kind = view::kind(file.kind);
    let heading = paint.with(HEADING, &format!("{}  {kind}", file.label));
    let table = table.rows(ran(file, profile)).draw("", paint);
    format!("{heading}\n{table}")
}

/// What a module says before it runs.
fn says(module: &Layout) -> Vec<Line> {
    let mut rows = Vec::new();
    rows.extend(module.memories.iter().map(memory));
    rows.extend(module.stack.as_ref().map(stack));
    rows.extend((!module.segments.is_empty()).then(|| data(module)));
    let heap = match (module.heap_base, module.data_end) {
        (Some(base), _) => Some((base, "said by __heap_base")),
        // The linker rounds up, and may leave space for data that begins as zero.
        (None, Some(end)) => Some((end, "at the earliest: data in segments ends there")),
        (None, None) => None,
    };
    if let Some((at, note)) = heap {
        rows.push(line("  heap from", &units::bytes(at), note));
    }
    rows.extend(module.globals.iter().take(GLOBALS).map(global));
    if module.globals.len() > GLOBALS {
        let more = format!("  and {} globals more", module.globals.len() - GLOBALS);
        rows.push(line(&more, "", "all of them with --json"));
    }
    rows.extend(module.tables.iter().map(slots));
    rows
}

fn memory(memory: &Memory) -> Line {
    let bytes = memory.initial_pages.saturating_mul(memory.page_bytes);
    let limit = limit(memory.maximum_pages, " pages", memory.imported);
    let note = format!("{}, {limit}", units::counted(bytes));
    line(
        "  initial pages",
        &units::bytes(memory.initial_pages),
        &note,
    )
}

/// `at most 3 pages, imported`.
fn limit(maximum: Option<u64>, unit: &str, imported: bool) -> String {
    let imported = if imported { ", imported" } else { "" };
    match maximum {
        Some(maximum) => format!("at most {}{unit}{imported}", units::bytes(maximum)),
        None => format!("no maximum{imported}"),
    }
}

fn stack(stack: &Stack) -> Line {
    let place = match stack.place {
        Place::First => "from address 0 up to",
        Place::BehindData => "at most: between the data and",
    };
    let found = match stack.found_by {
        FoundBy::Name => "which is named __stack_pointer",
        FoundBy::FirstMutable => "the first that changes",
    };
    let note = format!("{place} the value of global {}, {found}", stack.global);
    line("  stack bytes", &units::bytes(stack.bytes), &note)
}

fn data(module: &Layout) -> Line {
    let zeros = module.segments.iter().map(|segment| segment.zeros).sum();
    let addresses = module
        .segments
        .iter()
        .filter_map(|segment| segment.addresses.as_ref());
    let begins = addresses.map(|addresses| addresses.start).min();
    let place = match (begins, module.data_end) {
        (Some(from), Some(to)) => format!(" from {} to {}", units::bytes(from), units::bytes(to)),
        _ => String::new(),
    };
    let count = module.segments.len();
    let segments = if count == 1 { "segment" } else { "segments" };
    let note = format!(
        "{count} {segments}{place}; {} in runs of {ZERO_RUN} zeros or more",
        units::bytes(zeros)
    );
    line("  data bytes", &units::bytes(module.data_bytes()), &note)
}

fn global(global: &Global) -> Line {
    let initial = match &global.initial {
        None => "imported".to_owned(),
        Some(Initial::Number(number)) => match u64::try_from(*number) {
            Ok(number) => units::bytes(number),
            Err(_) => number.to_string(),
        },
        Some(Initial::Expression(text)) => text.clone(),
    };
    let mutable = if global.mutable { "mutable " } else { "" };
    let name = global.name.iter().map(|name| format!(", {name}"));
    let note = format!("{mutable}{}{}", global.ty, name.collect::<String>());
    line(&format!("  global {}", global.index), &initial, &note)
}

fn slots(table: &Table) -> Line {
    let limit = limit(table.maximum, "", table.imported);
    let note = format!("{} filled by segments, {limit}", units::bytes(table.filled));
    line("  table slots", &units::bytes(table.initial), &note)
}

/// What was seen when it ran.
fn ran(file: &FileMemory, profile: &MemoryProfile) -> Vec<Line> {
    let run = &file.run;
    let pages = |what: &str, bytes: u64, note: &str| {
        let note = format!("{}{note}", units::counted(bytes));
        line(what, &units::bytes(bytes.div_ceil(PAGE)), &note)
    };
    let refused = profile.messages.saturating_sub(run.answered);
    let plural = if profile.messages == 1 { "" } else { "s" };
    let [all, answered, refused] = [profile.messages, run.answered, refused].map(units::bytes);
    let messages = format!(": {all} message{plural}, {answered} answered, {refused} refused");
    let mut rows = vec![
        pages("  at the start", run.instance, ""),
        pages("  after init", run.configured, ""),
        pages("  after the transcript", run.played, &messages),
    ];
    if profile.rounds > 1 {
        let rounds = units::bytes(profile.rounds.into());
        let rounds = format!("  after {rounds} rounds of it");
        rows.push(pages(&rounds, run.repeated, ""));
    }
    let (stack, note) = match run.stack {
        Some(bytes) => (units::bytes(bytes), "bytes at least"),
        None => ("unknown".to_owned(), "a host cannot look into a component"),
    };
    rows.push(line("  stack used", &stack, note));
    rows
}

fn line(what: &str, figure: &str, note: &str) -> Line {
    [what, figure, note].map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::memory::{FileMemory, MemoryProfile, Run};
    use build_support::wasm::Module;
    use build_support::wasm::artifact::FileKind;
    use build_support::wasm::layout;

    /// Protects what a reader sees of every figure.
    #[test]
    fn every_figure_is_shown() {
        let module =
            "(module (memory 2) (table 3 3 funcref) (global $sp (mut i32) (i32.const 1024))
            (global i64 (i64.const -1)) (data (i32.const 1024) \"hello\"))";
        let bytes = wat::parse_str(module).unwrap();
        let module = layout::read(&Module::read(&bytes).unwrap()).unwrap();
        let profile = MemoryProfile {
            messages: 23,
            rounds: 100,
            files: vec![FileMemory {
                label: "app".to_owned(),
                kind: FileKind::Core,
                modules: vec![module],
                linked: None,
                run: Run {
                    instance: 131_072,
                    configured: 131_072,
                    played: 196_608,
                    repeated: 196_609,
                    answered: 16,
                    stack: Some(900),
                },
            }],
        };
        let text = draw(&profile, false);
        let lines: Vec<_> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            lines,
            [
                "app core module",
                "initial pages 2 131,072 bytes, no maximum",
                "stack bytes 1,024 from address 0 up to the value of global 0, the first that changes",
                "data bytes 5 1 segment from 1,024 to 1,029; 0 in runs of 16 zeros or more",
                "heap from 1,029 at the earliest: data in segments ends there",
                "global 0 1,024 mutable i32, sp",
                "global 1 -1 i64",
                "table slots 3 0 filled by segments, at most 3",
                "when it runs pages bytes",
                "at the start 2 131,072 bytes",
                "after init 2 131,072 bytes",
                "after the transcript 3 196,608 bytes: 23 messages, 16 answered, 7 refused",
                "after 100 rounds of it 4 196,609 bytes",
                "stack used 900 bytes at least",
            ]
        );
    }
}
