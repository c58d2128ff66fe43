//! A project for the browser, by way of wasm-bindgen itself: its library makes the JavaScript from
//! our file and from the compiler's, and node must hear the same from both.

use super::project;
use crate::support::ended::{Ended, said};
use crate::support::programs::CARGO_BUDGET;
use crate::support::project::Project;
use crate::support::workspace;
use build_support::system::process;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const TARGET: &str = "wasm32-unknown-unknown";

/// Of the library and of the tool: they work with each other in one version only.
const VERSION: &str = "0.2.130";

const LIBRARY: &str = r#"use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = globalThis)]
    fn shout(text: &str) -> String;
    #[wasm_bindgen(js_namespace = globalThis)]
    fn each(values: &[u32], f: &Closure<dyn Fn(u32) -> u32>) -> Vec<u32>;
}

#[wasm_bindgen]
pub struct Counter {
    count: u32,
}

#[wasm_bindgen]
impl Counter {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Counter {
        Counter { count: 0 }
    }
    pub fn add(&mut self, number: u32) -> u32 {
        self.count += number;
        self.count
    }
}

#[wasm_bindgen]
pub fn greet(name: &str) -> String {
    shout(&format!("hello {name}, {}", name.len()))
}

#[wasm_bindgen]
pub fn scaled(values: Vec<u32>, by: u32) -> Vec<u32> {
    each(&values, &Closure::<dyn Fn(u32) -> u32>::new(move |value| value * by))
}

#[wasm_bindgen]
pub fn missing(value: &JsValue) -> bool {
    value.is_null() || value.is_undefined()
}

#[wasm_bindgen]
pub fn known(number: Option<u32>) -> Result<u32, JsValue> {
    number.ok_or_else(|| JsValue::from_str("nothing"))
}
"#;

const PAGE: &str = r#"
globalThis.shout = (text) => text.toUpperCase() + "!";
globalThis.each = (values, f) => values.map(f);
const app = require(process.argv[2]);
const counter = new app.Counter();
console.log(app.greet("wörld"), counter.add(3), counter.add(4), [...app.scaled(new Uint32Array([1, 2, 3]), 7)], app.known(5));
console.log(app.missing(null), app.missing({ a: 1 }), app.missing(undefined));
try { app.known(undefined); } catch (error) { console.log("caught", error); }
"#;

const HEARD: &str = "HELLO WÖRLD, 6! 3 7 [ 7, 14, 21 ] 5\ntrue false true\ncaught nothing\n";

const TOOL: &str = r#"fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| arguments.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    if arguments == ["--version"] {
        return println!("wasm-bindgen {}", wasm_bindgen_shared::version());
    }
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    match option("--target").unwrap() {
        "web" => bindgen.web(true).unwrap(),
        "nodejs" => bindgen.nodejs(true).unwrap(),
        other => panic!("{other}"),
    };
    bindgen.typescript(!arguments.iter().any(|word| word == "--no-typescript"));
    // As the command has it, and not the library.
    bindgen.omit_default_module_path(false);
    bindgen.out_name(option("--out-name").unwrap());
    let input = arguments.iter().find(|word| !word.starts_with('-')).unwrap();
    bindgen.input_path(input).generate(option("--out-dir").unwrap()).unwrap();
}
"#;

/// wasm-bindgen's command, as far as it is used here, made from the library that does the work of
/// its own.
fn wasm_bindgen() -> PathBuf {
    static MADE: LazyLock<PathBuf> = LazyLock::new(make_wasm_bindgen);
    MADE.clone()
}

fn make_wasm_bindgen() -> PathBuf {
    let root = workspace::scratch("wasm-bindgen");
    let manifest = format!(
        "[package]\nname = \"bind\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         wasm-bindgen-cli-support = \"={VERSION}\"\nwasm-bindgen-shared = \"={VERSION}\"\n\n[profile.dev]\ndebug = false\n\n[workspace]\n"
    );
    for (file, text) in [("Cargo.toml", manifest.as_str()), ("src/main.rs", TOOL)] {
        workspace::write(&root.join(file), text);
    }
    let mut cargo = process::cargo(env!("CARGO"));
    cargo
        .args(["build", "--quiet"])
        .current_dir(&root)
        .env("CARGO_TARGET_DIR", root.join("target"));
    process::run(&mut cargo).unwrap();
    // A crate of that name is not compiled: it could be the library, in a version too old.
    let program = root.join("bin/wasm-bindgen");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::copy(root.join("target/debug/bind"), &program).unwrap();
    program
}

