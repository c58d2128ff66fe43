//! The usual suspects, each in a program that has it and in the same without: the hint is there and
//! is not, and what it says was saved is what is saved.

use crate::support::ended::said;
use crate::support::project::Project;
use build_support::output::hints;
use build_support::report::json;

const P1: &str = "wasm32-wasip1";

/// A program, what of it is the suspect, what stands in its place, and a word of the hint.
const PROGRAMS: [(&str, &str, &str, &str); 3] = [
    (
        "fraction",
        "println!(\"{}\", n as f64 / 3.0);",
        "println!(\"{}\", n * 1000 / 3);",
        "fraction",
    ),
    (
        "hash-map",
        "let mut map = std::collections::HashMap::new(); map.insert(n, n + 1); println!(\"{}\", map.len() as u64 + map[&n]);",
        "let mut map = std::collections::BTreeMap::new(); map.insert(n, n + 1); println!(\"{}\", map.len() as u64 + map[&n]);",
        "HashMap",
    ),
    (
        "panics",
        "println!(\"{}\", [n, 2, 3][n as usize % 7]);",
        "",
        "panics have messages",
    ),
];

fn project(name: &str, body: &str, snips: bool) -> Project {
    let manifest = format!(
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
         [profile.release]\nopt-level = \"z\"\nlto = \"fat\"\ncodegen-units = 1\npanic = \"abort\"\n\
         [package.metadata.budget.snip]\nenabled = {snips}\n"
    );
    let program = format!(
        "fn main() {{\n    let n: u64 = std::env::args().count() as u64;\n    {body}\n}}\n"
    );
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("src/main.rs", program.as_str()),
    ];
    Project::kept(&format!("hints/{name}"), P1, &files)
}

/// The size of what is shipped, and what `analyze` says of it.
fn built(project: &Project) -> (u64, String) {
    said(&project.budget(&["build", "--target", P1]), 0);
    let file = project.built(P1, "report.json");
    let report = json::read(&file, &std::fs::read_to_string(&file).unwrap()).unwrap();
    let text = said(&project.budget(&["analyze", file.to_str().unwrap()]), 0);
    (report.sizes.raw, text)
}

#[test]
fn what_is_suspected_is_there_and_saves_what_is_said() {
    let table = hints::table();
    let mut figures = Vec::new();
    for (name, with, without, word) in PROGRAMS {
        let is_snipped = without.is_empty();
        let other = if is_snipped { with } else { without };
        let (large, told) = built(&project(&format!("{name}-with"), with, !is_snipped));
        let (small, silent) = built(&project(&format!("{name}-without"), other, true));
        let saved = large - small;
        println!("{name}: {large} -> {small}, {saved} saved");
        assert!(told.contains(word), "{name}: {told}");
        assert!(!silent.contains(word), "{name}: {silent}");
        figures.push((word, saved));
    }
    for (word, saved) in figures {
        let (_, said) = table.iter().find(|(what, _)| what.contains(word)).unwrap();
        assert!(
            saved.abs_diff(*said) * 4 <= *said,
            "{word}: {saved} is not near {said}"
        );
    }
}

/// Names are for tools: the linked file has them, and the shipped one has not.
#[test]
fn names_that_are_left_are_told() {
    let project = project("names", "println!(\"{n}\");", true);
    let (_, silent) = built(&project);
    let linked = project.built(P1, "app.linked.wasm");
    let text = said(&project.budget(&["analyze", linked.to_str().unwrap()]), 0);
    assert!(
        text.contains("names and debug information are in it"),
        "{text}"
    );
    assert!(!silent.contains("names and debug"), "{silent}");
}
