//! The command's behaviour, a `.wat` file per case with a `;; RUN:` line and a golden beside it.
//!
//! In a RUN line `%in` is the assembled file, `%old` the one of its name in the folder `old`,
//! `%workload` a transcript of one message, `%out` a file to be written; what was written is
//! printed as text at the end of the golden. `BLESS=1 cargo test -p build-support --test it cli::`
//! rewrites the goldens.

use crate::support::ended::{Ended, tool};
use crate::support::{golden, programs};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What is said to an agent in a case.
const WORKLOAD: &str =
    r#"{"config": {"a": 1}, "messages": [{"session": "s", "message": "hello"}]}"#;

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<_> = fs::read_dir(golden::beside("cli"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "wat"))
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_case_gives_its_golden() {
    let cases = cases();
    let found = cases.len();
    assert!(found >= programs::CASES, "only {found} cases were found");
    let mut wrong = String::new();
    for case in cases {
        let golden = case.with_extension("golden");
        if let Err(difference) = golden::compare(&golden, &transcript(&case)) {
            writeln!(wrong, "{difference}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Exit code, both streams and the written file of one case.
fn transcript(case: &Path) -> String {
    let text = fs::read_to_string(case).unwrap();
    let run = text
        .lines()
        .find_map(|line| line.strip_prefix(";; RUN: "))
        .unwrap_or_else(|| panic!("{} has no `;; RUN: ` line", case.display()));
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (
        folder.path().join("in.wasm"),
        folder.path().join("out.wasm"),
    );
    fs::write(
        &input,
        wat::parse_str(&text).unwrap_or_else(|e| panic!("{}: {e}", case.display())),
    )
    .unwrap();
    let old = case.with_file_name("old").join(case.file_name().unwrap());
    if let Ok(old) = fs::read_to_string(old) {
        fs::write(folder.path().join("old.wasm"), wat::parse_str(old).unwrap()).unwrap();
    }
    fs::write(folder.path().join("workload.json"), WORKLOAD).unwrap();
    let args = run.split_whitespace().map(|word| match word {
        "%in" => "in.wasm",
        "%old" => "old.wasm",
        "%workload" => "workload.json",
        "%out" => "out.wasm",
        word => word,
    });
    let ended = Ended::of(tool(folder.path(), &[]).args(args));
    let mut all = format!("exit {}\n", ended.code);
    for (name, stream) in [("stdout", ended.stdout), ("stderr", ended.stderr)] {
        if !stream.is_empty() {
            write!(all, "== {name}\n{}", without_times(&stream)).unwrap();
        }
    }
    match fs::read(&output) {
        Ok(written) => write!(
            all,
            "== out.wasm\n{}",
            wasmprinter::print_bytes(written).unwrap()
        )
        .unwrap(),
        Err(_) => all.push_str("== nothing was written\n"),
    }
    all
}

/// Wall times differ from run to run: `12 ms`, `1.4 s` become `TIME`, with the blanks before them.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let is_time = |i: usize| {
            words
                .get(i + 1)
                .is_some_and(|unit| matches!(*unit, "ms" | "s" | "us" | "µs" | "min"))
                && words[i]
                    .chars()
                    .all(|c| c.is_ascii_digit() || c == '.' || c == '<')
        };
        match (0..words.len()).find(|&i| is_time(i)) {
            Some(i) => {
                let kept: Vec<_> = words[..i]
                    .iter()
                    .chain(&["TIME"])
                    .chain(&words[i + 2..])
                    .copied()
                    .collect();
                out.push_str(&kept.join(" "));
            }
            // The heading is as wide as the widest time.
            None if words.last() == Some(&"time") => out.push_str(&words.join(" ")),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}
