//! What the documents say: every command in them exists with the options it has there, every link
//! leads somewhere, and what README promises to a stranger is run as it stands.

use crate::support::ended::{Ended, command};
use crate::support::programs::{CARGO_BUDGET, TOOL};
use crate::support::workspace;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// README says in this many lines what a stranger needs.
const README_LINES: usize = 150;

/// Programs of others that the documents call.
const OTHERS: [&str; 6] = ["apt-get", "git", "node", "rustup", "wasm-bindgen", "weft"];

/// Subcommands that cargo has itself, and what this repository's users install.
const CARGO: [&str; 9] = [
    "build",
    "check",
    "clippy",
    "fmt",
    "install",
    "make",
    "rustc",
    "test",
    "uninstall",
];

/// Every document of the repository, from its root.
fn documents() -> Vec<PathBuf> {
    let root = workspace::workspace();
    let mut found: Vec<_> = fs::read_dir(&root)
        .unwrap()
        .chain(fs::read_dir(root.join("docs")).unwrap())
        .chain(fs::read_dir(root.join("docs/adr")).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|file| file.extension().is_some_and(|end| end == "md"))
        .collect();
    found.extend(
        fs::read_dir(&root)
            .unwrap()
            .map(|entry| entry.unwrap().path().join("README.md"))
            .filter(|file| file.is_file()),
    );
    found
}

/// The lines of the blocks of `document` that are for a shell, without what is remarked on them.
fn commands(document: &str) -> Vec<&str> {
    let mut is_shell = false;
    let mut found = Vec::new();
    for line in document.lines().map(str::trim) {
        if let Some(language) = line.strip_prefix("```") {
            is_shell = language == "sh";
        } else if is_shell {
            let line = line.split(" #").next().unwrap_or(line).trim();
            found.extend((!line.is_empty() && !line.starts_with('#')).then_some(line));
        }
    }
    found
}

/// The programs that a line of a shell starts, each with its arguments.
fn programs(line: &str) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut word = String::new();
    let mut quote = None;
    for c in line.chars().chain([' ']) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ' ') if word.is_empty() => {}
            (None, ' ') => {
                let word = std::mem::take(&mut word);
                match word.as_str() {
                    "|" | "&&" => all.push(Vec::new()),
                    _ => all.last_mut().unwrap().push(word),
                }
            }
            _ => word.push(c),
        }
    }
    for program in &mut all {
        // What goes to a file or comes from one is the shell's.
        let end = program.iter().position(|word| word.contains('>'));
        program.truncate(end.unwrap_or(program.len()));
    }
    all
}

/// Whether the tool has this subcommand with these options: each is looked at before the help is
/// given.
fn parses(tool: &str, args: &[String]) -> Result<(), String> {
    let mut command = command(tool, &workspace::workspace());
    let ended = Ended::of(command.args(args).arg("--help"));
    (ended.code == 0)
        .then_some(())
        .ok_or_else(|| ended.stderr.lines().take(3).collect::<Vec<_>>().join(" "))
}

/// What is wrong with a command of a document.
fn check(program: &[String], aliases: &str, tasks: &str) -> Result<(), String> {
    let is_variable = |word: &&str| word.contains('=') && !word.starts_with('-');
    let words = program.iter().map(String::as_str);
    let words: Vec<&str> = words.skip_while(is_variable).collect();
    match words.as_slice() {
        ["cargo", "budget", ..] => parses(CARGO_BUDGET, &program[2..]),
        ["build-support", ..] => parses(TOOL, &program[1..]),
        ["cargo", "run", "-p", "build-support", "--", ..] => parses(TOOL, &program[5..]),
        ["cargo", "make", task, ..] => tasks
            .contains(&format!("[tasks.{task}]"))
            .then_some(())
            .ok_or_else(|| format!("there is no task {task}")),
        ["cargo", "run", ..] => Ok(()),
        ["cargo", name, ..] if CARGO.contains(name) => Ok(()),
        ["cargo", name, ..] => aliases
            .lines()
            .any(|line| line.starts_with(&format!("{name} = ")))
            .then_some(())
            .ok_or_else(|| format!("there is no alias {name}")),
        [name, ..] if OTHERS.contains(name) || name.starts_with(".ci/") => Ok(()),
        _ => Err("nobody knows this program".to_owned()),
    }
}

/// Protects everybody who copies a line: it is a command that there is, with options that it has.
#[test]
fn every_command_in_the_documents_exists() {
    let root = workspace::workspace();
    let [aliases, tasks] = [".cargo/config.toml", "Makefile.toml"]
        .map(|file| fs::read_to_string(root.join(file)).unwrap());
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for file in documents() {
        let text = fs::read_to_string(&file).unwrap();
        for line in commands(&text) {
            for program in programs(line) {
                if let Err(why) = check(&program, &aliases, &tasks) {
                    wrong.push(format!("{}: {line}: {why}", file.display()));
                }
                seen.insert(program);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen.len() >= 30, "only {} commands were found", seen.len());
    // The check is one: what there is not is told.
    for missing in [
        "cargo budget gat",
        "cargo wasm-p9",
        "cargo make nothing",
        "cargo budget analyze --topp 3",
        "rm -rf",
    ] {
        let program = &programs(missing)[0];
        assert!(check(program, &aliases, &tasks).is_err(), "{missing}");
    }
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().replace(' ', "-")
}

/// Protects readers: every link inside the repository leads to a file, and to a heading in it.
#[test]
fn every_link_leads_somewhere() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for file in documents() {
        let text = fs::read_to_string(&file).unwrap();
        let links = text.split("](").skip(1);
        for link in links.filter_map(|rest| rest.split([')', ' ']).next()) {
            if link.contains("://") {
                continue;
            }
            count += 1;
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => file.clone(),
                path => file.parent().unwrap().join(path),
            };
            let found = target.exists()
                && (heading.is_empty()
                    || fs::read_to_string(&target).is_ok_and(|text| {
                        let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
                        let mut names =
                            headings.map(|line| anchor(line.trim_start_matches('#').trim()));
                        names.any(|name| name == heading)
                    }));
            if !found {
                wrong.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 20, "only {count} links were found");
}

/// Protects the first five minutes: what README says to do with a file of one's own, done to a
/// file.
#[test]
fn the_first_result_is_as_readme_says() {
    let readme = fs::read_to_string(workspace::workspace().join("README.md")).unwrap();
    assert!(readme.lines().count() <= README_LINES);
    let (_, section) = readme.split_once("## First result").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let module = wat::parse_str(
        r#"(module (func $app::twice (export "twice") (param i32) (result i32)
            (i32.add (local.get 0) (local.get 0)) (nop) (nop)) (func $app::dead (nop)))"#,
    );
    let yours = folder.path().join("your.wasm");
    fs::write(&yours, module.unwrap()).unwrap();
    let lines = commands(section);
    assert!(lines.len() >= 3, "{lines:?}");
    for line in lines {
        let program = &programs(line)[0];
        assert_eq!(program[..2], ["cargo", "budget"], "{line}");
        let ended = Ended::of(command(CARGO_BUDGET, folder.path()).args(&program[2..]));
        let said = ended.with(0).all();
        assert!(
            said.contains("app::") || said.contains("small.wasm: "),
            "{line}: {said}"
        );
    }
    let size = |name: &str| {
        fs::metadata(Path::new(folder.path()).join(name))
            .unwrap()
            .len()
    };
    assert!(size("small.wasm") < size("your.wasm"));
}