/// What node hears from the page with what wasm-bindgen makes of `file`; and the file it makes.
fn play(project: &Project, bind: &Path, file: &Path, to: &str) -> (String, PathBuf) {
    let mut bind = project.command(bind);
    let stem = file.file_stem().unwrap().to_str().unwrap();
    let folder = project.path(to);
    bind.args(["--target=nodejs", "--no-typescript"]);
    bind.arg(format!("--out-name={stem}"));
    bind.arg(format!("--out-dir={}", folder.display()));
    let bound = said(&Ended::of(bind.arg(file)), 0);
    assert!(!bound.contains("warning"), "{bound}");
    (
        hear(project, &folder.join(format!("{stem}.js"))),
        folder.join(format!("{stem}_bg.wasm")),
    )
}

fn hear(project: &Project, script: &Path) -> String {
    let node = workspace::program(&["node"], "nodejs");
    let mut node = project.command(node);
    said(
        &Ended::of(node.args([&*project.path("page.cjs"), script])),
        0,
    )
}

/// Those of the folders of `PATH` that do not have the program, and `folders` before them.
fn path_without(program: &str, folders: &[&Path]) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).filter(|folder| !folder.join(program).exists());
    let folders = folders.iter().map(|folder| folder.to_path_buf());
    std::env::join_paths(folders.chain(others)).unwrap()
}

/// The tool where wasm-bindgen's command is what `folders` have, or not there.
fn budget(project: &Project, folders: &[&Path], args: &[&str]) -> Ended {
    let mut budget = project.command(CARGO_BUDGET);
    let path = path_without("wasm-bindgen", folders);
    Ended::of(budget.args(args).env("PATH", path))
}

fn manifest() -> String {
    format!(
        "[package]\nname = \"bound\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\nwasm-bindgen = \"={VERSION}\"\n\n[profile.release]\nopt-level = \"z\"\nlto = true\npanic = \"abort\"\n\n[workspace]\n"
    )
}

/// Protects projects for the browser, which are the most there are: wasm-bindgen takes our file as
/// it takes the compiler's, and what comes out of it can be made smaller, limited and judged.
#[test]
fn wasm_bindgen_takes_what_comes_out() {
    let manifest = manifest();
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("src/lib.rs", LIBRARY),
        ("page.cjs", PAGE),
    ];
    let project = project("bindgen", TARGET, &files);
    // No target is named anywhere: the dependency says it.
    let built = said(&project.budget(&["build"]), 0);
    assert!(
        built.contains("note: this is what wasm-bindgen reads"),
        "{built}"
    );
    let bind = wasm_bindgen();
    let (shipped, linked) = (
        project.built(TARGET, "bound.wasm"),
        project.root.join("plain.wasm"),
    );
    fs::copy(project.built(TARGET, "bound.linked.wasm"), &linked).unwrap();
    let size = |file: &Path| fs::metadata(file).unwrap().len();
    assert!(size(&shipped) < size(&linked));
    let (heard, bound) = play(&project, &bind, &shipped, "ours");
    assert_eq!(heard, HEARD);
    assert_eq!(play(&project, &bind, &linked, "plain").0, HEARD);

    // A limit is on what is shipped, and that is what wasm-bindgen made.
    let refused = said(&budget(&project, &[], &["init"]), 2);
    let install = format!("cargo install wasm-bindgen-cli --version {VERSION}");
    assert!(
        refused.contains("--from pkg/app_bg.wasm")
            && refused.contains(&install)
            && project.read("Cargo.toml") == manifest,
        "{refused}"
    );
    let before = size(&bound);
    let bound = bound.to_str().unwrap();
    // An export that borrows a value of JavaScript has a `table.fill`, which Binaryen 116 cannot
    // read.
    let table_fill = [0xfc, 0x11];
    let holds = |file: &Path| {
        fs::read(file)
            .unwrap()
            .windows(2)
            .any(|two| two == table_fill)
    };
    assert!(holds(Path::new(bound)), "wasm-bindgen writes it no more");
    let optimized = said(&project.budget(&["optimize", bound, "-o", bound]), 0);
    assert!(optimized.contains("kept: wasm-opt 116"), "{optimized}");
    assert!(size(Path::new(bound)) < before);
    assert_eq!(hear(&project, &project.root.join("ours/bound.js")), HEARD);
    said(
        &project.budget(&[
            "init",
            "--profile",
            "release",
            "--margin",
            "0%",
            "--from",
            bound,
        ]),
        0,
    );
    said(&project.budget(&["check", bound]), 0);
    said(&project.budget(&["build"]), 0);
    let gated = said(&project.budget(&["gate"]), 2);
    assert!(gated.contains("gate --report"), "{gated}");
    let report = project.budget(&["check", bound, "--json"]).stdout;
    project.write("report.json", &report);
    for args in [&["gate", "--update"][..], &["gate"]] {
        said(
            &project.budget(&[args, &["--report", "report.json"]].concat()),
            0,
        );
    }
    let raw = format!(
        "raw = {}",
        build_support::report::units::bytes(size(Path::new(bound))).replace(',', "_")
    );
    project.edit("Cargo.toml", &raw, "raw = 1_000");
    let over = said(&project.budget(&["check", bound]), 1);
    assert!(
        over.contains("error[over-budget]") && over.contains("--> Cargo.toml:"),
        "{over}"
    );
    assert!(
        said(&project.budget(&["build"]), 0).contains("not judged"),
        "it is not what is shipped"
    );
}

