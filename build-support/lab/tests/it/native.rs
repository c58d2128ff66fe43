//! The native program that native figures are taken of: it is built, answers the transcript, and
//! says what is wrong.

use crate::agent;
use build_support::system::process;
use lab::llvm::Compiler;
use lab::native::home::Home;
use lab::native::workload::{self, Part};
use lab::native::{self, Native};
use lab::transcript::Transcript;
use serde_json::json;

#[test]
fn it_is_measured_and_says_what_is_wrong() {
    let package = agent();
    let transcript = Transcript::of(&package).unwrap();

    // Every message of every process was answered, or this is an error.
    let native = native::run(&package, &transcript, 3).unwrap();
    assert_eq!(native.program, "weft");
    assert!(native.rustc.starts_with("rustc ") && !native.target.is_empty());
    assert!(native.bytes > 100_000, "{} bytes", native.bytes);
    assert_eq!((native.process.samples, native.message.samples), (3, 1));

    // What is measured is the program that people have: it reads a file, and says what is wrong.
    let program = native::build(&package, &Compiler::here().unwrap()).unwrap();
    let home = Home::new(&transcript.toml().unwrap()).unwrap();
    let said = |args: &[&str]| {
        let mut command = home.weft(&program);
        process::output(command.args(args)).map_err(|error| error.to_string())
    };
    let args = ["agent", "-m", "write a.txt: b", "-m", "read a.txt"];
    let answers = said(&args).unwrap();
    assert_eq!(answers.lines().count(), 2, "{answers}");
    assert!(home.root().join("a.txt").is_file());
    // 1 for an answer that is an error, 2 for what could not be run.
    for (args, expected) in [
        (
            &["agent", "--session", "../x", "-m", "a"][..],
            "exit status: 1",
        ),
        (&["--nope"], "exit status: 2"),
    ] {
        let error = said(args).unwrap_err();
        assert!(error.contains(expected), "{args:?}: {error}");
    }
    let refused = Home::new("model = 1\n").unwrap();
    let mut command = refused.weft(&program);
    let error = process::output(command.args(["agent", "-m", "a"])).unwrap_err();
    assert!(error.to_string().contains("exit status: 2"), "{error}");
}

/// Protects a profile and its figures from commands that do nothing: every one of both parts ends
/// well, and the model is asked what vendors take.
#[test]
fn the_workload_is_what_users_do() {
    let package = agent();
    let transcript = Transcript::of(&package).unwrap();
    let program = native::build(&package, &Compiler::here().unwrap()).unwrap();
    // Four of the offline provider, and each scenario in each of its forms.
    for (part, expected) in [(Part::Training, 4 + 16), (Part::Others, 4 + 13)] {
        let mut commands = 0;
        let start = || process::command(&program);
        workload::play(part, &transcript, &start, &mut |command, input| {
            commands += 1;
            workload::ended(command, input)
        })
        .unwrap();
        assert_eq!(commands, expected, "{part:?}");
    }
}

/// Protects the file from before `weft`: it is read as it stands.
#[test]
fn a_baseline_of_the_former_program_is_read() {
    let quantiles = json!({"samples": 1, "min_ns": 1, "median_ns": 1});
    let text = json!({"rustc": "r", "target": "t", "bytes": 1, "process": quantiles, "message": quantiles});
    let native: Native = serde_json::from_value(text).unwrap();
    assert_eq!((native.program.as_str(), native.builds), ("clawft", None));
}
