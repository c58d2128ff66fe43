//! The command `gate` on reports, in small workspaces of their own, with git and without: the
//! baseline, what may change it, which baseline counts, and what is said. `BLESS=1 cargo test -p
//! build-support --test it gate::` writes the goldens anew.

use crate::support::ended::Ended;
use crate::support::programs::TOOL;
use crate::support::{golden, project, report as sample};
use build_support::baseline::file::File;
use build_support::gate::entries::{Entries, fingerprint};
use build_support::gate::entry::Entry;
use build_support::report::{Report, json};
use build_support::system::process;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const TARGET: &str = "wasm32-wasip1";

/// A workspace of one package.
struct Project(project::Project);

impl Project {
    fn new(tables: &str) -> Self {
        let manifest = format!(
            "[package]\nname = \"app\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[package.metadata.budget]\ntargets = [\"{TARGET}\"]\n{tables}"
        );
        Self(project::Project::passing(&[
            ("Cargo.toml", &manifest),
            ("src/lib.rs", ""),
            (".gitignore", "/target\n/*.report.json\n"),
        ]))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// A report of functions with these sizes, and of a file that is as large as all of them.
    fn report(&self, name: &str, functions: &[(&str, u64)]) -> String {
        self.report_by(name, functions, "rustc 1.95.0")
    }

    fn report_by(&self, name: &str, functions: &[(&str, u64)], rustc: &str) -> String {
        let file = format!("{name}.report.json");
        self.0.write(&file, &json::write(&report(functions, rustc)));
        file
    }

    fn gate(&self, arguments: &[&str]) -> Command {
        let mut command = self.0.command(TOOL);
        command.arg("gate").args(arguments);
        without_git_of_others(&mut command);
        command
    }

    #[track_caller]
    fn ends(&self, code: i32, arguments: &[&str]) -> (String, String) {
        let ended = Ended::of(&mut self.gate(arguments)).with(code);
        (ended.stdout, ended.stderr)
    }

    fn entries(&self) -> Entries {
        let file = File::read(&self.path("baseline.json")).unwrap().unwrap();
        file.entries("app", TARGET).unwrap().clone()
    }

    /// The only entry.
    fn entry(&self) -> Entry {
        let entries = self.entries();
        let [(_, entry)] = entries.iter().collect::<Vec<_>>()[..] else {
            panic!("{} entries", entries.iter().count());
        };
        entry.clone()
    }

    fn entry_of(&self, rustc: &str) -> Entry {
        let of = report(&[], rustc).toolchain;
        self.entries().of(&of).expect("it has one").clone()
    }

    /// Changes the only entry by hand.
    fn edit(&self, edit: impl FnOnce(&mut Entry)) {
        let path = self.path("baseline.json");
        let mut file = File::read(&path).unwrap().unwrap();
        let mut entry = self.entry();
        edit(&mut entry);
        let mut entries = Entries::default();
        entries.set(entry);
        file.ratchet
            .get_mut("app")
            .unwrap()
            .insert(TARGET.to_owned(), entries);
        file.write(&path).unwrap();
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = process::command("git");
        git.arg("-C").arg(&self.0.root);
        git.args(["-c", "user.name=n", "-c", "user.email=e@example.org"]);
        git.args([
            "-c",
            "commit.gpgsign=false",
            "-c",
            "init.defaultBranch=main",
        ]);
        without_git_of_others(git.args(arguments));
        process::output(&mut git).unwrap();
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }
}

/// The repository of whoever runs the tests, and their settings, are not these tests' business.
fn without_git_of_others(command: &mut Command) {
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    command
        .env("GIT_CONFIG_GLOBAL", "")
        .env("GIT_CONFIG_NOSYSTEM", "1");
}

fn report(functions: &[(&str, u64)], rustc: &str) -> Report {
    let mut report = sample::report(functions);
    report.toolchain.rustc = rustc.into();
    report
}

const BEFORE: [(&str, u64); 4] = [
    ("app::run", 9_000),
    ("serde_json::de::parse::<u8>", 6_000),
    ("serde_json::de::parse::<u16>", 3_000),
    ("memcpy", 2_000),
];

const GROWN: [(&str, u64); 5] = [
    ("app::run", 8_900),
    ("serde_json::de::parse::<u8>", 6_050),
    ("serde_json::de::parse::<u16>", 3_000),
    ("serde_json::de::parse::<u32>", 1_500),
    ("memcpy", 2_000),
];

#[track_caller]
fn golden(name: &str, actual: &str) {
    golden::golden(&golden::beside("gate").join(name), actual);
}

/// FR-16: a failed gate needs no further investigation. It names crates, families and functions,
/// and the lists sum.
#[test]
fn growth_is_explained_at_the_held_figure() {
    let project = Project::new("");
    let before = project.report("before", &BEFORE);
    let grown = project.report("grown", &GROWN);
    let (stdout, _) = project.ends(0, &["--report", &before]);
    assert!(stdout.contains("no baseline yet"), "{stdout}");
    assert!(
        !project.path("baseline.json").exists(),
        "only asked for is written"
    );
    project.ends(0, &["--report", &before, "--update"]);
    let (stdout, _) = project.ends(0, &["--report", &before]);
    golden("same.stdout", &stdout);
    let (stdout, stderr) = project.ends(1, &["--report", &grown]);
    golden("grew.stdout", &stdout);
    golden("grew.stderr", &stderr);

    let (stdout, _) = project.ends(1, &["--report", &grown, "--json"]);
    let reports: Vec<Report> = serde_json::from_str(&stdout).unwrap();
    let baseline = reports[0].baseline.as_ref().unwrap();
    assert_eq!(
        (baseline.sizes[0].baseline, baseline.sizes[0].actual),
        (20_000, 21_450)
    );
    for by in &baseline.changes.as_ref().unwrap().by {
        assert_eq!(by.delta(), 1_450, "{:?}", by.grouping);
    }
}

/// The manifest's limits of every kind are judged on what is there, each at its own line.
#[test]
fn every_kind_of_limit_is_judged_at_its_line() {
    let project = Project::new(
        "[package.metadata.budget.limits]\nraw = 19_999\nfunctions = 3\ncrates = 1\nmemory = \"32 KiB\"\n\
         crate.serde-json = 8_999\ncrate.absent = 1\nsection.code = 19_000\nsection.\"custom name\" = 1\n",
    );
    let before = project.report("before", &BEFORE);
    let (stdout, stderr) = project.ends(1, &["--report", &before]);
    golden("limits.stdout", &stdout);
    golden("limits.stderr", &stderr);
}

/// FR-15: down by itself, up for a reason alone.
#[test]
fn what_is_held_goes_down_by_itself_and_up_for_a_reason() {
    let project = Project::new("");
    let of = |bytes: u64| project.report(&bytes.to_string(), &[("app::run", bytes)]);
    project.ends(0, &["--report", &of(20_000), "--update"]);
    // Within the tolerance of 100 bytes: the baseline stays.
    project.ends(0, &["--report", &of(20_100), "--update"]);
    assert_eq!(project.entry().sizes.raw, 20_000);
    project.ends(1, &["--report", &of(20_101), "--update"]);
    assert_eq!(project.entry().sizes.raw, 20_000);
    project.ends(0, &["--report", &of(10_000), "--update"]);
    assert_eq!(
        (project.entry().sizes.raw, project.entry().anchor.raw),
        (10_000, 10_000)
    );
    // Back up is growth, measured against what was reached.
    project.ends(1, &["--report", &of(20_000), "--update"]);

    let text = fs::read_to_string(project.path("baseline.json")).unwrap();
    let big = of(20_000);
    let refusals: [&[&str]; 5] = [
        &["--raise"],
        &["--raise", "--reason", ""],
        &["--raise", "--reason", " \n"],
        &["--reason", "why"],
        &["--raise", "--update", "--reason", "why"],
    ];
    for arguments in refusals {
        let refused = [&["--report", big.as_str()], arguments].concat();
        project.ends(2, &refused);
    }
    assert_eq!(
        fs::read_to_string(project.path("baseline.json")).unwrap(),
        text
    );
    let (stdout, _) = project.ends(0, &["--report", &big, "--raise", "--reason", "a parser"]);
    assert!(stdout.contains("baseline: raw 10,000 → 20,000"), "{stdout}");
    let entry = project.entry();
    assert_eq!(
        (entry.sizes.raw, entry.anchor.raw, entry.raises.len()),
        (20_000, 20_000, 1)
    );
    let raise = &entry.raises[0];
    assert_eq!(
        (raise.reason.as_str(), raise.from.raw, raise.to.raw),
        ("a parser", 10_000, 20_000)
    );
    project.ends(0, &["--report", &big]);
}

/// After a raise the gate passes: the limits that would not hold go up with it, each with its
/// margin over the baseline, and everything else in the manifest stays as somebody wrote it.
#[test]
fn a_raise_takes_the_limits_along() {
    let limits = |[raw, gzip, brotli, functions, own]: [&str; 5]| {
        format!(
            "[package.metadata.budget.limits] # ours\nraw = {raw}   # 3%\ngzip = {gzip} # a contract\nbrotli = {brotli}\nmemory = \"64 KiB\"\n\
             [package.metadata.budget.target.{TARGET}.limits]\nfunctions={functions}#counted\ncrate = {{ app = {own} }}\n"
        )
    };
    let before = limits(["20_600", "\"10 KiB\"", "6766", "1", "20_200"]);
    let after = limits(["30_900", "\"15 KiB\"", "10151", "2", "30_300"]);
    let project = Project::new(&before);
    let manifest = || fs::read_to_string(project.path("Cargo.toml")).unwrap();
    let whole = manifest();
    project.ends(
        0,
        &[
            "--report",
            &project.report("before", &[("app::run", 20_000)]),
            "--update",
        ],
    );
    let grown = project.report("grown", &[("app::run", 24_000), ("app::parse", 6_000)]);
    let (_, stderr) = project.ends(1, &["--report", &grown]);
    // One error for what grew, one for the sizes' limits, and one for each other limit.
    for (code, times) in [("error[grew]", 1), ("error[over-budget]", 3)] {
        assert_eq!(stderr.matches(code).count(), times, "{code} in {stderr}");
    }
    for line in [
        "grew: raw by 10,000 bytes (+50.0%), gzip by 5,000 bytes (+50.0%), brotli by 3,334 bytes (+50.0%)",
        "and it is 15,000 bytes after gzip -9, 4,760 over its limit of 10,240 (Cargo.toml:10:8; gzip = 15_000)",
    ] {
        assert!(stderr.contains(line), "no {line} in {stderr}");
    }
    assert_eq!(manifest(), whole, "only a raise raises");
    let raise = ["--report", &grown, "--raise", "--reason", "a parser"];
    let (stdout, stderr) = project.ends(0, &raise);
    assert_eq!(
        manifest(),
        whole.replace(&before, &after),
        "{stdout}{stderr}"
    );
    for line in [
        "limit: raw 20,600 bytes \u{2192} 30,900 bytes (Cargo.toml:9:7)",
        "limit: functions 1 \u{2192} 2 (Cargo.toml:14:11)",
    ] {
        assert!(stdout.contains(line), "no {line} in {stdout}");
    }
    let (stdout, _) = project.ends(0, &["--report", &grown, "--json"]);
    let reports: Vec<Report> = serde_json::from_str(&stdout).unwrap();
    assert_eq!(reports[0].budget[0].limit, 30_900);
    // Again there is nothing to raise.
    project.ends(0, &raise);
    assert_eq!(manifest(), whole.replace(&before, &after));
    assert_eq!(project.entry().raises.len(), 1);
}

/// A changed toolchain is said, not blamed on the change, and taken over only when it is asked for.
#[test]
fn another_toolchain_is_told_and_not_blamed() {
    let project = Project::new("[package.metadata.budget.limits]\nraw = 30_000\n");
    let by = |bytes: u64, rustc: &str| {
        project.report_by(&bytes.to_string(), &[("app::run", bytes)], rustc)
    };
    project.ends(0, &["--report", &by(20_000, "rustc 1.95.0"), "--update"]);
    let other = by(20_300, "rustc 1.96.0");
    let (_, stderr) = project.ends(0, &["--report", &other, "--update"]);
    golden("toolchain.stderr", &stderr);
    assert_eq!(project.entry().sizes.raw, 20_000);
    // Limits hold whatever made the file.
    project.ends(1, &["--report", &by(30_001, "rustc 1.96.0")]);
    let too_far = by(20_500, "rustc 1.96.0");
    let (stdout, _) = project.ends(2, &["--report", &too_far, "--update", "--toolchain"]);
    assert!(stdout.contains("not taken over"), "{stdout}");
    assert_eq!(project.entry().sizes.raw, 20_000);
    let (_, stderr) = project.ends(0, &["--report", &other, "--update", "--toolchain"]);
    assert_eq!(stderr, "note: no git repository with a commit here\n");
    let entry = project.entry_of("rustc 1.96.0");
    assert_eq!((entry.sizes.raw, entry.anchor.raw), (20_300, 20_000));
    assert_eq!(entry.rebases[0].what[0].after, "rustc 1.96.0");
    let (_, stderr) = project.ends(1, &["--report", &by(20_401, "rustc 1.96.0")]);
    assert!(stderr.contains("error[drifted]"), "{stderr}");
    // The other's is still there, and judges its own.
    assert_eq!(project.entry_of("rustc 1.95.0").sizes.raw, 20_000);
    let (_, stderr) = project.ends(1, &["--report", &by(20_101, "rustc 1.95.0")]);
    assert!(stderr.contains("error[grew]"), "{stderr}");
}

/// A library that was built otherwise is no measure: the entry begins, by the same command. And a
/// raise is one of every toolchain, so that nobody has to build with all of them.
#[test]
fn each_toolchain_is_judged_by_its_own() {
    let project = Project::new("");
    let sources = |bytes: u64| {
        let mut report = report(&[("app::run", bytes)], "rustc 1.96.0");
        report.toolchain.std = "built from sources (1.96.0)".into();
        project
            .0
            .write("sources.report.json", &json::write(&report));
        "sources.report.json".to_owned()
    };
    let installed = |bytes: u64| project.report("installed", &[("app::run", bytes)]);
    project.ends(0, &["--report", &sources(20_000), "--update"]);
    let (_, stderr) = project.ends(0, &["--report", &installed(25_000), "--update"]);
    assert!(stderr.contains("warning[growth-not-judged]"), "{stderr}");
    let taken = ["--report", &installed(25_000), "--update", "--toolchain"];
    let (stdout, _) = project.ends(0, &taken);
    assert!(stdout.contains("the baseline begins"), "{stdout}");
    for report in [sources(20_101), installed(25_126)] {
        let (_, stderr) = project.ends(1, &["--report", &report]);
        assert!(stderr.contains("error[grew]"), "{stderr}");
    }
    project.ends(0, &["--report", &sources(20_100)]);
    project.ends(0, &["--report", &installed(25_125)]);
    // By a fifth here is by a fifth there.
    let raise = [
        "--report",
        &sources(24_000),
        "--raise",
        "--reason",
        "a parser",
    ];
    project.ends(0, &raise);
    project.ends(0, &["--report", &installed(30_150)]);
    project.ends(1, &["--report", &installed(30_151)]);
    let carried = project.entry_of("rustc 1.95.0").raises[0].carried.clone();
    let raised = project.entry_of("rustc 1.95.0");
    assert_eq!((raised.sizes.raw, carried.is_some()), (30_000, true));
}

/// The merge base's baseline counts: a change cannot loosen what it is measured against, and a
/// raise in it is shown.
#[test]
fn the_merge_base_counts() {
    let project = Project::new("");
    let of = |bytes: u64| project.report(&bytes.to_string(), &[("app::run", bytes)]);
    project.git(&["init", "--quiet"]);
    project.ends(0, &["--report", &of(20_000), "--update"]);
    project.commit("hold");
    let (stdout, stderr) = project.ends(0, &["--report", &of(20_000)]);
    assert!(
        stdout.contains("against the merge base with main, "),
        "{stdout}"
    );
    assert_eq!(stderr, "");
    project.git(&["checkout", "--quiet", "-b", "change"]);

    // By hand, and committed: it does not help.
    project.edit(|entry| {
        entry.sizes.raw = 25_000;
        entry.contents = Entry::begin(&report(&[("app::run", 25_000)], "")).contents;
    });
    project.commit("loosen");
    let (_, stderr) = project.ends(2, &["--report", &of(25_000)]);
    assert!(stderr.contains("error[loosened-baseline]"), "{stderr}");
    assert!(
        stderr.contains("raw is 25,000 bytes, and without a recorded raise 20,000 is the most"),
        "{stderr}"
    );
    assert!(stderr.contains("error[grew]"), "{stderr}");
    project.ends(2, &["--report", &of(20_000)]);
    fs::rename(
        project.path("baseline.json"),
        project.path("gone.report.json"),
    )
    .unwrap();
    let (_, stderr) = project.ends(2, &["--report", &of(20_000)]);
    assert!(stderr.contains("for wasm32-wasip1: it is gone"), "{stderr}");
    project.ends(0, &["--report", &of(20_000), "--update"]);
    assert_eq!(project.entry().sizes.raw, 20_000, "restored");

    // What is lowered by the change counts at once, as it will when it is merged.
    project.ends(0, &["--report", &of(19_000), "--update"]);
    project.ends(1, &["--report", &of(20_000)]);

    // A raise with a reason counts, and is shown to whoever looks at the change.
    project.ends(
        0,
        &["--report", &of(25_000), "--raise", "--reason", "a parser"],
    );
    project.commit("raise");
    let (stdout, _) = project.ends(0, &["--report", &of(25_000)]);
    assert!(
        stdout.contains("raised by this change, raw 19,000 → 25,000: a parser"),
        "{stdout}"
    );
    // What grew is counted from the merge base, though the raised baseline judges.
    for line in ["(20,000 → 25,000 bytes, +5,000)", "+5,000  app::run (grew)"] {
        assert!(stdout.contains(line), "no {line} in {stdout}");
    }
    let (stdout, _) = project.ends(0, &["--report", &of(25_000), "--json"]);
    let reports: Vec<Report> = serde_json::from_str(&stdout).unwrap();
    let baseline = reports[0].baseline.as_ref().unwrap();
    let base = baseline.base.as_ref().unwrap();
    assert_eq!(
        (base.from.as_str(), base.sizes.raw),
        ("the merge base with main", 20_000)
    );
    assert_eq!(baseline.changes.as_ref().unwrap().before, 20_000);
    assert_eq!(baseline.sizes[0].baseline, 25_000);
    fs::write(
        project.path("raised.report.json"),
        serde_json::to_string(&reports[0]).unwrap(),
    )
    .unwrap();
    let mut markdown = project.0.command(TOOL);
    markdown.args(["report", "raised.report.json", "--format", "markdown"]);
    let markdown = Ended::of(&mut markdown).with(0).stdout;
    for line in [
        "raised from 19,000 to 25,000 bytes, because `a parser`",
        "what changed, +5,000 bytes",
        "20,000 → 25,000 bytes, against `the baseline of the merge base with main`",
        "+5,000 (+25.0%)",
    ] {
        assert!(markdown.contains(line), "no {line} in {markdown}");
    }
    project.ends(1, &["--report", &of(26_000)]);
    // Against the change itself there is nothing new.
    let (stdout, _) = project.ends(0, &["--report", &of(25_000), "--base", "change"]);
    assert!(!stdout.contains("raised by this change"), "{stdout}");
    let (_, stderr) = project.ends(2, &["--report", &of(25_000), "--base", "nowhere"]);
    assert!(
        stderr.contains("--base nowhere: git knows no such commit"),
        "{stderr}"
    );
}

/// While a change takes the baseline over to another toolchain, a file of the old one is still
/// compared with the old figures, and nobody escapes them by saying that the toolchain is another.
#[test]
fn a_file_is_held_against_the_record_of_its_own_toolchain() {
    let project = Project::new("");
    let by = |bytes: u64, rustc: &str| {
        project.report_by(&bytes.to_string(), &[("app::run", bytes)], rustc)
    };
    let (old, new) = ("rustc 1.95.0", "rustc 1.96.0");
    project.git(&["init", "--quiet", "--initial-branch", "main"]);
    project.ends(0, &["--report", &by(20_000, old), "--update"]);
    project.commit("hold");
    project.git(&["checkout", "--quiet", "-b", "change"]);
    project.ends(
        0,
        &["--report", &by(20_300, new), "--update", "--toolchain"],
    );
    project.commit("another toolchain");
    let (stdout, stderr) = project.ends(0, &["--report", &by(20_300, new)]);
    assert!(
        stdout.contains("against the working tree") && stderr.is_empty(),
        "{stdout}{stderr}"
    );
    project.ends(1, &["--report", &by(20_402, new)]);
    let (stdout, _) = project.ends(0, &["--report", &by(20_100, old)]);
    assert!(
        stdout.contains("against the merge base with main"),
        "{stdout}"
    );
    project.ends(1, &["--report", &by(20_101, old)]);
    // Said by hand, it is an error, and the old record judges.
    project.git(&["checkout", "--quiet", "main"]);
    project.git(&["checkout", "--quiet", "-b", "by-hand"]);
    project.edit(|entry| entry.toolchain.rustc = new.to_owned());
    let (_, stderr) = project.ends(2, &["--report", &by(25_000, old)]);
    assert!(stderr.contains("for wasm32-wasip1: it is gone"), "{stderr}");
    assert!(stderr.contains("error[grew]"), "{stderr}");
    let (_, stderr) = project.ends(2, &["--report", &by(25_000, new)]);
    assert!(
        stderr.contains("it is of another toolchain, and nothing records the change"),
        "{stderr}"
    );
    // Under a fingerprint that is not its own it is not even read.
    let path = project.path("baseline.json");
    let text = fs::read_to_string(&path).unwrap();
    let key = fingerprint(&report(&[], new).toolchain);
    fs::write(&path, text.replace(&key, "0123456789ab")).unwrap();
    let (_, stderr) = project.ends(2, &["--report", &by(20_000, old)]);
    assert!(
        stderr.contains("0123456789ab is not the fingerprint"),
        "{stderr}"
    );
}

/// Where a toolchain has no entry, as on a machine for CI, what the merge base weighs with it
/// judges, and a raise is as much of one there.
#[test]
fn a_toolchain_without_an_entry_is_judged_by_the_merge_base_built_with_it() {
    let project = Project::new("");
    let by = |name: &str, bytes: u64, rustc: &str| {
        let name = format!("{name}-{bytes}");
        project.report_by(&name, &[("app::run", bytes)], rustc)
    };
    let (ours, ci) = ("rustc 1.95.0", "rustc 1.99.0");
    project.git(&["init", "--quiet", "--initial-branch", "main"]);
    project.ends(0, &["--report", &by("ours", 20_000, ours), "--update"]);
    project.commit("hold");
    project.git(&["checkout", "--quiet", "-b", "change"]);
    let base = by("base", 21_000, ci);
    let ends = |code, bytes| {
        let report = by("ci", bytes, ci);
        project.ends(code, &["--report", &report, "--base-report", &base])
    };
    let (stdout, stderr) = ends(1, 21_106);
    assert!(
        stdout.contains("against the merge base, built here"),
        "{stdout}"
    );
    assert!(stderr.contains("grew: raw by 106 bytes"), "{stderr}");
    let (_, stderr) = ends(0, 21_105);
    assert_eq!(stderr, "", "judged, and within");
    // Without that it is not, and another toolchain's report says nothing either.
    for arguments in [
        vec![],
        vec![
            "--base-report".to_owned(),
            by("other", 21_000, "rustc 1.98.0"),
        ],
    ] {
        let mut all = vec!["--report".to_owned(), by("ci", 30_000, ci)];
        all.extend(arguments);
        let all: Vec<_> = all.iter().map(String::as_str).collect();
        let (_, stderr) = project.ends(0, &all);
        assert!(stderr.contains("growth-not-judged"), "{stderr}");
    }
    let raise = [
        "--report",
        &by("ours", 24_000, ours),
        "--raise",
        "--reason",
        "a parser",
    ];
    project.ends(0, &raise);
    let (stdout, _) = ends(0, 25_200);
    assert!(
        stdout.contains("(21,000 \u{2192} 25,200 bytes, +4,200)"),
        "{stdout}"
    );
    ends(1, 25_400);
}

/// Baselines of older layouts are read as what they are, the merge base's among them, and written
/// anew with all that was there; a newer one is refused and left as it is.
#[test]
fn older_layouts_are_read_and_newer_ones_refused() {
    let project = Project::new("");
    let of = |bytes: u64| project.report(&bytes.to_string(), &[("app::run", bytes)]);
    let path = project.path("baseline.json");
    let written = || fs::read_to_string(&path).unwrap();
    project.ends(0, &["--report", &of(20_000), "--update"]);
    // Version 2: one entry, without a fingerprint, and what was measured.
    let mut second: serde_json::Value = serde_json::from_str(&written()).unwrap();
    let entries = &mut second["ratchet"]["app"][TARGET];
    *entries = entries
        .as_object()
        .unwrap()
        .values()
        .next()
        .unwrap()
        .clone();
    second["schema"] = 2.into();
    second["measured"] = serde_json::json!({ "mood": [1.5, "good"] });
    fs::write(&path, serde_json::to_string_pretty(&second).unwrap()).unwrap();
    project.git(&["init", "--quiet", "--initial-branch", "main"]);
    project.commit("hold");
    project.git(&["checkout", "--quiet", "-b", "change"]);
    let before = written();
    let (_, stderr) = project.ends(1, &["--report", &of(20_101)]);
    assert!(
        stderr.contains("\"raw\": 20000"),
        "its place is shown: {stderr}"
    );
    assert_eq!(written(), before, "only asked for is written");
    project.ends(0, &["--report", &of(20_000), "--update"]);
    assert_eq!(project.entry().sizes.raw, 20_000);
    let now: serde_json::Value = serde_json::from_str(&written()).unwrap();
    assert_eq!(now["schema"], 3);
    assert_eq!(now["measured"], second["measured"]);
    project.ends(1, &["--report", &of(20_101)]);
    project.edit(|entry| entry.anchor.raw += 1);
    project.ends(2, &["--report", &of(20_000)]);

    // Version 1: what was measured, at the top, wherever the version stands.
    for first in [
        "{\n  \"schema\": 1,\n  \"package\": \"app\",\n  \"n\": [0.1]\n}\n",
        "{\"package\": \"app\", \"n\": [0.1], \"schema\": 1}",
    ] {
        fs::write(&path, first).unwrap();
        project.ends(0, &["--report", &of(20_000), "--update"]);
        let now: serde_json::Value = serde_json::from_str(&written()).unwrap();
        let measured = serde_json::json!({ "package": "app", "n": [0.1] });
        assert_eq!((&now["measured"], &now["schema"]), (&measured, &3.into()));
        assert_eq!(project.entry().sizes.raw, 20_000);
    }
    let newer = "{\"schema\": 4, \"ratchet\": {}}";
    fs::write(&path, newer).unwrap();
    for arguments in [&[][..], &["--update"], &["--raise", "--reason", "why"]] {
        let report = of(20_000);
        let arguments = [&["--report", report.as_str()], arguments].concat();
        let (_, stderr) = project.ends(2, &arguments);
        assert!(
            stderr.contains("its layout is version 4, and this tool's is 3")
                && stderr.contains("leave the file as it is"),
            "{stderr}"
        );
    }
    assert_eq!(written(), newer);
}

/// Where git cannot tell the merge base, the one that counts instead is named.
#[test]
fn without_a_merge_base_it_is_said() {
    let project = Project::new("");
    let of = |bytes: u64| project.report(&bytes.to_string(), &[("app::run", bytes)]);
    project.ends(0, &["--report", &of(20_000), "--update"]);
    let (stdout, stderr) = project.ends(0, &["--report", &of(20_000)]);
    assert!(stdout.contains("against the working tree"), "{stdout}");
    assert_eq!(stderr, "note: no git repository with a commit here\n");
    project.git(&["init", "--quiet", "--initial-branch", "trunk"]);
    project.commit("hold");
    let (stdout, stderr) = project.ends(0, &["--report", &of(20_000)]);
    assert!(stdout.contains("against HEAD, "), "{stdout}");
    assert!(
        stderr.contains("git knows no default branch here"),
        "{stderr}"
    );
    project.git(&["checkout", "--quiet", "--orphan", "main"]);
    project.commit("another root");
    let (stdout, stderr) = project.ends(0, &["--report", &of(20_000), "--base", "trunk"]);
    assert!(stdout.contains("against the working tree"), "{stdout}");
    assert!(stderr.contains("no merge base here"), "{stderr}");
}

/// Two processes at once leave one whole file, which holds the lower of what both found; whoever
/// comes first.
#[test]
fn concurrent_updates_leave_the_lower_of_both() {
    let project = Project::new("");
    let mut lowest = u64::MAX;
    for round in 0..16u64 {
        if round % 4 == 0 {
            let _ = fs::remove_file(project.path("baseline.json"));
            lowest = u64::MAX;
        }
        let found = [
            50_000 - round * 700,
            50_000 - round * 700 - 300 + (round % 3) * 300,
        ];
        let files: Vec<_> = ["one", "two"]
            .into_iter()
            .zip(found)
            .map(|(name, bytes)| project.report(name, &[("app::run", bytes)]))
            .collect();
        let started: Vec<_> = files
            .iter()
            .map(|file| {
                let mut gate = project.gate(&["--report", file, "--update"]);
                gate.stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for process in started {
            let done = process.wait_with_output().unwrap();
            let stderr = String::from_utf8_lossy(&done.stderr);
            // The larger one may be over the tolerance above what the other left.
            assert!(matches!(done.status.code(), Some(0 | 1)), "{stderr}");
        }
        lowest = lowest.min(found[0]).min(found[1]);
        let entry = project.entry();
        assert_eq!(entry.sizes.raw, lowest, "round {round}");
        assert_eq!(entry.contents.sum(), Some(lowest), "round {round}");
        let left = fs::read_dir(&project.0.root)
            .unwrap()
            .map(|e| e.unwrap().file_name());
        let left: Vec<_> = left
            .filter(|name| name.to_string_lossy().starts_with(".build-support"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// Reports that are none, or of something else, are errors that say so.
#[test]
fn what_cannot_be_judged_is_refused() {
    let project = Project::new("[package.metadata.budget.limits]\nraw = 9\n");
    fs::write(project.path("bad.report.json"), "{\"schema\": 2}").unwrap();
    let (_, stderr) = project.ends(2, &["--report", "bad.report.json"]);
    assert!(stderr.contains("reads schema 3"), "{stderr}");
    let (_, stderr) = project.ends(2, &["--report", "none.json"]);
    assert!(stderr.contains("reading none.json"), "{stderr}");
    let of = project.report("of", &[("app::run", 9)]);
    let started = Project::new("[package.metadata.budget.limits]\nstart = 9\n");
    let (_, stderr) = started.ends(2, &["--report", &started.report("of", &BEFORE)]);
    assert!(stderr.contains("says nothing of the start"), "{stderr}");
    fs::write(project.path("baseline.json"), "{\"schema\": 9}").unwrap();
    let (_, stderr) = project.ends(2, &["--report", &of]);
    assert!(
        stderr.contains("its layout is version 9") && stderr.contains("help:"),
        "{stderr}"
    );
    let text = fs::read_to_string(project.path(&of)).unwrap();
    fs::write(project.path(&of), text.replace("\"app\"", "\"other\"")).unwrap();
    fs::remove_file(project.path("baseline.json")).unwrap();
    let (_, stderr) = project.ends(2, &["--report", &of]);
    assert!(
        stderr.contains("is of other, and the package here is app"),
        "{stderr}"
    );
}