/// Protects them from four commands where one is enough: wasm-bindgen runs on the way, and what is
/// shipped and judged is what it made, with its JavaScript beside it.
#[test]
fn in_one_command() {
    let manifest = manifest();
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("src/lib.rs", LIBRARY),
        ("page.cjs", PAGE),
    ];
    let project = project("bindgen-in-one", TARGET, &files);
    let bind = wasm_bindgen();
    let own = [bind.parent().unwrap()];
    said(&budget(&project, &own, &["init"]), 0);
    let written = project.read("Cargo.toml");
    assert!(
        written.contains("[package.metadata.budget.wasm-bindgen]\ntarget = \"web\"\n"),
        "{written}"
    );
    let beside = |name: &str| project.built(TARGET, name);
    assert!(beside("bound.d.ts").exists() && beside("bound_bg.wasm.d.ts").exists());
    assert!(
        fs::read_to_string(beside("bound.js"))
            .unwrap()
            .contains("bound_bg.wasm")
    );

    project.edit(
        "Cargo.toml",
        "target = \"web\"",
        "target = \"nodejs\"\ntypescript = false",
    );
    let built = said(&budget(&project, &own, &["build"]), 0);
    assert!(
        built.contains("wasm-bindgen") && !built.contains("note:"),
        "{built}"
    );
    assert_eq!(hear(&project, &beside("bound.js")), HEARD);
    assert!(!beside("bound.d.ts").exists(), "what is left over goes");
    // What the linker made has names and sections that wasm-bindgen wants, and none is shipped.
    let shipped = fs::read(beside("bound_bg.wasm")).unwrap();
    let linked = project.path("plain.wasm");
    fs::copy(beside("bound_bg.linked.wasm"), &linked).unwrap();
    let (_, plain) = play(&project, &bind, &linked, "plain");
    assert!(shipped.len() * 10 < fs::read(plain).unwrap().len() * 9);
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(beside("report.json")).unwrap()).unwrap();
    assert_eq!(report["sizes"]["raw"], shipped.len());
    let stages = report["stages"].as_array().unwrap();
    let stages: Vec<_> = stages.iter().map(|stage| stage["name"].as_str()).collect();
    let at = |name| {
        stages
            .iter()
            .position(|stage| *stage == Some(name))
            .unwrap()
    };
    assert!(at("sweep") < at("wasm-bindgen") && at("wasm-bindgen") < at("optimize"));

    // What was taken away is made again, and what is too large is seen.
    fs::remove_file(beside("bound.js")).unwrap();
    said(&budget(&project, &own, &["build"]), 0);
    assert_eq!(hear(&project, &beside("bound.js")), HEARD);
    let written = project.read("Cargo.toml");
    let limit = written.lines().find(|line| line.starts_with("raw = "));
    project.edit("Cargo.toml", limit.unwrap(), "raw = 1_000");
    let over = said(&budget(&project, &own, &["build"]), 1);
    assert!(over.contains("error[over-budget]"), "{over}");

    // Another version does not go with the library.
    let other = project.path("other");
    project.write("other/wasm-bindgen", "#!/bin/sh\necho wasm-bindgen 0.2.1\n");
    let program = other.join("wasm-bindgen");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let refused = said(&budget(&project, &[&other], &["build"]), 2);
    assert!(
        refused.contains("says that it is `wasm-bindgen 0.2.1`")
            && refused.contains("cargo install"),
        "{refused}"
    );
    what_it_does_wrong_is_told(&project, &own);
    another_packages_pieces_stay(&project, &own);
}

