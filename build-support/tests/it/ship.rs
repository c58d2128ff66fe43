//! The road from source to shipped file, on the real agent: budgets that hold, bytes that do not
//! depend on the machine, and files that are whole whatever happens.

use crate::support::ended::{Ended, tool, well};
use crate::support::golden::{self, golden};
use crate::support::programs::TOOL;
use crate::support::project::Project;
use crate::support::workspace::{self, copy, scratch, workspace};
use build_support::baseline::file::File;
use build_support::system::process;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const P1: &str = "wasm32-wasip1";
const UNKNOWN: &str = "wasm32-unknown-unknown";

/// A copy of this workspace in a folder of its own, with `edit` made to the agent's manifest.
fn elsewhere(name: &str, edit: impl Fn(String) -> String) -> PathBuf {
    let root = scratch(name);
    copy(&workspace(), &root);
    let manifest = root.join("clawft-wasm/Cargo.toml");
    let original = fs::read_to_string(workspace().join("clawft-wasm/Cargo.toml")).unwrap();
    workspace::write(&manifest, &edit(original));
    root
}

/// Protects the point of it all: one byte too many fails the build, and the message says what to
/// look at.
#[test]
fn over_budget_is_exit_1_and_points_at_the_limit() {
    let root = elsewhere("over-budget", |text| {
        assert!(
            text.contains("raw = \""),
            "the manifest has a limit to lower: {text}"
        );
        let lowered = |line: &str| match line.starts_with("raw = ") {
            true => "raw = \"20 KiB\"".to_owned(),
            false => line.to_owned(),
        };
        text.lines().map(lowered).collect::<Vec<_>>().join("\n") + "\n"
    });
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let mut build = tool(&root, &["build", "--target", P1, "--out-dir", out]);
    let stderr = Ended::of(build.env("CARGO_TARGET_DIR", scratch("target")))
        .with(1)
        .stderr;
    let report = fs::read_to_string(folder.path().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["verdict"]["within"], false);
    assert_eq!(report["budget"][0]["measure"], "raw");
    assert_eq!(report["budget"][0]["limit"], 20 * 1024);
    assert_eq!(
        report["sizes"]["raw"],
        fs::metadata(folder.path().join("clawft_wasm.wasm"))
            .unwrap()
            .len()
    );

    // Figures and names change with every change of the agent; the rest is the golden.
    let diagnostic = &stderr[stderr.find("error[").expect("a diagnostic")..];
    let shape: String = diagnostic
        .replace(out, "OUT")
        .lines()
        .filter(|line| !line.contains('%') || line.contains("actual is"))
        .map(|line| format!("{}\n", digits_to_n(line)))
        .collect();
    golden(&golden::beside("ship/over-budget.golden"), &shape);
    let contributors = diagnostic
        .lines()
        .filter(|line| line.contains('%') && !line.contains("actual is"))
        .count();
    assert_eq!(contributors, 10, "{diagnostic}");
}

