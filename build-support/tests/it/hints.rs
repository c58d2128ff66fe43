//! The usual suspects, each in a program that has it and in the same without: the hint is there and
//! is not, and what it says was saved is what is saved.

use crate::support::ended::said;
use crate::support::project::Project;
use build_support::output::hints;
use build_support::report::json;

const P1: &str = "wasm32-wasip1";

/// A program that has a suspect, and one without.
struct Programs {
    name: &'static str,
    with: Program,
    /// None where it is the same, snipped.
    without: Option<Program>,
    /// A word of the hint.
    word: &'static str,
}

/// The body of a function with a number `n` in it, and what the package depends on.
#[derive(Clone, Copy)]
struct Program {
    body: &'static str,
    depends: &'static str,
}

/// One that depends on nothing.
const fn alone(body: &'static str) -> Program {
    Program { body, depends: "" }
}

const PROGRAMS: [Programs; 8] = [
    Programs {
        name: "fraction",
        with: alone("println!(\"{}\", n as f64 / 3.0);"),
        without: Some(alone("println!(\"{}\", n * 1000 / 3);")),
        word: "fraction",
    },
    Programs {
        name: "hash-map",
        with: alone(
            "let mut map = std::collections::HashMap::new(); map.insert(n, n + 1); println!(\"{}\", map.len() as u64 + map[&n]);",
        ),
        without: Some(alone(
            "let mut map = std::collections::BTreeMap::new(); map.insert(n, n + 1); println!(\"{}\", map.len() as u64 + map[&n]);",
        )),
        word: "HashMap",
    },
    Programs {
        name: "panics",
        with: alone("println!(\"{}\", [n, 2, 3][n as usize % 7]);"),
        without: None,
        word: "panics have messages",
    },
    Programs {
        name: "regex",
        with: Program {
            body: "println!(\"{}\", regex::Regex::new(\"^a+b*[0-9]{2}$\").unwrap().is_match(&n.to_string()));",
            depends: "regex = \"1\"",
        },
        without: Some(Program {
            body: "println!(\"{}\", regex_lite::Regex::new(\"^a+b*[0-9]{2}$\").unwrap().is_match(&n.to_string()));",
            depends: "regex-lite = \"0.1\"",
        }),
        word: "regex is in it",
    },
    Programs {
        name: "url",
        with: Program {
            body: "let text = format!(\"https://a{n}.b/c\"); println!(\"{:?}\", url::Url::parse(&text).unwrap().host_str());",
            depends: "url = \"2\"",
        },
        without: Some(Program {
            body: "let text = format!(\"https://a{n}.b/c\"); println!(\"{:?}\", url::Url::parse(&text).unwrap().host_str());",
            depends: "url = \"2\"\nidna_adapter = \"=1.0.0\"",
        }),
        word: "international names",
    },
    Programs {
        name: "anyhow",
        with: Program {
            body: "if n > 9 { println!(\"{:?}\", anyhow::anyhow!(\"few: {n}\")); }",
            depends: "anyhow = \"1\"",
        },
        without: Some(Program {
            body: "if n > 9 { println!(\"{:?}\", anyhow::anyhow!(\"few: {n}\")); }",
            depends: "anyhow = { version = \"1\", default-features = false }",
        }),
        word: "errors carry backtraces",
    },
    Programs {
        name: "chrono",
        with: Program {
            body: "println!(\"{}\", chrono::DateTime::from_timestamp(n as i64, 0).unwrap().format(\"%Y-%m-%d %H:%M\"));",
            depends: "chrono = { version = \"0.4\", default-features = false, features = [\"alloc\"] }",
        },
        without: Some(alone("println!(\"{n}\");")),
        word: "chrono",
    },
    Programs {
        name: "serde",
        with: Program {
            body: "#[derive(serde::Deserialize)] struct Point { x: u64, name: String } let p: Point = serde_json::from_str(&format!(\"{{\\\"x\\\":{n},\\\"name\\\":\\\"a\\\"}}\")).unwrap(); println!(\"{} {}\", p.x, p.name);",
            depends: "serde = { version = \"1\", features = [\"derive\"] }\nserde_json = \"1\"",
        },
        without: Some(Program {
            body: "#[derive(miniserde::Deserialize)] struct Point { x: u64, name: String } let p: Point = miniserde::json::from_str(&format!(\"{{\\\"x\\\":{n},\\\"name\\\":\\\"a\\\"}}\")).unwrap(); println!(\"{} {}\", p.x, p.name);",
            depends: "miniserde = \"0.1\"",
        }),
        word: "serde reads JSON",
    },
];

fn project(name: &str, program: Program, snips: bool) -> Project {
    let Program { body, depends } = program;
    let manifest = format!(
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\n{depends}\n\
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
    for programs in PROGRAMS {
        let Programs { name, word, .. } = programs;
        let is_snipped = programs.without.is_none();
        let other = programs.without.unwrap_or(programs.with);
        let (large, told) = built(&project(
            &format!("{name}-with"),
            programs.with,
            !is_snipped,
        ));
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
    let project = project("names", alone("println!(\"{n}\");"), true);
    let (_, silent) = built(&project);
    let linked = project.built(P1, "app.linked.wasm");
    let text = said(&project.budget(&["analyze", linked.to_str().unwrap()]), 0);
    assert!(
        text.contains("names and debug information are in it"),
        "{text}"
    );
    assert!(!silent.contains("names and debug"), "{silent}");
}