/// Programs that are called wasm-bindgen, and what is said of them.
fn what_it_does_wrong_is_told(project: &Project, own: &[&Path]) {
    let fake = |folder: &str, body: &str, mode: u32| {
        let version = format!("[ \"$1\" = --version ] && exec echo wasm-bindgen {VERSION}");
        let file = format!("{folder}/wasm-bindgen");
        project.write(&file, &format!("#!/bin/sh\n{version}\n{body}\n"));
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(project.path(&file), permissions).unwrap();
        project.path(folder)
    };
    // Another source each time, or nothing has changed since the last run.
    let mut count = 0;
    let mut build = |folders: &[&Path], code: i32| {
        count += 1;
        project.write(
            "src/lib.rs",
            &format!("{LIBRARY}\n#[wasm_bindgen]\npub fn more() -> u32 {{ {count} }}\n"),
        );
        said(&budget(project, folders, &["build"]), code)
    };
    project.edit("Cargo.toml", "raw = 1_000", "raw = 100_000");
    let text = build(&[&fake("silent", ":", 0o755)], 2);
    assert!(text.contains("wrote no bound_bg.wasm"), "{text}");
    let rubbish = "for one; do case $one in --out-dir=*) echo rubbish > \"${one#*=}/bound_bg.wasm\";; esac; done";
    let text = build(&[&fake("rubbish", rubbish, 0o755)], 2);
    assert!(text.contains("wrote a wasm file that is none"), "{text}");
    let text = build(&[&fake("failing", "echo sorry >&2; exit 3", 0o755)], 2);
    assert!(
        text.contains("sorry") && text.contains("exit status: 3"),
        "{text}"
    );
    // What it says is heard where it succeeds, too; what cannot be executed is passed by.
    let real = format!(
        "\"{}\" \"$@\" && echo 'warning: soon gone' >&2",
        own[0].join("wasm-bindgen").display()
    );
    let closed = fake("closed", "", 0o644);
    let text = build(&[&closed, &fake("warning", &real, 0o755)], 0);
    assert!(text.contains("warning: soon gone"), "{text}");
    // A piece that cannot be written leaves those of the last build.
    let piece = |name: &str| project.built(TARGET, name);
    let before = fs::read(piece("bound_bg.wasm")).unwrap();
    fs::remove_file(piece("bound.js")).unwrap();
    fs::create_dir(piece("bound.js")).unwrap();
    let text = build(own, 2);
    assert!(text.contains("bound.js"), "{text}");
    assert!(fs::read(piece("bound_bg.wasm")).unwrap() == before);
    fs::remove_dir(piece("bound.js")).unwrap();
    build(own, 0);
    // Of a file for another target it would leave nothing.
    project.edit(
        "Cargo.toml",
        "[\"wasm32-unknown-unknown\"]",
        "[\"wasm32-wasip1\"]",
    );
    let text = build(own, 2);
    assert!(
        text.contains("wasm-bindgen is for wasm32-unknown-unknown"),
        "{text}"
    );
    project.edit(
        "Cargo.toml",
        "[\"wasm32-wasip1\"]",
        "[\"wasm32-unknown-unknown\"]",
    );
}

/// One folder has what all packages of a workspace ship.
fn another_packages_pieces_stay(project: &Project, own: &[&Path]) {
    project.edit("Cargo.toml", "name = \"bound\"", "name = \"second\"");
    said(&budget(project, own, &["build"]), 0);
    for name in ["bound.js", "second.js"] {
        assert_eq!(hear(project, &project.built(TARGET, name)), HEARD, "{name}");
    }
}
