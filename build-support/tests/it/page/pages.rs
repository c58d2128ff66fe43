//! Files to make pages of, and Chromium with one of them.

use crate::support::{golden, workspace};
use build_support::attribution::{self, Attribution};
use build_support::output::html;
use build_support::output::view::View;
use build_support::report::subject::Subject;
use build_support::system::process;
use build_support::wasm::artifact::Artifact;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Names that would do harm on a page, in a table or in a comment that took them for more than
/// names.
pub const NASTY: [&str; 9] = [
    "</script><script>hacked = 1</script>",
    "<img src=x onerror=\"hacked = 1\">",
    "<!-- <script> {{script}}",
    "evil::a|b\\|c\\",
    "evil::`code` @someone #123 and https://example.com",
    "evil::right\u{202e}to\u{2028}left",
    "<app::T<fn() -> u8> as evil::`T`>::f",
    "&lt;b&gt; \"quoted\" 'too'",
    "__proto__::constructor",
];

/// The attribution of a real module that holds functions of these names, each of so many bytes of
/// code and a few more.
pub fn attribution(functions: &[(String, usize)]) -> Attribution {
    let mut wat = String::from("(module\n");
    for (name, length) in functions {
        let mut quoted = String::new();
        for c in name.chars() {
            match c {
                '"' | '\\' => write!(quoted, "\\{c}").unwrap(),
                c if !c.is_ascii() => write!(quoted, "\\u{{{:x}}}", c as u32).unwrap(),
                c => quoted.push(c),
            }
        }
        writeln!(wat, "(func $\"{quoted}\" {})", "nop ".repeat(*length)).unwrap();
    }
    wat.push_str("(memory 1) (data (i32.const 8) \"some data that nothing names\"))");
    let file = Path::new("app.wasm");
    let artifact = Artifact::new(wat::parse_str(&wat).unwrap(), file).unwrap();
    attribution::of_file(file, &artifact).unwrap()
}

/// A program of a few crates, of such sizes as programs have.
pub fn program() -> Vec<(String, usize)> {
    let mut functions: Vec<(String, usize)> =
        NASTY.iter().map(|name| (name.to_string(), 40)).collect();
    let of = [
        ("engine::parse", 9, 900),
        ("engine::emit", 6, 500),
        ("engine", 3, 200),
        ("serde_json::de", 8, 350),
        ("core::fmt", 12, 120),
        ("alloc::vec::Vec", 5, 260),
        ("tiny::one", 1, 10),
    ];
    for (module, count, length) in of {
        for i in 0..count {
            let name = format!("{module}::parse{}", "_more".repeat(i % 3));
            functions.push((format!("{name}{i}"), length / (i + 1) + 3));
        }
    }
    functions
}

/// A file, beside an old one.
pub fn view(new: Attribution, old: Option<Attribution>) -> View {
    let subject = |attribution| Subject {
        attribution,
        artifact: None,
        report: None,
        missing: None,
    };
    let old = old.map(|old| (Path::new("old.wasm"), subject(old)));
    View::new(Path::new("app.wasm"), subject(new), old)
}

/// Plays a story of `drive.mjs` to the page of `views`, and gives what was seen each time.
pub fn drive(views: &[View], story: &str) -> Vec<Value> {
    let folder = screenshots();
    let page = folder.join(format!("{story}.html"));
    fs::write(&page, html::draw(views)).unwrap();
    let script = golden::beside("page/drive.mjs");
    let node = workspace::program(&["node"], "nodejs");
    let chromium = workspace::program(
        &["chromium", "chromium-browser", "google-chrome"],
        "chromium",
    );
    let mut command = process::command(node);
    let seen = process::output(
        command
            .arg(script)
            .arg(chromium)
            .arg(&page)
            .arg(&folder)
            .arg(story),
    );
    let seen: Vec<Value> = serde_json::from_str(&seen.unwrap()).unwrap();
    for seen in &seen {
        let none = Value::Array(Vec::new());
        assert_eq!(seen["requests"], none, "the page may load nothing");
        assert_eq!(seen["complaints"], none, "the browser complains of nothing");
    }
    seen
}

/// Where pages and screenshots stay, to be looked at.
fn screenshots() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&folder).unwrap();
    folder
}