/// The same of the command for CI, with limits of other kinds: `cargo gate` with a limit lowered is
/// exit 1, explained. And what is held is begun, judged and kept beside what was measured.
#[test]
fn the_gate_explains_a_lowered_limit() {
    let root = elsewhere("gate", |text| {
        let lowered = "[package.metadata.budget.target.wasm32-wasip1.limits]\n\
                       functions = 10\ncrate.dlmalloc = 1_000\nstart = 1_000_000\n";
        let heading = "[package.metadata.budget.target.wasm32-wasip1.limits]\n";
        assert!(text.contains(heading), "{text}");
        let ours = ["functions =", "start =", "crate.dlmalloc"];
        let others = |line: &&str| !ours.iter().any(|key| line.starts_with(key));
        let text: Vec<_> = text.lines().filter(others).collect();
        text.join("\n").replace(heading, lowered) + "\n"
    });
    let gate = |arguments: &[&str]| {
        let gate = [&["gate", "--target", P1, "--base", "HEAD"], arguments].concat();
        Ended::of(tool(&root, &gate).env("CARGO_TARGET_DIR", scratch("target")))
    };
    // A repository of its own, so that this one's is not asked.
    let git = |arguments: &[&str]| {
        let mut git = process::command("git");
        git.arg("-C")
            .arg(&root)
            .args(["-c", "user.name=n", "-c", "user.email=e@example.org"]);
        process::output(git.args(arguments)).unwrap();
    };
    let _ = fs::remove_dir_all(root.join(".git"));
    git(&["init", "--quiet"]);
    git(&["add", "baseline.json"]);
    git(&["commit", "--quiet", "--message", "a"]);
    let Ended { stdout, stderr, .. } = gate(&[]).with(1);
    for expected in [
        "functions, ",
        "crate dlmalloc takes ",
        "= note: most of them are of",
        "= note: the largest of the crate (",
        "<dlmalloc::dlmalloc::Dlmalloc",
    ] {
        assert!(stderr.contains(expected), "no {expected:?} in {stderr}");
    }
    assert!(
        stdout.contains("against HEAD, ") || stdout.contains("the merge base with"),
        "{stdout}"
    );
    let report = fs::read_to_string(scratch("target").join("budget/wasm32-wasip1/report.json"));
    let report: serde_json::Value = serde_json::from_str(&report.unwrap()).unwrap();
    let exceeded = report["verdict"]["exceeded"].as_array().unwrap();
    let names: Vec<_> = exceeded
        .iter()
        .map(|e| e["measure"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["functions", "crate dlmalloc"]);
    assert!(report["figures"]["start"].is_u64() && report["baseline"]["held"].is_array());

    // From nothing: what is begun is what was built, and limits are judged all the same.
    let path = root.join("baseline.json");
    let committed = File::read(&path).unwrap().unwrap();
    let begun = File {
        ratchet: Default::default(),
        ..committed.clone()
    };
    begun.write(&path).unwrap();
    git(&["commit", "--quiet", "--all", "--message", "b"]);
    let Ended { stdout, .. } = gate(&["--update"]).with(1);
    assert!(stdout.contains("the baseline begins"), "{stdout}");
    let after = File::read(&path).unwrap().unwrap();
    assert!(after.measured.is_some(), "the other part is kept");
    assert_eq!(after.measured, committed.measured);
    let entries = after.entries("clawft-wasm", P1).expect("it was begun");
    let sizes: Vec<_> = entries.iter().map(|(_, entry)| entry.sizes.raw).collect();
    assert_eq!(
        serde_json::json!(sizes),
        serde_json::json!([report["sizes"]["raw"]])
    );
    git(&["commit", "--quiet", "--all", "--message", "c"]);
    let Ended { stdout, stderr, .. } = gate(&[]).with(1);
    assert!(stdout.contains("against "), "{stdout}");
    assert!(
        !stderr.contains("growth-not-judged") && !stderr.contains("error[grew]"),
        "{stderr}"
    );
}

/// `12,345` → `N`, and the carets and columns that depend on it stay out of the way.
fn digits_to_n(line: &str) -> String {
    let mut out = String::new();
    for c in line.chars() {
        let part_of_number =
            c.is_ascii_digit() || (matches!(c, ',' | '.' | '_') && out.ends_with('N'));
        match part_of_number {
            true if out.ends_with('N') => {}
            true => out.push('N'),
            false => out.push(c),
        }
    }
    out
}

/// Protects users' manifests: a wrong key is a diagnostic at its place, before anything is
/// compiled.
#[test]
fn a_wrong_key_is_exit_2_at_its_place() {
    let root = elsewhere("wrong-key", |text| text.replace("\nraw = ", "\nrwa = "));
    let mut build = tool(&root, &["build", "--target", P1]);
    let stderr = Ended::of(&mut build).with(2).stderr;
    assert!(
        stderr.contains("error[unknown-key]") && stderr.contains("clawft-wasm/Cargo.toml:"),
        "{stderr}"
    );
    assert!(!stderr.contains("Compiling"), "{stderr}");
}

/// Same input, same bytes, wherever it is built; and nothing in them says where that was.
#[test]
fn another_directory_gives_the_same_bytes_and_names_no_place() {
    let root = elsewhere("another-directory", |text| text);
    let target = root.join("target");
    for triple in ["wasm32-wasip1", "wasm32-wasip2"] {
        let here = tempfile::tempdir().unwrap();
        let build = ["build", "--target", triple];
        let out = ["--out-dir", here.path().to_str().unwrap()];
        well(&workspace(), &[&build[..], &out].concat());
        Ended::of(tool(&root, &build).env("CARGO_TARGET_DIR", &target)).with(0);
        for file in ["clawft_wasm.wasm", "clawft_wasm.linked.wasm"] {
            let one = fs::read(here.path().join(file)).unwrap();
            let other = fs::read(target.join("budget").join(triple).join(file)).unwrap();
            assert!(
                one == other,
                "{triple}: {file} differs between two directories"
            );
        }
        let shipped = fs::read(here.path().join("clawft_wasm.wasm")).unwrap();
        let home = std::env::var("HOME").unwrap();
        for place in [
            ".cargo/registry",
            "/rustc/",
            "/rustlib/",
            &*home,
            workspace().to_str().unwrap(),
        ] {
            let named = shipped
                .windows(place.len())
                .any(|window| window == place.as_bytes());
            assert!(
                !named || place.len() < 2,
                "{triple}: the shipped file names {place}"
            );
        }
    }
}

/// Protects what is shipped: a run killed at any step of what it writes leaves the old file or the
/// new one, whole, and the next run mends the rest. Steps are what can be seen of its folder: a
/// file that comes, grows or goes.
#[test]
fn killed_at_any_step_the_shipped_file_is_whole() {
    const KILLS: usize = 50;
    let project = two_variants();
    let folder = project.path("target/budget").join(UNKNOWN);
    let shipped = folder.join("killed.wasm");
    // The other one than is there, so that every run has a file to replace.
    let variants = ["one", "other"];
    let command = |variant: &str| {
        let mut command = project.command(TOOL);
        command.args(["build", "--features", variant]);
        command
    };
    let whole = variants.map(|variant| {
        Ended::of(&mut command(variant)).with(0);
        fs::read(&shipped).unwrap()
    });
    assert_ne!(whole[0], whole[1]);
    let run = |last: usize| {
        let is_first = fs::read(&shipped).unwrap() == whole[0];
        let variant = variants[usize::from(is_first)];
        let steps = run_and_kill(&mut command(variant), &folder, last);
        let left = fs::read(&shipped).unwrap();
        assert!(
            whole.contains(&left),
            "killed at step {steps} the file is neither the old nor the new one"
        );
        steps
    };
    // Five files are replaced, each by a temporary one beside it that is renamed; how many of these
    // steps are seen depends on how often the machine lets one look.
    let all = run(usize::MAX);
    assert!(all >= 1, "nothing was seen to be written");
    let killed = (0..KILLS).filter(|turn| {
        let last = 1 + turn * all / KILLS;
        run(last) == last
    });
    let killed = killed.count();
    assert!(
        killed * 10 >= KILLS,
        "only {killed} runs were still writing at the step they were to be killed at"
    );
    Ended::of(&mut command(variants[0])).with(0);
    assert_eq!(fs::read(&shipped).unwrap(), whole[0]);
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            ".lock",
            "cache.json",
            "killed.linked.wasm",
            "killed.symbols.json",
            "killed.wasm",
            "report.json"
        ]
    );
}

/// A library that is built in a moment, one or the other by its features: each kill is a build.
fn two_variants() -> Project {
    let manifest = format!(
        "[package]\nname = \"killed\"\nversion = \"0.1.0\"\nedition = \"2024\"\n
[workspace]\n
[features]\none = []\nother = []\n
[lib]\ncrate-type = [\"cdylib\"]\n
[package.metadata.budget]\ntargets = [\"{UNKNOWN}\"]\n"
    );
    let source = "#![no_std]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
#[unsafe(no_mangle)]
pub extern \"C\" fn answer() -> u32 {
    if cfg!(feature = \"one\") { 1 } else { 2 }
}
";
    let files = [("Cargo.toml", manifest.as_str()), ("src/lib.rs", source)];
    Project::kept("killed", UNKNOWN, &files)
}

/// Runs it until `last` steps were seen in `folder`, and kills it there; how many there were.
fn run_and_kill(command: &mut Command, folder: &Path, last: usize) -> usize {
    let files = || {
        let entries = fs::read_dir(folder).unwrap();
        let file = |entry: fs::DirEntry| {
            use std::os::unix::fs::MetadataExt as _;
            // One that is gone by now is not there.
            let about = entry.metadata().ok()?;
            Some((entry.file_name(), about.ino(), about.len()))
        };
        let mut files: Vec<_> = entries.filter_map(|entry| file(entry.ok()?)).collect();
        files.sort();
        files
    };
    let (mut steps, mut before) = (0, files());
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while steps < last && child.try_wait().unwrap().is_none() {
        let now = files();
        if now != before {
            (steps, before) = (steps + 1, now);
        }
        std::thread::yield_now();
    }
    // It may have ended.
    let _ = child.kill();
    child.wait().unwrap();
    steps
}

/// Protects the warm path: nothing changed, nothing is done again; something damaged is made anew.
#[test]
fn what_did_not_change_is_not_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let run = || {
        let out = folder.path().to_str().unwrap();
        well(&workspace(), &["build", "--target", P1, "--out-dir", out])
    };
    let unchanged = "no pass ran again";
    assert!(!run().contains(unchanged));
    assert!(run().contains(unchanged));
    let shipped = folder.path().join("clawft_wasm.wasm");
    let good = fs::read(&shipped).unwrap();
    fs::write(&shipped, &good[..good.len() / 2]).unwrap();
    assert!(!run().contains(unchanged));
    assert_eq!(fs::read(&shipped).unwrap(), good);
}

/// Protects users from an allocator they did not choose.
#[test]
fn several_allocators_or_none_are_a_clear_error() {
    for (features, expected) in [
        (
            &["--features", "alloc-talc,alloc-lol"][..],
            "features `alloc-talc` and `alloc-lol` exclude each other",
        ),
        (
            &["--features", "alloc-talc,alloc-talc-small"],
            "features `alloc-talc` and `alloc-talc-small` exclude each other",
        ),
        (
            &[
                "--no-default-features",
                "--features",
                "alloc-lol,alloc-lol-free,alloc-talc",
            ],
            "features `alloc-talc` and `alloc-lol` and `alloc-lol-free` exclude each other",
        ),
        (
            &["--no-default-features"],
            "needs an allocator on wasm: enable one of the features `alloc-dlmalloc`, `alloc-talc`,",
        ),
    ] {
        let mut check = tool(&workspace(), &["check", "--target", P1]);
        let stderr = Ended::of(check.args(features)).with(2).stderr;
        assert!(stderr.contains(expected), "{features:?}: {stderr}");
    }
}

/// Protects against a stage that silently did not run, and the layout that others read.
#[test]
fn the_report_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let build = ["build", "--target", "wasm32-wasip2", "--out-dir"];
    let printed = well(&workspace(), &[&build, &[out, "--json"][..]].concat());
    assert_eq!(
        printed,
        fs::read_to_string(folder.path().join("report.json")).unwrap()
    );
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let stages: Vec<_> = report["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        stages,
        [
            "linked",
            "sweep",
            "snip",
            "optimize",
            "compact",
            "strip",
            "componentize",
            "decide",
            "shorten",
            "paths",
            "load",
            "measure"
        ]
    );
    assert_eq!(
        (&report["schema"], &report["package"], &report["kind"]),
        (&3.into(), &"clawft-wasm".into(), &"component".into())
    );
    let bytes = |stage: usize| report["stages"][stage]["bytes"].as_u64().unwrap();
    assert!(bytes(1) < bytes(0), "sweep made it smaller");
    // It lists what was done to the file that was kept, and nothing else.
    let decided = report["stages"][7]["note"].as_str().unwrap();
    assert!(decided.starts_with("kept: "), "{decided}");
    let reduced = !decided.contains("without sweep and snip") && !decided.contains("the input");
    let listed = |list: &str, key: &str, name: &str| {
        let mut all = report[list].as_array().unwrap().iter();
        all.any(|one| one[key] == name)
    };
    let swept = listed("swept", "reason", "code before a panic");
    let snipped = listed("snipped", "function", "alloc::raw_vec::handle_error");
    assert_eq!((swept, snipped), (reduced, reduced), "{decided}");
    assert!(
        bytes(3) * 100 <= bytes(2) * 95,
        "wasm-opt makes it at least 5% smaller (FR-03)"
    );
    let shipped = fs::read(folder.path().join("clawft_wasm.wasm")).unwrap();
    assert_eq!(report["sizes"]["raw"], shipped.len());
    assert_eq!(
        report["prunable"]["linked"],
        serde_json::json!([]),
        "LTO left dead code (FR-06)"
    );
    assert_eq!(
        report["prunable"]["shipped"], 0,
        "dead code is shipped (FR-06)"
    );
    assert!(report["sizes"]["brotli"].as_u64() < report["sizes"]["gzip"].as_u64());
    assert!(
        !shipped.windows(7).any(|w| w == b"preview"),
        "WASI 0.2 is bound directly, with no adapter"
    );
}
